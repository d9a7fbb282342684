/* SPDX-License-Identifier: BSD-2-Clause
 * The bounded queue of records: two writers, more records than cells, and a reader.  What is read is whole,
 * each record once, of each writer in its order; nothing but what was refused is missing at the end. */
#include "lockfree/records.h"
#include "tests/check/check.h"

#define SHIFT	1 /* two cells */
#define WRITERS 2
#define EACH	2

struct item {
	struct record record;
	int writer, n, sum;
};

static struct records q;
static struct item cells[1 << SHIFT];
static _Atomic int accepted[WRITERS];
static int seen[WRITERS], last[WRITERS]; /* the reader's, then the accounting's */

static void put(int writer, int n)
{
	struct item *x = (struct item *)(void *)records_claim(&q);
	if (!x)
		return;
	x->writer = writer;
	x->n = n;
	x->sum = 10 * writer + n;
	records_publish(&x->record);
	atomic_fetch_add_explicit(&accepted[writer], 1, memory_order_relaxed);
}

static void take(void)
{
	struct item *x = (struct item *)(void *)records_next(&q);
	if (!x)
		return;
	CHECK_ASSERT(x->writer >= 0 && x->writer < WRITERS && x->n <= EACH);
	CHECK_ASSERT(x->sum == 10 * x->writer + x->n);
	CHECK_ASSERT(x->n > last[x->writer]);
	last[x->writer] = x->n;
	seen[x->writer]++;
	records_release(&q, &x->record);
}

static void setup(void)
{
	for (int i = 0; i < 1 << SHIFT; i++) {
		cells[i] = (struct item){ .n = 0 };
		atomic_store_explicit(&cells[i].record.turn, 0, memory_order_relaxed);
	}
	records_init(&q, cells, SHIFT, sizeof *cells);
	for (int w = 0; w < WRITERS; w++) {
		seen[w] = last[w] = 0;
		atomic_store_explicit(&accepted[w], 0, memory_order_relaxed);
	}
}

static void thread(int t)
{
	for (int n = 1; n <= EACH; n++)
		if (t < WRITERS)
			put(t, n);
		else
			take();
}

static void finish(void)
{
	for (int i = 0; i < WRITERS * EACH; i++)
		take();
	for (int w = 0; w < WRITERS; w++)
		CHECK_ASSERT(atomic_load_explicit(&accepted[w], memory_order_relaxed) == seen[w]);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "records", WRITERS + 1, setup, thread, finish };
	return check_main(argc, argv, &m);
}
