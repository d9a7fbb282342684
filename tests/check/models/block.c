/* SPDX-License-Identifier: BSD-2-Clause
 * Blocks: one thread allocates and hands objects over, two others free them through pools of their own; whole
 * blocks come back, are recycled, and every use of an object precedes its recycling. */
#include "lockfree/block.h"
#include "tests/check/check.h"

#define OBJECTS 5

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return check_alloc(size, align);
}
static void put(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	check_free(p);
}
static const struct heist_memory memory = { get, put, NULL };

static struct block_pool pools[3];
static _Atomic(long *) handed[OBJECTS];

static void setup(void)
{
	heist_block_pool_init(&pools[0], &memory, 64);
	heist_block_pool_init(&pools[1], &memory, 64);
	heist_block_pool_init(&pools[2], &memory, 64);
	for (int i = 0; i < OBJECTS; i++)
		atomic_store_explicit(&handed[i], NULL, memory_order_relaxed);
}

/* What came back is used again: the second one is not from the block that is open. */
static void use_again(void)
{
	long *p[2];
	for (int i = 0; i < 2; i++) {
		p[i] = block_alloc(&pools[0]);
		CHECK_ASSERT(p[i] != NULL);
		*p[i] = 77;
	}
	for (int i = 0; i < 2; i++)
		block_free(&pools[0], p[i]);
}

static void thread(int t)
{
	for (int i = 0; i < OBJECTS; i++) {
		if (t == 0) {
			long *p = block_alloc(&pools[0]);
			CHECK_ASSERT(p != NULL);
			*p = i;
			atomic_store_explicit(&handed[i], p, memory_order_release);
			continue;
		}
		if (i % 2 != t - 1)
			continue;
		long *p;
		while ((p = atomic_load_explicit(&handed[i], memory_order_acquire)) == NULL)
			heist_relax();
		CHECK_ASSERT(*p == i);
		*p = -1;
		block_free(&pools[t], p);
	}
	if (t > 0)
		heist_block_flush(&pools[t]);
#ifndef BLOCK_MUTANT_RELAXED
	else
#else
	while (t == 0 && inject_is_empty(&pools[0].returned))
		heist_relax();
	if (t == 0)
#endif
		use_again();
}

static void finish(void)
{
	heist_block_flush(&pools[0]);
	CHECK_ASSERT(atomic_load_explicit(&pools[0].block_count, memory_order_relaxed) <= 1);
	heist_block_pool_destroy(&pools[0]);
	heist_block_pool_destroy(&pools[1]);
	heist_block_pool_destroy(&pools[2]);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "block", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
