/* SPDX-License-Identifier: BSD-2-Clause
 * Requests at the edges: deadlines and their inheritance, several turns, ownership of replies, the end of
 * either side, the end of the runtime. */
#include <pthread.h>
#include <string.h>

#include "tests/support/runtime.h"

/* ---- the asked: the request says what to do ---- */

enum what {
	REPLY,
	REPLY_ERROR,
	REPLY_AGAIN_SILENT,
	AGAIN_REPLY,
	LATER,
	LATER_AGAIN,
	RELAY,
	WAIT_GATE,
	FAIL_AFTER_REPLY,
};

struct query {
	uint64_t what, relay; /* relay: whom to ask in turn */
};

struct answer {
	uint64_t words[20]; /* not inline */
};

static _Atomic long runs, answers, msg_drops, reply_drops, gate, have_token;
static _Atomic int last;
static _Atomic uint64_t last_word, seen_deadline;
static heist_token token;

static void on_msg_drop(void *msg)
{
	(void)msg;
	atomic_fetch_add(&msg_drops, 1);
}

static void on_reply_drop(void *value)
{
	EXPECT(((struct answer *)value)->words[19] == 19);
	atomic_fetch_add(&reply_drops, 1);
}
static const heist_drops drops = { on_msg_drop, on_reply_drop };
static const heist_type QUERY = { .base = &QUERY,
				  .name = "query",
				  .size = sizeof(struct query),
				  .reply_size = sizeof(struct answer),
				  .drops = &drops };
static const heist_type BIG = { .base = &QUERY,
				.name = "big query",
				.size = 300,
				.reply_size = sizeof(struct answer),
				.drops = &drops };

static struct answer answer_of(uint64_t n)
{
	struct answer a;
	for (uint64_t i = 0; i < 20; i++)
		a.words[i] = i;
	a.words[0] = n;
	return a;
}

static void on_relayed(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		       uint64_t user)
{
	(void)ctx, (void)state, (void)user, (void)reply;
	struct answer a = answer_of(2);
	heist_reply_to(token, status, &QUERY, status == HEIST_OK ? &a : NULL);
}

static heist_next relay(heist_ctx *ctx, const heist_type *type, const struct query *q)
{
	struct query on = { LATER, 0 };
	atomic_store(&seen_deadline, heist_deadline(ctx));
	token = heist_reply_later(ctx, type);
	EXPECT(heist_ask(ctx, (heist_ref){ q->relay }, &BIG, &(struct query[20]){ on }, 0,
			 on_relayed, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct query *q = msg;
	struct answer a = answer_of(1);
	(void)state;
	atomic_fetch_add(&runs, 1);
	switch ((enum what)q->what) {
	case REPLY:
		EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_OK);
		EXPECT(heist_reply_later(ctx, type).v[0] == 0);
		return HEIST_CONTINUE;
	case REPLY_ERROR:
		EXPECT(heist_reply(ctx, HEIST_EUSER, type, NULL) == HEIST_OK);
		return HEIST_CONTINUE;
	case REPLY_AGAIN_SILENT: /* answered in the first turn, nothing owed in the second */
		if (q->relay++ == 0) {
			EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_OK);
			return HEIST_AGAIN;
		}
		EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_EINVAL);
		return HEIST_CONTINUE;
	case AGAIN_REPLY:
		if (q->relay++ < 3)
			return HEIST_AGAIN;
		EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_OK);
		return HEIST_CONTINUE;
	case LATER:
		token = heist_reply_later(ctx, type);
		EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_EINVAL);
		atomic_fetch_add(&have_token, 1);
		return HEIST_CONTINUE;
	case LATER_AGAIN:
		if (q->relay++ == 0) {
			token = heist_reply_later(ctx, type);
			return HEIST_AGAIN;
		}
		atomic_fetch_add(&have_token, 1);
		return HEIST_CONTINUE;
	case RELAY:
		return relay(ctx, type, q);
	case WAIT_GATE:
		while (!atomic_load(&gate))
			;
		return HEIST_CONTINUE;
	case FAIL_AFTER_REPLY:
		EXPECT(heist_reply(ctx, HEIST_OK, type, &a) == HEIST_OK);
		return HEIST_FAIL;
	}
	return HEIST_CONTINUE;
}
static const heist_class server_class = { "server", HEIST_ABI, 0, server_recv, NULL };

/* ---- the asker ---- */

struct order {
	heist_ref to;
	struct query query;
	heist_time deadline;
};
static const heist_type ORDER = {
	.base = &ORDER, .name = "order", .size = sizeof(struct order), .reply_size = 1
};

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	const struct answer *a = reply;
	(void)ctx, (void)state;
	EXPECT(user == 77 && (reply != NULL) == (status == HEIST_OK));
	EXPECT(heist_take(ctx, (void *)(uintptr_t)reply) == NULL); /* a reply cannot be taken */
	if (a) {
		EXPECT(a->words[19] == 19);
		atomic_store(&last_word, a->words[0]);
	}
	atomic_store(&last, status);
	atomic_fetch_add(&answers, 1);
}

static heist_next client_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct order *o = msg;
	(void)state, (void)type;
	heist_status st = heist_ask(ctx, o->to, &QUERY, &o->query, o->deadline, on_answer, 77);
	if (st != HEIST_OK)
		on_answer(ctx, state, st, NULL, 77);
	return HEIST_CONTINUE;
}
static const heist_class client_class = { "client", HEIST_ABI, 0, client_recv, NULL };

static heist_system *sys;
static heist_ref client, server;

static void set_up(uint32_t workers)
{
	sys = test_start(workers);
	runs = answers = msg_drops = reply_drops = gate = have_token = 0;
	client = test_spawn(sys, &client_class, NULL);
	server = test_spawn(sys, &server_class, NULL);
}

static void order(heist_ref to, enum what what, heist_time deadline)
{
	struct order o = { to, { what, 0 }, deadline };
	EXPECT(heist_send(client, &ORDER, &o) == HEIST_OK);
}

static void tear_down(void)
{
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

static uint64_t late(void)
{
	return heist_lost_count(sys, HEIST_LOST_LATE);
}

/* ---- several turns ---- */

TEST(requests, are_answered_once_over_several_turns)
{
	set_up(1);
	order(server, AGAIN_REPLY, 0);
	EXPECT(wait_for(&answers, 1) && last == HEIST_OK && runs == 4);
	order(server, REPLY_AGAIN_SILENT, 0);
	EXPECT(wait_for(&answers, 2) && wait_for(&runs, 6) && last == HEIST_OK);
	order(server, LATER_AGAIN, 0);
	EXPECT(wait_for(&have_token, 1));
	struct answer a = answer_of(3);
	EXPECT(heist_reply_to(token, HEIST_OK, &QUERY, &a) == HEIST_OK);
	EXPECT(wait_for(&answers, 3) && last == HEIST_OK && last_word == 3);
	order(server, FAIL_AFTER_REPLY, 0);
	EXPECT(wait_for(&answers, 4) && last == HEIST_OK);
	EXPECT(test_balanced(sys));
	EXPECT(late() == 0 && answers == 4);
	EXPECT(heist_lost_count(sys, HEIST_LOST_FAILED) == 1 && msg_drops == 1);
	tear_down();
	EXPECT(reply_drops == 0);
}

TEST(requests, an_error_is_a_reply_without_a_value)
{
	set_up(2);
	for (int i = 0; i < 100; i++)
		order(server, REPLY_ERROR, heist_in_ms(sys, 20000));
	EXPECT(wait_for(&answers, 100) && last == HEIST_EUSER);
	tear_down();
	EXPECT(reply_drops == 0 && answers == 100);
}

/* ---- deadlines ---- */

TEST(requests, that_expire_in_the_queue_never_run)
{
	set_up(2);
	order(server, WAIT_GATE, 0);
	EXPECT(wait_for(&runs, 1));
	for (int i = 0; i < 50; i++)
		order(server, REPLY, heist_in_ms(sys, 300)); /* time enough to queue them */
	EXPECT(wait_for(&answers, 50));			     /* the asked is still busy */
	EXPECT(last == HEIST_ETIMEOUT && runs == 1);
	gate = 1;
	EXPECT(wait_for(&answers, 51) && last == HEIST_ENOREPLY);
	EXPECT(test_balanced(sys));
	EXPECT(runs == 1 && answers == 51 && msg_drops == 50);
	EXPECT(heist_lost_count(sys, HEIST_LOST_EXPIRED) == 50);
	tear_down();
}

TEST(requests, have_deadlines_of_what_was_said)
{
	static const uint32_t cases[] = { 0, 4999, 5000, UINT32_MAX };
	set_up(1);
	for (int i = 0; i < 4; i++) {
		uint64_t ns = cases[i] * (uint64_t)1000000, before = heist_now(sys);
		heist_time t = heist_in_ms(sys, cases[i]);
		EXPECT(t >= before + ns && t <= heist_now(sys) + ns);
		t = heist_in_ms(NULL, cases[i]);
		EXPECT(t >= before + ns && t <= heist_now(NULL) + ns);
	}
	tear_down();
}

TEST(requests, hand_their_deadline_on)
{
	set_up(2);
	heist_ref second = test_spawn(sys, &server_class, NULL);
	heist_time soon = heist_in_ms(sys, 30);
	struct order o = { server, { RELAY, second.v }, soon };
	EXPECT(heist_send(client, &ORDER, &o) == HEIST_OK);
	EXPECT(wait_for(&answers, 1) && last == HEIST_ETIMEOUT);
	EXPECT(seen_deadline == soon && heist_now(sys) >= soon);
	EXPECT(wait_for(&have_token, 1)); /* the second was asked, and keeps the token for ever */
	EXPECT(test_balanced(sys));
	EXPECT(answers == 1);
	tear_down();
}

TEST(requests, a_continuation_may_ask_again_when_the_deadline_has_passed)
{
	set_up(2);
	for (int i = 0; i < 200; i++) {
		order(server, LATER, heist_in_ms(sys, (uint32_t)(i % 7)));
		order(server, LATER, heist_in_ms(sys, 20));
	}
	EXPECT(wait_for(&answers, 400) && last == HEIST_ETIMEOUT);
	test_sleep_ms(30);
	EXPECT(answers == 400);
	tear_down();
}

/* ---- the end of either side ---- */

TEST(requests, a_reply_to_an_asker_that_ended_is_dropped)
{
	set_up(1);
	order(server, LATER, 0);
	EXPECT(wait_for(&have_token, 1));
	EXPECT(heist_kill(client, HEIST_OK) == HEIST_OK);
	while (heist_send(client, &ORDER, &(struct order){ 0 }) == HEIST_OK)
		test_sleep_ms(1);
	struct answer a = answer_of(0);
	for (int i = 0; i < 3; i++)
		EXPECT(heist_reply_to(token, HEIST_OK, &QUERY, &a) == HEIST_OK);
	EXPECT(heist_reply_to(token, HEIST_EUSER, &QUERY, NULL) == HEIST_OK);
	EXPECT(late() == 4 && reply_drops == 3 && answers == 0);
	tear_down();
}

TEST(requests, to_nobody_are_refused)
{
	set_up(1);
	order((heist_ref){ 0 }, REPLY, 0);
	EXPECT(wait_for(&answers, 1) && last == HEIST_EDEAD);
	order(server, REPLY, 1); /* long ago */
	EXPECT(wait_for(&answers, 2) && last == HEIST_ETIMEOUT && runs == 0);
	tear_down();
}

TEST(requests, a_killed_actor_answers_what_is_queued)
{
	set_up(2);
	order(server, WAIT_GATE, 0);
	EXPECT(wait_for(&runs, 1));
	for (int i = 0; i < 50; i++)
		order(server, REPLY, heist_in_ms(sys, 20000));
	heist_stats t = heist_stats_default();
	do /* until all have been asked: 51 orders and 51 requests */
		EXPECT(heist_get_stats(sys, &t) == HEIST_OK);
	while (t.accepted < 102);
	EXPECT(heist_kill(server, HEIST_OK) == HEIST_OK);
	gate = 1;
	EXPECT(wait_for(&answers, 51));
	EXPECT(runs == 1 && msg_drops == 50);
	EXPECT(heist_lost_count(sys, HEIST_LOST_STOPPED) == 50);
	tear_down();
	EXPECT(answers == 51);
}

/* ---- call ---- */

static heist_next caller_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
#ifdef NDEBUG /* debug builds abort on wrong arguments */
	struct query q = { REPLY, 0 };
	heist_system *s = heist_system_of(ctx);
	EXPECT(heist_call(s, server, &QUERY, &q, 0, NULL) == HEIST_EINVAL);
	EXPECT(heist_shutdown(s, 0) == HEIST_EINVAL);
#else
	(void)ctx;
#endif
	atomic_fetch_add(&answers, 1);
	return HEIST_CONTINUE;
}
static const heist_class caller_class = { "caller", HEIST_ABI, 0, caller_recv, NULL };

TEST(calls, do_not_wait_inside_a_handler)
{
	set_up(1);
	heist_ref r = test_spawn(sys, &caller_class, NULL);
	EXPECT(heist_send(r, &ORDER, &(struct order){ 0 }) == HEIST_OK);
	EXPECT(wait_for(&answers, 1) && runs == 0);
	tear_down();
}

TEST(calls, carry_large_values_and_drop_late_ones)
{
	set_up(2);
	struct query q = { REPLY, 0 }, big[20] = { { REPLY, 0 } };
	struct answer a;
	EXPECT(heist_call(sys, server, &QUERY, &q, 0, &a) == HEIST_OK && a.words[19] == 19);
	memset(&a, 0, sizeof a);
	EXPECT(heist_call(sys, server, &BIG, big, 0, &a) == HEIST_OK && a.words[19] == 19);
	q.what = LATER;
	EXPECT(heist_call(sys, server, &QUERY, &q, heist_in_ms(sys, 5), &a) == HEIST_ETIMEOUT);
	a = answer_of(5);
	EXPECT(heist_reply_to(token, HEIST_OK, &QUERY, &a) == HEIST_OK);
	EXPECT(test_balanced(sys));
	EXPECT(reply_drops == 1 && late() == 1);
	tear_down();
}

static _Atomic long closed;

static void *calls_until_closed(void *arg)
{
	struct query q = { *(uint64_t *)arg, 0 };
	heist_status st = heist_call(sys, server, &QUERY, &q, 0, NULL);
	EXPECT(st == HEIST_ECLOSED);
	atomic_fetch_add(&closed, 1);
	return NULL;
}

TEST(calls, waiting_when_the_runtime_ends_are_told)
{
	for (int round = 0; round < 20; round++) {
		uint64_t what = LATER;
		pthread_t t[4];
		set_up(2);
		closed = 0;
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, calls_until_closed, &what);
		EXPECT(wait_for(&have_token, 4));
		EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		EXPECT(closed == 4);
		struct answer a = answer_of(0);
		EXPECT(heist_reply_to(token, HEIST_OK, &QUERY, &a) == HEIST_EDEAD);
	}
}

TEST(calls, after_the_intake_has_closed_are_refused)
{
	set_up(1);
	struct query q = { LATER, 0 };
	struct answer a = answer_of(0);
	order(server, LATER, 0);
	EXPECT(wait_for(&have_token, 1));
	EXPECT(heist_close(sys) == HEIST_OK && heist_close(sys) == HEIST_OK);
	EXPECT(heist_call(sys, server, &QUERY, &q, 0, &a) == HEIST_ECLOSED);
	EXPECT(heist_reply_to(token, HEIST_OK, &QUERY, &a) == HEIST_ECLOSED);
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
	EXPECT(answers == 0 && reply_drops == 0);
}
