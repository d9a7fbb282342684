/* SPDX-License-Identifier: BSD-2-Clause
 * Arenas: alignment, zeroes, limits, accounting; released however an actor ends; no memory. */
#include "runtime/arena.h"

#include <string.h>

#include "tests/support/memory.h"
#include "tests/support/rng.h"
#include "tests/support/runtime.h"

/* ---- the structure ---- */

TEST(arena, pieces_are_aligned_zeroed_and_apart)
{
	static unsigned char *piece[3000];
	static size_t size[3000];
	struct counted_memory m;
	struct arena a = { 0 };
	struct rng rng = rng_seed(7);
	counted_init(&m);
	for (int round = 0; round < 3; round++) {
		uint64_t used = 0;
		for (int i = 0; i < 3000; i++) {
			size[i] = rng_below(&rng, i % 100 ? 200 : 100000);
			piece[i] = heist_arena_get(&a, &m.hook, size[i]);
			EXPECT(piece[i] && (uintptr_t)piece[i] % ARENA_ALIGN == 0);
			for (size_t k = 0; k < size[i]; k++)
				EXPECT(piece[i][k] == 0);
			memset(piece[i], i, size[i]);
			used += size[i] ? (size[i] + 15) / 16 * 16 : 16;
		}
		for (int i = 0; i < 3000; i++)
			for (size_t k = 0; k < size[i]; k++)
				EXPECT(piece[i][k] == (unsigned char)i);
		EXPECT(a.used == used && a.held >= used);
		EXPECT((long)a.held == atomic_load(&m.bytes));
		heist_arena_release(&a, &m.hook);
		EXPECT(counted_balanced(&m) && a.used == 0 && a.held == 0);
	}
}

TEST(arena, holds_at_most_twice_what_it_gave)
{
	struct counted_memory m;
	counted_init(&m);
	for (size_t n = 1; n < 200000; n = n * 3 / 2 + 1) {
		struct arena a = { 0 };
		for (int i = 0; i < 200; i++) {
			EXPECT(heist_arena_get(&a, &m.hook, n) != NULL);
			EXPECT(a.held <= 2 * a.used + 2048);
		}
		heist_arena_release(&a, &m.hook);
	}
	EXPECT(counted_balanced(&m));
}

TEST(arena, limit)
{
	struct counted_memory m;
	struct arena a = { .limit = 1000 };
	counted_init(&m);
	for (int round = 0; round < 2; round++) {
		EXPECT(heist_arena_get(&a, &m.hook, 1001) == NULL);
		EXPECT(heist_arena_get(&a, &m.hook, SIZE_MAX) == NULL);
		EXPECT(heist_arena_get(&a, &m.hook, SIZE_MAX / 2) == NULL);
		EXPECT(a.held == 0);
		for (int i = 0; i < 62; i++)
			EXPECT(heist_arena_get(&a, &m.hook, 1) != NULL);
		EXPECT(heist_arena_get(&a, &m.hook, 1) == NULL); /* 62 * 16 = 992 */
		EXPECT(a.used == 992);
		heist_arena_release(&a, &m.hook);
	}
	EXPECT(counted_balanced(&m));
}

TEST(arena, no_memory)
{
	struct counted_memory m;
	for (long fail = 1; fail < 12; fail++) {
		struct arena a = { 0 };
		counted_init(&m);
		m.fail_at = fail;
		uint64_t used = 0, pieces = 0;
		while (pieces < 100000 && heist_arena_get(&a, &m.hook, 1000))
			pieces++;
		used = a.used;
		EXPECT(heist_arena_get(&a, &m.hook, 1000) == NULL && a.used == used);
		EXPECT(pieces >= (uint64_t)fail - 1);
		heist_arena_release(&a, &m.hook);
		EXPECT(counted_balanced(&m));
	}
}

/* ---- actors ---- */

enum order { GROW, STOP, FAIL_, PANIC, ASK };
static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 8, .reply_size = 8 };
static _Atomic long ended, refused;

struct keeper {
	struct link {
		struct link *next;
		uint64_t n;
	} * list;
	uint64_t sum;
};

static heist_next keeper_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct keeper *k = state;
	uint64_t order = *(uint64_t *)msg;
	(void)type;
	switch (order) {
	case GROW:
		for (uint64_t i = 1; i <= 100; i++) {
			struct link *l = heist_alloc(ctx, sizeof *l);
			if (!l) {
				atomic_fetch_add(&refused, 1);
				return HEIST_CONTINUE;
			}
			EXPECT(l->next == NULL && l->n == 0);
			*l = (struct link){ k->list, i };
			k->list = l;
			k->sum += i;
		}
		break;
	case STOP:
		return HEIST_STOP;
	case FAIL_:
		return HEIST_FAIL;
	case PANIC:
		heist_panic(ctx, HEIST_ECRASH);
	case ASK:
		order = heist_allocated(ctx);
		EXPECT(heist_reply(ctx, HEIST_OK, type, &order) == HEIST_OK);
		break;
	}
	return HEIST_CONTINUE;
}

static void keeper_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct keeper *k = state;
	(void)ctx, (void)why;
	for (struct link *l = k->list; l; l = l->next) /* still there */
		k->sum -= l->n;
	EXPECT(k->sum == 0);
	atomic_fetch_add(&ended, 1);
}
static const heist_hooks keeper_hooks = { .stop = keeper_stop };
static const heist_class keeper_class = { "keeper", HEIST_ABI, sizeof(struct keeper), keeper_recv,
					  &keeper_hooks };

static uint64_t arena_bytes(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	return t.arena_bytes;
}

TEST(arena, goes_with_its_actor_however_that_ends)
{
	heist_system *s = test_start(2);
	ended = 0;
	for (int i = 0; i < 400; i++) {
		heist_ref r = test_spawn(s, &keeper_class, NULL);
		for (int k = 0; k < 10; k++)
			EXPECT(test_tell(r, &ORDER, GROW) == HEIST_OK);
		if (i % 4 < 3)
			EXPECT(test_tell(r, &ORDER, STOP + (uint64_t)i % 4) == HEIST_OK);
		else
			EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK);
	}
	EXPECT(wait_for(&ended, 400));
	EXPECT(test_balanced(s));
	EXPECT(arena_bytes(s) == 0);
	heist_ref r = test_spawn(s, &keeper_class, NULL); /* and at the shutdown */
	uint64_t ask = ASK, bytes = 1;
	EXPECT(heist_call(s, r, &ORDER, &ask, 0, &bytes) == HEIST_OK && bytes == 0);
	EXPECT(test_tell(r, &ORDER, GROW) == HEIST_OK);
	EXPECT(heist_call(s, r, &ORDER, &ask, 0, &bytes) == HEIST_OK && bytes == 1600);
	EXPECT(arena_bytes(s) >= 1600);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(ended == 401);
}

TEST(arena, limit_of_an_actor)
{
	heist_system *s = test_start(1);
	heist_opts o = heist_opts_default();
	heist_ref r;
	uint64_t ask = ASK, bytes = 0;
	refused = 0;
	o.memory_max = 2000;
	EXPECT(heist_spawn(s, &keeper_class, &o, NULL, &r) == HEIST_OK);
	for (int i = 0; i < 5; i++)
		EXPECT(test_tell(r, &ORDER, GROW) == HEIST_OK);
	EXPECT(heist_call(s, r, &ORDER, &ask, 0, &bytes) == HEIST_OK);
	EXPECT(bytes == 2000 && refused == 4);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
