/* SPDX-License-Identifier: BSD-2-Clause
 * bound.h - mailboxes with a bound: how many messages may wait, and what becomes of one too many.
 *
 * The handle of such an actor has REF_BOUNDED set, which leads every send to it off the direct path; its
 * messages have MESSAGE_COUNTED set, which leads them off the usual path of a run.  So actors without a
 * bound pay nothing.  The count lies beside the slot and belongs to it, not to the actor: whatever was
 * counted in is counted out when it leaves the mailbox, whoever lives there by then.
 *
 * Who may call        enter: any thread, lock-free.  leave: any thread, once for each enter.
 * Memory              orders nothing: the mailbox does. */
#ifndef HEIST_RUNTIME_BOUND_H
#define HEIST_RUNTIME_BOUND_H

#include "runtime/slot.h"

#define BOUND_MAX ((uint32_t)1 << 28)

enum bound_answer { BOUND_ENTERED, BOUND_REFUSED, BOUND_DROPPED };

/* Whoever makes the actor, before its handle is known. */
static inline void bound_set(struct control *c, uint32_t generation, uint32_t capacity,
			     heist_overflow policy)
{
	atomic_store_explicit(&c->bounded, generation, memory_order_relaxed);
	atomic_store_explicit(&c->bound, capacity | (uint32_t)policy << 28, memory_order_relaxed);
}

/* What becomes of a message that may not wait. */
static inline enum bound_answer bound_full(struct control *c)
{
	uint32_t bound = atomic_load_explicit(&c->bound, memory_order_relaxed);
	return bound >> 28 == HEIST_REJECT ? BOUND_REFUSED : BOUND_DROPPED;
}

/* Any thread: of the last actor here that had a bound. */
static inline uint32_t bound_generation(const struct control *c)
{
	return atomic_load_explicit(&c->bounded, memory_order_relaxed);
}

/* May one more wait?  Where the oldest are dropped the consumer does it when it comes to them; it may be
 * slow, so beyond twice the bound the newest are. */
static inline enum bound_answer bound_enter(struct control *c)
{
	uint32_t bound = atomic_load_explicit(&c->bound, memory_order_relaxed);
	uint32_t policy = bound >> 28, capacity = bound & (BOUND_MAX - 1);
	uint32_t most = policy == HEIST_DROP_OLD ? 2 * capacity : capacity;
	uint32_t n = atomic_load_explicit(&c->queued, memory_order_relaxed);
	do
		if (n >= most)
			return bound_full(c);
	while (!atomic_compare_exchange_weak_explicit(&c->queued, &n, n + 1, memory_order_relaxed,
						      memory_order_relaxed));
	return BOUND_ENTERED;
}

static inline void bound_leave(struct control *c)
{
	atomic_fetch_sub_explicit(&c->queued, 1, memory_order_relaxed);
}

/* The consumer, after leave: is what has just left one of too many? */
static inline bool bound_drops_old(struct control *c)
{
	uint32_t bound = atomic_load_explicit(&c->bound, memory_order_relaxed);
	return bound >> 28 == HEIST_DROP_OLD &&
	       atomic_load_explicit(&c->queued, memory_order_relaxed) >= (bound & (BOUND_MAX - 1));
}

#endif
