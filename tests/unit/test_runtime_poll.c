/* SPDX-License-Identifier: BSD-2-Clause
 * A polled runtime: deadlines, limits, floods from other threads, its end; all without a thread of its own. */
#include <poll.h>
#include <pthread.h>

#include "tests/support/runtime.h"

static long handled, answers, stops;
static heist_status last;
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type QUIET = { .base = &QUIET, .name = "quiet", .size = 8, .reply_size = 8 };
static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 16, .reply_size = 1 };

static heist_next echo_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	handled++;
	if (type == &QUIET)
		EXPECT(heist_reply_later(ctx, type).v[0] != 0);
	else
		heist_reply(ctx, HEIST_OK, type, msg);
	return HEIST_CONTINUE;
}

static void echo_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	stops++;
}
static const heist_hooks echo_hooks = { .stop = echo_stop };
static const heist_class echo = { "echo", HEIST_ABI, 0, echo_recv, &echo_hooks };

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	last = status;
	answers++;
}

struct order {
	heist_ref to;
	heist_time deadline;
};

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct order *o = msg;
	uint64_t v = 1;
	(void)state, (void)type;
	EXPECT(heist_ask(ctx, o->to, &QUIET, &v, o->deadline, on_answer, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, 0, asker_recv, NULL };

static heist_system *start(void)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	handled = answers = stops = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static bool readable(heist_system *s, int ms)
{
	struct pollfd p = { .fd = heist_poll_fd(s), .events = POLLIN };
	return poll(&p, 1, ms) == 1;
}

TEST(polled, a_deadline_is_told_and_kept)
{
	heist_system *s = start();
	heist_ref e = test_spawn(s, &echo, NULL), a = test_spawn(s, &asker, NULL);
	EXPECT(heist_poll_deadline(s) == 0);
	struct order o = { e, heist_in_ms(s, 30) };
	EXPECT(heist_send(a, &ORDER, &o) == HEIST_OK);
	while (heist_poll(s, 0, 10) > 0)
		;
	EXPECT(handled == 1 && answers == 0 && heist_poll_deadline(s) == o.deadline);
	EXPECT(heist_poll(s, 0, 10) == 0 && !readable(s, 0)); /* nothing to do before */
	while (answers == 0 && heist_now(s) < o.deadline + 10000000000u)
		EXPECT(heist_poll(s, heist_poll_deadline(s), 10) >= 0);
	EXPECT(answers == 1 && last == HEIST_ETIMEOUT && heist_now(s) >= o.deadline);
	EXPECT(heist_poll_deadline(s) == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(polled, it_waits_until_told_and_no_longer)
{
	heist_system *s = start();
	heist_time begin = heist_now(s);
	EXPECT(heist_poll(s, heist_in_ms(s, 20), 10) == 0);
	EXPECT(heist_now(s) - begin >= 20000000);
	EXPECT(heist_poll(s, 0, 0) == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(polled, turns_are_counted_and_limited)
{
	heist_system *s = start();
	heist_ref r[64];
	uint64_t v = 1;
	for (int i = 0; i < 64; i++)
		r[i] = test_spawn(s, &echo, NULL);
	for (int i = 0; i < 64; i++)
		EXPECT(heist_send(r[i], &WORD, &v) == HEIST_OK);
	int turns = 0;
	while (readable(s, 0)) {
		int n = heist_poll(s, 0, 7);
		EXPECT(n > 0 && n <= 7);
		turns += n;
	}
	EXPECT(turns >= 64 && handled == 64);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(stops == 64);
}

#define FLOOD 20000
static heist_ref flooded;

static void *flood(void *arg)
{
	uint64_t v = 1;
	for (int i = 0; i < FLOOD; i++)
		EXPECT(heist_send(flooded, &WORD, &v) == HEIST_OK);
	return arg;
}

TEST(polled, every_foreign_send_is_signalled)
{
	heist_system *s = start();
	pthread_t t[3];
	flooded = test_spawn(s, &echo, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, flood, NULL);
	while (handled < 3 * FLOOD) { /* a signal that is missed is a time-out here */
		EXPECT(readable(s, 20000));
		EXPECT(heist_poll(s, 0, 5) >= 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EXPECT(handled == 3 * FLOOD);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(polled, a_call_keeps_its_deadline)
{
	heist_system *s = start();
	heist_ref e = test_spawn(s, &echo, NULL);
	uint64_t v = 1, reply = 0;
	heist_time until = heist_in_ms(s, 20);
	EXPECT(heist_call(s, e, &QUIET, &v, until, &reply) == HEIST_ETIMEOUT);
	EXPECT(heist_now(s) >= until);
	EXPECT(heist_call(s, e, &WORD, &v, 0, &reply) == HEIST_OK && reply == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static heist_next inner_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
#ifdef NDEBUG /* debug builds abort on wrong arguments */
	EXPECT(heist_poll(heist_system_of(ctx), 0, 1) == HEIST_EINVAL);
#else
	(void)ctx;
#endif
	handled++;
	return HEIST_CONTINUE;
}

TEST(polled, a_handler_cannot_poll)
{
	static const heist_class inner = { "inner", HEIST_ABI, 0, inner_recv, NULL };
	heist_system *s = start();
	heist_ref r = test_spawn(s, &inner, NULL);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 10) > 0 && handled == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static heist_next endless_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	handled++;
	EXPECT(heist_send(heist_self(ctx), type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}

TEST(polled, the_end_drains_or_discards)
{
	static const heist_class endless = { "endless", HEIST_ABI, 0, endless_recv, &echo_hooks };
	heist_system *s = start();
	heist_ref r = test_spawn(s, &echo, NULL);
	for (int i = 0; i < 1000; i++)
		EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(handled == 1000 && stops == 1);
	s = start();
	r = test_spawn(s, &endless, NULL);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(shut_down_within(s, 50) == HEIST_OK);
	EXPECT(handled > 0 && stops == 1);
}
