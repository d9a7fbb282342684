/* SPDX-License-Identifier: BSD-2-Clause
 * side.h - functions of two sides, of which a frame of a call chain can be told.
 *
 * SIDE(0) or SIDE(1) before a function puts it into a part of the program of its own. */
#ifndef HEIST_TESTS_SIDE_H
#define HEIST_TESTS_SIDE_H

#include <stdbool.h>

#define SIDE(N) __attribute__((noinline, used, section("side_" #N)))
extern char __start_side_0, __stop_side_0, __start_side_1, __stop_side_1;

static inline bool side_has(int side, const void *frame)
{
	const char *p = frame;
	return side ? p >= &__start_side_1 && p <= &__stop_side_1
		    : p >= &__start_side_0 && p <= &__stop_side_0;
}

#endif
