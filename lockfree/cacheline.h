/* SPDX-License-Identifier: BSD-2-Clause
 * cacheline.h - the unit of messages and actor slots, and the distance that keeps writers apart. */
#ifndef HEIST_LOCKFREE_CACHELINE_H
#define HEIST_LOCKFREE_CACHELINE_H

#include <stddef.h>

#define HEIST_CACHELINE 64  /* size and alignment of a message and of an actor slot */
#define HEIST_ISOLATE	128 /* groups written by different threads: adjacent-line prefetch */

#define HEIST_LIKELY(x)	  __builtin_expect(!!(x), 1)
#define HEIST_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HEIST_COLD	  __attribute__((cold, noinline))
#define HEIST_APART	  __attribute__((noinline)) /* hot, but its registers are its own affair */
#define HEIST_HOT_INLINE  static inline __attribute__((always_inline))

/* The struct that contains a member. */
#define HEIST_CONTAINER(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Ask for a line to write to before it is needed; has no effect on what the program means.  The
 * compiler's builtin asks for a shared copy on baseline x86-64, which costs a second transfer. */
#if defined(__x86_64__) && !defined(HEIST_CHECK)
#define HEIST_PREFETCH_WRITE(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#else
#define HEIST_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 3)
#endif

#endif
