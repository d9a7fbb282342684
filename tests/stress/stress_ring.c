/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a ring of three items: a writer that laps it and a taker.  Whatever is taken is whole, younger than
 * what was taken before, and taken once; the writer's last items are there at the end. */
#include "lockfree/ring.h"
#include "tests/support/stress.h"

#define THREADS 2
#define SIZE	4
#define ITEMS	40u

static struct ring ring;
static struct ring_item cells[SIZE];
static uint64_t last; /* the taker, then the accounting */

static bool take(void)
{
	struct ring_item x;
	if (!ring_take(&ring, &x))
		return false;
	for (uint64_t i = 1; i < RING_WORDS; i++)
		STRESS_CHECK(x.word[i] == x.word[0] * (i + 1));
	STRESS_CHECK(x.word[0] > last && x.word[0] <= ITEMS);
	last = x.word[0];
	return true;
}

static void begin(struct rng *r)
{
	(void)r;
	ring_init(&ring, cells, SIZE);
	last = 0;
}

static void run(int thread, struct rng *r)
{
	for (uint64_t n = 1; n <= ITEMS; n++) {
		if (rng_below(r, 4) == 0)
			stress_delay(r);
		if (thread == 0)
			ring_put(&ring, &(struct ring_item){ { n, 2 * n, 3 * n, 4 * n } });
		else
			take();
	}
}

static void end(void)
{
	uint64_t next = last + 1 > ITEMS - (SIZE - 2) ? last + 1 : ITEMS - (SIZE - 2);
	for (; take(); next++) /* all that was kept, and nobody took */
		STRESS_CHECK(last == next);
	STRESS_CHECK(next == ITEMS + 1);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "ring", THREADS, 200000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
