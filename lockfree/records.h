/* SPDX-License-Identifier: BSD-2-Clause
 * records.h - a bounded queue of records of one size, written and read in place; when it is full the writer
 * is told, and nothing waits.
 *
 * Each cell has a turn: 2n while it may be written for the n-th time, 2n + 1 while that may be read.  So
 * zeroed memory is an empty queue, and a position says by itself what its cell must show.
 *
 *     writer                                  reader
 *       r = records_claim(q)                    r = records_next(q)
 *       if (r) fill it, records_publish(r)      if (r) use it, records_release(q, r)
 *
 * Based on: Vyukov's bounded MPMC queue.  Differences: one reader, records in place, turns by lap.
 *
 * Who may call        init: before the others.  claim, publish: any thread, a signal handler too; who has
 *                     claimed publishes.  next, release: one thread at a time (the reader).
 * Progress            claim: lock-free.  publish, next, release: wait-free.  A writer that is preempted
 *                     between claim and publish holds up the records behind its own, no other writer.
 * Linearizes at       claim: the CAS of tail.  publish: RC1.  release: RC2.
 * Edges               RC1 release store of turn by publish -> acquire load by next: the record
 *                     RC2 release store of turn by release -> acquire load by claim: the reader is done
 *                         with the cell before it is written again
 * Invariants          I1 a cell at turn 2n belongs to who moved tail over it, at 2n + 1 to the reader.
 *                     I2 head <= tail <= head + size.  I3 records are read in the order of their claims,
 *                     hence of each writer in the order it wrote them.
 *
 * Model: tests/check/models/records.c.  Rounds: tests/stress/stress_records.c. */
#ifndef HEIST_LOCKFREE_RECORDS_H
#define HEIST_LOCKFREE_RECORDS_H

#include "lockfree/cacheline.h"
#include "lockfree/seam.h"

#ifndef RECORDS_ORDER_PUBLISH
#define RECORDS_ORDER_PUBLISH memory_order_release
#endif
#ifndef RECORDS_ORDER_RELEASE
#define RECORDS_ORDER_RELEASE memory_order_release
#endif

/* The begin of each. */
struct record {
	_Atomic uint64_t turn;
};

struct records {
	_Atomic uint64_t tail;			 /* writers    */
	_Alignas(HEIST_CACHELINE) uint64_t head; /* the reader */
	_Alignas(HEIST_CACHELINE) char *cells;	 /* constant, from here on */
	size_t size;				 /* of a record */
	uint32_t shift;				 /* log2 of their number */
};

/* `cells`: zeroed memory for 2^shift records of `size` bytes. */
static inline void records_init(struct records *q, void *cells, uint32_t shift, size_t size)
{
	atomic_init(&q->tail, 0);
	q->head = 0;
	q->cells = cells;
	q->size = size;
	q->shift = shift;
}

static inline struct record *records_at(const struct records *q, uint64_t n)
{
	return (struct record *)(void *)(q->cells +
					 (n & (((uint64_t)1 << q->shift) - 1)) * q->size);
}

/* The turn at which record n is written. */
static inline uint64_t records_turn(const struct records *q, uint64_t n)
{
	return n >> q->shift << 1;
}

/* Any thread.  A cell to fill, or NULL: the queue is full. */
static inline struct record *records_claim(struct records *q)
{
	uint64_t n = atomic_load_explicit(&q->tail, memory_order_relaxed); /* decided by the CAS */
	for (;;) {
		struct record *r = records_at(q, n);
		uint64_t turn =
			atomic_load_explicit(&r->turn, memory_order_acquire); /* RC2 acquire */
		if (turn < records_turn(q, n))
			return NULL;
#ifdef RECORDS_MUTANT_NO_CAS
		atomic_store_explicit(&q->tail, n + 1, memory_order_relaxed);
		return r;
#endif
		if (turn > records_turn(q, n))
			n = atomic_load_explicit(&q->tail, memory_order_relaxed); /* as above */
		else if (atomic_compare_exchange_weak_explicit(
				 &q->tail, &n, n + 1, memory_order_relaxed, memory_order_relaxed))
			return r; /* turn says whose the cell is, not tail */
	}
}

/* Who has claimed it. */
static inline void records_publish(struct record *r)
{
	uint64_t turn = atomic_load_explicit(&r->turn, memory_order_relaxed); /* own */
	atomic_store_explicit(&r->turn, turn + 1, RECORDS_ORDER_PUBLISH);     /* RC1 release */
}

/* The reader.  The oldest record, or NULL: there is none, or it is being written. */
static inline struct record *records_next(struct records *q)
{
	struct record *r = records_at(q, q->head);
	uint64_t turn = atomic_load_explicit(&r->turn, memory_order_acquire); /* RC1 acquire */
	return turn == records_turn(q, q->head) + 1 ? r : NULL;
}

/* The reader: it has used what next() gave. */
static inline void records_release(struct records *q, struct record *r)
{
	atomic_store_explicit(&r->turn, records_turn(q, q->head) + 2,
			      RECORDS_ORDER_RELEASE); /* RC2 release */
	q->head++;
}

#endif
