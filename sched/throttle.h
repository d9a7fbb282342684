/* SPDX-License-Identifier: BSD-2-Clause
 * throttle.h - when a thief leaves spawned actors alone.
 *
 * Taking spawned actors costs a fence of all threads (deque.h), misses of the cache when they run, and as many
 * again for their old worker when their lines come home.  A short life among a thousand siblings is over sooner
 * where it was born.  So a thief compares what a theft cost with how long the loot kept it busy: less than
 * SCHED_WORTH times the cost, and it keeps its hands off spawn deques for a while, twice as long each time.  Two
 * clock reads a theft measure both, so the rule holds whatever a hand-off costs on this machine.
 *
 * Owned by one worker.  It only delays: what is stuck is taken in any case (steal.c, the last pass). */
#ifndef HEIST_SCHED_THROTTLE_H
#define HEIST_SCHED_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/policy.h"

struct throttle {
	uint64_t pause; /* nanoseconds; 0: the last theft was worth it */
	uint64_t until; /* no thefts before                            */
	uint64_t taken; /* the theft that is not judged yet: when it was over; 0: none */
	uint64_t cost;	/* and nanoseconds that it took */
};

static inline bool throttle_holds(const struct throttle *t, uint64_t now)
{
	return now < t->until;
}

static inline void throttle_took(struct throttle *t, uint64_t begun, uint64_t now)
{
	t->taken = now;
	t->cost = now - begun;
}

/* The thief has nothing left to run. */
static inline void throttle_judge(struct throttle *t, uint64_t now)
{
	if (t->taken == 0)
		return;
	bool worth = now - t->taken >= SCHED_WORTH * t->cost;
	t->taken = 0;
	t->pause = worth ? 0 : policy_doubled(t->pause, SCHED_PAUSE_MIN_NS, SCHED_PAUSE_MAX_NS);
	t->until = now + t->pause;
}

#endif
