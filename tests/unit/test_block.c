/* SPDX-License-Identifier: BSD-2-Clause
 * Block pools, one thread that owns several: 15 objects to a block, 4 hot ones, 2 counted blocks, 1 spare. */
#include "lockfree/block.h"
#include "tests/support/memory.h"
#include "tests/support/rng.h"
#include "tests/support/unit.h"

#define UNIT  64
#define BLOCK ((int)(BLOCK_SIZE / UNIT) - 1) /* objects in a block */
#define MOST  (BLOCK * 8)

_Static_assert(BLOCK == 15 && BLOCK_HOT == 4 && BLOCK_RETURNS == 2 && BLOCK_SPARES == 1,
	       "the sizes that these tests are written for");

static struct counted_memory memory;
static struct block_pool a, b;
static void *objects[MOST];

static void set_up(void)
{
	counted_init(&memory);
	heist_block_pool_init(&a, &memory.hook, UNIT);
	heist_block_pool_init(&b, &memory.hook, UNIT);
}

static void tear_down(void)
{
	heist_block_pool_destroy(&a);
	heist_block_pool_destroy(&b);
	EXPECT(counted_balanced(&memory));
}

static void alloc(struct block_pool *p, int from, int to)
{
	for (int i = from; i < to; i++) {
		objects[i] = block_alloc(p);
		EXPECT(objects[i] != NULL);
		memset(objects[i], i, UNIT);
	}
}

static void release(struct block_pool *mine, int from, int to)
{
	for (int i = from; i < to; i++) {
		for (int k = 0; k < UNIT; k++) /* nobody else wrote into it */
			EXPECT(((unsigned char *)objects[i])[k] == (unsigned char)i);
		block_free(mine, objects[i]);
	}
}

TEST(block, new_pool_holds_no_memory)
{
	set_up();
	EXPECT(memory.calls == 0);
	EXPECT(!block_can_alloc(&a));
	heist_block_flush(&a);
	tear_down();
}

TEST(block, fresh_objects_lie_side_by_side_in_their_block)
{
	set_up();
	alloc(&a, 0, BLOCK);
	for (int i = 0; i < BLOCK; i++) {
		EXPECT((char *)objects[i] == (char *)block_of(objects[0]) + (i + 1) * UNIT);
		EXPECT(block_of(objects[i])->owner == &a);
	}
	EXPECT(!block_can_alloc(&a));
	EXPECT(memory.pieces == 1);
	tear_down();
}

TEST(block, object_freed_last_is_allocated_first)
{
	set_up();
	alloc(&a, 0, 3);
	void *last = objects[2], *middle = objects[1];
	release(&a, 1, 3);
	EXPECT(block_alloc(&a) == last);
	EXPECT(block_alloc(&a) == middle);
	tear_down();
}

TEST(block, second_block_opens_when_the_first_is_used_up)
{
	set_up();
	alloc(&a, 0, BLOCK + 1);
	EXPECT(block_of(objects[BLOCK]) != block_of(objects[0]));
	EXPECT(memory.pieces == 2);
	EXPECT(a.block_count == 2);
	release(&a, 0, BLOCK + 1);
	tear_down();
}

TEST(block, block_freed_by_its_owner_is_used_again)
{
	set_up();
	for (int round = 0; round < 20; round++) {
		alloc(&a, 0, 3 * BLOCK);
		release(&a, 0, 3 * BLOCK);
	}
	EXPECT(memory.pieces <= 5);
	tear_down();
}

TEST(block, block_freed_by_another_comes_back_whole)
{
	set_up();
	alloc(&a, 0, BLOCK + 1); /* the first block is closed */
	struct block *first = block_of(objects[0]);
	release(&b, 0, BLOCK);
	EXPECT(inject_is_empty(&a.returned)); /* b has only counted so far */
	heist_block_flush(&b);
	EXPECT(!inject_is_empty(&a.returned));
	alloc(&a, 0, BLOCK);
	EXPECT(block_of(objects[BLOCK - 1]) == first);
	EXPECT(memory.pieces == 2);
	tear_down();
}

TEST(block, one_object_in_use_keeps_its_block)
{
	set_up();
	alloc(&a, 0, BLOCK + 1);
	release(&b, 0, BLOCK - 1);
	heist_block_flush(&b);
	EXPECT(inject_is_empty(&a.returned));
	release(&a, BLOCK - 1, BLOCK); /* the owner has the last one, on its hot stack */
	EXPECT(a.spare_count == 0);
	heist_block_flush(&a);
	EXPECT(a.block_count == 1); /* spares were given back, the open block stays */
	tear_down();
}

TEST(block, count_of_another_is_written_when_its_cache_is_full)
{
	set_up();
	alloc(&a, 0, 4 * BLOCK);
	for (int i = 0; i < BLOCK; i++) /* four blocks in turn, two of which b can count for */
		for (int k = 0; k < 4; k++)
			release(&b, k * BLOCK + i, k * BLOCK + i + 1);
	heist_block_flush(&b);
	int returned = 0;
	for (struct inject_link *l = inject_take(&a.returned); l; l = l->next)
		returned++;
	EXPECT(returned == 3); /* the fourth is still open */
	tear_down();
}

TEST(block, owner_counts_beyond_its_hot_stack)
{
	set_up();
	alloc(&a, 0, BLOCK);
	release(&a, 0, BLOCK);
	EXPECT(a.top == &a.hot[BLOCK_HOT]);
	EXPECT(a.open_freed == BLOCK - BLOCK_HOT);
	alloc(&a, 0, BLOCK_HOT);
	alloc(&a, BLOCK_HOT, BLOCK_HOT + 1); /* closes the first block, still used by four */
	EXPECT(memory.pieces == 2);
	release(&b, 0, BLOCK_HOT);
	heist_block_flush(&b);
	EXPECT(!inject_is_empty(&a.returned));
	tear_down();
}

TEST(block, flush_starts_an_unused_open_block_again)
{
	set_up();
	alloc(&a, 0, 6);
	void *first = objects[0];
	release(&a, 0, 6);
	heist_block_flush(&a);
	EXPECT(a.top == a.hot && a.block_count == 1);
	EXPECT(block_alloc(&a) == first);
	tear_down();
}

TEST(block, flush_gives_free_blocks_back)
{
	set_up();
	alloc(&a, 0, MOST);
	EXPECT(memory.pieces == 8);
	release(&b, 0, MOST);
	heist_block_flush(&b);
	heist_block_flush(&a);
	EXPECT(memory.pieces == 1);
	tear_down();
}

TEST(block, pool_keeps_only_so_many_spares)
{
	set_up();
	alloc(&a, 0, MOST);
	release(&b, 0, MOST);
	heist_block_flush(&b);
	alloc(&a, 0, 1); /* the open block is used up: collects the seven returned ones */
	EXPECT(memory.pieces == 2); /* one opened, the last open one closed and not yet recycled */
	tear_down();
}

TEST(block, alloc_without_memory_changes_nothing)
{
	set_up();
	counted_fail(&memory, true);
	EXPECT(block_alloc(&a) == NULL);
	counted_fail(&memory, false);
	alloc(&a, 0, BLOCK);
	counted_fail(&memory, true);
	EXPECT(block_alloc(&a) == NULL);
	EXPECT(block_alloc(&a) == NULL);
	release(&a, 0, 1);
	alloc(&a, 0, 1); /* what was freed can be had */
	counted_fail(&memory, false);
	alloc(&a, BLOCK, BLOCK + 1);
	release(&a, 0, BLOCK + 1);
	tear_down();
}

TEST(block, destroy_frees_blocks_in_every_state)
{
	set_up();
	alloc(&a, 0, 4 * BLOCK);
	release(&b, 0, BLOCK); /* returned to a, not collected */
	heist_block_flush(&b);
	release(&b, BLOCK, BLOCK + 3); /* counted by b only */
	tear_down();
}

/* Two pools, each allocating and freeing anything at random; nothing may be handed out twice. */
TEST(block, random_use_never_hands_out_an_object_twice)
{
	struct rng r = rng_seed(42);
	bool live[MOST] = { false };
	set_up();
	for (int step = 0; step < 200000; step++) {
		int i = (int)rng_below(&r, MOST);
		struct block_pool *p = rng_below(&r, 2) ? &a : &b;
		if (live[i])
			release(p, i, i + 1);
		else
			alloc(p, i, i + 1);
		live[i] = !live[i];
		if (rng_below(&r, 1000) == 0)
			heist_block_flush(p);
	}
	for (int i = 0; i < MOST; i++)
		if (live[i])
			release(&a, i, i + 1);
	for (int i = 0; i < 2; i++) {
		heist_block_flush(&a);
		heist_block_flush(&b);
	}
	EXPECT(memory.pieces <= 2);
	tear_down();
}
