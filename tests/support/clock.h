/* SPDX-License-Identifier: BSD-2-Clause
 * clock.h - a polled runtime whose clock stands still until the test moves it. */
#ifndef HEIST_TESTS_CLOCK_H
#define HEIST_TESTS_CLOCK_H

#include "tests/support/runtime.h"

#define TEST_MS ((uint64_t)1000000)
#define TEST_S	(1000 * TEST_MS)

static uint64_t test_now, test_wall;

static inline uint64_t test_clock(void *user, heist_clock which)
{
	(void)user;
	return which == HEIST_CLOCK_WALL ? test_wall : test_now;
}

static inline heist_config test_clock_config(void)
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.clock = test_clock;
	test_now = TEST_S;
	test_wall = 1000000 * TEST_S;
	return c;
}

/* Everything that can run now. */
static inline void test_run(heist_system *s)
{
	while (heist_poll(s, 0, 1000) > 0)
		;
}

/* `ns` pass, from one timer to the next. */
static inline void test_pass(heist_system *s, uint64_t ns)
{
	uint64_t end = test_now + ns, next;
	test_run(s);
	while ((next = heist_poll_deadline(s)) != 0 && next <= end) {
		if (next > test_now) {
			test_wall += next - test_now;
			test_now = next;
		}
		test_run(s);
	}
	if (end > test_now) { /* a handler may have moved it further */
		test_wall += end - test_now;
		test_now = end;
	}
	test_run(s);
}

#endif
