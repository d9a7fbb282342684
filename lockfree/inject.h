/* SPDX-License-Identifier: BSD-2-Clause
 * inject.h - inbox of intrusive links: many producers, taken whole by anybody.
 *
 * The door through which work enters a worker from outside.  A taker gets everything at once, oldest
 * first, so a worker that is stuck does not lock its inbox away: any other may take it.
 * Based on: Treiber's stack (1986), restricted to push and take-all, which has no ABA.
 *
 * Who may call        push, take: any thread.  newest, take_if: the only one that takes.
 * Progress            push: lock-free.  Else: wait-free, then linear in what it got.
 * May overlap         everything with everything, save that nobody else takes between newest and take_if.
 * Linearizes at       push: the CAS IJ1.  take: the exchange IJ2.  take_if: the CAS IJ3.
 * Edges               IJ1 release CAS of head -> acquire exchange IJ2, acquire load in newest: publishes
 *                         a link, all older ones, and whatever their pushers wrote before (MQ4 of mpsc.h
 *                         among it)
 * Invariants          I1 a link is in at most one inbox.  I2 push answers true for exactly the
 *                     pushes that found the inbox empty.
 *
 * Proof: lockfree/README.md, "Inject queue".  Models: tests/check/models/inject.c,
 * inject_if.c.  Rounds: tests/stress/stress_inject.c. */
#ifndef HEIST_LOCKFREE_INJECT_H
#define HEIST_LOCKFREE_INJECT_H

#include "lockfree/cacheline.h"
#include "lockfree/seam.h"

struct inject_link {
	struct inject_link *next; /* owned by whoever holds the link */
};

struct inject {
	_Atomic(struct inject_link *) head;
};

#ifndef INJECT_ORDER_PUSH
#define INJECT_ORDER_PUSH memory_order_release
#endif
#ifndef INJECT_ORDER_TAKE
#define INJECT_ORDER_TAKE memory_order_acquire
#endif

static inline void inject_init(struct inject *q)
{
	atomic_init(&q->head, NULL);
}

/* Any thread, lock-free.  True: the inbox was empty. */
static inline bool inject_push(struct inject *q, struct inject_link *l)
{
	HEIST_PREFETCH_WRITE(&q->head);
	struct inject_link *old = atomic_load_explicit(&q->head, memory_order_relaxed);
	do
		l->next = old; /* validated by IJ1 */
	while (!atomic_compare_exchange_weak_explicit(&q->head, &old, l, INJECT_ORDER_PUSH,
						      memory_order_relaxed)); /* IJ1 release */
	return old == NULL;
}

/* Any thread; advisory. */
static inline bool inject_is_empty(struct inject *q)
{
	return atomic_load_explicit(&q->head, memory_order_relaxed) == NULL;
}

/* A list that was taken, turned round. */
static inline struct inject_link *inject_oldest_first(struct inject_link *l)
{
	struct inject_link *oldest = NULL;
	while (l) {
		struct inject_link *next = l->next;
		l->next = oldest;
		oldest = l;
		l = next;
	}
	return oldest;
}

/* Any thread, wait-free exchange: all links, oldest first; NULL if there are none. */
static inline struct inject_link *inject_take(struct inject *q)
{
	if (inject_is_empty(q))
		return NULL;
#ifdef INJECT_MUTANT_TORN
	struct inject_link *l = atomic_load_explicit(&q->head, memory_order_acquire);
	atomic_store_explicit(&q->head, NULL, memory_order_release);
#else
	struct inject_link *l =
		atomic_exchange_explicit(&q->head, NULL, INJECT_ORDER_TAKE); /* IJ1 acquire */
#endif
	return inject_oldest_first(l);
}

/* The only taker, wait-free: the newest link; NULL if there are none.  Who gets it sees what was done before it
 * and all older ones were pushed. */
static inline struct inject_link *inject_newest(struct inject *q)
{
	return atomic_load_explicit(&q->head, INJECT_ORDER_TAKE); /* IJ1 acquire */
}

/* The only taker, wait-free: all links, oldest first, if `newest` still is the newest; else NULL, and they stay. */
static inline struct inject_link *inject_take_if(struct inject *q, struct inject_link *newest)
{
	struct inject_link *l = newest;
#ifdef INJECT_MUTANT_TAKE_ANY
	l = atomic_exchange_explicit(&q->head, NULL, memory_order_acquire);
#else
	if (!atomic_compare_exchange_strong_explicit(
		    &q->head, &newest, NULL, memory_order_relaxed,
		    memory_order_relaxed)) /* IJ3; read by newest */
		return NULL;
#endif
	return inject_oldest_first(l);
}

#endif
