/* SPDX-License-Identifier: BSD-2-Clause
 * Handles of slots that are used again and again, up to the last generation. */
#include "runtime/system.h"
#include "tests/support/runtime.h"

static long handled;
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };

static heist_next once_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	handled++;
	return HEIST_STOP;
}
static const heist_class once = { "once", HEIST_ABI, 0, once_recv, NULL };

static heist_next parent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref *out = *(heist_ref **)msg;
	(void)state, (void)type;
	EXPECT(heist_spawn(heist_system_of(ctx), &once, NULL, NULL, out) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class parent_class = { "parent", HEIST_ABI, 0, parent_recv, NULL };

static heist_system *start(void)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	handled = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void run(heist_system *s)
{
	while (heist_poll(s, 0, 1000) > 0)
		;
}

/* One life of a slot; by a worker, whose free list hands the same slot out again at once. */
static heist_ref one_life(heist_system *s, heist_ref parent)
{
	heist_ref r = { 0 };
	long before = handled;
	EXPECT(test_tell(parent, &WORD, (uint64_t)(uintptr_t)&r) == HEIST_OK);
	run(s);
	EXPECT(ref_runtime(r) == s->id);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	run(s);
	EXPECT(handled == before + 1);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_EDEAD);
	return r;
}

TEST(handles, a_slot_is_retired_before_its_generations_run_out)
{
	heist_system *s = start();
	heist_ref parent = test_spawn(s, &parent_class, NULL), last = { 0 };
	run(s);
	heist_ref r = one_life(s, parent);
	struct actor *a = &s->slots.base[ref_slot(r)];
	atomic_store(&a->ticket, GENERATION_MAX - 41); /* as if it had been used so often */
	for (int i = 0; i < 100; i++, last = r) {
		r = one_life(s, parent);
		EXPECT(r.v != last.v);
		EXPECT(ref_slot(r) != ref_slot(last) ||
		       ref_generation(r) == ref_generation(last) + 2);
	}
	EXPECT(&s->slots.base[ref_slot(r)] != a); /* it is not handed out any more */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(handles, a_runtime_id_is_not_used_again_when_its_generations_run_out)
{
	heist_system *s = start();
	heist_ref parent = test_spawn(s, &parent_class, NULL);
	run(s);
	uint32_t id = s->id;
	heist_ref r = one_life(s, parent);
	atomic_store(&s->slots.base[ref_slot(r)].ticket, GENERATION_MAX / 2 + 1);
	one_life(s, parent);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	for (int i = 0; i < 600; i++) {
		s = start();
		EXPECT(s->id != id);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(handles, of_one_runtime_mean_nothing_to_the_next_with_its_id)
{
	heist_system *s = start();
	uint32_t id = s->id;
	heist_ref parent = test_spawn(s, &parent_class, NULL);
	run(s);
	heist_ref old[64];
	for (int i = 0; i < 64; i++)
		old[i] = i % 2 ? one_life(s, parent) : test_spawn(s, &once, NULL);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	for (int i = 0; i < 127; i++) { /* ids go round */
		s = start();
		if (s->id == id)
			break;
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
	EXPECT(s->id == id);
	for (int i = 0; i < 2000; i++)
		(void)test_spawn(s, &once, NULL);
	run(s);
	for (int i = 0; i < 64; i++)
		EXPECT(test_tell(old[i], &WORD, 1) == HEIST_EDEAD);
	EXPECT(handled == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
