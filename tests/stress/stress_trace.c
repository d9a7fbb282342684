/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of call chains: three threads, one at a time, ask for those of two others, who go up and down in functions
 * of their own, and wait so briefly that many do not come in time.  A chain is that of the thread asked. */
#include <stdlib.h>

#include "lockfree/seam_trace.h"
#include "tests/support/side.h"
#include "tests/support/stress.h"

#define ASKERS	3
#define TARGETS 2

static _Atomic uint32_t number[TARGETS], stop;
static _Atomic long answered;

/* What both do, in two places. */
#define DESCEND(T)                                                                                 \
	SIDE(T) static int descend_##T(int depth)                                                  \
	{                                                                                          \
		if (depth == 0)                                                                    \
			heist_thread_yield(); /* where ThreadSanitizer hands signals on */         \
		int below = depth ? descend_##T(depth - 1) : 0;                                    \
		__asm__ volatile("" : "+r"(below)::"memory");                                      \
		return below + 1;                                                                  \
	}                                                                                          \
	SIDE(T) static void target_##T(void *arg)                                                  \
	{                                                                                          \
		(void)arg;                                                                         \
		atomic_store_explicit(&number[T], heist_trace_allow(), memory_order_release);      \
		for (int i = 0; !atomic_load_explicit(&stop, memory_order_relaxed); i++)           \
			STRESS_CHECK(descend_##T(i % 8) == i % 8 + 1);                             \
	}
DESCEND(0)
DESCEND(1)

static void begin(struct rng *r)
{
	(void)r;
}

static void run(int thread, struct rng *r)
{
	void *frames[HEIST_TRACE_MOST];
	int target = (int)rng_below(r, TARGETS), own = 0;
	(void)thread;
	stress_delay(r);
	uint32_t n =
		heist_trace(atomic_load_explicit(&number[target], memory_order_acquire), frames);
	STRESS_CHECK(n <= HEIST_TRACE_MOST);
	for (uint32_t i = 0; i < n; i++) {
		own += side_has(target, frames[i]);
		STRESS_CHECK(!side_has(!target, frames[i]));
	}
	STRESS_CHECK(n == 0 || own > 0);
	atomic_fetch_add_explicit(&answered, n != 0, memory_order_relaxed);
}

static void end(void)
{
}

int main(int argc, char **argv)
{
	static const struct stress s = { "trace", ASKERS, 20000, begin, run, end, NULL };
	heist_thread t[TARGETS];
	if (heist_thread_start(&t[0], target_0, NULL, "target 0") != 0 ||
	    heist_thread_start(&t[1], target_1, NULL, "target 1") != 0)
		abort();
	for (int i = 0; i < TARGETS; i++)
		while (!atomic_load_explicit(&number[i], memory_order_acquire))
			heist_thread_yield();
	int status = stress_main(argc, argv, &s);
	atomic_store_explicit(&stop, 1, memory_order_relaxed);
	for (int i = 0; i < TARGETS; i++)
		heist_thread_join(&t[i]);
	/* else nothing was checked */
	return status ? status : atomic_load_explicit(&answered, memory_order_relaxed) == 0;
}
