/* SPDX-License-Identifier: BSD-2-Clause
 * lane.h - messages that go before those of the mailbox: urgent ones, and those that were put aside.
 *
 * urgent    what senders push beside the slot (control.urgent), and what the runner has taken from there
 * ahead     unstashed, or postponed and released: handled in order before the mailbox
 * stash     kept until heist_unstash (stash.c)
 * postponed kept until what heist_hold waits for is answered (postpone.c)
 *
 * A lane is a list through the messages' links, which nobody else uses when they are in no mailbox.  While
 * something is in `urgent` or `ahead` the runner keeps CONTROL_LANE set, which leads every message off the
 * usual path of a run by the test that looks for calls; and the doorbell is in the mailbox, so an actor
 * with a message in a lane is never idle.  Then, before each message of the mailbox: an urgent one, but
 * not more than LANE_URGENT_STREAK on end while others wait; else one of `ahead`; else the mailbox's.
 *
 * What was put aside has been accepted and not handled: it counts when it is handled or lost.
 *
 * Threads   control.urgent: any thread pushes, the holder of the right to run takes.  Else the latter.
 * Edges     IJ1 of inject.h: an urgent message; HO1 of hold.h: that there is one */
#ifndef HEIST_RUNTIME_LANE_H
#define HEIST_RUNTIME_LANE_H

#include "runtime/message.h"

#ifndef LANE_URGENT_STREAK
#define LANE_URGENT_STREAK 8
#endif

struct lane {
	struct message *first, *last;
	uint32_t count;
};

static inline struct message *lane_after(struct message *m)
{
	return (struct message *)atomic_load_explicit(&m->node.next,
						      memory_order_relaxed); /* own */
}

static inline void lane_link(struct message *m, struct message *next)
{
	atomic_store_explicit(&m->node.next, (struct mpsc_node *)next, memory_order_relaxed);
}

static inline void lane_put(struct lane *l, struct message *m)
{
	lane_link(m, NULL);
	if (l->last)
		lane_link(l->last, m);
	else
		l->first = m;
	l->last = m;
	l->count++;
}

static inline void lane_put_first(struct lane *l, struct message *m)
{
	lane_link(m, l->first);
	l->first = m;
	if (!l->last)
		l->last = m;
	l->count++;
}

static inline struct message *lane_get(struct lane *l)
{
	struct message *m = l->first;
	if (!m)
		return NULL;
	l->first = lane_after(m);
	if (!l->first)
		l->last = NULL;
	l->count--;
	return m;
}

/* All of `from` before all of `to`. */
static inline void lane_prepend(struct lane *to, struct lane *from)
{
	if (!from->first)
		return;
	lane_link(from->last, to->first);
	if (!to->last)
		to->last = from->last;
	to->first = from->first;
	to->count += from->count;
	*from = (struct lane){ NULL, NULL, 0 };
}

/* All of `from` after all of `to`. */
static inline void lane_append(struct lane *to, struct lane *from)
{
	struct lane all = *to;
	*to = *from;
	lane_prepend(to, &all);
	*from = (struct lane){ NULL, NULL, 0 };
}

/* Part of struct actor_extra. */
struct lanes {
	struct lane urgent, ahead, stash, postponed;
	uint32_t streak;   /* urgent ones on end     */
	uint32_t capacity; /* of the stash           */
	uint32_t awaited;  /* asks that hold waits for */
	bool holding;	   /* what came meanwhile is not ahead yet */
};

struct actor;
struct actor_extra;
struct local;
struct rt_worker;

/* Something has been put into `ahead`, or may be in a lane at the start of an incarnation. */
void heist_lanes_wake(struct rt_worker *w, struct actor *a);
/* The runner was called: take what is urgent. */
void heist_lanes_look(struct rt_worker *w, struct actor *a);
/* Is there something urgent in this slot, whoever it is for? */
bool heist_lanes_pending(struct heist_system *s, struct actor *a);
/* The incarnation is over, another may follow: all that was put aside is ahead. */
void heist_lanes_rest(struct actor *a, struct actor_extra *x);
/* Nobody will handle them. */
void heist_lanes_lose(struct rt_worker *w, struct actor *a, heist_cause cause);
/* The same of those that came to an actor when it had ended (heist_late_take). */
void heist_urgent_lose_late(struct rt_worker *w, struct actor *a);

/* A copy of m, of this thread's memory, not taken and counted for no bound; NULL: out of memory. */
struct message *heist_message_copy(struct local *l, const struct message *m);
/* A copy of m, which its handler has, to be handled later instead of it; NULL: out of memory. */
struct message *heist_message_put_aside(struct heist_ctx *ctx, struct message *m);

/* postpone.c: stands before the behaviour while there is something to wait for. */
heist_next heist_postpone(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
/* The same for an alarm whose message is the actor's own. */
heist_next heist_postpone_alarm(struct rt_worker *w, struct actor *a, const struct message *alarm);
/* Does it wait for answers? */
bool heist_holds(struct heist_system *s, struct actor *a);
/* One of the asks that are waited for has been answered, and its continuation has run. */
void heist_postpone_over(struct rt_worker *w, struct actor *a, struct actor_extra *x);

#endif
