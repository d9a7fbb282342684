/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a few visits while the owner shuts the gate and takes away what the visitors touch. */
#include "lockfree/gate.h"
#include "tests/support/stress.h"

#define THREADS 3
#define VISITS	4

static struct gate g;
static int here; /* plain: taken away when nobody is inside any more */

static void begin(struct rng *r)
{
	(void)r;
	gate_open(&g);
	here = 1;
}

static void run(int thread, struct rng *r)
{
	int turns = 0;
	for (int i = 0; thread != 0 && i < VISITS; i++) {
		stress_delay(r);
		if (!gate_enter(&g))
			continue;
		STRESS_CHECK(here == 1);
		stress_delay(r);
		STRESS_CHECK(here == 1);
		gate_leave(&g);
	}
	if (thread != 0)
		return;
	stress_delay(r);
	gate_shut(&g);
	while (!gate_is_empty(&g))
		stress_wait(&turns);
	here = 0;
}

static void end(void)
{
	STRESS_CHECK(atomic_load_explicit(&g.word, memory_order_relaxed) == 0);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "gate", THREADS, 20000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
