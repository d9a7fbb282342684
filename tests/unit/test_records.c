/* SPDX-License-Identifier: BSD-2-Clause
 * The bounded queue of records, one thread. */
#include "lockfree/records.h"
#include "tests/support/unit.h"

#include <string.h>

#define SHIFT 2
#define SIZE  4

struct item {
	struct record record;
	int n;
};

static struct records q;
static struct item cells[SIZE];

static void fresh(void)
{
	memset(cells, 0, sizeof cells);
	records_init(&q, cells, SHIFT, sizeof *cells);
}

static bool put(int n)
{
	struct item *x = (struct item *)(void *)records_claim(&q);
	if (!x)
		return false;
	x->n = n;
	records_publish(&x->record);
	return true;
}

static void expect(int n)
{
	struct item *x = (struct item *)(void *)records_next(&q);
	EXPECT(x != NULL && x->n == n);
	records_release(&q, &x->record);
}

TEST(records, zeroed_memory_is_empty)
{
	fresh();
	EXPECT(records_next(&q) == NULL);
}

TEST(records, gives_the_oldest_first_over_many_laps)
{
	fresh();
	for (int n = 0; n < 100; n++) {
		EXPECT(put(3 * n) && put(3 * n + 1) && put(3 * n + 2));
		for (int i = 0; i < 3; i++)
			expect(3 * n + i);
		EXPECT(records_next(&q) == NULL);
	}
}

TEST(records, refuses_what_is_one_too_many)
{
	fresh();
	for (int lap = 0; lap < 10; lap++) {
		for (int n = 0; n < SIZE; n++)
			EXPECT(put(n));
		EXPECT(!put(99));
		expect(0);
		EXPECT(put(SIZE));
		EXPECT(!put(99));
		for (int n = 1; n <= SIZE; n++)
			expect(n);
	}
}

TEST(records, what_is_being_written_holds_up_what_is_behind_it)
{
	fresh();
	struct item *x = (struct item *)(void *)records_claim(&q);
	EXPECT(x != NULL && put(2));
	EXPECT(records_next(&q) == NULL);
	x->n = 1;
	records_publish(&x->record);
	expect(1);
	expect(2);
}
