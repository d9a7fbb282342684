/* SPDX-License-Identifier: BSD-2-Clause
 * One request to many: when the continuation runs, with what, who is to blame for what is missing, and that
 * values and messages are accounted for; and deadlines that go from request to request. */
#include <stdio.h>
#include <string.h>

#include "tests/support/counted.h"

struct value {
	uint64_t n, words[15];
};
static long drops;
static void on_drop(void *value)
{
	(void)value;
	drops++;
}
static const heist_drops dropping = { NULL, on_drop };
static const heist_type QUERY = { .base = &QUERY,
				  .name = "query",
				  .size = 8,
				  .reply_size = sizeof(struct value),
				  .drops = &dropping };
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 8 };

/* ---- the asked: their argument says how they answer ---- */

enum how { ANSWER, SILENT, FAILING, LATER, REFUSE };
static heist_ref all[16];
static uint32_t how_many;
static heist_token tokens[16]; /* of the same */
static int token_count;

static heist_next asked_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	*(uint64_t *)state = *(const uint64_t *)arg;
	return HEIST_CONTINUE;
}

static heist_next asked_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct value v = { .n = *(uint64_t *)msg * 2 };
	v.words[14] = 14;
	switch (*(enum how *)state) {
	case ANSWER:
		if (heist_reply(ctx, HEIST_OK, type, &v) != HEIST_OK)
			EXPECT(memory.fail_once != 0);
		return HEIST_CONTINUE;
	case SILENT:
		return HEIST_CONTINUE;
	case FAILING:
		return HEIST_FAIL;
	case LATER:
		for (uint32_t i = 0; i < how_many; i++)
			if (all[i].v == heist_self(ctx).v)
				tokens[i] = heist_reply_later(ctx, type);
		token_count++;
		return HEIST_CONTINUE;
	case REFUSE:
		EXPECT(heist_reply(ctx, HEIST_EUSER, type, NULL) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	return HEIST_FAIL;
}
static const heist_hooks asked_hooks = { .arg_size = 8, .init = asked_init };
static const heist_class asked = { "asked", HEIST_ABI, 8, asked_recv, &asked_hooks };

/* ---- the asker ---- */

static uint32_t enough;
static heist_time until;
static heist_status answer_to_ask;
static heist_answer got[16];
static uint64_t values[16];
static int continued;
static bool panics;

static void on_answers(heist_ctx *ctx, void *state, const heist_answer *answers, uint32_t n,
		       uint64_t user)
{
	(void)state;
	EXPECT(n == how_many && user == 42);
	continued++;
	for (uint32_t i = 0; i < n; i++) {
		const struct value *v = answers[i].reply;
		EXPECT(answers[i].who.v == all[i].v);
		EXPECT((v != NULL) == (answers[i].status == HEIST_OK));
		EXPECT(!v || v->words[14] == 14);
		got[i] = answers[i];
		values[i] = v ? v->n : 0;
	}
	if (panics)
		heist_panic(ctx, HEIST_EUSER);
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	answer_to_ask = heist_ask_all(ctx, all, how_many, enough, &QUERY, &(uint64_t){ 21 }, until,
				      on_answers, 42);
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, 8, asker_recv, NULL };

static char logged[1000];
static int lines;

static void on_log(void *user, const heist_log_line *line)
{
	(void)user;
	if (strstr(line->text, "circle")) {
		lines++;
		snprintf(logged, sizeof logged, "%s", line->text);
	}
}

static heist_ref the_asker;

static heist_system *start(void)
{
	continued = token_count = 0;
	drops = 0;
	how_many = enough = 0;
	until = 0;
	panics = false;
	heist_system *s = counted_start(on_log);
	the_asker = test_spawn(s, &asker, NULL);
	return s;
}

static void add(heist_system *s, enum how how)
{
	all[how_many++] = test_spawn(s, &asked, &(uint64_t){ how });
	test_run(s);
}

static void go(heist_system *s)
{
	EXPECT(test_tell(the_asker, &GO, 0) == HEIST_OK);
	test_run(s);
}

TEST(gather, all_answer)
{
	heist_system *s = start();
	for (int i = 0; i < 10; i++)
		add(s, ANSWER);
	go(s);
	EXPECT(answer_to_ask == HEIST_OK && continued == 1);
	for (int i = 0; i < 10; i++)
		EXPECT(got[i].status == HEIST_OK && values[i] == 42);
	EXPECT(drops == 0); /* they are the continuation's */
	counted_finish(s);
}

TEST(gather, who_does_not_answer_says_why)
{
	heist_system *s = start();
	add(s, ANSWER);
	add(s, SILENT);
	add(s, FAILING);
	add(s, REFUSE);
	add(s, ANSWER);
	EXPECT(heist_kill(all[4], HEIST_OK) == HEIST_OK);
	test_run(s);
	all[how_many++] = (heist_ref){ 0 };
	go(s);
	EXPECT(continued == 1);
	EXPECT(got[0].status == HEIST_OK && got[1].status == HEIST_ENOREPLY);
	EXPECT(got[2].status == HEIST_ECRASH && got[3].status == HEIST_EUSER);
	EXPECT(got[4].status == HEIST_EDEAD && got[5].status == HEIST_EDEAD);
	counted_finish(s);
}

TEST(gather, a_deadline_ends_it_with_what_there_is)
{
	heist_system *s = start();
	add(s, LATER);
	add(s, ANSWER);
	until = heist_in_ms(s, 10);
	go(s);
	EXPECT(continued == 0);
	test_pass(s, 11 * TEST_MS);
	EXPECT(continued == 1 && got[0].status == HEIST_ETIMEOUT && got[1].status == HEIST_OK);
	struct value late = { .n = 1 };
	EXPECT(heist_reply_to(tokens[0], HEIST_OK, &QUERY, &late) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 1 && drops == 1 && heist_lost_count(s, HEIST_LOST_LATE) == 1);
	go(s); /* the deadline has passed already: nobody is asked */
	test_run(s);
	EXPECT(continued == 2 && got[0].status == HEIST_ETIMEOUT &&
	       got[1].status == HEIST_ETIMEOUT);
	counted_finish(s);
}

TEST(gather, enough_is_enough)
{
	heist_system *s = start();
	struct value v = { .n = 5, .words[14] = 14 };
	for (int i = 0; i < 5; i++)
		add(s, LATER);
	enough = 2;
	go(s);
	EXPECT(token_count == 5);
	EXPECT(heist_reply_to(tokens[3], HEIST_EUSER, &QUERY, NULL) ==
	       HEIST_OK); /* does not count */
	EXPECT(heist_reply_to(tokens[1], HEIST_OK, &QUERY, &v) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 0);
	EXPECT(heist_reply_to(tokens[4], HEIST_OK, &QUERY, &v) == HEIST_OK);
	EXPECT(heist_reply_to(tokens[0], HEIST_OK, &QUERY, &v) == HEIST_OK); /* one too late */
	test_run(s);
	EXPECT(continued == 1 && got[1].status == HEIST_OK && got[4].status == HEIST_OK);
	EXPECT(got[0].status == HEIST_ETIMEOUT && got[2].status == HEIST_ETIMEOUT);
	EXPECT(got[3].status == HEIST_EUSER && drops == 1);
	EXPECT(heist_lost_count(s, HEIST_LOST_LATE) == 1);
	EXPECT(heist_reply_to(tokens[2], HEIST_OK, &QUERY, &v) == HEIST_OK);
	test_run(s);
	EXPECT(drops == 2 && heist_lost_count(s, HEIST_LOST_LATE) == 2);
	counted_finish(s);
}

TEST(gather, nobody_to_ask_is_a_turn_of_its_own)
{
	heist_system *s = start();
	how_many = 3;
	memset(all, 0, sizeof all);
	go(s);
	EXPECT(answer_to_ask == HEIST_OK && continued == 1);
	for (int i = 0; i < 3; i++)
		EXPECT(got[i].status == HEIST_EDEAD);
	counted_finish(s);
}

TEST(gather, an_asker_that_ends_drops_what_it_got)
{
	heist_system *s = start();
	add(s, ANSWER);
	add(s, LATER);
	add(s, ANSWER);
	go(s);
	EXPECT(continued == 0);
	EXPECT(heist_kill(the_asker, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 0 && drops == 2);
	counted_finish(s);
}

TEST(gather, a_continuation_may_panic)
{
	heist_system *s = start();
	add(s, ANSWER);
	add(s, ANSWER);
	add(s, LATER);
	enough = 2;
	panics = true;
	go(s);
	EXPECT(continued == 1 && drops == 2); /* each once, as if a handler had failed */
	EXPECT(test_tell(the_asker, &GO, 0) == HEIST_EDEAD);
	EXPECT(heist_reply_to(tokens[2], HEIST_EUSER, &QUERY, NULL) == HEIST_OK);
	test_run(s);
	counted_finish(s);
}

/* The n-th allocation fails, for every n: ENOMEM and nobody was asked, or each has its own cause. */
TEST(gather, without_memory_it_says_so)
{
	for (long n = 1;; n++) {
		heist_system *s = start();
		for (int i = 0; i < 8; i++)
			add(s, ANSWER);
		long before = memory.calls;
		memory.fail_once = before + n;
		go(s);
		bool done = memory.calls < before + n;
		memory.fail_once = 0;
		EXPECT(answer_to_ask == HEIST_OK ? continued == 1
						 : answer_to_ask == HEIST_ENOMEM && continued == 0);
		for (int i = 0; answer_to_ask == HEIST_OK && i < 8; i++)
			EXPECT(got[i].status == HEIST_OK || got[i].status == HEIST_ENOMEM ||
			       got[i].status == HEIST_ENOREPLY);
		counted_finish(s);
		if (done)
			break;
	}
}

/* ---- deadlines go on: asked, to relay, to the next, in a continuation ---- */

static heist_time seen[3];
static heist_ref chain[2];

static void relayed(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		    uint64_t user)
{
	(void)state, (void)reply, (void)status;
	if (user == 0) {
		seen[2] = heist_deadline(ctx);
		EXPECT(heist_ask(ctx, chain[1], &GO, &(uint64_t){ 1 }, 0, relayed, 1) == HEIST_OK);
	}
}

static heist_next relay_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	if (*(uint64_t *)msg == 1) { /* the last one: what was asked for in a continuation, too */
		seen[1] = heist_deadline(ctx);
		return HEIST_CONTINUE;
	}
	seen[0] = heist_deadline(ctx);
	(void)heist_reply_later(ctx, type);
	EXPECT(heist_ask(ctx, chain[1], &GO, &(uint64_t){ 1 }, heist_in_ms(heist_system_of(ctx), 5),
			 relayed, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class relay = { "relay", HEIST_ABI, 8, relay_recv, NULL };

static void ignored(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		    uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	continued++;
}

static heist_next starter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	EXPECT(heist_deadline(ctx) == 0);
	EXPECT(heist_ask(ctx, chain[0], &GO, &(uint64_t){ 0 }, until, ignored, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class starter = { "starter", HEIST_ABI, 8, starter_recv, NULL };

TEST(deadline, goes_on_into_continuations)
{
	heist_system *s = start();
	until = heist_in_ms(s, 100);
	chain[0] = test_spawn(s, &relay, NULL);
	chain[1] = test_spawn(s, &relay, NULL);
	memset(seen, 0, sizeof seen);
	EXPECT(test_tell(test_spawn(s, &starter, NULL), &GO, 0) == HEIST_OK);
	test_run(s);
	EXPECT(seen[0] == until);
	EXPECT(seen[2] == until); /* in the continuation: not the shorter one of its own ask */
	EXPECT(seen[1] == until); /* and of what was asked there without any */
	test_pass(s, 200 * TEST_MS);
	EXPECT(continued == 1);
	counted_finish(s);
}

/* ---- circles: debug builds say so ---- */

struct ring_message {
	uint64_t left; /* members to ask */
};
static const heist_type RING = {
	.base = &RING, .name = "ring", .size = sizeof(struct ring_message), .reply_size = 8
};
static heist_ref ring[3];

static void around(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		   uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	continued++;
}

static heist_next ring_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct ring_message *m = msg;
	uint32_t i = 0;
	(void)state;
	while (ring[i].v != heist_self(ctx).v)
		i++;
	if (m->left > 0) {
		m->left--;
		EXPECT(heist_ask(ctx, ring[(i + 1) % 3], type, m, until, around, 0) == HEIST_OK);
		(void)heist_reply_later(ctx, type);
	}
	return HEIST_CONTINUE;
}
static const heist_class member = { "member", HEIST_ABI, 0, ring_recv, NULL };

static int circles(uint64_t asks)
{
	heist_system *s = start();
	lines = 0;
	for (int i = 0; i < 3; i++)
		ring[i] = test_spawn(s, &member, NULL);
	until = heist_in_ms(s, 5);
	EXPECT(heist_send(ring[0], &RING, &(struct ring_message){ asks }) == HEIST_OK);
	test_run(s);
	test_pass(s, 10 * TEST_MS);
	EXPECT(continued == (int)asks);
	counted_finish(s);
	return lines;
}

TEST(circle, is_named_where_it_closes)
{
	char text[400];
	EXPECT(circles(2) == 0); /* the third is not asked */
#ifdef NDEBUG
	EXPECT(circles(3) == 0);
	(void)text;
#else
	EXPECT(circles(3) == 1);
	snprintf(text, sizeof text, "member %llx -> member %llx -> member %llx -> member %llx",
		 (unsigned long long)ring[0].v, (unsigned long long)ring[1].v,
		 (unsigned long long)ring[2].v, (unsigned long long)ring[0].v);
	EXPECT(strstr(logged, text) != NULL);
#endif
}
