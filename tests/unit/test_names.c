/* SPDX-License-Identifier: BSD-2-Clause
 * The set of names, one thread: against a plain array, and without memory. */
#include "lockfree/names.h"
#include "tests/support/memory.h"
#include "tests/support/rng.h"
#include "tests/support/unit.h"

#include <stdio.h>

#define MOST 3000

static struct counted_memory memory;
static struct epoch e;
static struct epoch_record writer;
static struct names names;
static struct name all[MOST];
static bool in[MOST];

static void text(char *out, int i)
{
	snprintf(out, NAMES_TEXT, "a/name.of-some_length/%d", i);
}

static void set_up(void)
{
	counted_init(&memory);
	memset(&writer, 0, sizeof writer);
	heist_epoch_init(&e);
	heist_epoch_join(&e, &writer);
	EXPECT(heist_names_init(&names, &memory.hook, &writer) == 0);
	for (int i = 0; i < MOST; i++) {
		text(all[i].text, i);
		in[i] = false;
	}
}

static void tear_down(void)
{
	heist_epoch_reclaim(&writer);
	heist_names_destroy(&names);
	EXPECT(counted_balanced(&memory));
}

static struct name *find(int i)
{
	char copy[NAMES_TEXT];
	text(copy, i);
	return heist_names_find(&names, copy);
}

TEST(names, empty_set_finds_nothing)
{
	set_up();
	EXPECT(find(1) == NULL);
	EXPECT(heist_names_find(&names, "") == NULL);
	tear_down();
}

TEST(names, a_prefix_is_another_name)
{
	static struct name x = { .text = "abc" }, y = { .text = "ab" };
	set_up();
	EXPECT(heist_names_add(&names, &x));
	EXPECT(heist_names_find(&names, "ab") == NULL && heist_names_find(&names, "abcd") == NULL);
	EXPECT(heist_names_add(&names, &y));
	EXPECT(heist_names_find(&names, "ab") == &y && heist_names_find(&names, "abc") == &x);
	tear_down();
}

TEST(names, agrees_with_an_array_while_it_grows_and_shrinks)
{
	struct rng r = rng_seed(1);
	set_up();
	for (int step = 0; step < 60000; step++) {
		int i = (int)rng_below(&r, MOST);
		EXPECT(find(i) == (in[i] ? &all[i] : NULL));
		if (in[i])
			heist_names_remove(&names, &all[i]);
		else
			EXPECT(heist_names_add(&names, &all[i]));
		in[i] = !in[i];
		if (step % 1000 == 0)
			heist_epoch_reclaim(&writer);
	}
	for (int i = 0; i < MOST; i++)
		EXPECT(find(i) == (in[i] ? &all[i] : NULL));
	tear_down();
}

/* Tombstones are swept: names that come and go do not fill the table. */
TEST(names, memory_is_bounded_by_what_is_in_the_set)
{
	set_up();
	for (int step = 0; step < 200000; step++) {
		int i = step % MOST;
		EXPECT(heist_names_add(&names, &all[i]));
		heist_names_remove(&names, &all[i]);
		if (step % 100 == 0)
			heist_epoch_reclaim(&writer);
	}
	heist_epoch_reclaim(&writer);
	EXPECT(atomic_load(&memory.bytes) < 64 * 1024);
	EXPECT(find(0) == NULL);
	tear_down();
}

TEST(names, without_memory_it_refuses_and_goes_on)
{
	int n = 0;
	set_up();
	counted_fail(&memory, true);
	while (n < MOST && heist_names_add(&names, &all[n]))
		n++;
	EXPECT(n > 0 && n < MOST);
	for (int i = 0; i < MOST; i++)
		EXPECT(find(i) == (i < n ? &all[i] : NULL));
	heist_names_remove(&names, &all[0]);
	EXPECT(find(0) == NULL);
	EXPECT(heist_names_add(&names, &all[n])); /* in the place of the other */
	counted_fail(&memory, false);
	for (int i = n + 1; i < MOST; i++)
		EXPECT(heist_names_add(&names, &all[i]));
	for (int i = 1; i < MOST; i++)
		EXPECT(find(i) == &all[i]);
	tear_down();
}

TEST(names, init_without_memory_fails)
{
	counted_init(&memory);
	counted_fail(&memory, true);
	EXPECT(heist_names_init(&names, &memory.hook, &writer) == -1);
}
