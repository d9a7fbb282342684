/* SPDX-License-Identifier: BSD-2-Clause
 * Slabs: blocks are distinct and whole; empty slabs stay for the next flood, and go when there is none. */
#include <string.h>

#include "runtime/slab.h"
#include "tests/support/unit.h"

#define BLOCKS (4 * SLAB_BLOCKS)
#define START  1000u
#define KEEP   ((uint64_t)500000000)

static struct slabs slabs;
static char *block[BLOCKS];

static void take_all(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = heist_slabs_get(&slabs);
		EXPECT(block[i] != NULL && (uintptr_t)block[i] % SLAB_BLOCK == 0);
		memset(block[i], (int)i, SLAB_BLOCK);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		EXPECT(block[i][0] == (char)i && block[i][SLAB_BLOCK - 1] == (char)i);
}

static void put_all(void)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		heist_slabs_put(&slabs, block[i]);
}

TEST(slab, empty_ones_are_kept_while_they_are_needed)
{
	slabs = (struct slabs){ .keep_ns = KEEP };
	uint64_t now = START;
	take_all();
	EXPECT(slabs.empty == 0 && heist_slabs_decay(&slabs, now) == 0);
	for (int flood = 0; flood < 10; flood++, now += KEEP - 1) {
		put_all();
		EXPECT(slabs.empty == 4);
		EXPECT(heist_slabs_decay(&slabs, now) == now + KEEP);
		EXPECT(heist_slabs_decay(&slabs, now + KEEP - 1) == now + KEEP);
		take_all();
	}
	put_all();
	heist_slabs_destroy(&slabs);
}

TEST(slab, all_but_one_go_when_they_are_not)
{
	slabs = (struct slabs){ .keep_ns = KEEP };
	take_all();
	put_all();
	EXPECT(heist_slabs_decay(&slabs, START) == START + KEEP);
	EXPECT(heist_slabs_decay(&slabs, START - 1) != 0); /* a clock that is behind */
	EXPECT(slabs.empty == 4);
	EXPECT(heist_slabs_decay(&slabs, START + KEEP) == 0);
	EXPECT(slabs.empty == 1);
	EXPECT(heist_slabs_decay(&slabs, START + 3 * KEEP) == 0);
	EXPECT(slabs.empty == 1);
	take_all();
	put_all();
	heist_slabs_destroy(&slabs);
}

TEST(slab, all_but_one_go_at_once_if_told_to)
{
	slabs = (struct slabs){ .keep_ns = KEEP };
	heist_slabs_trim(&slabs);
	take_all();
	heist_slabs_trim(&slabs);
	for (unsigned i = 0; i < BLOCKS; i++)
		EXPECT(block[i][0] == (char)i);
	put_all();
	EXPECT(slabs.empty == 4);
	heist_slabs_trim(&slabs);
	EXPECT(slabs.empty == 1);
	EXPECT(heist_slabs_decay(&slabs, START) == 0); /* there is nothing to come back for */
	take_all();
	put_all();
	heist_slabs_destroy(&slabs);
}

TEST(slab, what_is_put_after_that_goes_too_until_more_is_needed)
{
	slabs = (struct slabs){ .keep_ns = KEEP };
	take_all();
	heist_slabs_trim(&slabs);
	put_all();
	EXPECT(heist_slabs_decay(&slabs, START) == 0 && slabs.empty == 1);
	take_all();
	put_all();
	EXPECT(heist_slabs_decay(&slabs, START) == START + KEEP && slabs.empty == 4);
	heist_slabs_destroy(&slabs);
}

TEST(slab, a_slab_with_one_block_in_use_stays)
{
	slabs = (struct slabs){ .keep_ns = KEEP };
	take_all();
	for (unsigned i = 1; i < BLOCKS; i++)
		heist_slabs_put(&slabs, block[i]);
	EXPECT(slabs.empty == 3);
	(void)heist_slabs_decay(&slabs, START);
	EXPECT(heist_slabs_decay(&slabs, START + KEEP) == 0);
	EXPECT(slabs.empty == 1 && block[0][0] == 0);
	heist_slabs_put(&slabs, block[0]);
	EXPECT(slabs.empty == 2);
	heist_slabs_destroy(&slabs);
}
