/* SPDX-License-Identifier: BSD-2-Clause
 * The barrier: three threads, twice; what each wrote before it, all read after it. */
#include "lockfree/barrier.h"
#include "tests/check/check.h"

#define THREADS 3

static struct barrier b;
static struct barrier_seat seats[THREADS];
static int cells[2][THREADS];

static void setup(void)
{
	barrier_init(&b, THREADS);
	for (int t = 0; t < THREADS; t++) {
		seats[t] = (struct barrier_seat){ 0 };
		cells[0][t] = cells[1][t] = 0;
	}
}

static void thread(int self)
{
	for (int phase = 0; phase < 2; phase++) {
		cells[phase][self] = self + 1;
		barrier_wait(&b, &seats[self]);
		for (int t = 0; t < THREADS; t++)
			CHECK_ASSERT(cells[phase][t] == t + 1);
	}
}

static void finish(void)
{
	CHECK_ASSERT(atomic_load_explicit(&b.arrived, memory_order_relaxed) == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "barrier", THREADS, setup, thread, finish };
	return check_main(argc, argv, &m);
}
