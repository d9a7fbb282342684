/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a Chase-Lev deque that starts with two places, just below the wrap of its indices: an
 * owner that pushes and pops (or, in every other round, takes), and shrinks it now and then when it is
 * empty, and thieves.  Each item exactly once,
 * written before it is read, and oldest first for each thief. */
#include "lockfree/deque.h"
#include "tests/support/stress.h"

#include <stdio.h>

#ifndef THIEVES
#define THIEVES 1
#endif
#define ITEMS  6
#define ARRAYS 24 /* more than six items need, each after a shrink */

static struct deque d;
static bool fifo;
static int pushes;
static struct deque_array *replaced[ITEMS]; /* by shrinking: thieves may read them to the end */
static struct {
	int value;	   /* plain: the deque publishes it */
	_Atomic int taken; /* how often */
} items[ITEMS];

/* ---- memory: freed arrays stay readable until the end of the round, but are blank at once ---- */

static _Alignas(HEIST_CACHELINE) char space[ARRAYS][256];
static int handed_out; /* by the owner */

static void *get(void *user, size_t size, size_t align)
{
	(void)user, (void)align;
	STRESS_CHECK(size <= sizeof space[0] && handed_out < ARRAYS);
	return space[handed_out++];
}

static void put(void *user, void *p, size_t size)
{
	struct deque_array *a = p;
	(void)user, (void)size;
	for (uint64_t i = 0; i <= a->mask;
	     i++) /* atomic: late thieves are not the error looked for */
		atomic_store_explicit(&a->cell[i], NULL, memory_order_relaxed);
}

static const struct heist_memory memory = { get, put, NULL };

/* ---- a round ---- */

/* Whoever got an item; returns its number. */
static int use(void *item)
{
	for (int i = 0; i < ITEMS; i++)
		if (item == &items[i]) {
			STRESS_CHECK(items[i].value == i + 100);
			STRESS_CHECK(atomic_fetch_add_explicit(&items[i].taken, 1,
							       memory_order_relaxed) == 0);
			return i;
		}
	stress_fail("took %p, which nobody pushed", item);
}

static void begin(struct rng *r)
{
	fifo = rng_below(r, 2);
	pushes = 1 + (int)rng_below(r, ITEMS);
	handed_out = 0;
	for (int i = 0; i < ITEMS; i++) {
		items[i].value = 0;
		replaced[i] = NULL;
		atomic_store_explicit(&items[i].taken, 0, memory_order_relaxed);
	}
	STRESS_CHECK(heist_deque_init(&d, &memory, 2) == 0);
}

static void owner(struct rng *r)
{
	for (int pushed = 0; pushed < pushes; pushed++) {
		stress_delay(r);
		if (rng_below(r, 2))
			replaced[pushed] = heist_deque_shrink(&d, 2);
		items[pushed].value = pushed + 100;
		STRESS_CHECK(deque_push(&d, &items[pushed]));
		if (rng_below(r, 2))
			continue;
		void *item = fifo ? deque_take(&d) : deque_pop(&d);
		if (item)
			use(item);
	}
	for (void *item; !fifo && (item = deque_pop(&d)) != NULL;) {
		use(item);
		if (rng_below(r, 3) == 0)
			break;
	}
}

static uint64_t steal(struct rng *r, void **some)
{
	bool lost;
	if (fifo && rng_below(r, 2))
		return deque_steal_some(&d, some, 2, &lost);
	return deque_steal(&d, some) == STEAL_OK;
}

static void thief(struct rng *r)
{
	int last = -1;
	stress_delay(r);
	if (!fifo)
		deque_thief_enter(&d);
	for (uint32_t tries = 1 + rng_below(r, 5); tries > 0; tries--) {
		void *some[2];
		stress_delay(r);
		uint64_t n = steal(r, some);
		for (uint64_t i = 0; i < n; i++) {
			int number = use(some[i]);
			STRESS_CHECK(number > last);
			last = number;
		}
	}
	if (!fifo)
		deque_thief_leave(&d);
}

static void run(int thread, struct rng *r)
{
	if (thread == 0)
		owner(r);
	else
		thief(r);
}

static void end(void)
{
	void *item;
	enum deque_steal answer;
	while ((answer = deque_steal(&d, &item)) == STEAL_OK)
		use(item);
	STRESS_CHECK(answer == STEAL_EMPTY); /* nobody to lose a race against */
	STRESS_CHECK(deque_size(&d) == 0);
	for (int i = 0; i < pushes; i++)
		STRESS_CHECK(atomic_load_explicit(&items[i].taken, memory_order_relaxed) == 1);
	for (int i = 0; i < ITEMS; i++)
		heist_deque_free(&memory, replaced[i]);
	heist_deque_destroy(&d);
}

static void dump(void)
{
	printf("top %llx bottom %llx\n", (unsigned long long)d.top, (unsigned long long)d.bottom);
}

int main(int argc, char **argv)
{
	heist_seam_init(); /* the thief's fence */
	static const struct stress s = { "deque", 1 + THIEVES, 1000000, begin, run, end, dump };
	return stress_main(argc, argv, &s);
}
