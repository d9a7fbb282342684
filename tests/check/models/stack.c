/* SPDX-License-Identifier: BSD-2-Clause
 * The stack: two pushers, of which one also takes, and a taker; each link exactly once. */
#include "lockfree/stack.h"
#include "tests/check/check.h"

struct work {
	struct stack_link link;
	int value;
};

static struct stack s;
static struct work works[4];
static _Atomic int taken[4];

static void take(void)
{
	for (struct stack_link *l = stack_take_all(&s), *next; l; l = next) {
		struct work *w = (struct work *)l;
		next = stack_next(l);
		CHECK_ASSERT(w->value == w - works + 1);
		CHECK_ASSERT(
			atomic_fetch_add_explicit(&taken[w - works], 1, memory_order_relaxed) == 0);
	}
}

static void setup(void)
{
	stack_init(&s);
	for (int i = 0; i < 4; i++) {
		works[i].value = 0;
		atomic_store_explicit(&taken[i], 0, memory_order_relaxed);
	}
}

static void thread(int t)
{
	for (int i = 2 * t; t < 2 && i < 2 * t + 2; i++) {
		works[i].value = i + 1;
		stack_push(&s, &works[i].link);
	}
	if (t != 1)
		take();
}

static void finish(void)
{
	take();
	CHECK_ASSERT(stack_is_empty(&s));
	for (int i = 0; i < 4; i++)
		CHECK_ASSERT(atomic_load_explicit(&taken[i], memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "stack", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
