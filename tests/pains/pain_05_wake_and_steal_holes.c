/* SPDX-License-Identifier: BSD-2-Clause
 * What a busy worker has sent is run by others, though it would have been its own next turn, and not when the handler
 * returns.  The situations of actor-framework#1866 (a handler asks another actor, and is busy for long) and
 * of tokio#4941 (the slot of a busy worker cannot be robbed), so that a hole is not slow, but a hang.  No spare helps:
 * nobody watches for handlers that take long.
 *
 * usage: pain_05_wake_and_steal_holes [--full]   100 times as often */
#define UNIT_PLAIN /* no test framework */

#include <sched.h>
#include <string.h>

#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static _Atomic long begun, answered, ended;
static long rounds;
static heist_ref next[2];

/* Busy. */
static void until(_Atomic long *counter, long value)
{
	while (atomic_load_explicit(counter, memory_order_acquire) < value)
		sched_yield();
}

static void sleep_until(_Atomic long *counter, long value)
{
	while (atomic_load_explicit(counter, memory_order_acquire) < value)
		test_sleep_ms(1);
}

/* ---- the first: each question is handled while the asker is still busy ---- */

static heist_next buddy_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	atomic_fetch_add(&begun, 1);
	EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class buddy = { "buddy", HEIST_ABI, 0, buddy_recv, NULL };

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	EXPECT(status == HEIST_OK);
	atomic_fetch_add(&answered, 1);
}

static heist_next heavy_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = 0;
	(void)state;
	for (long i = 1; i <= rounds; i++) {
		EXPECT(heist_ask(ctx, *(heist_ref *)msg, type, &n, 0, on_answer, 0) == HEIST_OK);
		until(&begun, i);
	}
	atomic_fetch_add(&ended, 1);
	return HEIST_CONTINUE;
}
static const heist_class heavy = { "heavy", HEIST_ABI, 0, heavy_recv, NULL };

/* ---- the second: a chain of handlers, each of which ends when the next has begun ---- */

static heist_next link_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg + 1;
	(void)ctx, (void)state;
	atomic_store_explicit(&begun, (long)n, memory_order_release);
	if ((long)n < rounds) {
		EXPECT(heist_send(next[n % 2], type, &n) == HEIST_OK);
		until(&begun, (long)n + 1);
	}
	atomic_fetch_add(&ended, 1);
	return HEIST_CONTINUE;
}
static const heist_class link_class = { "link", HEIST_ABI, 0, link_recv, NULL };

int main(int argc, char **argv)
{
	heist_config c = heist_config_default();
	heist_system *s;
	rounds = argc > 1 && strcmp(argv[1], "--full") == 0 ? 10000 : 100;
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.hog_ms = UINT32_MAX;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref b = test_spawn(s, &buddy, NULL), h = test_spawn(s, &heavy, NULL);
	EXPECT(heist_send(h, &WORD, &b) == HEIST_OK);
	sleep_until(&answered, rounds);
	printf("%ld questions were handled while their asker was busy\n", begun);
	begun = ended = 0;
	next[0] = test_spawn(s, &link_class, NULL);
	next[1] = test_spawn(s, &link_class, NULL);
	EXPECT(test_tell(next[0], &WORD, 0) == HEIST_OK);
	sleep_until(&ended, rounds);
	printf("%ld handlers began before the one that had called them ended\n", begun);
	return heist_shutdown(s, 0) != HEIST_OK;
}
