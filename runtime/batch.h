/* SPDX-License-Identifier: BSD-2-Clause
 * batch.h - the common part of a batch (batch.c): messages one after another, with few looks at anything else.
 *
 * Threads   the holder of the right to run the actor. */
#ifndef HEIST_RUNTIME_BATCH_H
#define HEIST_RUNTIME_BATCH_H

#include "runtime/run.h"

/* Where a batch is; kept in memory, so only the rarer turns touch it. */
struct batch {
	struct batch *outer;	/* it met the INIT of an actor, which this batch goes on with */
	struct mpsc_node *node; /* the message that runs, for a panic                        */
	uint32_t done;		/* of the segment, the one that runs included ...            */
	uint32_t stretch, left; /* ... but for those since the last look at the slot         */
	uint32_t quota;		/* messages until the batch is over, as of the segment's begin */
	uint32_t segment;	/* of these, until the clock is read */
	uint32_t messages;	/* looked at before this segment */
	uint32_t skipped;	/* looked at, but not handled */
	uint64_t until;		/* the end of its time */
	enum verdict verdict;
	uint64_t plain; /* the tag of plain messages, if nothing goes before them */
	bool linger;	/* fed from outside: wait a little before turning idle */
	uint64_t sent;	/* what the worker had sent when the batch began */
};

/* Messages of the segment so far. */
static inline uint32_t batch_done(const struct batch *b)
{
	return b->done + b->stretch - b->left;
}

/* The worker's copy of the behaviour is what the stretch calls, or looks at, for every message; false: look at
 * the slot first (batch.c, interrupts). */
HEIST_HOT_INLINE bool batch_expose(struct rt_worker *w, struct actor *a)
{
	ctx_set_recv(&w->ctx, a->recv);
	heist_fence_light(); /* CT3 */
	return !is_called(a);
}

/* ---- stretches ---- */

/* The slot's line belongs to whoever sends to the actor.  A batch looks at it, for control requests,
 * only every so many messages, unless it is interrupted. */
#define LOOK_AT_SLOT 8

/* A stretch begins, unless there is something to look at first: messages until the next look.  The last one of
 * the segment is left to whoever ends that. */
HEIST_HOT_INLINE bool stretch_begin(struct rt_worker *w, struct actor *a, struct batch *b)
{
	uint32_t most = b->segment - b->done;
	if (most <= 1 || HEIST_UNLIKELY(!batch_expose(w, a)))
		return false;
	b->stretch = b->left = most - 1 < LOOK_AT_SLOT ? most - 1 : LOOK_AT_SLOT;
	return true;
}

HEIST_HOT_INLINE void stretch_end(struct batch *b)
{
	b->done = batch_done(b);
	b->stretch = b->left = 0;
}

/* Whose messages run; the same for all of them. */
struct turns {
	struct actor *a;
	void *state;
	heist_recv_fn *recv;   /* the behaviour */
	struct actor_extra *x; /* if they are replies */
};

HEIST_HOT_INLINE struct turns turns_of(struct actor *a, struct actor_extra *x)
{
	return (struct turns){ a, actor_state(a), a->recv, x };
}

/* One message's; answers like a handler. */
typedef heist_next turn_fn(struct rt_worker *w, const struct turns *t, struct message *m);

/* Stretch by stretch: messages with one tag, from *n on, each of which has a successor.  They are plain, or `exchange`
 * runs them.  Touches the slot's line at the begin of a stretch only.  *n is the next message; the answer is
 * what its turn said, if it has run already: something else than CONTINUE, or there is no successor yet.
 *
 * Exchanges run with the behaviour that was there at first or not at all: once an interrupt or another behaviour
 * is installed it is over. */
HEIST_HOT_INLINE heist_next batch_stretches(struct rt_worker *w, const struct turns *t,
					    struct batch *b, uint64_t tag, struct mpsc_node **n,
					    turn_fn *exchange)
{
	while (stretch_begin(w, t->a, b)) {
		do {
			struct message *m = (struct message *)*n;
			heist_recv_fn *recv =
				atomic_load_explicit(&w->ctx.recv, memory_order_relaxed); /* CT3 */
			if (exchange && HEIST_UNLIKELY(recv != t->recv)) {
				(void)batch_expose(w,
						   t->a); /* CT3: what it says is looked at next */
				stretch_end(b);
				return HEIST_RUN_FRESH;
			}
			if (HEIST_UNLIKELY(m->tag != tag)) {
				stretch_end(b);
				return HEIST_RUN_FRESH;
			}
			b->left--;
			b->node = *n;
			heist_next v = exchange ? exchange(w, t, m)
						: recv(&w->ctx, t->state, m->type, m->u.bytes);
			struct mpsc_node *next = mpsc_linked(&m->node);
			if (HEIST_UNLIKELY(v != HEIST_CONTINUE) || HEIST_UNLIKELY(!next)) {
				b->left++; /* it counts when it is done with */
				stretch_end(b);
				return v;
			}
			*n = next;
			if (exchange)
				run_retire(w, t->a, m);
			else
				block_free(&w->local.messages, m);
		} while (b->left != 0);
		stretch_end(b);
	}
	return HEIST_RUN_FRESH;
}

#endif
