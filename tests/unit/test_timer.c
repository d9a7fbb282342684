/* SPDX-License-Identifier: BSD-2-Clause
 * The timer wheel alone, against a list. */
#include "runtime/timer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/rng.h"
#include "tests/support/unit.h"

static struct wheel wheel;

static void arm(struct timer *t, uint64_t at, uint64_t id, uint64_t now)
{
	t->at = at;
	t->id = id;
	heist_timer_arm(&wheel, t, now);
}

TEST(timer, an_empty_wheel_has_nothing_to_pop)
{
	struct timer_due due;
	heist_wheel_init(&wheel);
	EXPECT(wheel_next(&wheel) == 0 && !wheel_is_due(&wheel, UINT64_MAX));
	EXPECT(!heist_timer_pop(&wheel, UINT64_MAX, &due));
}

TEST(timer, is_popped_at_its_instant_and_not_a_nanosecond_before)
{
	struct timer t;
	struct timer_due due;
	memset(&t, 0, sizeof t);
	for (int bit = 0; bit < 64; bit++) {
		uint64_t at = (uint64_t)1 << bit;
		heist_wheel_init(&wheel);
		arm(&t, at, (uint64_t)bit, 1);
		EXPECT(wheel_next(&wheel) == at);
		EXPECT(!heist_timer_pop(&wheel, at - 1, &due));
		EXPECT(heist_timer_pop(&wheel, at, &due) && due.id == (uint64_t)bit);
		EXPECT(wheel.count == 0 && wheel_next(&wheel) == 0 && t.link.next == NULL);
	}
}

TEST(timer, of_the_past_is_due_at_once)
{
	struct timer t;
	struct timer_due due;
	memset(&t, 0, sizeof t);
	heist_wheel_init(&wheel);
	arm(&t, 5, 1, 1000000);
	EXPECT(heist_timer_pop(&wheel, 1000000, &due) && due.id == 1);
}

TEST(timer, s_for_one_instant_come_in_the_order_they_were_armed)
{
	enum { COUNT = 100 };
	struct timer t[COUNT];
	struct timer_due due;
	memset(t, 0, sizeof t);
	heist_wheel_init(&wheel);
	for (uint64_t i = 0; i < COUNT; i++) {
		arm(&t[i], 123456789, i, 1);
		/* time goes on between them, through slots of several levels */
		EXPECT(!heist_timer_pop(&wheel, 1234567 * i, &due) || i > 99);
	}
	for (uint64_t i = 0; i < COUNT; i++)
		EXPECT(heist_timer_pop(&wheel, 123456789, &due) && due.id == i);
}

TEST(timer, disarmed_is_not_popped_and_says_which)
{
	struct timer t[2];
	struct timer_due due;
	memset(t, 0, sizeof t);
	heist_wheel_init(&wheel);
	arm(&t[0], 100, 0, 1);
	arm(&t[1], 100, 1, 1);
	EXPECT(heist_timer_disarm(&wheel, &t[0]) && !heist_timer_disarm(&wheel, &t[0]));
	EXPECT(heist_timer_pop(&wheel, 100, &due) && due.id == 1);
	EXPECT(!heist_timer_disarm(&wheel, &t[1]));
	EXPECT(wheel_next(&wheel) == 0);
}

TEST(timer, deferred_wheel_waits_that_long)
{
	struct timer t;
	struct timer_due due;
	memset(&t, 0, sizeof t);
	heist_wheel_init(&wheel);
	arm(&t, 100, 7, 1);
	heist_wheel_defer(&wheel, 500);
	EXPECT(!heist_timer_pop(&wheel, 499, &due));
	EXPECT(heist_timer_pop(&wheel, 500, &due) && due.id == 7);
}

/* ---- random sequences against a table ---- */

enum { TIMERS = 300 };

struct replay {
	struct rng rng;
	struct timer timer[TIMERS];
	bool armed[TIMERS];
	uint64_t now;
};

static uint64_t some_delay(struct rng *r)
{
	uint64_t delay = rng_next(r) >> rng_below(r, 60);
	return delay > UINT64_MAX / 4 ? UINT64_MAX / 4 : delay;
}

static void step_arm(struct replay *p)
{
	uint32_t i = rng_below(&p->rng, TIMERS);
	if (p->armed[i]) {
		EXPECT(heist_timer_disarm(&wheel, &p->timer[i]));
		p->armed[i] = false;
		return;
	}
	uint64_t delay = some_delay(&p->rng);
	if (p->now + delay < p->now)
		delay = 0;
	arm(&p->timer[i], p->now + delay, i, p->now);
	p->armed[i] = true;
}

static uint64_t earliest_armed(struct replay *p)
{
	uint64_t least = 0;
	for (int i = 0; i < TIMERS; i++)
		if (p->armed[i] && (least == 0 || p->timer[i].at < least))
			least = p->timer[i].at;
	return least;
}

static void step_time(struct replay *p)
{
	struct timer_due due;
	uint64_t least = earliest_armed(p), delay = some_delay(&p->rng);
	EXPECT(least == 0 ? wheel_next(&wheel) == 0
			  : wheel_next(&wheel) != 0 &&
				    wheel_next(&wheel) <= (least > p->now ? least : p->now));
	if (rng_below(&p->rng, 4) == 0 && least > p->now)
		p->now = least - rng_below(&p->rng, 2); /* to it, or just not */
	else if (p->now + delay > p->now && delay < UINT64_MAX / 64)
		p->now += delay;
	for (uint64_t last = 0; heist_timer_pop(&wheel, p->now, &due);) {
		struct timer *t = &p->timer[due.id];
		EXPECT(p->armed[due.id] && t->at <= p->now && t->at >= last);
		p->armed[due.id] = false;
		last = t->at;
	}
	least = earliest_armed(p);
	EXPECT(least == 0 || least > p->now);
}

static void replay(uint64_t seed)
{
	static struct replay p;
	memset(&p, 0, sizeof p);
	p.rng = rng_seed(seed);
	p.now = 1 + (rng_next(&p.rng) >> rng_below(&p.rng, 63)) / 2;
	heist_wheel_init(&wheel);
	for (int i = 0; i < 3000 && p.now < UINT64_MAX / 2; i++)
		if (rng_below(&p.rng, 3))
			step_arm(&p);
		else
			step_time(&p);
}

TEST(timer, wheel_agrees_with_a_table_over_random_sequences)
{
	for (uint64_t seed = 0; seed < 60; seed++)
		replay(seed);
}
