/* SPDX-License-Identifier: BSD-2-Clause
 * seam.h - the one door to everything a checker must be able to replace: atomics, fences, futex,
 * threads, clock, memory and randomness.  No other file of Heist includes <stdatomic.h> or
 * <pthread.h>, or calls malloc, mmap or a system call.
 *
 * Bodies   lockfree/seam.c          the real ones (Linux); faults: lockfree/seam_fault.c
 *          tests/check/seam.c       those of the model checker (HEIST_CHECK builds)
 *
 * Layers   lockfree/ uses atomics, fences, relax and memory only; sched/ and runtime/ use all of it.
 *
 * Asymmetric fences.  A light fence on a common path pairs with a heavy one on a rare path: if the
 * light side stores X and then loads Y, and the heavy side stores Y and then loads X, at least one of
 * them sees the other's store.  heist_fence_light() is a compiler barrier where membarrier(2) works
 * and a seq_cst fence elsewhere; heist_fence_heavy() is membarrier(2) or a seq_cst fence to match.
 * heist_fence_owner() is the light side without that choice, a compiler barrier always, for paths
 * where even the test costs too much; its heavy side heist_fence_thief() answers false where there
 * is no membarrier(2), and the thief must then give up.  Under ThreadSanitizer all of them are seq_cst
 * fences; models are run with those and with a heavy fence that acts on all threads at once. */
#ifndef HEIST_LOCKFREE_SEAM_H
#define HEIST_LOCKFREE_SEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define HEIST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HEIST_TSAN 1
#endif
#endif

/* Counted builds (-DHEIST_COUNT_ATOMICS, gcc) count read-modify-writes and full fences per thread;
 * the budgets of bench/gates are stated in these counts.  Every operation Heist uses is listed. */
#ifdef HEIST_COUNT_ATOMICS
extern _Thread_local uint64_t heist_rmw_count, heist_fence_count;
#define HEIST_COUNTED_(n, op)                                                                      \
	__extension__({                                                                            \
		(n)++;                                                                             \
		op;                                                                                \
	})
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_thread_fence
#define atomic_exchange_explicit(p, v, o)                                                          \
	HEIST_COUNTED_(heist_rmw_count, __atomic_exchange_n(p, v, o))
#define atomic_compare_exchange_strong_explicit(p, e, v, s, f)                                     \
	HEIST_COUNTED_(heist_rmw_count, __atomic_compare_exchange_n(p, e, v, 0, s, f))
#define atomic_compare_exchange_weak_explicit(p, e, v, s, f)                                       \
	HEIST_COUNTED_(heist_rmw_count, __atomic_compare_exchange_n(p, e, v, 1, s, f))
#define atomic_fetch_add_explicit(p, v, o)                                                         \
	HEIST_COUNTED_(heist_rmw_count, __atomic_fetch_add(p, v, o))
#define atomic_fetch_sub_explicit(p, v, o)                                                         \
	HEIST_COUNTED_(heist_rmw_count, __atomic_fetch_sub(p, v, o))
#define atomic_fetch_or_explicit(p, v, o)                                                          \
	HEIST_COUNTED_(heist_rmw_count, __atomic_fetch_or(p, v, o))
#define atomic_fetch_and_explicit(p, v, o)                                                         \
	HEIST_COUNTED_(heist_rmw_count, __atomic_fetch_and(p, v, o))
#define atomic_thread_fence(o) HEIST_COUNTED_(heist_fence_count, __atomic_thread_fence(o))
#endif

/* ---- fences and waiting: any thread ---- */

/* Spin-wait hint; in a model it is a yield, after which stores of others become visible. */
static inline void heist_relax(void);
static inline void heist_fence_full(void);
static inline void heist_fence_light(void);
void heist_fence_heavy(void);
static inline void heist_fence_owner(void);
bool heist_fence_thief(void);

/* Add to a counter that one thread at a time writes and any thread reads: no locked operation. */
static inline void heist_count(_Atomic uint64_t *counter, uint64_t n);

/* ---- futex: any thread ---- */
enum heist_wait { HEIST_WAIT_WOKEN, HEIST_WAIT_TIMEOUT };
/* Sleep while *word == expected, until woken or until the absolute clock value `deadline` (0 = no
 * limit).  May return WOKEN spuriously. */
enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline);
/* Wake up to `count` sleepers on word; returns how many were woken. */
int heist_futex_wake(_Atomic uint32_t *word, int count);

/* ---- threads ---- */
typedef struct heist_thread {
	uint64_t handle;
} heist_thread;
/* 0, or -1 when the system refuses another thread.  All signals are blocked in the new thread. */
int heist_thread_start(heist_thread *t, void (*entry)(void *), void *arg, const char *name);
void heist_thread_join(heist_thread *t);
void heist_thread_yield(void);
/* Around each fork of the process from now on: before it, then in the parent, or in the child.  0 or -1. */
int heist_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));

/* ---- a descriptor that turns readable, for event loops of others ---- */
/* -1 when the system refuses. */
int heist_event_open(void);
void heist_event_signal(int fd);
/* Make it unreadable again. */
void heist_event_clear(int fd);
void heist_event_close(int fd);

/* ---- text for a descriptor ---- */
/* All of it, or -1.  Async-signal-safe. */
int heist_write(int fd, const char *text, size_t size);
bool heist_is_terminal(int fd);

/* ---- memory of others ---- */
/* Copy `size` bytes that another thread may be writing, or that may not be there any more: what comes may be
 * old, new or half of each.  False: there is no such memory, or the system does not show it. */
bool heist_peek(void *to, const void *from, size_t size);

/* ---- faults: SIGSEGV, SIGBUS, SIGFPE, SIGILL (lockfree/seam_fault.c) ---- */
struct heist_fault {
	const char *name;  /* of the signal */
	bool sent;	   /* by kill or raise: no instruction is to blame */
	uintptr_t pc;	   /* of the instruction */
	uintptr_t address; /* what it wanted */
};
typedef void heist_fault_fn(const struct heist_fault *);
/* Call `told` for every fault of the process, on the thread that had it; it may siglongjmp away, and only
 * what is async-signal-safe.  When it returns, who handled faults before does, or the default happens.  One at
 * a time, callers take turns. */
int heist_faults_catch(heist_fault_fn *told);
void heist_faults_release(void);
/* The calling thread's faults are told on this stack, so that it may have used up its own; NULL: on the one
 * that it has (-1). */
int heist_faults_thread(void *stack, size_t size);
/* Inside `told`, before it jumps away: the next fault is a new one. */
void heist_faults_leave(void);
/* Inside `told`: does a call chain lead from `function` to the faulting instruction, and is everything below
 * `function` code that is not this library's? */
bool heist_fault_below(const struct heist_fault *f, const void *function);
/* Inside `told`: where it happened, innermost first. */
void heist_fault_backtrace(const struct heist_fault *f, int fd);
/* Behind a call of a function of the user's, at the end of one of ours: ours stays in the call chain.  No
 * instruction. */
static inline void heist_keep_frame(void);
/* Is this the address of a function of the library?  Needs HEIST_LIBRARY in what was compiled. */
bool heist_is_library(const void *function);

/* ---- clock: nanoseconds of CLOCK_MONOTONIC, never 0 ---- */
uint64_t heist_clock_ns(void);
/* What it was at the kernel's last tick: a few milliseconds ago, for a third of the cost. */
uint64_t heist_clock_tick_ns(void);
/* Nanoseconds since 1970, UTC; may be set by others and jump. */
uint64_t heist_clock_wall_ns(void);

/* ---- memory ---- */
/* Aligned memory (align: power of two >= 8), not zeroed; NULL when there is none. */
void *heist_mem_alloc(size_t size, size_t align);
void heist_mem_free(void *p, size_t size);
/* Address space without memory behind it; NULL when refused.  Sizes are multiples of 64 KiB. */
void *heist_pages_reserve(size_t size);
/* Give a reserved range zeroed memory, on first touch; 0 or -1 (nothing changed). */
int heist_pages_commit(void *p, size_t size);
/* A committed range, of a multiple of 8 bytes, stays accessible and reads as zero from now on.  Its memory is
 * returned, unless it is locked (mlock, mlockall) or does not end with a page: then it is cleared. */
void heist_pages_purge(void *p, size_t size);
/* Ask for 2 MiB pages in a range (a hint). */
void heist_pages_huge(void *p, size_t size);
void heist_pages_release(void *p, size_t size);

/* ---- randomness: a seed that differs between runs ---- */
uint64_t heist_random_seed(void);

/* ---- inline bodies ---- */
#ifdef HEIST_CHECK
void heist_check_relax(void);
static inline void heist_relax(void)
{
	heist_check_relax();
}
#else
static inline void heist_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}
#endif

/* HEIST_UNCOUNTED: the other side of the measurement of what counting costs. */
static inline void heist_count(_Atomic uint64_t *counter, uint64_t n)
{
#if defined(HEIST_UNCOUNTED)
	(void)counter, (void)n;
#elif defined(__x86_64__) && !defined(HEIST_CHECK) && !defined(HEIST_TSAN)
	/* one instruction instead of the three that compilers make of the lines below */
	__asm__("addq %1, %0" : "+m"(*counter) : "er"(n) : "cc");
#else
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed); /* relaxed: a statistic */
#endif
}

static inline void heist_keep_frame(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void heist_fence_full(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

#if defined(HEIST_CHECK)
#define HEIST_ASYMMETRIC 0
void heist_check_fence_light(void);
static inline void heist_fence_owner(void)
{
	heist_check_fence_light();
}
static inline void heist_fence_light(void)
{
	heist_check_fence_light();
}
#elif defined(HEIST_TSAN) || !defined(__linux__)
#define HEIST_ASYMMETRIC 0
static inline void heist_fence_owner(void)
{
	heist_fence_full();
}
static inline void heist_fence_light(void)
{
	heist_fence_full();
}
#else
#define HEIST_ASYMMETRIC 1
/* Written once, before the first worker starts: 1 when membarrier(2) is registered. */
extern int heist_has_membarrier;
static inline void heist_fence_owner(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}
static inline void heist_fence_light(void)
{
	if (__builtin_expect(heist_has_membarrier, 1))
		atomic_signal_fence(memory_order_seq_cst);
	else
		heist_fence_full();
}
#endif

/* Where the code of the library lies, an entry per text section of each file: so a fault in it is told from
 * one in code that it called.  The second label is behind everything that the compiler emits. */
#if defined(HEIST_LIBRARY) && !defined(HEIST_CHECK)
__asm__(".macro heist_text_mark section\n"
	".pushsection \\section, 0, \"ax\", @progbits\n"
	".Lheist_begin\\@:\n"
	".popsection\n"
	".pushsection \\section, 8191, \"ax\", @progbits\n"
	".Lheist_end\\@:\n"
	".popsection\n"
	".pushsection heist_text, \"a\", @progbits\n"
	".balign 4\n"
	".long .Lheist_begin\\@ - .\n"
	".long .Lheist_end\\@ - .\n"
	".popsection\n"
	".endm\n"
	"heist_text_mark .text\n"
	"heist_text_mark .text.hot\n"
	"heist_text_mark .text.hot.\n"
	"heist_text_mark .text.unlikely\n"
	"heist_text_mark .text.unlikely.\n"
	".purgem heist_text_mark\n");
#endif

/* Decide which kind of fence this process uses; idempotent, any thread, before the first worker. */
void heist_seam_init(void);

#endif
