/* SPDX-License-Identifier: BSD-2-Clause
 * calibrate.h - the physical limits of this machine, measured in the same run as everything else. */
#ifndef HEIST_BENCH_CALIBRATE_H
#define HEIST_BENCH_CALIBRATE_H

#include <stdbool.h>

/* Nanoseconds, the minimum of several repetitions; 0: not measurable here (one CPU). */
struct calibration {
	double rmw;	  /* exchange on an own line                             */
	double fence;	  /* seq_cst fence                                       */
	double call;	  /* predicted indirect call                             */
	double pool;	  /* pop and push of a private free list                 */
	double alloc;	  /* allocation and free of 64 bytes                     */
	double clock;	  /* one clock read                                      */
	double local;	  /* 2 rmw + call + pool: what a message cannot be below */
	double handoff;	  /* a line from one core to another, one way            */
	double ring;	  /* SPSC ring of lines between two cores, per message   */
	double wake;	  /* futex: wake to first instruction, median            */
	double wake_cost; /* what that costs the waker, median                   */
	bool moved;	  /* the hand-off changed by more than 1.5 x in the run  */
};

void calibrate(struct calibration *c);
/* Again, at the end of a run: has the machine changed? */
void calibrate_again(struct calibration *c);

#endif
