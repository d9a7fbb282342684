/* SPDX-License-Identifier: BSD-2-Clause
 * A model of spsc.h: what is put comes out, in order, and the queue wraps. */
#include "tests/check/check.h"
#include "tests/check/example/spsc.h"

#define TRIES 4

static struct spsc q;
static int put, got; /* of one thread each; finish runs when both have ended */

/* Alone, before each execution: whatever is static is as the last one left it. */
static void setup(void)
{
	q = (struct spsc){ 0 };
	put = got = 0;
}

static void get(void)
{
	int item;
	if (spsc_get(&q, &item))
		CHECK_ASSERT(item == ++got);
}

/* A few tries, not a loop until it works: an exhaustive search tries every number of turns of that. */
static void thread(int self)
{
	for (int i = 0; i < TRIES; i++) {
		if (self == 1)
			get();
		else if (spsc_put(&q, put + 1))
			put++;
	}
}

/* Alone, after all threads have returned. */
static void finish(void)
{
	for (unsigned i = 0; i < SPSC_SIZE; i++)
		get();
	CHECK_ASSERT(got == put && put >= (int)SPSC_SIZE);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "spsc", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
