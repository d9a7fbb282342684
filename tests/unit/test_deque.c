/* SPDX-License-Identifier: BSD-2-Clause
 * The Chase-Lev deque, one thread; races are played by running the other side inside a fence.  Indices
 * start just below their wrap. */
static void between(void);
#define DEQUE_POP_FENCE()   between()
#define DEQUE_STEAL_FENCE() between()
#include "lockfree/deque.h"
#include "tests/support/memory.h"
#include "tests/support/unit.h"

#define MOST 100

static struct counted_memory memory;
static struct deque d;
static int items[MOST];

/* What happens inside the next fence, once; how many there were. */
static int fences;
static void (*inside)(void);

static void between(void)
{
	void (*f)(void) = inside;
	inside = NULL;
	fences++;
	if (f)
		f();
}

static void set_up(uint64_t capacity)
{
	counted_init(&memory);
	EXPECT(heist_deque_init(&d, &memory.hook, capacity) == 0);
	deque_thief_enter(&d); /* who plays the thief */
}

static void tear_down(void)
{
	heist_deque_destroy(&d);
	EXPECT(counted_balanced(&memory));
}

static void push(int from, int to)
{
	for (int i = from; i < to; i++)
		EXPECT(deque_push(&d, &items[i]));
}

static void expect_steal(int i)
{
	void *item;
	EXPECT(deque_steal(&d, &item) == STEAL_OK);
	EXPECT(item == &items[i]);
}

static void expect_empty(void)
{
	void *item;
	EXPECT(deque_pop(&d) == NULL);
	EXPECT(deque_steal(&d, &item) == STEAL_EMPTY);
	EXPECT(deque_size(&d) == 0);
}

TEST(deque, new_deque_is_empty)
{
	set_up(2);
	expect_empty();
	EXPECT(deque_take(&d) == NULL);
	tear_down();
}

TEST(deque, pop_from_empty_changes_nothing)
{
	set_up(2);
	for (int i = 0; i < 5; i++)
		EXPECT(deque_pop(&d) == NULL);
	push(0, 1);
	EXPECT(deque_size(&d) == 1);
	EXPECT(deque_pop(&d) == &items[0]);
	expect_empty();
	tear_down();
}

TEST(deque, one_item_goes_to_whoever_asks_first)
{
	set_up(2);
	push(0, 1);
	EXPECT(deque_pop(&d) == &items[0]);
	expect_empty();
	push(1, 2);
	expect_steal(1);
	expect_empty();
	push(2, 3);
	EXPECT(deque_take(&d) == &items[2]);
	expect_empty();
	tear_down();
}

TEST(deque, pop_is_lifo_and_steal_is_fifo)
{
	set_up(8);
	push(0, 6);
	EXPECT(deque_pop(&d) == &items[5]);
	expect_steal(0);
	EXPECT(deque_pop(&d) == &items[4]);
	expect_steal(1);
	EXPECT(deque_size(&d) == 2);
	expect_steal(2);
	EXPECT(deque_pop(&d) == &items[3]);
	expect_empty();
	tear_down();
}

TEST(deque, push_beyond_capacity_grows_and_keeps_the_order)
{
	set_up(2);
	push(0, MOST);
	EXPECT(deque_size(&d) == MOST);
	for (int i = 0; i < MOST / 2; i++) {
		expect_steal(i);
		EXPECT(deque_pop(&d) == &items[MOST - 1 - i]);
	}
	expect_empty();
	tear_down();
}

TEST(deque, growth_copies_only_what_is_still_there)
{
	set_up(2);
	push(0, 2);
	expect_steal(0);
	push(2, 3); /* the array is full again, and its oldest item is in its second cell */
	push(3, 5); /* grows */
	for (int i = 1; i < 5; i++)
		expect_steal(i);
	expect_empty();
	tear_down();
}

TEST(deque, full_deque_does_not_grow_before_it_must)
{
	set_up(4);
	push(0, 4);
	EXPECT(memory.calls == 1);
	for (int i = 0; i < 20; i++) {
		expect_steal(i % 4);
		push(i % 4, i % 4 + 1);
	}
	EXPECT(memory.calls == 1);
	push(4, 5);
	EXPECT(memory.calls == 2);
	tear_down();
}

TEST(deque, indices_wrap)
{
	_Static_assert(DEQUE_START > UINT64_MAX - 10, "this build starts below the wrap");
	set_up(4);
	for (int i = 0; i < 20; i++) { /* bottom passes the wrap with top behind it */
		push(0, 3);
		EXPECT(deque_size(&d) == 3);
		expect_steal(0);
		EXPECT(deque_pop(&d) == &items[2]);
		EXPECT(deque_pop(&d) == &items[1]);
		expect_empty();
	}
	tear_down();
}

TEST(deque, growth_across_the_wrap_loses_nothing)
{
	set_up(2);
	push(0, 10); /* top is below the wrap, bottom beyond it */
	for (int i = 9; i >= 0; i--)
		EXPECT(deque_pop(&d) == &items[i]);
	expect_empty();
	tear_down();
}

TEST(deque, take_is_fifo)
{
	set_up(2);
	push(0, 5);
	for (int i = 0; i < 5; i++)
		EXPECT(deque_take(&d) == &items[i]);
	EXPECT(deque_take(&d) == NULL);
	tear_down();
}

TEST(deque, steal_some_takes_half_rounded_up)
{
	void *got[MOST];
	bool lost = true;
	set_up(2);
	EXPECT(deque_steal_some(&d, got, MOST, &lost) == 0 && !lost);
	push(0, 9);
	EXPECT(deque_steal_some(&d, got, MOST, &lost) == 5 && !lost);
	for (int i = 0; i < 5; i++)
		EXPECT(got[i] == &items[i]);
	EXPECT(deque_steal_some(&d, got, 1, &lost) == 1 && got[0] == &items[5]);
	EXPECT(deque_steal_some(&d, got, MOST, &lost) == 2 && got[1] == &items[7]);
	EXPECT(deque_steal_some(&d, got, MOST, &lost) == 1 && got[0] == &items[8]);
	EXPECT(deque_steal_some(&d, got, MOST, &lost) == 0 && !lost);
	tear_down();
}

/* ---- races, played ---- */

static void *other;
static enum deque_steal other_answer;

static void other_steals(void)
{
	other_answer = deque_steal(&d, &other);
}

static void other_steals_all(void)
{
	while (deque_steal(&d, &other) == STEAL_OK)
		;
}

static void owner_pops(void)
{
	other = deque_pop(&d);
}

static void owner_pushes_three(void)
{
	push(1, 4);
}

TEST(deque, thief_that_lost_a_race_is_told_to_retry)
{
	void *item;
	set_up(2);
	push(0, 2);
	inside = other_steals;
	EXPECT(deque_steal(&d, &item) == STEAL_RETRY);
	EXPECT(other == &items[0]);
	expect_steal(1);
	expect_empty();
	tear_down();
}

TEST(deque, last_item_goes_to_the_thief_inside_pop)
{
	set_up(2);
	push(0, 2);
	expect_steal(0);
	inside = other_steals; /* bottom is lowered already: the thief finds nothing */
	EXPECT(deque_pop(&d) == &items[1]);
	EXPECT(other_answer == STEAL_EMPTY);
	expect_empty();
	tear_down();
}

TEST(deque, pop_leaves_all_older_items_to_thieves)
{
	set_up(4);
	push(0, 4);
	inside = other_steals_all;
	EXPECT(deque_pop(&d) == &items[3]);
	EXPECT(other == &items[2]);
	expect_empty();
	push(4, 6);
	expect_steal(4);
	expect_steal(5);
	tear_down();
}

TEST(deque, owner_pops_the_last_item_from_under_a_thief)
{
	void *item;
	set_up(2);
	push(0, 1);
	inside = owner_pops; /* by the CAS that the thief would have needed */
	EXPECT(deque_steal(&d, &item) == STEAL_RETRY);
	EXPECT(other == &items[0]);
	expect_empty();
	tear_down();
}

TEST(deque, growth_inside_a_steal_is_seen)
{
	set_up(2);
	push(0, 1);
	inside = owner_pushes_three;
	expect_steal(0);
	for (int i = 1; i < 4; i++)
		expect_steal(i);
	expect_empty();
	tear_down();
}

TEST(deque, pop_fences_only_while_there_are_thieves)
{
	set_up(2);
	push(0, 3);
	fences = 0;
	EXPECT(deque_pop(&d) == &items[2] && fences == 1);
	deque_thief_leave(&d);
	EXPECT(deque_pop(&d) == &items[1] && fences == 1);
	deque_thief_enter(&d);
	deque_thief_enter(&d);
	deque_thief_leave(&d);
	EXPECT(deque_pop(&d) == &items[0] && fences == 2);
	tear_down();
}

/* ---- shrinking ---- */

TEST(deque, shrinks_when_empty_only_and_goes_on)
{
	set_up(2);
	push(0, 5);
	EXPECT(deque_capacity(&d) == 8);
	EXPECT(heist_deque_shrink(&d, 2) == NULL); /* not empty */
	for (int i = 0; i < 5; i++)
		expect_steal(i);
	EXPECT(heist_deque_shrink(&d, 8) == NULL); /* not too large */
	struct deque_array *old = heist_deque_shrink(&d, 2);
	EXPECT(old != NULL && deque_capacity(&d) == 2);
	EXPECT(old && old->mask == 7 && old->older &&
	       old->older->mask == 3); /* all that growth left */
	heist_deque_free(&memory.hook, old);
	push(5, 8);
	for (int i = 5; i < 8; i++)
		expect_steal(i);
	expect_empty();
	tear_down();
}

TEST(deque, shrinking_without_memory_changes_nothing)
{
	set_up(2);
	push(0, 3);
	for (int i = 0; i < 3; i++)
		expect_steal(i);
	counted_fail(&memory, true);
	EXPECT(heist_deque_shrink(&d, 2) == NULL && deque_capacity(&d) == 4);
	counted_fail(&memory, false);
	tear_down();
}

/* ---- memory ---- */

TEST(deque, init_without_memory_fails)
{
	counted_init(&memory);
	counted_fail(&memory, true);
	EXPECT(heist_deque_init(&d, &memory.hook, 2) == -1);
	heist_deque_destroy(&d); /* accepts what init left behind */
	EXPECT(counted_balanced(&memory));
}

TEST(deque, push_without_memory_is_refused_and_changes_nothing)
{
	set_up(2);
	push(0, 2);
	counted_fail(&memory, true);
	EXPECT(!deque_push(&d, &items[2]));
	EXPECT(!deque_push(&d, &items[2]));
	EXPECT(deque_size(&d) == 2);
	expect_steal(0);
	push(2, 3); /* there is room now */
	EXPECT(!deque_push(&d, &items[3]));
	counted_fail(&memory, false);
	push(3, 4);
	for (int i = 1; i < 4; i++)
		expect_steal(i);
	expect_empty();
	tear_down();
}

TEST(deque, destroy_frees_every_array_and_no_item)
{
	set_up(2);
	push(0, MOST);
	EXPECT(memory.pieces == 7); /* 2, 4, ... 128 */
	tear_down();
}
