/* SPDX-License-Identifier: BSD-2-Clause
 * unit.h - one test source, two runners: Criterion, and a plain main() (-DUNIT_PLAIN) under which
 * AddressSanitizer and LeakSanitizer see everything.
 *
 *     TEST(deque, steal_from_empty_returns_empty) { EXPECT(...); }
 */
#ifndef HEIST_TESTS_UNIT_H
#define HEIST_TESTS_UNIT_H

#ifdef UNIT_PLAIN

#include <stdio.h>
#include <stdlib.h>

void unit_register(const char *name, void (*run)(void));

#define TEST(suite, name)                                                                          \
	static void suite##_##name(void);                                                          \
	__attribute__((constructor)) static void register_##suite##_##name(void)                   \
	{                                                                                          \
		unit_register(#suite "/" #name, suite##_##name);                                   \
	}                                                                                          \
	static void suite##_##name(void)

#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: expected: %s\n", __FILE__, __LINE__, #cond);       \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define SKIP(why)                                                                                  \
	do {                                                                                       \
		printf("skipped: %s\n", why);                                                      \
		return;                                                                            \
	} while (0)

#else

#include <criterion/criterion.h>

#define TEST(suite, name) Test(suite, name, .timeout = 60)
#define EXPECT(cond)	  cr_assert(cond)
#define SKIP(why)	  cr_skip_test(why)

#endif

#endif
