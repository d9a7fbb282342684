/* SPDX-License-Identifier: BSD-2-Clause
 * Chunks of slots that go back to the system: they read as zero, and their generations go on; also where the
 * system does not take them. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/slot.h"
#include "tests/support/unit.h"

enum { CHUNKS = 8, KEPT = 4, N = CHUNKS * SLOT_CHUNK };

static struct slots slots;

static bool is_zero(const void *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const char *)p)[i])
			return false;
	return true;
}

/* Take all of the first chunks, which begin at one generation, use them up to another, and give them back. */
static void live(uint32_t from, uint32_t to)
{
	struct actor *all = NULL, *list;
	for (uint32_t n = 0; n < N; n++) {
		EXPECT(heist_slots_take(&slots, 1, &list) == 1);
		uint32_t i = slot_index(&slots, list);
		EXPECT(i < N && mpsc_generation(&list->ticket) == from);
		atomic_store(&list->ticket, to & ~MPSC_OPEN);
		slot_meta_set(&slots, list, 1);
		memset(&slots.control[i], 1, sizeof slots.control[i]);
		list->u.next_free = all;
		all = list;
	}
	EXPECT(heist_slots_give(&slots, N, all) == NULL);
}

static bool chunk_is_zero(uint32_t c)
{
	uint32_t i = c * SLOT_CHUNK;
	return is_zero(&slots.base[i], SLOT_CHUNK * sizeof *slots.base) &&
	       is_zero(&slots.meta[i], SLOT_CHUNK * sizeof *slots.meta) &&
	       is_zero(&slots.control[i], SLOT_CHUNK * sizeof *slots.control);
}

static void purge(void)
{
	uint32_t zero = 0;
	EXPECT(heist_slots_purgeable(&slots) && heist_slots_retire(&slots));
	heist_slots_purge(&slots);
	for (uint32_t c = 0; c < CHUNKS; c++)
		zero += chunk_is_zero(c);
	EXPECT(zero == CHUNKS - KEPT);
}

static void begin(void)
{
	EXPECT(heist_slots_init(&slots, SLOT_REGION, 1) == 0);
	live(1, 7);
}

static void end(void)
{
	live(7, 9);
	heist_slots_destroy(&slots);
}

TEST(slot, chunks_go_back)
{
	begin();
	purge();
	end();
}

TEST(slot, chunks_are_cleared_where_memory_is_locked)
{
	begin();
	if (mlock(slots.base, N * sizeof *slots.base) != 0 ||
	    mlock(slots.meta, N * sizeof *slots.meta) != 0 ||
	    mlock(slots.control, N * sizeof *slots.control) != 0)
		SKIP("RLIMIT_MEMLOCK is below 1.5 MiB");
	purge();
	end();
}

TEST(slot, part_of_a_page_is_cleared_alone)
{
	size_t size = 64 * 1024, half = (size_t)sysconf(_SC_PAGESIZE) / 2;
	char *p = heist_pages_reserve(size);
	EXPECT(p && heist_pages_commit(p, size) == 0);
	memset(p, 1, size);
	heist_pages_purge(p, half);
	EXPECT(is_zero(p, half) && p[half] == 1);
	heist_pages_purge(p + 3 * half, half);
	EXPECT(p[3 * half - 1] == 1 && is_zero(p + 3 * half, half) && p[4 * half] == 1);
	heist_pages_release(p, size);
}
