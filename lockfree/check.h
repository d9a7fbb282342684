/* SPDX-License-Identifier: BSD-2-Clause
 * check.h - assertions on internal invariants, and poisoning of pooled memory for AddressSanitizer.
 *
 * HEIST_ASSERT   debug builds only (NDEBUG removes it): an invariant that would be costly to check.
 * HEIST_ENSURE   every build: a cheap check on a cold path; prints what failed and aborts.
 * HEIST_POISON   marks pooled memory unusable under AddressSanitizer and in models; nothing elsewhere. */
#ifndef HEIST_LOCKFREE_CHECK_H
#define HEIST_LOCKFREE_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#ifdef HEIST_CHECK
_Noreturn void check_assert_failed(const char *what, const char *file, int line);
#define heist_check_failed check_assert_failed
#else
__attribute__((cold, noreturn)) static inline void heist_check_failed(const char *what,
								      const char *file, int line)
{
	fprintf(stderr, "heist: internal check failed: %s (%s:%d)\n", what, file, line);
	abort();
}
#endif

#define HEIST_ENSURE(cond)                                                                         \
	((void)(__builtin_expect(!!(cond), 1) ||                                                   \
		(heist_check_failed(#cond, __FILE__, __LINE__), 0)))

#ifdef NDEBUG
#define HEIST_ASSERT(cond) ((void)0)
#else
#define HEIST_ASSERT(cond) HEIST_ENSURE(cond)
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HEIST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEIST_ASAN 1
#endif
#endif

#ifdef HEIST_ASAN
#include <sanitizer/asan_interface.h>
#define HEIST_POISON(p, n)   __asan_poison_memory_region((p), (n))
#define HEIST_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#elif defined(HEIST_CHECK)
#include <stddef.h>
void heist_check_poison(void *p, size_t n);
void heist_check_unpoison(void *p, size_t n);
#define HEIST_POISON(p, n)   heist_check_poison((p), (n))
#define HEIST_UNPOISON(p, n) heist_check_unpoison((p), (n))
#else
#define HEIST_POISON(p, n)   ((void)(p), (void)(n))
#define HEIST_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#endif
