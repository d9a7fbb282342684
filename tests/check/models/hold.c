/* SPDX-License-Identifier: BSD-2-Clause
 * A child that rests: its runner gives up the right to run while two others each ask it for something and
 * call.  One runs it at a time, and everything that was asked for is done. */
#include "runtime/hold.h"
#include "tests/check/check.h"

static _Atomic uint16_t control;
static _Atomic uint32_t asked[2];
static int state; /* of the actor: only who has the right to run touches it */
static int done[2];

static void setup(void)
{
	atomic_store_explicit(&control, 0, memory_order_relaxed);
	for (int i = 0; i < 2; i++) {
		atomic_store_explicit(&asked[i], 0, memory_order_relaxed);
		done[i] = 0;
	}
	state = 0;
}

/* The holder of the right to run. */
static void run(void)
{
	do {
		hold_look(&control);
		state++;
		for (int i = 0; i < 2; i++)
			if (atomic_load_explicit(&asked[i], memory_order_relaxed)) /* HO1 */
				done[i] = 1;
	} while (!hold_rest(&control));
}

static void thread(int t)
{
	if (t == 0) {
		run();
		return;
	}
	atomic_store_explicit(&asked[t - 1], 1, memory_order_relaxed); /* HO1 */
	if (hold_call(&control) & CONTROL_HELD && hold_take(&control))
		run();
}

static void finish(void)
{
	CHECK_ASSERT(atomic_load_explicit(&control, memory_order_relaxed) & CONTROL_HELD);
	CHECK_ASSERT(done[0] && done[1] && state <= 3 * 2);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "hold", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
