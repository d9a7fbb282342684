/* SPDX-License-Identifier: BSD-2-Clause
 * counted.h - a polled runtime under a test's clock whose memory is counted; and
 * its end, with nothing left over. */
#ifndef HEIST_TESTS_COUNTED_H
#define HEIST_TESTS_COUNTED_H

#include "tests/support/clock.h"
#include "tests/support/memory.h"

static struct counted_memory memory;

static inline heist_system *counted_start(void (*log)(void *user, const heist_log_line *line))
{
	heist_config c = test_clock_config();
	heist_system *s;
	counted_init(&memory);
	c.log = log; /* NULL: it says nothing */
	c.log_level = log ? HEIST_LOG_WARN : HEIST_LOG_OFF;
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static inline void counted_finish(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(test_conserved(&t));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(counted_balanced(&memory));
}

#endif
