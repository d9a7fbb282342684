/* SPDX-License-Identifier: BSD-2-Clause
 * What holds while a worker defers its sends (runtime/outbox.h): bounds, order, and hooks that send. */
#include <string.h>

#include "tests/support/clock.h"

#define CROWD 1000 /* runnable at once: its worker defers */
#define TURNS 20
#define BOUND 10

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static heist_ref target, mourner, ended;
static _Atomic long turns, sent, handled, refused, unseen, letters, mourned;

/* ---- actors ---- */

static heist_next keep_arg(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	memcpy(state, arg, 8);
	return HEIST_CONTINUE;
}
static const heist_hooks keeps_arg = { .arg_size = 8, .init = keep_arg };

/* Its state is where it counts. */
static heist_next count_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)type, (void)msg;
	++**(_Atomic long **)state;
	return HEIST_CONTINUE;
}
static const heist_class count_class = { "count", HEIST_ABI, 8, count_recv, &keeps_arg };

/* A word is who of the crowd has sent it, and in which turn. */
static heist_next order_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	static uint32_t next[CROWD];
	uint64_t word = *(uint64_t *)msg;
	(void)ctx, (void)state, (void)type;
	EXPECT((uint32_t)word == next[word >> 32]);
	next[word >> 32] = ((uint32_t)word + 1) % TURNS;
	handled++;
	return HEIST_CONTINUE;
}
static const heist_class order_class = { "order", HEIST_ABI, 0, order_recv, NULL };

static heist_next end_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_STOP;
}
static const heist_class end_class = { "end", HEIST_ABI, 0, end_recv, NULL };

/* Each turn: a word to the target, one to an actor that has ended, and one to itself. */
static heist_next crowd_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t turn = *(uint64_t *)msg, number = *(uint64_t *)state;
	heist_status r = test_tell(target, type, number << 32 | turn);
	EXPECT(r == HEIST_OK || r == HEIST_EFULL);
	sent += r == HEIST_OK;
	refused += r == HEIST_EFULL;
	if (test_tell(ended, type, 0) == HEIST_OK) /* deferred, or EDEAD */
		unseen++;
	if (turn + 1 < TURNS)
		EXPECT(test_tell(heist_self(ctx), type, turn + 1) == HEIST_OK);
	turns++;
	return HEIST_CONTINUE;
}
static const heist_class crowd_class = { "crowd", HEIST_ABI, 8, crowd_recv, &keeps_arg };

/* For a target with a bound, on one thread: what has been let in and not handled. */
static heist_next bounded_crowd_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_next v = crowd_recv(ctx, state, type, msg);
	EXPECT(sent - handled <= BOUND);
	return v;
}
static const heist_class bounded_crowd_class = { "bounded_crowd", HEIST_ABI, 8, bounded_crowd_recv,
						 &keeps_arg };

static void on_letter(void *user, const heist_lost *lost)
{
	(void)user;
	EXPECT(lost->cause == HEIST_LOST_DEAD);
	letters++;
	EXPECT(test_tell(mourner, &WORD, 0) == HEIST_OK);
	EXPECT(test_tell(ended, &WORD, 0) == HEIST_EDEAD); /* not another letter */
}

/* ---- the runs ---- */

static heist_system *start(heist_mode mode)
{
	heist_config c = mode == HEIST_POLLED ? test_clock_config() : heist_config_default();
	heist_stats t = heist_stats_default();
	heist_system *s = NULL;
	c.workers = mode == HEIST_POLLED ? 0 : 2;
	c.pin = HEIST_OFF;
	c.batch = 1; /* so that the crowd queues again and again */
	c.log_level = HEIST_LOG_OFF;
	c.dead_letter = on_letter;
	turns = sent = handled = refused = unseen = letters = mourned = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	mourner = test_spawn(s, &count_class, &(_Atomic long *){ &mourned });
	ended = test_spawn(s, &end_class, NULL);
	EXPECT(test_tell(ended, &WORD, 0) == HEIST_OK);
	if (mode == HEIST_POLLED)
		test_run(s);
	while (heist_get_stats(s, &t) == HEIST_OK && t.actors > 1)
		test_sleep_ms(1);
	return s;
}

static void crowd(heist_system *s, const heist_class *cls)
{
	for (uint64_t i = 0; i < CROWD; i++)
		EXPECT(test_tell(test_spawn(s, cls, &i), &WORD, 0) == HEIST_OK);
}

static void finish(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(wait_for(&turns, CROWD * TURNS)); /* what is balanced before may have more to send */
	EXPECT(test_balanced(s));
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK); /* then every handler has returned */
	EXPECT(handled == sent && mourned == letters && letters == unseen);
	EXPECT(sent + refused == CROWD * TURNS && t.refused == (uint64_t)refused);
	EXPECT(t.lost[HEIST_LOST_DEAD] == (uint64_t)letters);
}

TEST(outbox, a_bound_holds)
{
	heist_system *s = start(HEIST_POLLED);
	heist_opts o = heist_opts_default();
	o.mailbox_cap = BOUND;
	EXPECT(heist_spawn(s, &count_class, &o, &(_Atomic long *){ &handled }, &target) ==
	       HEIST_OK);
	crowd(s, &bounded_crowd_class);
	test_run(s);
	EXPECT(unseen > CROWD && refused > CROWD);
	finish(s);
}

TEST(outbox, a_hook_may_send)
{
	heist_system *s = start(HEIST_POLLED);
	target = test_spawn(s, &order_class, NULL);
	crowd(s, &crowd_class);
	test_run(s);
	EXPECT(unseen > CROWD && refused == 0);
	finish(s);
}

TEST(outbox, a_hook_may_send_on_two_workers)
{
	heist_system *s = start(HEIST_THREADS);
	target = test_spawn(s, &order_class, NULL);
	crowd(s, &crowd_class);
	finish(s);
}
