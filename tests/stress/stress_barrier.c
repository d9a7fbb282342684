/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a few barriers: what each thread wrote before one, the other reads after it. */
#include "lockfree/barrier.h"
#include "tests/support/stress.h"

#define THREADS 2
#define PHASES	4

static struct barrier b;
static struct barrier_seat seats[THREADS];
static uint32_t cells[THREADS]; /* plain: the barrier publishes them */
static _Atomic uint32_t passed;

static void begin(struct rng *r)
{
	(void)r;
	barrier_init(&b, THREADS);
	for (int t = 0; t < THREADS; t++)
		seats[t] = (struct barrier_seat){ 0 };
	atomic_store_explicit(&passed, 0, memory_order_relaxed);
}

static void run(int thread, struct rng *r)
{
	for (uint32_t phase = 1; phase <= PHASES; phase++) {
		stress_delay(r);
		cells[thread] = phase;
		barrier_wait(&b, &seats[thread]);
		for (int t = 0; t < THREADS; t++)
			STRESS_CHECK(cells[t] == phase);
		barrier_wait(&b, &seats[thread]); /* before anybody writes again */
		atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
	}
}

static void end(void)
{
	STRESS_CHECK(atomic_load_explicit(&passed, memory_order_relaxed) == THREADS * PHASES);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "barrier", THREADS, 20000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
