/* SPDX-License-Identifier: BSD-2-Clause
 * barrier.h - nobody passes before all have arrived; spins.  Adapter of ck_barrier_centralized.
 *
 * For the starting lines of tests and benchmarks, with a CPU for each thread: a thread that is
 * preempted on the way costs the others a time slice.
 *
 * Who may call        init: before the threads start.  wait: each of `threads` threads, with a seat of
 *                     its own that was zeroed.
 * Progress            wait: blocking.
 * Edges               BR1 acq_rel increment of arrived -> the increment of the last arrival
 *                     BR2 release store of sense       -> acquire load by all others: with BR1, what
 *                         anybody did before the barrier happens before what anybody does after it
 * Invariant           between two barriers all seats agree with sense.
 *
 * Proof: lockfree/README.md, "Adapters".  Model: tests/check/models/barrier.c. */
#ifndef HEIST_LOCKFREE_BARRIER_H
#define HEIST_LOCKFREE_BARRIER_H

#include "lockfree/adapter.h"

#if HEIST_CK
#include <ck_barrier.h>

struct barrier {
	ck_barrier_centralized_t ck;
	unsigned threads;
};

struct barrier_seat {
	ck_barrier_centralized_state_t ck;
};

static inline void barrier_init(struct barrier *b, unsigned threads)
{
	*b = (struct barrier){ .threads = threads };
}

static inline void barrier_wait(struct barrier *b, struct barrier_seat *seat)
{
	ck_barrier_centralized(&b->ck, &seat->ck, b->threads);
}

#else

#ifndef BARRIER_ORDER_ARRIVE
#define BARRIER_ORDER_ARRIVE memory_order_acq_rel
#endif
#ifndef BARRIER_ORDER_OPEN
#define BARRIER_ORDER_OPEN memory_order_release
#endif

struct barrier {
	_Atomic unsigned arrived, sense;
	unsigned threads;
};

struct barrier_seat {
	unsigned sense;
};

static inline void barrier_init(struct barrier *b, unsigned threads)
{
	atomic_init(&b->arrived, 0);
	atomic_init(&b->sense, 0);
	b->threads = threads;
}

static inline void barrier_wait(struct barrier *b, struct barrier_seat *seat)
{
	seat->sense = !seat->sense;
	unsigned before = atomic_fetch_add_explicit(&b->arrived, 1, BARRIER_ORDER_ARRIVE); /* BR1 */
	if (before == b->threads - 1) {
		atomic_store_explicit(&b->arrived, 0, memory_order_relaxed); /* published by BR2 */
		atomic_store_explicit(&b->sense, seat->sense, BARRIER_ORDER_OPEN); /* BR2 release */
		return;
	}
	while (atomic_load_explicit(&b->sense, memory_order_acquire) !=
	       seat->sense) /* BR2 acquire */
		heist_relax();
}

#endif
#endif
