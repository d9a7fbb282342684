/* SPDX-License-Identifier: BSD-2-Clause
 * eventcount.h - sleep until a condition that others publish may have become true; over a futex.
 *
 *     sleeper                                   notifier
 *       key = eventcount_prepare(e)               publish the condition
 *       if (condition) eventcount_cancel(e)       eventcount_notify(e, 1)
 *       else eventcount_wait(e, key, deadline)
 *
 * Based on: Vyukov's eventcount; ck_ec.  Ours, so that checkers see every access.
 *
 * Who may call        everything: any thread; prepare is followed by exactly one of cancel, wait.
 * Progress            prepare, cancel: wait-free.  notify: wait-free, a fence and a load while nobody
 *                     sleeps.  wait: blocking.
 * Linearizes at       prepare: the increment of waiters.  notify: the increment of epoch.
 * Edges               EC1 seq_cst fence in prepare <-> in notify: not both "the condition looked
 *                         false" and "nobody waits" (an RMW is no fence)
 *                     EC2 release RMW of epoch -> acquire load of epoch after waking
 * Invariant           whoever sleeps was counted in waiters before it looked at the condition, and
 *                     its key was read before that look.
 *
 * Proof: lockfree/README.md, "Eventcount".  Model: tests/check/models/eventcount.c.  Rounds:
 * tests/stress/stress_eventcount.c. */
#ifndef HEIST_LOCKFREE_EVENTCOUNT_H
#define HEIST_LOCKFREE_EVENTCOUNT_H

#include "lockfree/seam.h"

struct eventcount {
	_Atomic uint32_t epoch;	  /* the futex word */
	_Atomic uint32_t waiters; /* prepared and not yet cancelled or returned */
};

#ifndef EVENTCOUNT_FENCE
#define EVENTCOUNT_FENCE() heist_fence_full()
#endif

static inline void eventcount_init(struct eventcount *e)
{
	atomic_init(&e->epoch, 0);
	atomic_init(&e->waiters, 0);
}

/* Any thread.  Announce the intention to sleep; look at the condition after this. */
static inline uint32_t eventcount_prepare(struct eventcount *e)
{
	atomic_fetch_add_explicit(&e->waiters, 1, memory_order_relaxed); /* ordered by EC1 */
	EVENTCOUNT_FENCE();						 /* EC1 */
	return atomic_load_explicit(&e->epoch, memory_order_acquire);	 /* EC2 acquire */
}

/* Any thread.  The condition was true after all. */
static inline void eventcount_cancel(struct eventcount *e)
{
	atomic_fetch_sub_explicit(&e->waiters, 1, memory_order_relaxed);
}

/* Any thread, blocking.  Sleep until notified after prepare() gave `key`, or until the absolute
 * clock value `deadline` (0 = none). */
static inline enum heist_wait eventcount_wait(struct eventcount *e, uint32_t key, uint64_t deadline)
{
	enum heist_wait r = HEIST_WAIT_WOKEN;
	while (atomic_load_explicit(&e->epoch, memory_order_acquire) == key && /* EC2 acquire */
	       r != HEIST_WAIT_TIMEOUT)
		r = heist_futex_wait(&e->epoch, key, deadline);
	if (r == HEIST_WAIT_TIMEOUT &&
	    atomic_load_explicit(&e->epoch, memory_order_acquire) != key) /* EC2 acquire */
		r = HEIST_WAIT_WOKEN; /* notified while timing out: the notification counts */
	eventcount_cancel(e);
	return r;
}

/* Any thread.  The condition was published before: wake up to `count` sleepers, now or in the future
 * if they have prepared already.  Returns the number of threads the kernel woke. */
static inline int eventcount_notify(struct eventcount *e, int count)
{
	EVENTCOUNT_FENCE();						  /* EC1 */
	if (atomic_load_explicit(&e->waiters, memory_order_relaxed) == 0) /* ordered by EC1 */
		return 0;
	atomic_fetch_add_explicit(&e->epoch, 1, memory_order_release); /* EC2 release */
	return heist_futex_wake(&e->epoch, count);
}

#endif
