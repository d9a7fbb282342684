/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a stack that two threads push to and take: each link exactly once, written before it is read,
 * and each pusher's links newest first. */
#include "lockfree/stack.h"
#include "tests/support/stress.h"

#define THREADS 2
#define ITEMS	6 /* of each thread */

static struct stack stack;
static struct item {
	struct stack_link link;
	int thread, value; /* plain: the stack publishes them */
	_Atomic int taken; /* how often */
} items[THREADS][ITEMS];

static void begin(struct rng *r)
{
	(void)r;
	stack_init(&stack);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < ITEMS; i++) {
			items[t][i].value = 0;
			atomic_store_explicit(&items[t][i].taken, 0, memory_order_relaxed);
		}
}

static void take(void)
{
	int last[THREADS] = { ITEMS + 1, ITEMS + 1 };
	for (struct stack_link *l = stack_take_all(&stack), *next; l; l = next) {
		struct item *x = (struct item *)l;
		next = stack_next(l);
		STRESS_CHECK(x->value >= 1 && x->value < last[x->thread]);
		last[x->thread] = x->value;
		STRESS_CHECK(atomic_fetch_add_explicit(&x->taken, 1, memory_order_relaxed) == 0);
	}
}

static void run(int thread, struct rng *r)
{
	for (int i = 0; i < ITEMS; i++) {
		stress_delay(r);
		items[thread][i].thread = thread;
		items[thread][i].value = i + 1;
		stack_push(&stack, &items[thread][i].link);
		if (rng_below(r, 3) == 0)
			take();
	}
}

static void end(void)
{
	take();
	STRESS_CHECK(stack_is_empty(&stack));
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < ITEMS; i++)
			STRESS_CHECK(atomic_load_explicit(&items[t][i].taken,
							  memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "stack", THREADS, 200000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
