/* SPDX-License-Identifier: BSD-2-Clause
 * runnable.h - what the scheduler runs: an intrusive link, and the verdict of a run. */
#ifndef HEIST_SCHED_RUNNABLE_H
#define HEIST_SCHED_RUNNABLE_H

#include "lockfree/inject.h"

/* Embedded in whatever is scheduled.  The link belongs to the holder of the right to run, which is
 * at most one: a queue of the scheduler, or the worker that runs it. */
struct runnable {
	struct inject_link link;
};

enum verdict {
	RUN_DONE,	/* it gave up the right to run: the scheduler must not touch it again     */
	RUN_AGAIN,	/* its batch is used up: to the end of the FIFO                           */
	RUN_LOW,	/* the same, behind everything that is not in the background              */
	RUN_LATE,	/* it waits for a preempted producer: to the end of the FIFO, no progress */
	RUN_LATE_BOUND, /* the same, of one that is bound to this worker: to its own inbox   */
};

#endif
