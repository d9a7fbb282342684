/* SPDX-License-Identifier: BSD-2-Clause
 * Epochs: a writer replaces a thing three times and frees the old ones; two readers look at it. */
#include "lockfree/epoch.h"
#include "tests/check/check.h"

#ifndef TURNS
#define TURNS 3
#endif

struct thing {
	struct epoch_entry retired;
	int value;
};

static struct epoch e;
static struct epoch_record records[3];
static _Atomic(struct thing *) current;
static int freed;

static void thing_free(struct epoch_entry *entry)
{
	freed++;
	((struct thing *)entry)->value = 0; /* every use of it happened before */
	check_free(entry);
}

static struct thing *thing_new(int value)
{
	struct thing *x = check_alloc(sizeof *x, 8);
	x->value = value;
	return x;
}

static void setup(void)
{
	heist_epoch_init(&e);
	for (int i = 0; i < 3; i++)
		heist_epoch_join(&e, &records[i]);
	atomic_store_explicit(&current, thing_new(1), memory_order_release);
	freed = 0;
}

static void replace(int value)
{
	struct thing *old = atomic_load_explicit(&current, memory_order_relaxed);
	atomic_store_explicit(&current, thing_new(value), memory_order_release);
#ifdef MUTANT_AT_ONCE
	thing_free(&old->retired);
#else
	heist_epoch_retire(&records[0], &old->retired, thing_free);
	if (value % 2)
		heist_epoch_reclaim(&records[0]);
#endif
}

static void thread(int t)
{
	for (int i = 0; i < (t ? 2 : TURNS); i++) {
		if (t == 0) {
			replace(i + 2);
			continue;
		}
		epoch_enter(&records[t]);
		struct thing *x = atomic_load_explicit(&current, memory_order_acquire);
		CHECK_ASSERT(x->value >= 1 && x->value <= TURNS + 1);
		epoch_leave(&records[t]);
	}
}

static void finish(void)
{
	heist_epoch_reclaim(&records[0]);
	CHECK_ASSERT(freed == TURNS);
	check_free(atomic_load_explicit(&current, memory_order_relaxed));
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "epoch", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
