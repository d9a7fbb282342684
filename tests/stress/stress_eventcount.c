/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of an eventcount: one thread publishes a few things and notifies for each, the other sleeps
 * until it has seen each, at times with a deadline that passes.  A lost wake-up is a round that does not end. */
#include "lockfree/eventcount.h"
#include "tests/support/stress.h"

#include <stdio.h>

#define MOST 3

static struct eventcount e;
static int things;
static _Atomic int published;
static int payload[MOST]; /* plain: published orders it */

static void begin(struct rng *r)
{
	eventcount_init(&e);
	things = 1 + (int)rng_below(r, MOST);
	atomic_store_explicit(&published, 0, memory_order_relaxed);
}

static void notifier(struct rng *r)
{
	for (int i = 0; i < things; i++) {
		stress_delay(r);
		payload[i] = i + 7;
		atomic_store_explicit(&published, i + 1, memory_order_release);
		eventcount_notify(&e, 1);
	}
}

static bool ready(int i)
{
	return atomic_load_explicit(&published, memory_order_acquire) > i;
}

static void sleep_until_ready(int i, uint64_t wait_ns)
{
	while (!ready(i)) {
		uint32_t key = eventcount_prepare(&e);
#ifndef MUTANT_NO_RECHECK
		if (ready(i)) {
			eventcount_cancel(&e);
			break;
		}
#endif
		eventcount_wait(&e, key, wait_ns ? heist_clock_ns() + wait_ns : 0);
	}
}

static void run(int thread, struct rng *r)
{
	if (thread == 0) {
		notifier(r);
		return;
	}
	for (int i = 0; i < things; i++) {
		stress_delay(r);
		sleep_until_ready(i, rng_below(r, 4) ? 0 : 1 + rng_below(r, 100000));
		STRESS_CHECK(payload[i] == i + 7);
	}
}

static void end(void)
{
	STRESS_CHECK(atomic_load_explicit(&e.waiters, memory_order_relaxed) == 0);
}

static void dump(void)
{
	printf("epoch %u waiters %u published %d of %d\n", e.epoch, e.waiters, published, things);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "eventcount", 2, 100000, begin, run, end, dump };
	return stress_main(argc, argv, &s);
}
