/* SPDX-License-Identifier: BSD-2-Clause
 * A thief pauses after thefts that were not worth it, longer each time, and no more once one was. */
#include "sched/throttle.h"
#include "tests/support/unit.h"

#define COST 1000u

static uint64_t now = 5;

/* A theft of COST, and how long its loot lasted. */
static void theft(struct throttle *t, uint64_t kept)
{
	throttle_took(t, now, now + COST);
	now += COST + kept;
	throttle_judge(t, now);
}

TEST(throttle, holds_nothing_back_at_first)
{
	struct throttle t = { 0 };
	EXPECT(!throttle_holds(&t, 0) && !throttle_holds(&t, now));
	throttle_judge(&t, now); /* nothing to judge */
	EXPECT(!throttle_holds(&t, now));
}

TEST(throttle, doubles_its_pause_up_to_the_limit)
{
	struct throttle t = { 0 };
	uint64_t pause = SCHED_PAUSE_MIN_NS;
	for (int i = 0; i < 20; i++) {
		theft(&t, SCHED_WORTH * COST - 1);
		EXPECT(throttle_holds(&t, now + pause - 1) && !throttle_holds(&t, now + pause));
		pause = pause < SCHED_PAUSE_MAX_NS ? 2 * pause : pause;
		EXPECT(pause <= SCHED_PAUSE_MAX_NS);
	}
	EXPECT(pause == SCHED_PAUSE_MAX_NS);
}

TEST(throttle, forgets_at_the_first_theft_that_was_worth_it)
{
	struct throttle t = { 0 };
	for (int i = 0; i < 5; i++)
		theft(&t, 0);
	EXPECT(throttle_holds(&t, now));
	theft(&t, SCHED_WORTH * COST);
	EXPECT(!throttle_holds(&t, now));
	theft(&t, 0);
	EXPECT(throttle_holds(&t, now) && !throttle_holds(&t, now + SCHED_PAUSE_MIN_NS));
}

TEST(throttle, judges_a_theft_once)
{
	struct throttle t = { 0 };
	theft(&t, 0);
	uint64_t until = t.until;
	throttle_judge(&t, now + 1);
	EXPECT(t.until == until);
}
