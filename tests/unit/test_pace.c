/* SPDX-License-Identifier: BSD-2-Clause
 * A thief compares windows with thefts and without, stays away where that is clearly better for as long as it
 * stays so, and comes back at once where somebody needs it.  The clock and the counters are the test's. */
#include "sched/pace.h"
#include "tests/support/unit.h"

#define STEP_NS 10000u /* a thief looks that often */

/* A pool of two workers: what they get done in a millisecond while this one steals, and while it does not. */
struct work {
	uint64_t with, without;
	uint64_t now, handled;
	uint64_t napped, compared; /* nanoseconds; windows that slept */
	struct pace pace;
};

static void look(struct work *k, uint64_t elapsed)
{
	bool naps = pace_naps(&k->pace);
	k->now += elapsed;
	k->napped += naps ? elapsed : 0;
	k->handled += elapsed * (naps ? k->without : k->with) / 1000000;
	if (!naps)
		pace_theft(&k->pace);
	if (heist_pace_due(&k->pace, k->now)) {
		heist_pace_step(&k->pace, k->now, k->handled, 1);
		k->compared += k->pace.phase == PACE_WITHOUT;
	}
}

static void look_for(struct work *k, uint64_t ns)
{
	for (uint64_t end = k->now + ns; k->now < end;)
		look(k, STEP_NS);
}

static struct work begin(uint64_t with, uint64_t without)
{
	return (struct work){ .with = with, .without = without, .now = 1000000000 };
}

static void until(struct work *k, enum pace_phase phase)
{
	for (int i = 0; i < 1000 && k->pace.phase != phase; i++)
		look(k, STEP_NS);
	EXPECT(k->pace.phase == phase);
}

TEST(pace, stays_away_where_that_is_better)
{
	struct work k = begin(30000, 60000);
	look_for(&k, 100000000);
	EXPECT(k.pace.phase == PACE_AWAY && k.napped >= 90000000);
}

TEST(pace, steals_where_that_is_better)
{
	struct work k = begin(60000, 30000);
	look_for(&k, 100000000);
	EXPECT(k.compared > 0 && k.napped <= 2000000);
}

TEST(pace, steals_where_there_is_little_between_them)
{
	struct work k = begin(60000, 60000 * PACE_BETTER / 100 - 1000);
	look_for(&k, 100000000);
	EXPECT(k.compared > 0 && k.napped <= 2000000);
}

TEST(pace, needs_two_wins)
{
	struct work k = begin(30000, 60000);
	until(&k, PACE_WITHOUT);
	until(&k, PACE_WITH); /* won once */
	k.without = 30000;
	until(&k, PACE_WITHOUT);
	until(&k, PACE_STEALING);
}

TEST(pace, costs_a_hundredth_of_what_gains_by_stealing)
{
	struct work k = begin(60000, 10000);
	look_for(&k, 10000000000);
	EXPECT(k.compared > 5 && k.napped <= 100000000);
}

TEST(pace, confirms_a_hundredth_of_the_time)
{
	struct work k = begin(10000, 60000);
	look_for(&k, 10000000000);
	EXPECT(k.compared > 5 && k.napped >= 9900000000);
}

TEST(pace, does_not_try_where_thefts_are_rare)
{
	struct work k = begin(10000, 60000);
	while (k.now < 2000000000)
		look(&k, PACE_THEFTS_NS / PACE_THEFTS + 1000);
	EXPECT(k.pace.phase == PACE_STEALING && k.compared == 0);
}

TEST(pace, does_not_try_where_messages_are_coarse)
{
	struct work k = begin(1000000 / SCHED_COARSE_NS - 1, 60000);
	look_for(&k, 100000000);
	EXPECT(k.napped == 0);
}

TEST(pace, comes_back_when_messages_turn_coarse)
{
	struct work k = begin(10000, 60000);
	until(&k, PACE_AWAY);
	k.without = 1000000 / SCHED_COARSE_NS - 1;
	look_for(&k, 2 * PACE_SLICE_NS);
	EXPECT(k.pace.phase == PACE_STEALING);
}

TEST(pace, compares_anew_when_less_gets_done)
{
	struct work k = begin(40000, 60000);
	until(&k, PACE_AWAY);
	uint64_t decided = k.now;
	k.without = 60000 * PACE_LESS / 100 - 5000;
	look_for(&k, 2 * PACE_SLICE_NS);
	EXPECT(k.pace.phase != PACE_AWAY && k.now < decided + PACE_HOLD_MIN_NS);
	until(&k, PACE_STEALING);
}

TEST(pace, steals_at_once_when_told_to_forget)
{
	struct work k = begin(10000, 60000);
	until(&k, PACE_AWAY);
	heist_pace_forget(&k.pace, k.now);
	EXPECT(!pace_naps(&k.pace) && k.pace.hold == 0);
	k.napped = 0;
	look_for(&k, PACE_PAUSE_MIN_NS / 2);
	EXPECT(k.napped == 0);
}

TEST(pace, stays_away_again_soon_when_work_comes_back)
{
	struct work k = begin(10000, 60000);
	until(&k, PACE_AWAY);
	heist_pace_rest(&k.pace, k.now);
	EXPECT(!pace_naps(&k.pace));
	k.napped = 0;
	look_for(&k, PACE_PAUSE_MIN_NS / 2);
	EXPECT(k.pace.phase == PACE_AWAY && k.napped > PACE_PAUSE_MIN_NS / 4);
}

TEST(pace, does_not_compare_at_once_what_ended_in_a_comparison)
{
	struct work k = begin(10000, 60000);
	until(&k, PACE_WITHOUT);
	heist_pace_rest(&k.pace, k.now);
	k.napped = 0;
	look_for(&k, PACE_PAUSE_MIN_NS / 2);
	EXPECT(k.napped == 0);
}

TEST(pace, ends_a_window_that_took_too_long)
{
	struct work k = begin(10000, 60000);
	until(&k, PACE_WITH);
	look(&k, 10 * PACE_SLICE_NS); /* its loot was coarse after all */
	EXPECT(k.pace.phase == PACE_STEALING && k.compared == 0);
}

TEST(pace, survives_counters_that_stand_still)
{
	struct work k = begin(30000, 60000);
	until(&k, PACE_AWAY);
	k.without = 0;
	k.handled -= 1; /* an activation without a message ended meanwhile */
	look_for(&k, 2 * PACE_SLICE_NS);
	EXPECT(k.pace.phase == PACE_STEALING);
}
