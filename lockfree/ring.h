/* SPDX-License-Identifier: BSD-2-Clause
 * ring.h - the last so many items that one thread wrote down, for anybody to take.  Adapter of ck_ring
 * (SPMC).
 *
 * A full ring makes room by dropping its oldest item: that one and no other, unless somebody takes it
 * just then.
 *
 * Who may call        init: before the others.  put: one thread.  take: any thread, a signal handler
 *                     too; what one takes, no other does.
 * Progress            put: wait-free.  take: lock-free.
 * Linearizes at       put: the store of tail RB1.  take: the CAS of head RB2.
 * Edges               RB1 release store of tail -> acquire load by takers: the item
 *                     RB2 acq_rel CAS of head   -> acquire load of head by put: the copy out of a cell
 *                         happens before the cell is written again; and a taker whose cell was
 *                         written meanwhile finds head moved
 * Invariants          0 <= tail - head < size.  head and tail only grow (modulo 2^32: a taker that
 *                     sleeps over 2^32 items may take a torn one).
 *
 * Proof: lockfree/README.md, "Adapters".  Model: tests/check/models/ring.c. */
#ifndef HEIST_LOCKFREE_RING_H
#define HEIST_LOCKFREE_RING_H

#include "lockfree/adapter.h"
#include "lockfree/cacheline.h"

#define RING_WORDS 4

struct ring_item {
	uint64_t word[RING_WORDS];
};

#if HEIST_CK
#include <ck_ring.h>

struct ring {
	ck_ring_t ck;
	struct ring_item *cells;
};

CK_RING_PROTOTYPE(item, ring_item)

/* `cells`: memory for `size` items, a power of two, of which size - 1 are used. */
static inline void ring_init(struct ring *r, void *cells, uint32_t size)
{
	ck_ring_init(&r->ck, size);
	r->cells = cells;
}

/* Anybody, lock-free.  False: there is none. */
static inline bool ring_take(struct ring *r, struct ring_item *out)
{
	return CK_RING_DEQUEUE_SPMC(item, &r->ck, r->cells, out);
}

/* The writer. */
static inline void ring_put(struct ring *r, const struct ring_item *item)
{
	struct ring_item copy = *item;
	if (CK_RING_ENQUEUE_SPMC(item, &r->ck, r->cells, &copy))
		return;
	unsigned oldest = r->ck.p_tail - r->ck.mask;
	ck_pr_cas_uint(&r->ck.c_head, oldest, oldest + 1); /* else it was taken just now */
	CK_RING_ENQUEUE_SPMC(item, &r->ck, r->cells, &copy);
}

#else

#ifndef RING_ORDER_TAIL
#define RING_ORDER_TAIL memory_order_release
#endif
#ifndef RING_ORDER_HEAD
#define RING_ORDER_HEAD memory_order_acq_rel
#endif

struct ring_cell {
	_Atomic uint64_t word[RING_WORDS]; /* a taker may read what put overwrites */
};

struct ring {
	_Atomic uint32_t head;
	_Alignas(HEIST_CACHELINE) _Atomic uint32_t tail;
	uint32_t mask;
	struct ring_cell *cells;
};

static inline void ring_init(struct ring *r, void *cells, uint32_t size)
{
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	r->mask = size - 1;
	r->cells = cells;
}

static inline bool ring_take(struct ring *r, struct ring_item *out)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire); /* RB2 acquire */
	do {
		/* not older than head: whoever moved that had seen it */
		uint32_t tail =
			atomic_load_explicit(&r->tail, memory_order_acquire); /* RB1 acquire */
		if (head == tail)
			return false;
		struct ring_cell *c = &r->cells[head & r->mask];
		for (int i = 0; i < RING_WORDS; i++)
			out->word[i] = atomic_load_explicit(&c->word[i], memory_order_relaxed);
#ifdef RING_MUTANT_NOT_VALIDATED
		atomic_store_explicit(&r->head, head + 1, memory_order_release);
		return true;
#endif
	} while (!atomic_compare_exchange_weak_explicit(&r->head, &head, head + 1, RING_ORDER_HEAD,
							memory_order_acquire)); /* RB2 */
	return true;
}

static inline void ring_put(struct ring *r, const struct ring_item *item)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed); /* own */
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire); /* RB2 acquire */
	if (tail - head == r->mask)
		/* a failure means that a taker was faster */
		(void)atomic_compare_exchange_strong_explicit(
			&r->head, &head, head + 1, RING_ORDER_HEAD, memory_order_acquire); /* RB2 */
	struct ring_cell *c = &r->cells[tail & r->mask];
	for (int i = 0; i < RING_WORDS; i++)
		atomic_store_explicit(&c->word[i], item->word[i], memory_order_relaxed);
	atomic_store_explicit(&r->tail, tail + 1, RING_ORDER_TAIL); /* RB1 release */
}

#endif
#endif
