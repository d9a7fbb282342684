/* SPDX-License-Identifier: BSD-2-Clause
 * ring.h - work for a runtime that something is done to: a ring of actors that passes messages on. */
#ifndef HEIST_TESTS_FAULT_RING_H
#define HEIST_TESTS_FAULT_RING_H

#include "tests/support/runtime.h"

#define RING 16
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static heist_ref ring[RING];
static _Atomic long rounds;
static void (*inside)(heist_ctx *); /* run by the last message of a round */

static heist_next ring_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	if (n > 0) {
		EXPECT(test_tell(ring[n % RING], &WORD, n - 1) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	if (inside)
		inside(ctx);
	atomic_fetch_add(&rounds, 1);
	return HEIST_CONTINUE;
}
static const heist_class ring_class = { "ring", HEIST_ABI, 0, ring_recv, NULL };

static void fill_ring(heist_system *s)
{
	rounds = 0;
	for (int i = 0; i < RING; i++)
		ring[i] = test_spawn(s, &ring_class, NULL);
}

static void end_ring(heist_system *s, long expected)
{
	EXPECT(wait_for(&rounds, expected));
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

#endif
