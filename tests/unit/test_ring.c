/* SPDX-License-Identifier: BSD-2-Clause
 * The ring that keeps the last items, one thread. */
#include "lockfree/ring.h"
#include "tests/support/unit.h"

#define SIZE 8

static struct ring r;
static struct ring_item cells[SIZE];

static void put(uint64_t n)
{
	ring_put(&r, &(struct ring_item){ { n, ~n, n << 32, n * n } });
}

static void expect(uint64_t n)
{
	struct ring_item x;
	EXPECT(ring_take(&r, &x));
	EXPECT(x.word[0] == n && x.word[1] == ~n && x.word[2] == n << 32 && x.word[3] == n * n);
}

static void expect_none(void)
{
	struct ring_item x = { { 1, 2, 3, 4 } };
	EXPECT(!ring_take(&r, &x));
}

TEST(ring, new_ring_is_empty)
{
	ring_init(&r, cells, SIZE);
	expect_none();
}

TEST(ring, gives_the_oldest_first)
{
	ring_init(&r, cells, SIZE);
	for (uint64_t n = 1; n < 100; n++) {
		put(2 * n);
		put(2 * n + 1);
		expect(2 * n);
		expect(2 * n + 1);
		expect_none();
	}
}

TEST(ring, keeps_the_last_ones)
{
	ring_init(&r, cells, SIZE);
	for (uint64_t n = 1; n <= 1000; n++)
		put(n);
	for (uint64_t n = 1000 - SIZE + 2; n <= 1000; n++)
		expect(n);
	expect_none();
	put(7);
	expect(7);
}
