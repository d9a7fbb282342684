/* SPDX-License-Identifier: BSD-2-Clause
 * idle.h - who is parked and how many are searching: the set that decides whom to wake.
 *
 * A worker is running (has work), searching (looks for some, counted), or parked (in the mask).
 * Whoever clears a worker's mask bit owns its wake-up: it moves the counts for it and notifies it,
 * or, if it is the worker itself, it just goes on.
 *
 *     publisher                              worker about to sleep
 *       publish work                           idle_park: set bit, move counts
 *       heist_fence_light()      ID1           heist_fence_heavy()      ID1
 *       idle_wants_wake / idle_is_parked       look at every queue again
 *
 * Not both miss the other (sched/README.md, "Park").
 *
 * Who may call        idle_park, idle_search_begin, idle_search_end: that worker.  Others: any thread.
 * Progress            wait-free, idle_claim_any: lock-free.
 * Linearizes at       the RMW of the mask word (ID2) and of counts (ID3).
 * Edges               ID1 the fences above, supplied by the callers
 *                     ID2 acq_rel RMW of a mask word: clearer -> the next setter and clearer
 *                     ID3 acq_rel RMW of counts
 * Invariants          I1 a bit is set only by its worker and cleared once per setting.  I2 counts
 *                     follow the mask: parked <= bits set + transitions under way; advisory.
 *                     I3 searching: the workers that search, and one for each that naps (pace.h),
 *                     which looks when its nap is over. */
#ifndef HEIST_SCHED_IDLE_H
#define HEIST_SCHED_IDLE_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/seam.h"
#include "sched/policy.h"

#define IDLE_WORDS ((SCHED_MAX_WORKERS + 63) / 64)

struct idle {
	_Alignas(HEIST_ISOLATE) _Atomic uint64_t counts; /* parked, searching << 32 */
	_Alignas(HEIST_ISOLATE) _Atomic uint64_t mask[IDLE_WORDS];
};

#define IDLE_PARKED    ((uint64_t)1)
#define IDLE_SEARCHING ((uint64_t)1 << 32)

static inline void idle_init(struct idle *s)
{
	atomic_init(&s->counts, 0);
	for (int i = 0; i < IDLE_WORDS; i++)
		atomic_init(&s->mask[i], 0);
}

static inline uint32_t idle_parked(struct idle *s)
{
	return (uint32_t)atomic_load_explicit(&s->counts, memory_order_relaxed);
}

static inline uint32_t idle_searching(struct idle *s)
{
	return (uint32_t)(atomic_load_explicit(&s->counts, memory_order_relaxed) >> 32);
}

/* Publisher, after ID1: is somebody parked and nobody searching?  Advisory: a yes may be outdated;
 * a no is safe, because a searcher and a parking worker look at the queues again. */
HEIST_HOT_INLINE bool idle_wants_wake(struct idle *s)
{
	uint64_t c = atomic_load_explicit(&s->counts, memory_order_relaxed); /* ordered by ID1 */
	return c != 0 && c < IDLE_SEARCHING;
}

/* The same for a publisher that hands its work to somebody who may be stuck, so that a no must be true: a
 * searcher that it sees here looks after this, or has not looked yet. */
static inline bool idle_must_wake(struct idle *s)
{
	uint64_t c = atomic_load_explicit(&s->counts, memory_order_relaxed); /* ordered by ID1 */
	if (c >= IDLE_SEARCHING && (uint32_t)c != 0)
		c = atomic_fetch_or_explicit(&s->counts, 0, memory_order_acq_rel); /* ID3 */
	return c != 0 && c < IDLE_SEARCHING;
}

/* Publisher, after ID1: must worker i be woken to see what was published? */
HEIST_HOT_INLINE bool idle_is_parked(struct idle *s, uint32_t i)
{
	return atomic_load_explicit(&s->mask[i / 64], memory_order_relaxed) >> (i % 64) & 1;
}

/* Worker i, searching: announce sleep.  Follow with heist_fence_heavy() and a look everywhere. */
static inline void idle_park(struct idle *s, uint32_t i)
{
	atomic_fetch_or_explicit(&s->mask[i / 64], (uint64_t)1 << (i % 64),
				 memory_order_acq_rel); /* ID2 */
	atomic_fetch_add_explicit(&s->counts, IDLE_PARKED - IDLE_SEARCHING,
				  memory_order_acq_rel); /* ID3 */
}

/* Any thread: take worker i out of the set; true: the caller owns its wake-up, and the worker counts
 * as searching from now on. */
static inline bool idle_claim(struct idle *s, uint32_t i)
{
	uint64_t bit = (uint64_t)1 << (i % 64);
	if (!(atomic_fetch_and_explicit(&s->mask[i / 64], ~bit, memory_order_acq_rel) &
	      bit)) /* ID2 */
		return false;
	atomic_fetch_add_explicit(&s->counts, IDLE_SEARCHING - IDLE_PARKED,
				  memory_order_acq_rel); /* ID3 */
	return true;
}

/* Any thread: claim some parked worker, looking from `near` on; -1: nobody is parked. */
static inline int idle_claim_any(struct idle *s, uint32_t near)
{
	for (uint32_t k = 0; k < IDLE_WORDS; k++) {
		uint32_t w = (near / 64 + k) % IDLE_WORDS;
		uint64_t m;
		while ((m = atomic_load_explicit(&s->mask[w], memory_order_relaxed)) != 0) {
			uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(m);
			if (idle_claim(s, i))
				return (int)i;
		}
	}
	return -1;
}

/* A worker that ran out of work: may it search?  At most `limit` do at once. */
static inline bool idle_search_begin(struct idle *s, uint32_t limit)
{
	if (idle_searching(s) >= limit)
		return false;
	atomic_fetch_add_explicit(&s->counts, IDLE_SEARCHING, memory_order_acq_rel); /* ID3 */
	return true;
}

/* The same without a limit: a worker that is about to park counts as searching first. */
static inline void idle_search_join(struct idle *s)
{
	atomic_fetch_add_explicit(&s->counts, IDLE_SEARCHING, memory_order_acq_rel); /* ID3 */
}

/* A searching worker found work.  True: it was the last one searching. */
static inline bool idle_search_end(struct idle *s)
{
	return atomic_fetch_sub_explicit(&s->counts, IDLE_SEARCHING, memory_order_acq_rel) >> 32 ==
	       1; /* ID3 */
}

#endif
