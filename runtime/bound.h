/* SPDX-License-Identifier: BSD-2-Clause
 * bound.h - mailboxes whose messages are counted: how many may wait, what becomes of one too many, and from how
 * many on the actor is overloaded.
 *
 * The handle of such an actor has REF_BOUNDED set, which leads every send to it off the direct path; its
 * messages have MESSAGE_COUNTED set, which leads them off the usual path of a run.  So actors without a
 * bound pay nothing.  The count lies beside the slot and belongs to it, not to the actor: whatever was
 * counted in is counted out when it leaves the mailbox, whoever lives there by then.
 *
 * Overload is a bit of the same word: set by the compare-exchange that counts the high mark in, cleared by the
 * one that follows a count down to the low mark.  So each crossing has one party that tells of it.
 *
 * Who may call        enter: any thread, lock-free.  leave: any thread, once for each enter.
 * Linearizes at       the read-modify-writes of queued.
 * Memory              orders nothing: the mailbox does; that of overload is ordered by the call (hold.h).
 *
 * Model: tests/check/models/overload.c. */
#ifndef HEIST_RUNTIME_BOUND_H
#define HEIST_RUNTIME_BOUND_H

#include "runtime/slot.h"

#define BOUND_MAX	 ((uint32_t)1 << 28)
#define BOUND_OVERLOADED ((uint32_t)1 << 31) /* in queued */

enum bound_answer {
	BOUND_ENTERED,
	BOUND_ENTERED_HIGH, /* and the actor is overloaded from here on */
	BOUND_REFUSED,
	BOUND_DROPPED,
	BOUND_REDIRECTED
};

/* What is said in the options of a spawn. */
struct bound_terms {
	uint32_t capacity; /* 0: any number */
	heist_overflow policy;
	uint32_t high, low; /* high 0: never overloaded */
	heist_ref redirect;
};

/* Whoever makes the actor, before its handle is known. */
static inline void bound_set(struct control *c, uint32_t generation, const struct bound_terms *t)
{
	atomic_store_explicit(&c->bounded, generation, memory_order_relaxed);
	atomic_store_explicit(&c->bound, t->capacity | (uint32_t)t->policy << 28,
			      memory_order_relaxed);
	atomic_store_explicit(&c->high, t->high, memory_order_relaxed);
	atomic_store_explicit(&c->low, t->low, memory_order_relaxed);
	atomic_store_explicit(&c->redirect, t->redirect.v, memory_order_relaxed);
	atomic_fetch_and_explicit(&c->queued, ~BOUND_OVERLOADED, memory_order_relaxed);
}

/* Any thread: how many may wait; 0: any number. */
static inline uint32_t bound_capacity(const struct control *c)
{
	return atomic_load_explicit(&c->bound, memory_order_relaxed) & (BOUND_MAX - 1);
}

/* What becomes of a message that may not wait.  A request is not dropped: somebody waits for the answer. */
static inline enum bound_answer bound_full(struct control *c, bool request)
{
	uint32_t policy = atomic_load_explicit(&c->bound, memory_order_relaxed) >> 28;
	return policy == HEIST_REDIRECT		   ? BOUND_REDIRECTED
	       : policy == HEIST_REJECT || request ? BOUND_REFUSED
						   : BOUND_DROPPED;
}

/* Any thread: of the last actor here that had a bound. */
static inline uint32_t bound_generation(const struct control *c)
{
	return atomic_load_explicit(&c->bounded, memory_order_relaxed);
}

/* May one more wait?  Where the oldest are dropped the consumer does it when it comes to them; it may be
 * slow, so beyond twice the bound the newest are.  A request drops nobody. */
static inline enum bound_answer bound_enter(struct control *c, bool request)
{
	uint32_t bound = atomic_load_explicit(&c->bound, memory_order_relaxed);
	uint32_t high = atomic_load_explicit(&c->high, memory_order_relaxed);
	uint32_t policy = bound >> 28, capacity = bound & (BOUND_MAX - 1);
	uint32_t most = capacity == 0			       ? BOUND_OVERLOADED - 1
			: policy == HEIST_DROP_OLD && !request ? 2 * capacity
							       : capacity;
	uint32_t next, n = atomic_load_explicit(&c->queued, memory_order_relaxed);
	do {
		if ((n & ~BOUND_OVERLOADED) >= most)
			return bound_full(c, request);
		next = n + 1;
		if (high && (next & ~BOUND_OVERLOADED) >= high)
			next |= BOUND_OVERLOADED;
	} while (!atomic_compare_exchange_weak_explicit(&c->queued, &n, next, memory_order_relaxed,
							memory_order_relaxed));
	return next & ~n & BOUND_OVERLOADED ? BOUND_ENTERED_HIGH : BOUND_ENTERED;
}

/* The consumer: what has left waits again. */
static inline void bound_enter_anyway(struct control *c)
{
	atomic_fetch_add_explicit(&c->queued, 1, memory_order_relaxed);
}

static inline bool bound_overloaded(struct control *c)
{
	return atomic_load_explicit(&c->queued, memory_order_relaxed) & BOUND_OVERLOADED;
}

/* Any thread, outdated at once: how many wait. */
static inline uint32_t bound_waiting(struct control *c)
{
	return atomic_load_explicit(&c->queued, memory_order_relaxed) & ~BOUND_OVERLOADED;
}

/* True: the actor is overloaded no more. */
static inline bool bound_leave(struct control *c)
{
	uint32_t n = atomic_fetch_sub_explicit(&c->queued, 1, memory_order_relaxed) - 1;
	while (n & BOUND_OVERLOADED &&
	       (n & ~BOUND_OVERLOADED) <= atomic_load_explicit(&c->low, memory_order_relaxed))
#ifdef BOUND_MUTANT_CLEAR_BLINDLY
		return atomic_fetch_and_explicit(&c->queued, ~BOUND_OVERLOADED,
						 memory_order_relaxed) != 0;
#else
		if (atomic_compare_exchange_weak_explicit(&c->queued, &n, n & ~BOUND_OVERLOADED,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
#endif
	return false;
}

/* The consumer, after leave: is what has just left one of too many? */
static inline bool bound_drops_old(struct control *c)
{
	uint32_t capacity = bound_capacity(c);
	return atomic_load_explicit(&c->bound, memory_order_relaxed) >> 28 == HEIST_DROP_OLD &&
	       capacity && bound_waiting(c) >= capacity;
}

#endif
