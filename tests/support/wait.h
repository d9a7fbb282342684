/* SPDX-License-Identifier: BSD-2-Clause
 * wait.h - waiting for a counter that other threads move, with a limit so that a hang is a failure. */
#ifndef HEIST_TESTS_WAIT_H
#define HEIST_TESTS_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* True once *counter >= value; false after 20 seconds. */
static inline bool wait_for(_Atomic long *counter, long value)
{
	for (int i = 0; i < 200000; i++) {
		if (atomic_load_explicit(counter, memory_order_acquire) >= value)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	return false;
}

#endif
