/* SPDX-License-Identifier: BSD-2-Clause
 * runtime.h - what tests of the runtime share: start, spawn, tell, and the oracles. */
#ifndef HEIST_TESTS_RUNTIME_H
#define HEIST_TESTS_RUNTIME_H

#include <heist/heist.h>

#include "tests/support/oracle.h"
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

#endif
