/* SPDX-License-Identifier: BSD-2-Clause
 * Requests and replies: answered exactly once, whatever happens to the asked. */
#include <heist/heist.h>

#include <pthread.h>

#include "tests/support/oracle.h"
#include "tests/support/unit.h"
#include "tests/support/wait.h"

static _Atomic long answers, runs, stops, reply_drops;
static _Atomic int last_status;
static _Atomic long last_value;

static void on_reply_drop(void *value)
{
	(void)value;
	atomic_fetch_add(&reply_drops, 1);
}
static const heist_drops drops = { NULL, on_reply_drop };

struct number {
	int64_t n;
};
static const heist_type ADD = {
	.base = &ADD, .name = "add", .size = 8, .reply_size = 8, .drops = &drops
};
static const heist_type POKE = { .base = &POKE, .name = "poke", .size = 8, .reply_size = 1 };
static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 32, .reply_size = 1 };

/* ---- the asked: what it does is in the request ---- */

enum what { REPLY, SILENT, FAIL, LATER, STOP, TWICE };

static heist_token kept;
static _Atomic long have_token;

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t v = *(int64_t *)msg;
	(void)state;
	atomic_fetch_add(&runs, 1);
	switch ((enum what)(v & 7)) {
	case SILENT:
		return HEIST_CONTINUE;
	case FAIL:
		return HEIST_FAIL;
	case STOP:
		return HEIST_STOP;
	case LATER:
		kept = heist_reply_later(ctx, type);
		atomic_store(&have_token, 1);
		return HEIST_CONTINUE;
	case TWICE:
		EXPECT(heist_reply(ctx, HEIST_OK, type, &v) == HEIST_OK);
		EXPECT(heist_reply(ctx, HEIST_OK, type, &v) == HEIST_EINVAL);
		return HEIST_CONTINUE;
	case REPLY:
		break;
	}
	v += 100;
	EXPECT(heist_reply(ctx, HEIST_OK, type, &v) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class server = { "server", HEIST_ABI, 0, server_recv, NULL };

/* ---- the asker ---- */

struct order {
	heist_ref to;
	int64_t value, count;
	heist_time deadline;
};

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)user;
	EXPECT((reply != NULL) == (status == HEIST_OK));
	atomic_store(&last_status, status);
	if (reply)
		atomic_store(&last_value, *(const int64_t *)reply);
	atomic_fetch_add(&answers, 1);
}

static heist_next client_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct order *o = msg;
	(void)state, (void)type;
	for (int64_t i = 0; i < o->count; i++) {
		heist_status s = heist_ask(ctx, o->to, &ADD, &o->value, o->deadline, on_answer, 7);
		if (s != HEIST_OK)
			on_answer(ctx, state, s, NULL, 0);
	}
	return HEIST_CONTINUE;
}

static void client_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&stops, 1);
}
static const heist_hooks client_hooks = { .stop = client_stop };
static const heist_class client = { "client", HEIST_ABI, 0, client_recv, &client_hooks };

static heist_system *sys;
static heist_ref asker, asked;

static void set_up(void)
{
	heist_config c = heist_config_default();
	c.workers = 2;
	answers = runs = stops = reply_drops = have_token = 0;
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	EXPECT(heist_spawn(sys, &server, NULL, NULL, &asked) == HEIST_OK);
	EXPECT(heist_spawn(sys, &client, NULL, NULL, &asker) == HEIST_OK);
}

static void order(int64_t value, int64_t count, heist_time deadline)
{
	struct order o = { asked, value, count, deadline };
	EXPECT(heist_send(asker, &ORDER, &o) == HEIST_OK);
}

TEST(ask, a_reply_comes_back)
{
	set_up();
	order(8, 1, 0);
	EXPECT(wait_for(&answers, 1));
	EXPECT(last_status == HEIST_OK && last_value == 108);
	order(16, 10000, heist_in_ms(sys, 60000));
	EXPECT(wait_for(&answers, 10001));
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(ask, no_reply_failure_and_stop_are_told_at_once)
{
	set_up();
	order(SILENT, 1, 0);
	EXPECT(wait_for(&answers, 1) && last_status == HEIST_ENOREPLY);
	order(TWICE, 1, 0);
	EXPECT(wait_for(&answers, 2) && last_status == HEIST_OK);
	order(FAIL, 1, 0);
	EXPECT(wait_for(&answers, 3) && last_status == HEIST_ECRASH);
	order(REPLY, 1, 0);
	EXPECT(wait_for(&answers, 4) && last_status == HEIST_EDEAD);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(ask, requests_queued_at_the_end_of_the_asked_are_answered)
{
	set_up();
	order(STOP, 50, 0);
	EXPECT(wait_for(&answers, 50));
	EXPECT(last_status == HEIST_EDEAD && runs == 1);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(ask, a_deadline_is_kept_and_a_late_reply_dies)
{
	set_up();
	int64_t v = 200;
	heist_time before = heist_now(sys);
	order(LATER, 1, heist_in_ms(sys, 20));
	EXPECT(wait_for(&answers, 1));
	EXPECT(last_status == HEIST_ETIMEOUT && heist_now(sys) - before >= 20000000);
	EXPECT(heist_reply_to(kept, HEIST_OK, &ADD, &v) == HEIST_OK);
	EXPECT(heist_reply_to(kept, HEIST_OK, &ADD, &v) == HEIST_OK);
	EXPECT(heist_lost_count(sys, HEIST_LOST_LATE) == 2 && reply_drops == 2 && answers == 1);
	order(REPLY, 1, heist_now(sys));
	EXPECT(wait_for(&answers, 2) && last_status == HEIST_ETIMEOUT && runs == 1);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(ask, a_token_answers_from_another_thread)
{
	set_up();
	int64_t v = 33;
	order(LATER, 1, 0);
	EXPECT(wait_for(&have_token, 1));
	EXPECT(heist_reply_to(kept, HEIST_OK, &ADD, &v) == HEIST_OK);
	EXPECT(wait_for(&answers, 1) && last_status == HEIST_OK && last_value == 33);
	EXPECT(heist_reply_to(kept, HEIST_OK, &ADD, &v) == HEIST_OK); /* a second one is late */
	EXPECT(test_balanced(sys));
	EXPECT(heist_lost_count(sys, HEIST_LOST_LATE) == 1 && answers == 1);
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(ask, many_deadlines_expire_once_each)
{
	set_up();
	for (int i = 1; i <= 20; i++)
		order(LATER, 5, heist_in_ms(sys, (uint32_t)(40 - i)));
	EXPECT(wait_for(&answers, 100));
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	EXPECT(answers == 100 && last_status == HEIST_ETIMEOUT);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

/* ---- call ---- */

TEST(call, answers_errors_and_deadlines)
{
	set_up();
	int64_t v = 8, r = 0;
	EXPECT(heist_call(sys, asked, &ADD, &v, 0, &r) == HEIST_OK && r == 108);
	v = SILENT;
	EXPECT(heist_call(sys, asked, &ADD, &v, heist_in_ms(sys, 5000), &r) == HEIST_ENOREPLY);
	EXPECT(heist_call(sys, asked, &POKE, &v, 0, NULL) == HEIST_OK);
	v = LATER;
	EXPECT(heist_call(sys, asked, &ADD, &v, heist_in_ms(sys, 10), &r) == HEIST_ETIMEOUT);
	v = FAIL;
	EXPECT(heist_call(sys, asked, &ADD, &v, 0, &r) == HEIST_ECRASH);
	EXPECT(heist_call(sys, asked, &ADD, &v, 0, &r) == HEIST_EDEAD);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

static _Atomic long message_drops;
static void on_message_drop(void *payload)
{
	(void)payload;
	atomic_fetch_add(&message_drops, 1);
}
static const heist_drops message_owns = { on_message_drop, NULL };
static const heist_type OWNER = {
	.base = &OWNER, .name = "owner", .size = 8, .reply_size = 8, .drops = &message_owns
};

/* Whoever calls need not know whether a handler had the message: it is taken, and dropped once if none had. */
TEST(call, takes_what_the_message_owns_whatever_the_answer)
{
	set_up();
	int64_t v = REPLY, r = 0;
	message_drops = 0;
	EXPECT(heist_call(sys, asked, &OWNER, &v, 0, &r) == HEIST_OK && message_drops == 0);
	EXPECT(heist_call(sys, asked, &OWNER, &v, 1, &r) == HEIST_ETIMEOUT);
	EXPECT(heist_call(sys, (heist_ref){ 0 }, &OWNER, &v, 0, &r) == HEIST_EDEAD);
	EXPECT(wait_for(&message_drops, 2)); /* the one that came too late when it is met */
	v = STOP;
	EXPECT(heist_call(sys, asked, &OWNER, &v, 0, &r) == HEIST_ENOREPLY && message_drops == 2);
	EXPECT(heist_call(sys, asked, &OWNER, &v, 0, &r) == HEIST_EDEAD && message_drops == 3);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

TEST(call, drops_a_reply_that_it_does_not_want)
{
	set_up();
	int64_t v = 8, r = 0;
	EXPECT(heist_call(sys, asked, &ADD, &v, 0, &r) == HEIST_OK && reply_drops == 0);
	EXPECT(heist_call(sys, asked, &ADD, &v, 0, NULL) == HEIST_OK);
	EXPECT(wait_for(&reply_drops, 1));
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK && reply_drops == 1);
}

static void *caller(void *arg)
{
	(void)arg;
	for (int64_t i = 0; i < 300; i++) {
		int64_t v = i * 8, r = 0;
		EXPECT(heist_call(sys, asked, &ADD, &v, heist_in_ms(sys, 20000), &r) == HEIST_OK);
		EXPECT(r == v + 100);
	}
	return NULL;
}

TEST(call, threads_call_at_once)
{
	pthread_t t[4];
	set_up();
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, caller, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	EXPECT(runs == 1200);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}
