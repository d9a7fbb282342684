/* SPDX-License-Identifier: BSD-2-Clause
 * wait.h - waiting for a counter that other threads move, with a limit so that a hang is a failure, and
 * for the end of a runtime. */
#ifndef HEIST_TESTS_WAIT_H
#define HEIST_TESTS_WAIT_H

#include <heist/heist.h>

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

/* Shut down with a deadline of `ms`, again and again: a slow machine may need more than one to end
 * what is left, while what never ends by itself would need for ever. */
static inline heist_status shut_down_within(heist_system *s, uint32_t ms)
{
	heist_status end;
	do
		end = heist_shutdown(s, heist_in_ms(s, ms));
	while (end == HEIST_ETIMEOUT);
	return end;
}

#endif
