/* SPDX-License-Identifier: BSD-2-Clause
 * Handles own nothing: an actor that nobody knows lives, actors that know each other in a circle end with the runtime,
 * each with its stop hook, and a handle that outlives its actor is an error and no crash.
 *
 * usage: pain_09_life_by_reference_count */
#define UNIT_PLAIN /* no test framework */

#include "tests/support/counted.h"

#define ACTORS 10000

static const heist_type KNOW = { .base = &KNOW, .name = "know", .size = 8, .reply_size = 1 };
static const heist_type PASS = { .base = &PASS, .name = "pass", .size = 8, .reply_size = 1 };
static long begun, ended, passes;

struct knot {
	heist_ref next;
	void *memory;
};

static heist_next knot_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct knot *k = state;
	(void)arg;
	begun++;
	k->memory = heist_alloc(ctx, 100);
	return k->memory ? HEIST_CONTINUE : HEIST_FAIL;
}

static void knot_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	ended++;
}

static heist_next knot_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct knot *k = state;
	uint64_t n = *(uint64_t *)msg;
	if (type == &KNOW) {
		k->next.v = n;
		return HEIST_CONTINUE;
	}
	passes++;
	if (n > 1)
		EXPECT(test_tell(k->next, type, n - 1) == HEIST_OK);
	else /* it knows only itself, and nobody knows it */
		k->next = heist_self(ctx);
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = knot_init, .stop = knot_stop };
static const heist_class knot = { "knot", HEIST_ABI, sizeof(struct knot), knot_recv, &hooks };

int main(void)
{
	heist_system *s = counted_start(NULL);
	heist_ref first = test_spawn(s, &knot, NULL), last = first;
	for (int i = 1; i < ACTORS; i++) {
		heist_ref r = test_spawn(s, &knot, NULL);
		EXPECT(test_tell(last, &KNOW, r.v) == HEIST_OK);
		last = r;
	}
	EXPECT(test_tell(last, &KNOW, first.v) == HEIST_OK);
	EXPECT(test_tell(first, &PASS, ACTORS) == HEIST_OK); /* once round: the circle is closed */
	last.v = 0;
	test_run(s);
	EXPECT(begun == ACTORS && ended == 0 && passes == ACTORS); /* without a handle, too */
	counted_finish(s);
	EXPECT(ended == ACTORS);
	EXPECT(test_tell(first, &PASS, 1) == HEIST_EDEAD);
	printf("%ld actors in a circle, %ld ended; their memory is given back\n", begun, ended);
	return 0;
}
