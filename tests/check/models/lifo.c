/* SPDX-License-Identifier: BSD-2-Clause
 * The LIFO slot: an owner that puts, displaces and takes, against thieves; each item exactly once, and an
 * item that a thief got may come back. */
#include "lockfree/lifo.h"
#include "tests/check/check.h"

#define ITEMS 3

static struct lifo_slot s;
static int items[ITEMS];
static _Atomic int got[ITEMS], given[ITEMS];
static _Atomic(int *) back; /* what a thief has done with: the owner may put it again */

static void use(void *p)
{
	int *i = p;
	if (!i)
		return;
	CHECK_ASSERT(*i == i - items + 1);
	CHECK_ASSERT(atomic_fetch_add_explicit(&got[i - items], 1, memory_order_relaxed) <
		     atomic_load_explicit(&given[i - items], memory_order_relaxed));
}

static void setup(void)
{
	lifo_init(&s);
	atomic_store_explicit(&back, NULL, memory_order_relaxed);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = 0;
		atomic_store_explicit(&got[i], 0, memory_order_relaxed);
		atomic_store_explicit(&given[i], 0, memory_order_relaxed);
	}
}

static void put(int *i)
{
	*i = (int)(i - items) + 1;
	atomic_fetch_add_explicit(&given[i - items], 1, memory_order_relaxed);
	use(lifo_put(&s, i));
}

static void owner(void)
{
	for (int i = 0; i < ITEMS; i++) {
		put(&items[i]);
		int *again = atomic_exchange_explicit(&back, NULL, memory_order_acquire);
		if (again)
			put(again);
		if (i == 1)
			use(lifo_take(&s));
	}
}

static void thread(int t)
{
	if (t == 0) {
		owner();
		return;
	}
	int *stolen = lifo_steal(&s);
	use(stolen);
	if (stolen)
		atomic_store_explicit(&back, stolen, memory_order_release);
	use(lifo_steal(&s));
}

static void finish(void)
{
	use(lifo_take(&s));
	for (int i = 0; i < ITEMS; i++)
		CHECK_ASSERT(atomic_load_explicit(&got[i], memory_order_relaxed) ==
			     atomic_load_explicit(&given[i], memory_order_relaxed));
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "lifo", 2 + (THIEVES > 1), setup, thread, finish };
	return check_main(argc, argv, &m);
}
