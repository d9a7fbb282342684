/* SPDX-License-Identifier: BSD-2-Clause
 * mpsc.h - intrusive MPSC queue that is also the scheduling state of its consumer (a mailbox).
 *
 * One exchange both appends a node and answers "the queue was idle: you must schedule the consumer".
 * An idle queue holds no node at all; the consumer works on nodes in place and unlinks them after.
 * A queue can be closed: it carries a generation ("ticket"), pushes name the generation they are
 * for, and a push for another generation is refused; what had already passed the check is still
 * delivered, and the consumer sees its old ticket.
 * Based on: Vyukov's intrusive MPSC queue; the was-empty answer in the exchanged word follows Pony's
 * messageq.c.  Differences: no stub node (the word 0 means idle, so zeroed memory is an idle queue),
 * nodes processed in place, release of the right to run by one CAS, late links given back.
 *
 * Who may call        push: any thread.  close, first, next, suspend: the consumer, i.e. whoever
 *                     holds the right to run (below).
 * Progress            push: wait-free (one exchange).  Consumer side: wait-free; a producer that
 *                     was preempted between exchange and link shows as MPSC_LATE, not as a wait.
 * May overlap         push push: yes.  push with any consumer call: yes.  Consumer calls: never two.
 * Linearizes at       push: the exchange MQ1.  Turning idle: the CAS MQ3.  close: the store MQ5.
 *
 * Right to run        Held by exactly one of: the producer whose push answered MPSC_WAS_IDLE until
 *                     it has handed the queue to a scheduler; that scheduler's queue entry; the
 *                     consumer from first() until next() answers MPSC_IDLE.
 *
 * Edges               MQ1 acq_rel exchange of head     -> the same: a later producer must see the
 *                         earlier node's cleared `next` before it links to it
 *                     MQ2 release store of `next`      -> acquire load in next(): publishes a node
 *                     MQ3 release CAS head -> idle     -> acquire exchange MQ1 of the producer that
 *                         then sees idle: hands over cur and all of the consumer's state
 *                     MQ4 release by the scheduler's hand-off -> acquire by its taker: publishes
 *                         `cur`; not part of this file
 *                     MQ5 release store of ticket      -> acquire load in push: whoever sees the new
 *                         ticket sees what the closer did before
 *
 * Invariants          I1 head is 0 (idle) or the last node.  I2 the right to run has one holder.
 *                     I3 a node is given back only after its `next` was seen non-null or after MQ3,
 *                     so no producer writes into a node that was given back.  I4 while it is being
 *                     processed a node may be the tail: its `next` belongs to the producers.
 *                     I5 queue order is the order of the exchanges, hence FIFO per producer.
 *                     I6 `cur` is written by the producer that saw idle, before it schedules, else by
 *                     the consumer; while the queue is idle nobody reads it.
 *
 * Proof: lockfree/README.md, "Mailbox queue".  Model: tests/check/models/mpsc.c.  Rounds:
 * tests/stress/stress_mpsc.c. */
#ifndef HEIST_LOCKFREE_MPSC_H
#define HEIST_LOCKFREE_MPSC_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/seam.h"

struct mpsc_node {
	_Atomic(struct mpsc_node *) next;
};

struct mpsc {
	/* any thread */
	_Atomic(struct mpsc_node *) head;
	/* the holder of the right to run */
	uintptr_t cur; /* node to begin with; | MPSC_DONE: done, but still linked */
};

#define MPSC_DONE ((uintptr_t)1)

#ifndef MPSC_SPINS
#define MPSC_SPINS 32 /* pauses granted to a producer between exchange and link: about 1 us */
#endif

/* Memory orders, named so that a mutant of the model can weaken each one alone. */
#ifndef MPSC_ORDER_EXCHANGE
#define MPSC_ORDER_EXCHANGE memory_order_acq_rel
#endif
#ifndef MPSC_ORDER_LINK
#define MPSC_ORDER_LINK memory_order_release
#endif
#ifndef MPSC_ORDER_NEXT
#define MPSC_ORDER_NEXT memory_order_acquire
#endif
#ifndef MPSC_ORDER_IDLE
#define MPSC_ORDER_IDLE memory_order_release
#endif

enum mpsc_push {
	MPSC_PUSHED,   /* the consumer is scheduled or running                         */
	MPSC_WAS_IDLE, /* the caller now owns the right to run: schedule the consumer  */
};

enum mpsc_next {
	MPSC_NODE, /* *next is the node to process now; the one before was given back */
	MPSC_IDLE, /* no node left: the queue, and all it guards, is no longer ours   */
	MPSC_LATE, /* a producer has not linked yet: call first() again later         */
};

static inline void mpsc_init(struct mpsc *q)
{
	atomic_init(&q->head, NULL);
	q->cur = 0;
}

/* Any thread, wait-free.  The node belongs to the queue until next() gives it back. */
__attribute__((warn_unused_result)) HEIST_HOT_INLINE enum mpsc_push mpsc_push(struct mpsc *q,
									      struct mpsc_node *n)
{
	atomic_store_explicit(&n->next, NULL, memory_order_relaxed); /* published by MQ1 */
	struct mpsc_node *prev =
		atomic_exchange_explicit(&q->head, n, MPSC_ORDER_EXCHANGE); /* MQ1, MQ3 acquire */
	if (prev == NULL) {
		q->cur = (uintptr_t)n; /* I6: we hold the right to run */
		return MPSC_WAS_IDLE;
	}
	atomic_store_explicit(&prev->next, n, MPSC_ORDER_LINK); /* MQ2 release */
	return MPSC_PUSHED;
}

/* Consumer.  The node to start with, or NULL if the last run ended MPSC_LATE and the link is still
 * missing (still ours: come back later).  `*done` receives a node to give back, or NULL. */
HEIST_HOT_INLINE struct mpsc_node *mpsc_first(struct mpsc *q, struct mpsc_node **done)
{
	uintptr_t c = q->cur;
	*done = NULL;
	if (HEIST_LIKELY(!(c & MPSC_DONE)))
		return (struct mpsc_node *)c; /* MQ4 acquired by the scheduler */
	struct mpsc_node *n = (struct mpsc_node *)(c & ~MPSC_DONE);
	struct mpsc_node *x = atomic_load_explicit(&n->next, MPSC_ORDER_NEXT); /* MQ2 acquire */
	if (x)
		*done = n;
	return x;
}

/* Consumer.  Node n has been processed: if it is
 * the last, turn idle at once; then n is the caller's, and all it may touch.  False: use next(). */
HEIST_HOT_INLINE bool mpsc_try_idle(struct mpsc *q, struct mpsc_node *n)
{
	struct mpsc_node *expected = n;
	return atomic_load_explicit(&n->next, memory_order_relaxed) == NULL && /* decided by MQ3 */
	       atomic_compare_exchange_strong_explicit(&q->head, &expected, NULL, MPSC_ORDER_IDLE,
						       memory_order_relaxed); /* MQ3 release */
}

/* Consumer.  The node after n, if its producer has linked it already; then n is the caller's again. */
HEIST_HOT_INLINE struct mpsc_node *mpsc_linked(struct mpsc_node *n)
{
	return atomic_load_explicit(&n->next, MPSC_ORDER_NEXT); /* MQ2 acquire */
}

/* Consumer.  Node n has been processed: what now?  Unless the answer is MPSC_LATE, n is the
 * caller's again; after MPSC_IDLE that is all it may touch. */
__attribute__((warn_unused_result)) HEIST_HOT_INLINE enum mpsc_next
mpsc_next(struct mpsc *q, struct mpsc_node *n, struct mpsc_node **next)
{
	struct mpsc_node *x = atomic_load_explicit(&n->next, MPSC_ORDER_NEXT); /* MQ2 acquire */
	if (x == NULL) {
		struct mpsc_node *expected = n;
		if (HEIST_LIKELY(atomic_compare_exchange_strong_explicit(
			    &q->head, &expected, NULL, MPSC_ORDER_IDLE,
			    memory_order_relaxed))) /* MQ3 release; a failure learns nothing */
			return MPSC_IDLE;
		for (int spin = 0; spin < MPSC_SPINS && x == NULL; spin++) {
			heist_relax();
			x = atomic_load_explicit(&n->next, MPSC_ORDER_NEXT); /* MQ2 acquire */
		}
		if (x == NULL) {
			q->cur = (uintptr_t)n | MPSC_DONE;
			return MPSC_LATE;
		}
	}
	*next = x;
	return MPSC_NODE;
}

/* Consumer.  Stop before node n; the right to run is kept, first() continues with n. */
HEIST_HOT_INLINE void mpsc_suspend(struct mpsc *q, struct mpsc_node *n)
{
	q->cur = (uintptr_t)n;
}

/* Any thread; advisory unless the caller holds the right to run. */
HEIST_HOT_INLINE bool mpsc_is_idle(struct mpsc *q)
{
	return atomic_load_explicit(&q->head, memory_order_relaxed) == NULL;
}

/* ---- tickets: closing a queue ----
 *
 * A ticket is odd while the queue is open, and then it is the generation that pushes must name;
 * closing and opening both add one.  So generations are odd, and nothing is accepted by a closed
 * queue, whatever somebody believes the generation to be.  Zero is a closed queue. */

#define MPSC_OPEN ((uint32_t)1)

enum mpsc_ticket { MPSC_TICKET_CLOSED, MPSC_TICKET_VALID };

/* Any thread: may something for `ticket` still be pushed?  A yes can be outdated at once; the
 * consumer compares again. */
HEIST_HOT_INLINE enum mpsc_ticket mpsc_ticket(_Atomic uint32_t *current, uint32_t ticket)
{
	return HEIST_LIKELY(atomic_load_explicit(current, memory_order_acquire) ==
			    (ticket | MPSC_OPEN)) /* a forged even one names no closed queue */
		       ? MPSC_TICKET_VALID
		       : MPSC_TICKET_CLOSED; /* MQ5 acquire */
}

/* Any thread: may something be pushed for whatever generation?  A no can be outdated at once if the caller does
 * not own the queue, a yes if it is not the consumer. */
HEIST_HOT_INLINE bool mpsc_is_open(_Atomic uint32_t *current)
{
	return atomic_load_explicit(current, memory_order_acquire) & MPSC_OPEN; /* MQ5 acquire */
}

/* Consumer: refuse everything from now on.  Answers the closed ticket. */
HEIST_HOT_INLINE uint32_t mpsc_close(_Atomic uint32_t *current)
{
	uint32_t closed =
		(atomic_load_explicit(current, memory_order_relaxed) | MPSC_OPEN) + 1; /* own */
	atomic_store_explicit(current, closed, memory_order_release); /* MQ5 release */
	return closed;
}

/* Whoever owns the closed queue: accept what names the present generation. */
HEIST_HOT_INLINE void mpsc_open(_Atomic uint32_t *current)
{
	uint32_t ticket = atomic_load_explicit(current, memory_order_relaxed);	  /* own */
	atomic_store_explicit(current, ticket | MPSC_OPEN, memory_order_release); /* MQ5 release */
}

/* The consumer or owner: the present generation, or of a closed queue the one to open next. */
HEIST_HOT_INLINE uint32_t mpsc_generation(_Atomic uint32_t *current)
{
	return atomic_load_explicit(current, memory_order_relaxed) | MPSC_OPEN; /* own */
}

#endif
