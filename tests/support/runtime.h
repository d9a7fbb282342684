/* SPDX-License-Identifier: BSD-2-Clause
 * runtime.h - what tests of the runtime share: start, spawn, tell, and the accounting oracle. */
#ifndef HEIST_TESTS_RUNTIME_H
#define HEIST_TESTS_RUNTIME_H

#include <heist/heist.h>

#include "tests/support/unit.h"
#include "tests/support/wait.h"

static inline void test_sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static inline heist_system *test_start(uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.workers = workers;
	c.pin = HEIST_OFF;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static inline heist_ref test_spawn(heist_system *s, const heist_class *cls, const void *arg)
{
	heist_ref r = { 0 };
	EXPECT(heist_spawn(s, cls, NULL, arg, &r) == HEIST_OK);
	return r;
}

static inline heist_status test_tell(heist_ref to, const heist_type *type, uint64_t n)
{
	return heist_send(to, type, &n);
}

static inline uint64_t test_lost(const heist_stats *t)
{
	uint64_t lost = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		lost += t->lost[i];
	return lost;
}

/* Quiescence comes, and then accepted == handled + lost.  False: not within 20 seconds. */
static inline bool test_balanced(heist_system *s)
{
	heist_stats t = heist_stats_default();
	uint64_t last = 0;
	for (int tries = 0, calm = 0; tries < 20000; tries++) {
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
		calm = t.accepted == t.handled + test_lost(&t) && t.accepted == last ? calm + 1 : 0;
		if (calm == 2)
			return true;
		last = t.accepted;
		test_sleep_ms(1);
	}
	return false;
}

#endif
