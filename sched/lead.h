/* SPDX-License-Identifier: BSD-2-Clause
 * lead.h - when a thief lets the messages of a handler that goes on and on queue up.
 *
 * What a long handler sends to wakes up in the slot of its worker, where a thief finds it in the end (steal.c,
 * the last pass).  If that was a great many small messages, the loot soon runs beside the handler that feeds it:
 * every message is fetched from a core that writes the next one, and both are slower than one worker alone.  So
 * the thief then sleeps for SCHED_LEAD_NS before it looks at what stands still again, and has a pile to work off,
 * far from where it grows.
 *
 * Owned by one worker.  It delays the last pass alone: surplus is found, and wakes the thief, as ever. */
#ifndef HEIST_SCHED_LEAD_H
#define HEIST_SCHED_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/policy.h"

struct lead {
	uint64_t until;	  /* no last pass before; 0: now */
	uint64_t taken;	  /* the slot that is not judged yet: when; 0: none */
	uint64_t handled; /* and messages that the thief had handled by then */
};

static inline bool lead_holds(const struct lead *l, uint64_t now)
{
	return now < l->until;
}

static inline void lead_took(struct lead *l, uint64_t now, uint64_t handled)
{
	l->taken = now;
	l->handled = handled;
}

/* The thief, which took a slot, has nothing left to run. */
static inline void lead_judge(struct lead *l, uint64_t now, uint64_t handled)
{
	uint64_t n = handled - l->handled, ns = now - l->taken;
	l->until = n >= SCHED_LEAD_MESSAGES && ns < n * SCHED_COARSE_NS ? now + SCHED_LEAD_NS : 0;
	l->taken = 0;
}

#endif
