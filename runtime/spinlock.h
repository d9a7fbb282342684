/* SPDX-License-Identifier: BSD-2-Clause
 * spinlock.h - the lock of the runtime's cold tables: held for a few hundred instructions and at most an
 * allocation; never over a user's function but the allocation hooks, and, of a foreign local, the hooks of
 * messages that are lost (table.h).
 *
 * Whoever finds it taken backs off, and at the limit yields: the holder may have been preempted.
 *
 * Who may call        any thread; not in signal handlers.
 * Edges               LK1 release store in unlock -> acquire CAS in try */
#ifndef HEIST_RUNTIME_SPINLOCK_H
#define HEIST_RUNTIME_SPINLOCK_H

#include "lockfree/backoff.h"

struct spinlock {
	_Atomic uint32_t held;
};

static inline bool spin_try(struct spinlock *l)
{
	uint32_t open = 0;
	return atomic_load_explicit(&l->held, memory_order_relaxed) == 0 && /* decided by LK1 */
	       atomic_compare_exchange_strong_explicit(&l->held, &open, 1, memory_order_acquire,
						       memory_order_relaxed); /* LK1 acquire */
}

static inline void spin_lock(struct spinlock *l)
{
	struct backoff b = BACKOFF_FIRST;
	while (!spin_try(l))
		if (backoff_wait(&b))
			heist_thread_yield();
}

static inline void spin_unlock(struct spinlock *l)
{
	atomic_store_explicit(&l->held, 0, memory_order_release); /* LK1 release */
}

#endif
