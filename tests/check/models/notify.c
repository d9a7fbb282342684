/* SPDX-License-Identifier: BSD-2-Clause
 * Notification bits with the control word: two notify an actor of generation 3 while its runner tells what it
 * finds and rests; one that is late does it for generation 1.  Every bit is told, what was done before it is
 * seen, and none of an older generation. */
#include "runtime/hold.h"
#include "runtime/notify.h"
#include "tests/check/check.h"

#define NOW 3u

static _Atomic uint16_t control;
static _Atomic uint64_t word;
static int before[2]; /* plain: published by the bits */
static uint32_t told;

static void setup(void)
{
	atomic_store_explicit(&control, 0, memory_order_relaxed);
	atomic_store_explicit(&word, 0, memory_order_relaxed);
	CHECK_ASSERT(notify_put(&word, 1, 8)); /* its actor was not told, and has ended */
	before[0] = before[1] = 0;
	told = 0;
}

/* The holder of the right to run. */
static void run(void)
{
	do {
#ifdef MUTANT_TAKE_FIRST
		uint32_t bits = notify_take(&word, NOW);
		hold_look(&control);
#else
		hold_look(&control);
		uint32_t bits = notify_take(&word, NOW);
#endif
		CHECK_ASSERT((bits & ~3u) == 0);
		for (int i = 0; i < 2; i++)
			if (bits >> i & 1)
				CHECK_ASSERT(before[i] == 1);
		told |= bits;
	} while (!hold_rest(&control));
}

static void call(void)
{
	if (hold_call(&control) & CONTROL_HELD && hold_take(&control))
		run();
}

static void thread(int t)
{
	if (t == 0) {
		run();
	} else if (t == 3) {
		if (notify_put(&word, 1, 4))
			call();
	} else {
		before[t - 1] = 1;
		CHECK_ASSERT(notify_put(&word, NOW, 1u << (t - 1)));
		call();
	}
}

static void finish(void)
{
	CHECK_ASSERT(told == 3 && !notify_pending(&word, NOW));
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "notify", 4, setup, thread, finish };
	return check_main(argc, argv, &m);
}
