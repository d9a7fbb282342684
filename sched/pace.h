/* SPDX-License-Identifier: BSD-2-Clause
 * pace.h - when a thief stays away from run queues, because two workers only get in each other's way.
 *
 * Actors that exchange small messages all the time run at their fastest on one worker: what is stolen takes its
 * mailboxes to another core, whence the rest of the work fetches them back.  Other work of the same look gains by
 * each theft.  No figure of a single theft tells the two apart, so a thief whose thefts are frequent tries both: a
 * window in which it steals, one in which it sleeps, and compares how many messages all workers handled.  If the
 * others alone get clearly more done, twice running, it stays away for a while, longer each time the same
 * comparison confirms it; if not, it steals, and compares again after a while that grows as well.
 *
 *     STEALING  thefts are counted       -> WITH: many in a short time, and no comparison is too recent
 *     WITH      a window that steals     -> WITHOUT: over.  STEALING: the messages are coarse
 *     WITHOUT   a window that sleeps     -> WITH, AWAY: better without.  STEALING: it was not
 *     AWAY      sleeps, slice by slice   -> WITH: confirm it, or less gets done than when it was decided
 *                                        -> STEALING: the messages have become coarse
 *
 * From everywhere back to STEALING: somebody is stuck in a handler for a slice, or away (pace_forget), or is
 * parked (pace_rest).
 *
 * Work that comes along while a thief sleeps is not lost: it parks like anybody else (sched/README.md, "Park"), so
 * what is meant for it wakes it, but with a searcher counted for it, so that those who publish surplus
 * leave it alone; and it looks again after a slice.
 *
 * Who may call        the worker that owns it
 * Progress            wait-free; to sleep is park.c's
 * Linearizes at       pool.pacer: one worker of a pool at a time compares or stays away, so at least one works
 * Edges               PA1 acq_rel CAS of pool.pacer from 0, release store of 0: worker.paced, from one owner to
 *                     the next
 * Invariants          I1 phase is not STEALING only while pool.pacer is the worker.  I2 a nap ends after
 *                     PACE_SLICE_NS at the latest.
 *
 * Model: tests/check/models/sched.c (sched_pace).  Rounds: tests/stress/stress_pace.c. */
#ifndef HEIST_SCHED_PACE_H
#define HEIST_SCHED_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/policy.h"

struct worker;

enum pace_phase { PACE_STEALING, PACE_WITH, PACE_WITHOUT, PACE_AWAY };

struct pace {
	enum pace_phase phase;
	uint32_t thefts; /* STEALING: since `since` */
	uint32_t wins;	 /* of staying away, in a row; not 0 while that is being confirmed */
	uint64_t since,
		handled; /* the window or slice: when it began, and messages handled by then */
	uint64_t until;	 /* STEALING: no comparison before.  AWAY: confirm then */
	uint64_t with, without; /* messages per millisecond, in the last windows */
	uint64_t pause, hold;	/* how long until the next comparison; 0: not tried yet */
};

static inline void pace_theft(struct pace *p)
{
	p->thefts++;
}

/* Does the worker sleep rather than search? */
static inline bool pace_naps(const struct pace *p)
{
	return p->phase >= PACE_WITHOUT;
}

/* Is the window or slice over, or the next comparison due?  Then pace_step has to be told how many messages
 * there were.  Costs no clock. */
bool heist_pace_due(struct pace *p, uint64_t now);
/* After heist_pace_due: `handled` by all workers so far, `others` of which work when this one does not. */
void heist_pace_step(struct pace *p, uint64_t now, uint64_t handled, uint32_t others);
void heist_pace_forget(struct pace *p, uint64_t now);
/* The same because the work is over, or nearly: what comes next may be more of it, so that who stayed away may
 * compare at once. */
void heist_pace_rest(struct pace *p, uint64_t now);

/* The worker, which has nothing to run: until when to sleep instead of searching; 0: not at all. */
uint64_t heist_worker_pace(struct worker *w);

#endif
