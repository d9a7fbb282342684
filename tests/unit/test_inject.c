/* SPDX-License-Identifier: BSD-2-Clause
 * The inbox that is taken whole, one thread. */
#include "lockfree/inject.h"
#include "tests/support/unit.h"

#define MOST 1000

static struct inject q;
static struct inject_link links[MOST];

static void expect_all(struct inject_link *l, int from, int to)
{
	for (int i = from; i < to; i++) {
		EXPECT(l == &links[i]);
		l = l->next;
	}
	EXPECT(l == NULL);
}

TEST(inject, new_inbox_is_empty)
{
	inject_init(&q);
	EXPECT(inject_is_empty(&q));
	EXPECT(inject_take(&q) == NULL);
}

TEST(inject, only_the_first_push_finds_it_empty)
{
	inject_init(&q);
	EXPECT(inject_push(&q, &links[0]));
	EXPECT(!inject_is_empty(&q));
	EXPECT(!inject_push(&q, &links[1]));
	EXPECT(!inject_push(&q, &links[2]));
	expect_all(inject_take(&q), 0, 3);
	EXPECT(inject_push(&q, &links[0]));
	expect_all(inject_take(&q), 0, 1);
}

TEST(inject, take_leaves_nothing_behind)
{
	inject_init(&q);
	inject_push(&q, &links[0]);
	expect_all(inject_take(&q), 0, 1);
	EXPECT(inject_is_empty(&q));
	EXPECT(inject_take(&q) == NULL);
}

TEST(inject, take_gives_the_oldest_first)
{
	inject_init(&q);
	for (int i = 0; i < MOST; i++)
		inject_push(&q, &links[i]);
	expect_all(inject_take(&q), 0, MOST);
}

TEST(inject, take_if_takes_what_was_seen_and_nothing_newer)
{
	inject_init(&q);
	EXPECT(inject_newest(&q) == NULL);
	for (int i = 0; i < MOST; i++)
		inject_push(&q, &links[i]);
	struct inject_link *newest = inject_newest(&q);
	EXPECT(newest == &links[MOST - 1]);
	expect_all(inject_take_if(&q, newest), 0, MOST);
	EXPECT(inject_is_empty(&q));

	inject_push(&q, &links[0]);
	newest = inject_newest(&q);
	EXPECT(!inject_push(&q, &links[1]));
	EXPECT(inject_take_if(&q, newest) == NULL);
	EXPECT(!inject_is_empty(&q));
	expect_all(inject_take_if(&q, inject_newest(&q)), 0, 2);
	EXPECT(inject_push(&q, &links[0]));
}

TEST(inject, link_may_come_again_with_anything_in_it)
{
	inject_init(&q);
	links[0].next = &links[7];
	inject_push(&q, &links[0]);
	expect_all(inject_take(&q), 0, 1);
	for (int i = 0; i < 3; i++)
		inject_push(&q, &links[i]);
	expect_all(inject_take(&q), 0, 3);
}
