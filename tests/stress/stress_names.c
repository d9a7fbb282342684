/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a set of names, from its first table: a writer adds, removes and frees, readers search.  What they
 * find is whole and has the name they asked for; names that nobody touches are always found; at the end the
 * set is what the writer made of it, and all memory is back. */
#include "lockfree/names.h"
#include "tests/support/memory.h"
#include "tests/support/stress.h"

#include <stdio.h>

#define THREADS 2 /* 0 writes */
#define NAMES	24
#define FIXED	4 /* of them, always there */
#define STEPS	40

struct thing {
	struct name name;
	int value; /* plain: the set publishes it */
};

static struct counted_memory memory;
static struct epoch e;
static struct epoch_record records[THREADS];
static struct names names;
static struct thing *things[NAMES];
static long out; /* things not freed */

static void add(int i)
{
	struct thing *x = counted_get(&memory, sizeof *x, 8);
	memset(x, 0, sizeof *x);
	snprintf(x->name.text, sizeof x->name.text, "name-%d", i);
	x->value = i;
	STRESS_CHECK(heist_names_add(&names, &x->name));
	things[i] = x;
	out++;
}

static void thing_free(struct epoch_entry *entry)
{
	counted_put(&memory, entry, sizeof(struct thing)); /* overwrites it */
	out--;
}

static void drop(int i)
{
	struct thing *x = things[i];
	things[i] = NULL;
	heist_names_remove(&names, &x->name);
#ifdef STRESS_REUSE_AT_ONCE
	/* Its last byte stays 0: what goes wrong is what a reader finds, not where it stops reading. */
	memset(x->name.text, 0x5A, sizeof x->name.text - 1);
	x->value = -1;
#endif
	heist_epoch_retire(&records[0], &x->name.retired, thing_free);
}

static void begin(struct rng *r)
{
	(void)r;
	counted_init(&memory);
	heist_epoch_init(&e);
	for (int t = 0; t < THREADS; t++) {
		memset(&records[t], 0, sizeof records[t]);
		heist_epoch_join(&e, &records[t]);
	}
	STRESS_CHECK(heist_names_init(&names, &memory.hook, &records[0]) == 0);
	for (int i = 0; i < NAMES; i++)
		things[i] = NULL;
	for (int i = 0; i < FIXED; i++)
		add(i);
}

static void writer(struct rng *r)
{
	for (int step = 0; step < STEPS; step++) {
		int i = FIXED + (int)rng_below(r, NAMES - FIXED);
		stress_delay(r);
		if (things[i])
			drop(i);
		else
			add(i);
		if (rng_below(r, 8) == 0)
			heist_epoch_reclaim(&records[0]);
	}
}

static void reader(int thread, struct rng *r)
{
	for (int step = 0; step < STEPS; step++) {
		char text[NAMES_TEXT];
		int i = (int)rng_below(r, NAMES);
		snprintf(text, sizeof text, "name-%d", i);
		epoch_enter(&records[thread]);
		struct thing *x = (struct thing *)heist_names_find(&names, text);
		STRESS_CHECK(x || i >= FIXED);
		if (x) {
			stress_delay(r);
			STRESS_CHECK(x->value == i && strcmp(x->name.text, text) == 0);
		}
		epoch_leave(&records[thread]);
	}
}

static void run(int thread, struct rng *r)
{
	if (thread == 0)
		writer(r);
	else
		reader(thread, r);
}

static void end(void)
{
	for (int i = 0; i < NAMES; i++) {
		char text[NAMES_TEXT];
		snprintf(text, sizeof text, "name-%d", i);
		STRESS_CHECK(heist_names_find(&names, text) == (struct name *)things[i]);
		if (things[i])
			drop(i);
	}
	heist_epoch_reclaim(&records[0]);
	heist_names_destroy(&names);
	STRESS_CHECK(out == 0);
	STRESS_CHECK(counted_balanced(&memory));
}

int main(int argc, char **argv)
{
	static const struct stress s = { "names", THREADS, 20000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
