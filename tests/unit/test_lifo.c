/* SPDX-License-Identifier: BSD-2-Clause
 * The LIFO slot, one thread; races are played by running the other side inside a fence. */
#include <stdbool.h>
static void owner_fence(void);
static bool thief_fence(void);
#define LIFO_FENCE_OWNER() owner_fence()
#define LIFO_FENCE_THIEF() thief_fence()
#include "lockfree/lifo.h"
#include "tests/support/unit.h"

static struct lifo_slot s;
static int x, y, z;

/* What happens inside the next fence of either side, once; what a thief's fence answers. */
static void (*inside_owner)(void), (*inside_thief)(void);
static bool have_membarrier = true;
static void *got;

static void run_once(void (**f)(void))
{
	void (*now)(void) = *f;
	*f = NULL;
	if (now)
		now();
}

static void owner_fence(void)
{
	run_once(&inside_owner);
}

static bool thief_fence(void)
{
	run_once(&inside_thief);
	return have_membarrier;
}

static void thief_steals(void)
{
	got = lifo_steal(&s);
}

static void owner_takes(void)
{
	got = lifo_take(&s);
}

static void owner_puts_y(void)
{
	got = lifo_put(&s, &y);
}

static void set_up(void)
{
	lifo_init(&s);
	inside_owner = inside_thief = NULL;
	have_membarrier = true;
	got = NULL;
}

/* Nothing is left, and both sides can go on. */
static void expect_empty_and_usable(void)
{
	EXPECT(lifo_peek(&s) == NULL);
	EXPECT(lifo_take(&s) == NULL);
	EXPECT(lifo_steal(&s) == NULL);
	EXPECT(lifo_put(&s, &z) == NULL);
	EXPECT(lifo_steal(&s) == &z);
	EXPECT(lifo_put(&s, &z) == NULL);
	EXPECT(lifo_take(&s) == &z);
	EXPECT(lifo_put(&s, &z) == NULL);
	EXPECT(lifo_steal(&s) == &z);
}

TEST(lifo, new_slot_is_empty)
{
	set_up();
	EXPECT(lifo_peek(&s) == NULL);
	expect_empty_and_usable();
}

TEST(lifo, owner_takes_what_it_put)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_peek(&s) == &x);
	EXPECT(lifo_take(&s) == &x);
	expect_empty_and_usable();
}

TEST(lifo, put_returns_what_it_displaces)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_put(&s, &y) == &x);
	EXPECT(lifo_put(&s, &x) == &y);
	EXPECT(lifo_take(&s) == &x);
	expect_empty_and_usable();
}

TEST(lifo, thief_takes_what_the_owner_put)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_steal(&s) == &x);
	EXPECT(lifo_take(&s) == NULL);
	expect_empty_and_usable();
}

TEST(lifo, second_theft_waits_until_the_owner_has_seen_the_first)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_steal(&s) == &x);
	EXPECT(lifo_steal(&s) == NULL);
	EXPECT(lifo_put(&s, &y) == NULL);
	EXPECT(lifo_steal(&s) == &y);
	expect_empty_and_usable();
}

TEST(lifo, stolen_item_that_comes_back_is_not_taken_for_stolen)
{
	set_up();
	for (int i = 0; i < 3; i++) {
		EXPECT(lifo_put(&s, &x) == NULL);
		EXPECT(lifo_steal(&s) == &x); /* the thief runs it, and it is woken here again */
	}
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_take(&s) == &x);
	expect_empty_and_usable();
}

TEST(lifo, owner_that_takes_first_denies_the_thief)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	inside_thief = owner_takes;
	EXPECT(lifo_steal(&s) == NULL);
	EXPECT(got == &x);
	expect_empty_and_usable();
}

TEST(lifo, thief_gets_what_was_put_after_it_claimed)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	inside_thief = owner_puts_y; /* displaces x, which is the owner's: the claim is denied */
	void *stolen = lifo_steal(&s);
	EXPECT(got == &x);
	EXPECT(stolen == NULL);
	EXPECT(lifo_take(&s) == &y);
	expect_empty_and_usable();
}

TEST(lifo, thief_inside_put_takes_the_new_item_and_leaves_the_old)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	inside_owner = thief_steals;
	EXPECT(lifo_put(&s, &y) == &x);
	EXPECT(got == &y);
	expect_empty_and_usable();
}

TEST(lifo, thief_inside_the_first_put_takes_the_item)
{
	set_up();
	inside_owner = thief_steals;
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(got == &x);
	expect_empty_and_usable();
}

TEST(lifo, thief_inside_take_finds_nothing)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	inside_owner = thief_steals;
	EXPECT(lifo_take(&s) == &x);
	EXPECT(got == NULL);
	expect_empty_and_usable();
}

TEST(lifo, only_one_thief_at_a_time)
{
	set_up();
	EXPECT(lifo_put(&s, &x) == NULL);
	inside_thief = thief_steals; /* a second thief */
	EXPECT(lifo_steal(&s) == &x);
	EXPECT(got == NULL);
	expect_empty_and_usable();
}

TEST(lifo, without_membarrier_nothing_is_stolen)
{
	set_up();
	have_membarrier = false;
	EXPECT(lifo_put(&s, &x) == NULL);
	EXPECT(lifo_steal(&s) == NULL);
	EXPECT(lifo_take(&s) == &x);
	have_membarrier = true;
	expect_empty_and_usable();
}
