/* SPDX-License-Identifier: BSD-2-Clause
 * A thief gives the sender of many small messages a lead, and nobody else. */
#include "sched/lead.h"
#include "tests/support/unit.h"

#define MANY ((uint64_t)SCHED_LEAD_MESSAGES)

/* A slot taken at 1000, whose loot lasted n messages of `each` nanoseconds: what is held until. */
static struct lead after(uint64_t n, uint64_t each)
{
	struct lead l = { 0 };
	lead_took(&l, 1000, 77);
	lead_judge(&l, 1000 + n * each, 77 + n);
	EXPECT(l.taken == 0);
	return l;
}

TEST(lead, holds_nothing_back_at_first)
{
	struct lead l = { 0 };
	EXPECT(!lead_holds(&l, 0) && !lead_holds(&l, 1000));
}

TEST(lead, follows_many_small_messages)
{
	struct lead l = after(MANY, SCHED_COARSE_NS - 1);
	uint64_t now = 1000 + MANY * (SCHED_COARSE_NS - 1);
	EXPECT(lead_holds(&l, now) && lead_holds(&l, now + SCHED_LEAD_NS - 1));
	EXPECT(!lead_holds(&l, now + SCHED_LEAD_NS));
}

TEST(lead, does_not_follow_few_messages)
{
	struct lead l = after(MANY - 1, 1);
	EXPECT(!lead_holds(&l, 0));
	l = after(0, 0);
	EXPECT(!lead_holds(&l, 0));
}

TEST(lead, does_not_follow_coarse_messages)
{
	struct lead l = after(MANY, SCHED_COARSE_NS);
	EXPECT(!lead_holds(&l, 0));
}

TEST(lead, ends_with_the_next_loot_that_is_none_of_it)
{
	struct lead l = after(MANY, 1);
	EXPECT(lead_holds(&l, 2000));
	lead_took(&l, 2000, 500);
	lead_judge(&l, 2100, 501);
	EXPECT(!lead_holds(&l, 2100));
}
