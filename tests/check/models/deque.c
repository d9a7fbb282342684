/* SPDX-License-Identifier: BSD-2-Clause
 * The Chase-Lev deque: an owner that pushes and pops (LIFO) or takes (FIFO), one or two thieves, growth. */
#include "lockfree/deque.h"
#include "tests/check/check.h"

#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef THIEVES
#define THIEVES 1
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return check_alloc(size, align);
}
static void put(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	check_free(p);
}
static const struct heist_memory memory = { get, put, NULL };

static struct deque d;
static long items[ITEMS];
static _Atomic int taken[ITEMS];

static void use(void *p)
{
	long *item = p;
	CHECK_ASSERT(*item == item - items + 7);
	CHECK_ASSERT(atomic_fetch_add_explicit(&taken[item - items], 1, memory_order_relaxed) == 0);
}

static void setup(void)
{
	heist_deque_init(&d, &memory, CAPACITY);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = 0;
		atomic_store_explicit(&taken[i], 0, memory_order_relaxed);
	}
}

static void owner(void)
{
	void *p;
	for (int i = 0; i < ITEMS; i++) {
		items[i] = i + 7;
		CHECK_ASSERT(deque_push(&d, &items[i]));
#ifdef FIFO
		if (i > 0 && (p = deque_take(&d)) != NULL)
			use(p);
#endif
	}
#ifndef FIFO
	for (int i = 0; i < 2; i++)
		if ((p = deque_pop(&d)) != NULL)
			use(p);
#else
	(void)p;
#endif
}

static void thief(void)
{
#ifdef FIFO
	void *some[2];
	bool lost;
	for (int k = 0; k < 2; k++)
		for (uint64_t i = 0, n = deque_steal_some(&d, some, 2, &lost); i < n; i++)
			use(some[i]);
#else
	void *p;
	deque_thief_enter(&d);
	for (int k = 0; k < 2; k++)
		if (deque_steal(&d, &p) == STEAL_OK)
			use(p);
	deque_thief_leave(&d);
#endif
}

static void thread(int i)
{
	if (i == 0)
		owner();
	else
		thief();
}

static void finish(void)
{
	void *p;
	while (deque_steal(&d, &p) == STEAL_OK)
		use(p);
	for (int i = 0; i < ITEMS; i++)
		CHECK_ASSERT(atomic_load_explicit(&taken[i], memory_order_relaxed) == 1);
	heist_deque_destroy(&d);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "deque", 1 + THIEVES, setup, thread, finish };
	return check_main(argc, argv, &m);
}
