/* SPDX-License-Identifier: BSD-2-Clause
 * notify.h - notification bits: one word beside the slot, generation << 32 | bits that wait.
 *
 * Notifying ORs bits into the word and calls the actor as a kill does (hold.h); the actor's runner takes
 * all of them at its next look.  The generation in the same word keeps bits from the slot's next actor: an
 * older one never replaces a newer one, and what an ended actor was not told is overwritten.
 *
 * Who may call        put: any thread, a signal handler too.  pending, take: the holder of the right to run.
 * Progress            put: lock-free.  pending, take: wait-free.
 * May overlap         everything but take with take.
 * Linearizes at       put: the CAS NT1.  take: the fetch_and NT1, or the load if nothing waits.
 * Edges               NT1 release CAS -> acquire fetch_and: what was done before notifying -> the hook
 * Invariants          I1 a bit that was put for the present generation waits until it is taken.  I2 the
 *                     generation of the word never falls.
 * With hold.h         put, then call; look, then take: so a bit that take missed has a call to come.
 *
 * Model: tests/check/models/notify.c.  Rounds: tests/stress/stress_notify.c. */
#ifndef HEIST_RUNTIME_NOTIFY_H
#define HEIST_RUNTIME_NOTIFY_H

#include "lockfree/seam.h"

#ifndef NOTIFY_ORDER_PUT
#define NOTIFY_ORDER_PUT memory_order_release
#endif
#ifndef NOTIFY_ORDER_TAKE
#define NOTIFY_ORDER_TAKE memory_order_acquire
#endif

/* False: that generation is over. */
static inline bool notify_put(_Atomic uint64_t *word, uint32_t generation, uint32_t bits)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed), put; /* validated by NT1 */
	do {
		if (old >> 32 > generation)
			return false;
#ifdef NOTIFY_MUTANT_ANY_GENERATION
		put = (uint64_t)generation << 32 | (uint32_t)old | bits;
#else
		put = (uint64_t)generation << 32 | bits;
		if (old >> 32 == generation)
			put |= old;
#endif
	} while (!atomic_compare_exchange_weak_explicit(word, &old, put, NOTIFY_ORDER_PUT,
							memory_order_relaxed)); /* NT1 release */
	return true;
}

/* Does something wait for the actor of this generation? */
static inline bool notify_pending(_Atomic uint64_t *word, uint32_t generation)
{
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed); /* NT1, or HO1 before it */
	return now >> 32 == generation && (uint32_t)now != 0;
}

/* All bits that wait, for the actor of this generation. */
static inline uint32_t notify_take(_Atomic uint64_t *word, uint32_t generation)
{
	if (!notify_pending(word, generation))
		return 0;
#ifdef NOTIFY_MUTANT_TORN
	uint64_t old = atomic_load_explicit(word, memory_order_acquire);
	atomic_store_explicit(word, (uint64_t)generation << 32, memory_order_release);
	return (uint32_t)old;
#else
	return (uint32_t)atomic_fetch_and_explicit(word, (uint64_t)UINT32_MAX << 32,
						   NOTIFY_ORDER_TAKE); /* NT1 acquire */
#endif
}

#endif
