/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a queue of four records: two writers that fill it and a reader.  What is read is whole, of each
 * writer in its order; what is missing at the end was refused. */
#include <stdatomic.h>
#include <string.h>

#include "lockfree/records.h"
#include "tests/support/stress.h"

#define WRITERS 2
#define SHIFT	2
#define EACH	40u
#define WORDS	7

struct item {
	struct record record;
	uint64_t word[WORDS];
};

static struct records q;
static struct item cells[1 << SHIFT];
static uint64_t last[WRITERS], taken[WRITERS];
static uint64_t accepted[WRITERS]; /* each by its writer */

static void put(uint64_t writer, uint64_t n)
{
	struct item *x = (struct item *)(void *)records_claim(&q);
	if (!x)
		return;
	for (uint64_t i = 0; i < WORDS; i++)
		x->word[i] = writer << 32 | n * (i + 1);
	records_publish(&x->record);
	accepted[writer]++;
}

static bool take(void)
{
	struct item *x = (struct item *)(void *)records_next(&q);
	if (!x)
		return false;
	uint64_t writer = x->word[0] >> 32, n = x->word[0] & UINT32_MAX;
	STRESS_CHECK(writer < WRITERS && n > last[writer] && n <= EACH);
	for (uint64_t i = 0; i < WORDS; i++)
		STRESS_CHECK(x->word[i] == (writer << 32 | n * (i + 1)));
	last[writer] = n;
	taken[writer]++;
	records_release(&q, &x->record);
	return true;
}

static void begin(struct rng *r)
{
	(void)r;
	memset(cells, 0, sizeof cells);
	records_init(&q, cells, SHIFT, sizeof *cells);
	memset(last, 0, sizeof last);
	memset(taken, 0, sizeof taken);
	memset(accepted, 0, sizeof accepted);
}

static void run(int thread, struct rng *r)
{
	for (uint64_t n = 1; n <= EACH; n++) {
		if (rng_below(r, 4) == 0)
			stress_delay(r);
		if (thread < WRITERS)
			put((uint64_t)thread, n);
		else
			take();
	}
}

static void end(void)
{
	while (take())
		;
	for (int w = 0; w < WRITERS; w++)
		STRESS_CHECK(taken[w] == accepted[w]);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "records", WRITERS + 1, 200000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
