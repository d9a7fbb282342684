/* SPDX-License-Identifier: BSD-2-Clause
 * The LIFO slot: an owner that puts, displaces and takes, against thieves; each item exactly once, and an
 * item that a thief got may come back. */
#include "lockfree/lifo.h"
#include "tests/check/check.h"

#define ITEMS 3

static struct lifo_slot s;
static int items[ITEMS];
static _Atomic int got[ITEMS];

static void use(void *p)
{
	int *i = p;
	if (!i)
		return;
	CHECK_ASSERT(*i == i - items + 1);
	CHECK_ASSERT(atomic_fetch_add_explicit(&got[i - items], 1, memory_order_relaxed) == 0);
}

static void setup(void)
{
	lifo_init(&s);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = 0;
		atomic_store_explicit(&got[i], 0, memory_order_relaxed);
	}
}

static void thread(int t)
{
	if (t > 0) {
		use(lifo_steal(&s));
		use(lifo_steal(&s));
		return;
	}
	for (int i = 0; i < ITEMS; i++) {
		items[i] = i + 1;
		use(lifo_put(&s, &items[i]));
		if (i == 1)
			use(lifo_take(&s));
	}
}

static void finish(void)
{
	use(lifo_take(&s));
	for (int i = 0; i < ITEMS; i++)
		CHECK_ASSERT(atomic_load_explicit(&got[i], memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "lifo", 2 + (THIEVES > 1), setup, thread, finish };
	return check_main(argc, argv, &m);
}
