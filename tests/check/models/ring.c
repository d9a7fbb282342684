/* SPDX-License-Identifier: BSD-2-Clause
 * The ring that keeps the last items: a writer that laps it, and two takers.  Whatever is taken is whole, each
 * item at most once, oldest first for each taker; the writer's last items are there at the end. */
#include "lockfree/ring.h"
#include "tests/check/check.h"

#define SIZE  4u /* three items */
#define ITEMS 6

static struct ring r;
static struct ring_item cells[SIZE];
static _Atomic int taken[ITEMS + 1];

static void take(uint64_t *last)
{
	struct ring_item x;
	if (!ring_take(&r, &x))
		return;
	for (int i = 1; i < RING_WORDS; i++)
		CHECK_ASSERT(x.word[i] == x.word[0] * (uint64_t)(i + 1)); /* not torn */
	CHECK_ASSERT(x.word[0] > *last && x.word[0] <= ITEMS);
	CHECK_ASSERT(atomic_fetch_add_explicit(&taken[x.word[0]], 1, memory_order_relaxed) == 0);
	*last = x.word[0];
}

static void setup(void)
{
	ring_init(&r, cells, SIZE);
	for (int i = 0; i <= ITEMS; i++)
		atomic_store_explicit(&taken[i], 0, memory_order_relaxed);
}

static void thread(int t)
{
	uint64_t last = 0;
	for (uint64_t n = 1; n <= (t ? 2 : ITEMS); n++) {
		if (t == 0)
			ring_put(&r, &(struct ring_item){ { n, 2 * n, 3 * n, 4 * n } });
		else
			take(&last);
	}
}

static void finish(void)
{
	uint64_t last = 0;
	for (uint32_t i = 0; i < SIZE; i++)
		take(&last);
	for (int i = ITEMS; i > ITEMS - 3; i--)
		CHECK_ASSERT(atomic_load_explicit(&taken[i], memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "ring", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
