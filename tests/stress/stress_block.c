/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of block pools with tiny blocks: each thread allocates from its own pool and hands half of the
 * objects to the other, which frees them through its own; at the end of a round everything is back.  No
 * object is handed out twice, what its user wrote is there until it is freed, and a pool keeps at most
 * the block that is open. */
#include "lockfree/block.h"
#include "tests/support/memory.h"
#include "tests/support/stress.h"

#define THREADS 2
#define OBJECTS 60 /* of 15 in a block */
#define UNIT	64
#define WORDS	(UNIT / 8)

static struct counted_memory memory;
static struct block_pool pools[THREADS];
static int counts[THREADS];
static _Atomic(uint64_t *) handed[THREADS][OBJECTS]; /* to the other; NULL: not yet */
static uint64_t none[WORDS];			     /* is freed by its allocator */

static void fill(uint64_t *object, uint64_t mark)
{
	for (int i = 0; i < WORDS; i++)
		object[i] = mark + (uint64_t)i;
}

static void check_and_free(int thread, uint64_t *object, uint64_t mark)
{
	for (int i = 0; i < WORDS; i++)
		STRESS_CHECK(object[i] == mark + (uint64_t)i);
	fill(object, ~mark);
	block_free(&pools[thread], object);
}

static uint64_t mark_of(int thread, int i)
{
	return (uint64_t)(thread + 1) << 32 | (uint64_t)i << 8;
}

static void begin(struct rng *r)
{
	if (!memory.hook.alloc) {
		counted_init(&memory);
		for (int t = 0; t < THREADS; t++)
			heist_block_pool_init(&pools[t], &memory.hook, UNIT);
	}
	for (int t = 0; t < THREADS; t++) {
		counts[t] = 1 + (int)rng_below(r, OBJECTS);
		for (int i = 0; i < OBJECTS; i++)
			atomic_store_explicit(&handed[t][i], NULL, memory_order_relaxed);
	}
}

/* Free what the other has handed over so far, from `next` on; returns where to go on. */
static int free_others(int thread, int next)
{
	int other = !thread;
	uint64_t *o;
	while (next < counts[other] &&
	       (o = atomic_load_explicit(&handed[other][next], memory_order_acquire)) != NULL) {
		if (o != none)
			check_and_free(thread, o, mark_of(other, next));
		next++;
	}
	return next;
}

/* Allocate and write all; about half are for the other. */
static int allocate(int thread, struct rng *r, uint64_t **kept)
{
	int next = 0;
	for (int i = 0; i < counts[thread]; i++) {
		uint64_t *o = block_alloc(&pools[thread]);
		STRESS_CHECK(o != NULL);
		fill(o, mark_of(thread, i));
		kept[i] = rng_below(r, 2) ? o : NULL;
		atomic_store_explicit(&handed[thread][i], kept[i] ? none : o, memory_order_release);
		if (rng_below(r, 8) == 0)
			next = free_others(thread, next);
	}
	return next;
}

static void run(int thread, struct rng *r)
{
	uint64_t *kept[OBJECTS];
	int next = allocate(thread, r, kept);
	for (int i = 0; i < counts[thread]; i++) { /* while the other frees from the same blocks */
		if (kept[i])
			check_and_free(thread, kept[i], mark_of(thread, i));
		if (rng_below(r, 4) == 0)
			next = free_others(thread, next);
	}
	for (int turns = 0; next < counts[!thread]; stress_wait(&turns))
		next = free_others(thread, next);
	heist_block_flush(&pools[thread]);
}

static void end(void)
{
	long blocks = 0;
	for (int i = 0; i < 2 * THREADS; i++) /* the first pass gives the others theirs back */
		heist_block_flush(&pools[i % THREADS]);
	for (int t = 0; t < THREADS; t++) {
		uint32_t n = atomic_load_explicit(&pools[t].block_count, memory_order_relaxed);
		STRESS_CHECK(n == (pools[t].open != NULL));
		blocks += n;
	}
	STRESS_CHECK(atomic_load_explicit(&memory.pieces, memory_order_relaxed) == blocks);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "block", THREADS, 200000, begin, run, end, NULL };
	int status = stress_main(argc, argv, &s);
	for (int t = 0; t < THREADS; t++)
		heist_block_pool_destroy(&pools[t]);
	return status ? status : !counted_balanced(&memory);
}
