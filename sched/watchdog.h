/* SPDX-License-Identifier: BSD-2-Clause
 * watchdog.h - the thread that notices workers which have been in one activation for too long.
 *
 * One for all pools of a group, of which it watches those that say how long a handler may take (pool.hog_ns).
 * A worker counts its activations, which it does anyway; nothing is added to what it does for a message.
 * The watchdog looks at these counts every half of the shortest of these times.  One that has not moved,
 * of a worker that is neither parked nor looking for work, is a handler that runs: after its pool's time its worker
 * is away (spare.h), and the pool's owner is told on this thread, at every look until the handler returns.
 * While everybody is parked the watchdog sleeps without a timeout.
 *
 *     watchdog                               worker that was parked
 *       asleep = 1                             leave the set
 *       heist_fence_heavy()      WD1           heist_fence_light()      WD1
 *       is everybody parked?                   asleep? then notify
 *
 * Who may call        start, stop: who starts and stops the group.  woke: a worker.
 * Progress            start, stop: blocking.  woke: wait-free.
 * Edges               WD1 the fences above: not both "asleep" and "nobody is awake" go unseen
 *                     WD2 release store of stop -> acquire load by the watchdog
 *                     what a worker counts and says is relaxed: advisory, looked at again
 * Invariants          I1 the fields seen and since of a worker are the watchdog's.  I2 a worker that
 *                     is in a handler for longer than 1.5 times its pool's time has been seen; one that is told is in
 *                     the activation that was seen, or was the moment before.
 *
 * Models watchdog, watchdog_group: tests/check/models/sched.c. */
#ifndef HEIST_SCHED_WATCHDOG_H
#define HEIST_SCHED_WATCHDOG_H

#include "lockfree/eventcount.h"

struct pool;

struct watchdog {
	heist_thread thread;
	bool runs;
	uint64_t look_ns; /* between two looks */
	_Atomic uint32_t stop, asleep;
	struct eventcount wakeup;
};

/* For the first of a group, those of which that are watched have joined and run.  None is: nothing to do.  -1: no
 * thread. */
int heist_watchdog_start(struct pool *p);
/* Not running: nothing to do. */
void heist_watchdog_stop(struct pool *p);

/* A worker that was parked is not any more. */
void heist_watchdog_woke(struct pool *p);

#endif
