/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a LIFO slot: an owner that puts, displaces and takes, against thieves; what a thief got may
 * come back and be put again.  Everything that was put is got exactly as often. */
#include "lockfree/lifo.h"
#include "tests/support/stress.h"

#include <stdio.h>

#ifndef THIEVES
#define THIEVES 1
#endif
#define ITEMS 4

static struct lifo_slot slot;
static struct {
	int value;	      /* plain: the slot publishes it */
	_Atomic int held;     /* by how many: never two */
	_Atomic int put, got; /* how often */
} items[ITEMS];
static _Atomic(void *) back; /* what a thief has done with */

/* The caller has it now; NULL is nothing. */
static void *hold(void *item)
{
	if (!item)
		return NULL;
	for (int i = 0; i < ITEMS; i++)
		if (item == &items[i]) {
			STRESS_CHECK(atomic_exchange_explicit(&items[i].held, 1,
							      memory_order_relaxed) == 0);
			STRESS_CHECK(items[i].value == i + 100);
			items[i].value = 0;
			atomic_fetch_add_explicit(&items[i].got, 1, memory_order_relaxed);
			return item;
		}
	stress_fail("got %p, which nobody put", item);
}

/* Owner. */
static void put(int i)
{
	items[i].value = i + 100;
	atomic_fetch_add_explicit(&items[i].put, 1, memory_order_relaxed);
	STRESS_CHECK(atomic_exchange_explicit(&items[i].held, 0, memory_order_relaxed) == 1);
	hold(lifo_put(&slot, &items[i]));
}

static int number_of(void *item)
{
	return (int)(((char *)item - (char *)items) / (ptrdiff_t)sizeof items[0]);
}

static void begin(struct rng *r)
{
	(void)r;
	heist_seam_init(); /* the thief's fence */
	lifo_init(&slot);
	atomic_store_explicit(&back, NULL, memory_order_relaxed);
	for (int i = 0; i < ITEMS; i++) {
		items[i].value = 0;
		atomic_store_explicit(&items[i].held, 1, memory_order_relaxed);
		atomic_store_explicit(&items[i].put, 0, memory_order_relaxed);
		atomic_store_explicit(&items[i].got, 0, memory_order_relaxed);
	}
}

static void owner(struct rng *r)
{
	for (int i = 0; i < ITEMS; i++) {
		stress_delay(r);
		put(i);
		void *again = atomic_exchange_explicit(&back, NULL, memory_order_acquire);
		if (again)
			put(number_of(again));
		if (rng_below(r, 2)) {
			stress_delay(r);
			hold(lifo_take(&slot));
		}
	}
}

static void thief(struct rng *r)
{
	for (uint32_t tries = 1 + rng_below(r, 3); tries > 0; tries--) {
		stress_delay(r);
		void *item = hold(lifo_steal(&slot));
		void *nothing = NULL;
		if (item && rng_below(r, 2)) /* one at a time */
			atomic_compare_exchange_strong_explicit(
				&back, &nothing, item, memory_order_release, memory_order_relaxed);
	}
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
	hold(lifo_take(&slot));
	STRESS_CHECK(lifo_peek(&slot) == NULL);
	for (int i = 0; i < ITEMS; i++) {
		STRESS_CHECK(atomic_load_explicit(&items[i].held, memory_order_relaxed) == 1);
		STRESS_CHECK(atomic_load_explicit(&items[i].put, memory_order_relaxed) ==
			     atomic_load_explicit(&items[i].got, memory_order_relaxed));
	}
}

static void dump(void)
{
	printf("item %p claim %u\n", slot.item, slot.claim);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "lifo", 1 + THIEVES, 200000, begin, run, end, dump };
	return stress_main(argc, argv, &s);
}
