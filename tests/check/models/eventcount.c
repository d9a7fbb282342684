/* SPDX-License-Identifier: BSD-2-Clause
 * The eventcount: two notifiers publish one item each, one sleeper takes both; nobody sleeps for ever. */
#include "lockfree/eventcount.h"
#include "tests/check/check.h"

static struct eventcount e;
static _Atomic int published[2];
static int payload[2];

static void setup(void)
{
	eventcount_init(&e);
	for (int i = 0; i < 2; i++) {
		atomic_store_explicit(&published[i], 0, memory_order_relaxed);
		payload[i] = 0;
	}
}

static bool ready(int i)
{
	return atomic_load_explicit(&published[i], memory_order_acquire) != 0;
}

static void thread(int t)
{
	if (t < 2) {
		payload[t] = t + 1;
		atomic_store_explicit(&published[t], 1, memory_order_release);
		eventcount_notify(&e, 1);
		return;
	}
	for (int i = 0; i < 2; i++) {
		while (!ready(i)) {
			uint32_t key = eventcount_prepare(&e);
#ifndef MUTANT_NO_RECHECK
			if (ready(i)) {
				eventcount_cancel(&e);
				break;
			}
#endif
			eventcount_wait(&e, key, 0);
		}
		CHECK_ASSERT(payload[i] == i + 1);
	}
}

static void finish(void)
{
	CHECK_ASSERT(atomic_load_explicit(&e.waiters, memory_order_relaxed) == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "eventcount", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
