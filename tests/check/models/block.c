/* SPDX-License-Identifier: BSD-2-Clause
 * Blocks: one thread allocates and hands objects over, another frees them through a pool of its own; whole
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

static struct block_pool pools[2];
static _Atomic(long *) handed[OBJECTS];

static void setup(void)
{
	heist_block_pool_init(&pools[0], &memory, 64);
	heist_block_pool_init(&pools[1], &memory, 64);
	for (int i = 0; i < OBJECTS; i++)
		atomic_store_explicit(&handed[i], NULL, memory_order_relaxed);
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
		long *p;
		while ((p = atomic_load_explicit(&handed[i], memory_order_acquire)) == NULL)
			heist_relax();
		CHECK_ASSERT(*p == i);
		*p = -1;
		block_free(&pools[1], p);
	}
	if (t == 1)
		heist_block_flush(&pools[1]);
}

static void finish(void)
{
	heist_block_flush(&pools[0]);
	CHECK_ASSERT(atomic_load_explicit(&pools[0].block_count, memory_order_relaxed) <= 1);
	heist_block_pool_destroy(&pools[0]);
	heist_block_pool_destroy(&pools[1]);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "block", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
