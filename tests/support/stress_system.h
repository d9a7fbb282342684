/* SPDX-License-Identifier: BSD-2-Clause
 * stress_system.h - a stress program with one runtime for all its rounds. */
#ifndef HEIST_TESTS_STRESS_SYSTEM_H
#define HEIST_TESTS_STRESS_SYSTEM_H

#include "tests/support/print.h"
#include "tests/support/stress.h"

static heist_system *sys; /* begin() starts it */

/* struct stress.dump */
static void stress_system_dump(void)
{
	print_runtime(sys);
}

/* After stress_main, with what it said. */
static inline int stress_system_end(int status)
{
	return heist_shutdown(sys, 0) == HEIST_OK ? status : 1;
}

#endif
