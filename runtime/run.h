/* SPDX-License-Identifier: BSD-2-Clause
 * run.h - what the files share that run an actor: run.c, batch.c, special.c, drain.c, ending.c, rest.c,
 * panic.c, lane.c, exchange.c, ask.c.
 *
 * Threads   everything: the holder of the right to run the actor.
 * n         the node that the mailbox begins with; `done`: it has been handled, else it is to be looked at.
 * verdict   what the worker does with the actor next; RUN_DONE: the right to run is given up. */
#ifndef HEIST_RUNTIME_RUN_H
#define HEIST_RUNTIME_RUN_H

#include "runtime/system.h"

/* Beside what a handler answers: it has been looked at and is a request or reply that comes too late; another message
 * ran instead, and this one has not; it has not run yet; the run is over, there is a verdict. */
#define HEIST_RUN_LATE	((heist_next)-4)
#define HEIST_RUN_NEXT	((heist_next)-3)
#define HEIST_RUN_FRESH ((heist_next)-2)
#define HEIST_RUN_OVER	((heist_next)-1)

/* ---- run.c ---- */
/* Its INIT is the oldest message. */
enum verdict heist_run_start(struct rt_worker *w, struct actor *a, struct mpsc_node *n);
/* It does not start: its init failed, or it is a child, which rests until it is told to. */
enum verdict heist_start_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n);
/* To be run again, from n on. */
enum verdict heist_run_suspend(struct rt_worker *w, struct actor *a, struct mpsc_node *n);

/* ---- batch.c ---- */
/* One batch; v: what the handler of n said, or HEIST_RUN_FRESH. */
enum verdict heist_run_batch(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			     heist_next v);
/* The batch that runs, if any, only counts from now on: a panic is not about its message. */
void heist_batch_set_aside(struct rt_worker *w);

/* Its handler has changed a->recv. */
void heist_behaviour_changed(struct heist_ctx *ctx, struct actor *a);
/* Look at the slot again before the next message of the batch that runs, if it is a's. */
void heist_batch_cut(struct rt_worker *w, struct actor *a);
/* Any thread, after calling a: a worker that handles its messages looks at the slot before the next one. */
void heist_batch_interrupt(struct heist_system *s, struct actor *a);
/* Any thread: the message that a batch which may be there runs.  False: it is not there. */
bool heist_batch_peek(const struct batch *b, struct mpsc_node **n);
/* Of the message that the worker handles, or has handled last; may be NULL.  Also in a signal handler. */
const heist_type *heist_run_type(const struct rt_worker *w);

/* A handler was abandoned: before the jump, while its batch is on the stack. */
void heist_run_abandon(struct rt_worker *w);

/* ---- special.c ---- */
/* A message that is not plain.  Answers like a handler; *counted: it was accepted before and is handled
 * now; *end: how the actor ends, if it does. */
heist_next heist_run_special(struct rt_worker *w, struct actor *a, struct message *m, bool *counted,
			     struct ending *end);

/* ---- lane.c ---- */
/* A message of a lane, instead of n.  HEIST_RUN_FRESH: there is none, it is n's turn. */
heist_next heist_lane_run(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct ending *end, enum verdict *verdict);
/* The same after the jump, if it was a message of a lane whose handler was abandoned. */
enum verdict heist_lane_settle(struct rt_worker *w, struct actor *a, struct mpsc_node *n);

/* ---- drain.c ---- */
/* Lose what the mailbox holds until it is idle.  Frees the slot of an actor that has ended. */
enum verdict heist_run_drain(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done,
			     heist_cause cause);
/* One message that nobody will handle. */
void heist_drain_message(struct rt_worker *w, struct actor *a, struct message *m,
			 heist_cause cause);

/* ---- ending.c ---- */
/* recv of an actor that has ended but whose mailbox is not drained yet. */
heist_next heist_actor_dying(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
/* What a handler ended, with v: message n is done with. */
enum verdict heist_run_end(struct rt_worker *w, struct actor *a, struct mpsc_node *n, heist_next v,
			   struct ending end);
/* The same after a failure: n is lost, or tried again. */
enum verdict heist_run_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n);
/* Message m is lost, with which the handler failed. */
void heist_run_lose_failed(struct rt_worker *w, struct actor *a, struct message *m,
			   heist_status why);
/* An end that is more than closing the mailbox: hooks, others to tell, a supervisor. */
enum verdict heist_run_end_whole(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
				 bool done, struct ending end);
/* What goes with an incarnation, whether another follows or not; its handlers run no more. */
void heist_incarnation_end(struct rt_worker *w, struct actor *a, heist_status why);

/* ---- rest.c ---- */
/* The incarnation is over, another may follow. */
void heist_incarnation_rest(struct rt_worker *w, struct actor *a, struct ending end);
/* Rest at node n. */
enum verdict heist_run_rest(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done);
/* One that rests, its mailbox suspended: start it, end it, or let go. */
enum verdict heist_run_held(struct rt_worker *w, struct actor *a);

/* ---- inline ---- */

HEIST_HOT_INLINE void run_retire(struct rt_worker *w, struct actor *a, struct message *m)
{
	/* nothing but a kind: plain, an INIT with a small argument and whatever config, a small exchange */
	uint32_t kind = (uint32_t)(m->tag >> 32) & 0xff;
	if (HEIST_LIKELY(kind <= KIND_REPLY))
		block_free(&w->local.messages, m);
	else
		heist_message_retire(w, a, m);
}

/* The worker counts each activation; what is kept here is how many messages it was more, or fewer. */
HEIST_HOT_INLINE void handled_count(struct rt_worker *w, uint32_t handled)
{
	heist_count(&w->local.handled_more, (uint64_t)handled - 1);
}

HEIST_HOT_INLINE uintptr_t meta_of(struct rt_worker *w, struct actor *a)
{
	return atomic_load_explicit(&w->local.meta[a - w->local.slots], memory_order_relaxed);
}

HEIST_HOT_INLINE struct actor_extra *extra_of(struct rt_worker *w, struct actor *a)
{
	return meta_extra(meta_of(w, a));
}

/* A producer has not linked yet: again later, where the actor belongs. */
static inline enum verdict late(const struct actor *a)
{
	return (a->config & (CONFIG_BOUND | CONFIG_PLACED)) == CONFIG_BOUND ? RUN_LATE_BOUND
									    : RUN_LATE;
}

/* Does something go before the mailbox's messages? */
static inline bool has_lane(struct actor *a)
{
	return atomic_load_explicit(&a->control, memory_order_relaxed) & CONTROL_LANE; /* own bit */
}

/* Is there something to look at?  Whatever waits beside the mailbox calls when it has been put there. */
static inline bool is_called(struct actor *a)
{
	return atomic_load_explicit(&a->control, memory_order_relaxed) &
	       CONTROL_CALL; /* acquired by heist_control_run; in batch.c by CT3 */
}

/* Is this the INIT of an actor that starts in this free slot? */
static inline bool starts_actor(struct actor *a, struct message *m)
{
	return a->recv == NULL && message_kind(m) == KIND_INIT &&
	       message_generation(m) == mpsc_generation(&a->ticket);
}

/* Of an INIT whose hook will not run. */
static inline void argument_drop(struct message *m)
{
	if (m->type)
		payload_drop(m->type, message_payload(m));
}

/* A message in the sense of the accounting, which the handler has not taken away. */
static inline bool is_lost_by_failure(const struct message *m)
{
	uint32_t kind = message_kind(m);
	return (kind == KIND_USER || kind == KIND_REQUEST || kind == KIND_REPLY) &&
	       !message_has(m, MESSAGE_TAKEN);
}

/* None of these bits of the control word is set. */
HEIST_HOT_INLINE bool is_clear(struct actor *a, uint16_t control)
{
	return HEIST_LIKELY(!(atomic_load_explicit(&a->control, memory_order_relaxed) &
			      control)); /* acquired by heist_control_run */
}

/* A plain message is for exactly this generation; and none of these bits of the control word is set. */
HEIST_HOT_INLINE bool is_plain(struct actor *a, const struct message *m, uint16_t control)
{
	return HEIST_LIKELY(m->tag ==
			    atomic_load_explicit(&a->ticket, memory_order_relaxed)) && /* own */
	       is_clear(a, control);
}

/* Plain, and nothing goes before it.  Only a live actor has its ticket open, so this also says that there is
 * a behaviour to call. */
HEIST_HOT_INLINE bool is_usual(struct actor *a, const struct message *m)
{
	return is_plain(a, m, CONTROL_CALL | CONTROL_LANE);
}

/* kind: what a message's tag holds beside the generation.  Is it a request or a reply, with nothing special
 * about it? */
HEIST_HOT_INLINE bool is_exchange_kind(uint64_t kind)
{
	return kind == MESSAGE_KIND(KIND_REQUEST) || kind == MESSAGE_KIND(KIND_REPLY);
}

/* Such a one, and nothing goes before it. */
HEIST_HOT_INLINE bool is_exchange(struct actor *a, const struct message *m)
{
	return is_exchange_kind(m->tag ^ mpsc_generation(&a->ticket)) &&
	       is_clear(a, CONTROL_CALL | CONTROL_LANE);
}

HEIST_HOT_INLINE heist_next handle(struct rt_worker *w, struct actor *a, struct message *m)
{
	return a->recv(&w->ctx, actor_state(a), m->type, m->u.bytes);
}

/* The turn of a message that is not plain is over. */
HEIST_HOT_INLINE heist_next turn_end(struct rt_worker *w, heist_next v)
{
	w->ctx.current = NULL;
	if (HEIST_LIKELY(!w->ctx.stop_after))
		return v;
	w->ctx.stop_after = false;
	return HEIST_STOP;
}

#endif
