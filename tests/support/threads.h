/* SPDX-License-Identifier: BSD-2-Clause
 * threads.h - how many threads this process has. */
#ifndef HEIST_TESTS_THREADS_H
#define HEIST_TESTS_THREADS_H

#include <stdio.h>

#include "tests/support/runtime.h"

static inline long threads_now(void)
{
	long n = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	EXPECT(f != NULL);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Threads: %ld", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* One that was joined may be seen for a moment yet. */
static inline bool threads_become(long n)
{
	for (int i = 0; i < 10000 && threads_now() != n; i++)
		test_sleep_ms(1);
	return threads_now() == n;
}

#endif
