/* SPDX-License-Identifier: BSD-2-Clause
 * A backlog of one sort of messages, plain ones, requests or replies, which run in stretches: what the second turn does
 * about the actor itself is seen before the third.  Each turn writes down its letter. */
#include <string.h>

#include "tests/support/clock.h"

#define BACKLOG 20
#define LETTERS "abcdefghijklmnopqrst"

enum sort { PLAIN, REQUESTS, REPLIES };

enum deed { NOTHING, URGE, UNSTASH, BECOME, HOLD, KILL, LINK, PANIC };

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };
static const heist_type KEEP = { .base = &KEEP, .name = "keep", .size = 8, .reply_size = 1 };
static const heist_type LATER = { .base = &LATER, .name = "later", .size = 8, .reply_size = 8 };

static char text[64];
static int bad; /* answers */
static enum deed deed;
static heist_ref subject, other, dead;
static heist_token owed;

static void note(char c)
{
	text[strlen(text)] = c;
}

static heist_next shouting(heist_ctx *ctx, void *state, const heist_type *type, void *msg);

static void on_paid(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		    uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	note(status == HEIST_OK ? '!' : '?');
}

static void do_it(heist_ctx *ctx)
{
	uint64_t n = 'U' - 'a';
	switch (deed) {
	case NOTHING:
		break;
	case URGE:
		EXPECT(heist_send_urgent(heist_self(ctx), &WORD, &n) == HEIST_OK);
		break;
	case UNSTASH:
		EXPECT(heist_unstash(ctx) == 1);
		break;
	case BECOME:
		heist_become(ctx, shouting);
		break;
	case HOLD:
		EXPECT(heist_ask(ctx, other, &LATER, &n, 0, on_paid, 0) == HEIST_OK);
		EXPECT(heist_hold(ctx) == HEIST_OK);
		break;
	case KILL:
		EXPECT(heist_kill(heist_self(ctx), HEIST_EKILLED) == HEIST_OK);
		break;
	case LINK:
		EXPECT(heist_link(ctx, dead) == HEIST_OK);
		break;
	case PANIC:
		heist_panic(ctx, HEIST_EUSER);
	}
}

static void turn(heist_ctx *ctx, uint64_t n, char first)
{
	note((char)(first + (int64_t)n));
	if (n == 1)
		do_it(ctx);
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)state, (void)reply;
	bad += status != HEIST_OK;
	if (heist_self(ctx).v == subject.v)
		turn(ctx, user, 'a');
}

static void ask_all(heist_ctx *ctx, heist_ref to)
{
	for (uint64_t n = 0; n < BACKLOG; n++)
		EXPECT(heist_ask(ctx, to, &WORD, &n, 0, on_answer, n) == HEIST_OK);
}

static heist_next subject_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	bool *kept = state;
	if (type == &GO) {
		ask_all(ctx, other);
	} else if (type == &KEEP && !*kept) {
		*kept = true;
		EXPECT(heist_stash(ctx, msg) == HEIST_OK);
	} else if (type == &KEEP) {
		note('#');
	} else {
		turn(ctx, *(uint64_t *)msg, 'a');
	}
	return HEIST_CONTINUE;
}
static const heist_class subject_class = { "subject", HEIST_ABI, sizeof(bool), subject_recv, NULL };

static heist_next shouting(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	turn(ctx, *(uint64_t *)msg, 'A');
	return HEIST_CONTINUE;
}

/* Asks the subject, or answers it: a word at once, since it need not, and the last at the test's leisure. */
static heist_next other_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	if (type == &GO)
		ask_all(ctx, subject);
	else if (type == &LATER)
		owed = heist_reply_later(ctx, &LATER);
	return HEIST_CONTINUE;
}
static const heist_class other_class = { "other", HEIST_ABI, 0, other_recv, NULL };

static void fill(enum sort sort)
{
	uint64_t n = 0;
	if (sort == PLAIN)
		for (; n < BACKLOG; n++)
			EXPECT(test_tell(subject, &WORD, n) == HEIST_OK);
	else
		EXPECT(test_tell(sort == REQUESTS ? other : subject, &GO, n) == HEIST_OK);
}

/* What is written down; `failed` of the answers say that the subject is no more. */
static void see(enum sort sort, enum deed what, const char *expected, int failed)
{
	heist_config c = test_clock_config();
	heist_system *s;
	uint64_t paid = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	memset(text, 0, sizeof text);
	bad = 0;
	deed = what;
	dead = test_spawn(s, &other_class, NULL);
	EXPECT(heist_kill(dead, HEIST_OK) == HEIST_OK);
	other = test_spawn(s, &other_class, NULL);
	subject = test_spawn(s, &subject_class, NULL);
	if (what == UNSTASH)
		EXPECT(test_tell(subject, &KEEP, 0) == HEIST_OK);
	test_run(s);
	fill(sort);
	test_run(s);
	if (what == HOLD) {
		EXPECT(heist_reply_to(owed, HEIST_OK, &LATER, &paid) == HEIST_OK);
		test_run(s);
	}
	EXPECT(strcmp(text, expected) == 0);
	EXPECT(bad == failed && test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(exchange, a_backlog_runs_in_order)
{
	for (enum sort sort = PLAIN; sort <= REPLIES; sort++)
		see(sort, NOTHING, LETTERS, 0);
}

TEST(exchange, what_goes_before_comes_next)
{
	for (enum sort sort = PLAIN; sort <= REPLIES; sort++) {
		see(sort, URGE, "abUcdefghijklmnopqrst", 0);
		see(sort, UNSTASH, "ab#cdefghijklmnopqrst", 0);
	}
}

TEST(exchange, another_behaviour_handles_the_next)
{
	see(PLAIN, BECOME, "abCDEFGHIJKLMNOPQRST", 0);
	see(REQUESTS, BECOME, "abCDEFGHIJKLMNOPQRST", 0);
	see(REPLIES, BECOME, LETTERS, 0); /* they are their continuation's */
}

TEST(exchange, a_hold_lets_answers_past_and_nothing_else)
{
	see(PLAIN, HOLD, "ab!cdefghijklmnopqrst", 0);
	see(REQUESTS, HOLD, "ab!cdefghijklmnopqrst", 0);
	see(REPLIES, HOLD, LETTERS "!", 0);
}

TEST(exchange, who_ends_itself_handles_no_more)
{
	static const enum deed deeds[] = { KILL, LINK, PANIC };
	for (int i = 0; i < 3; i++) {
		see(PLAIN, deeds[i], "ab", 0);
		see(REQUESTS, deeds[i], "ab", BACKLOG - (deeds[i] == PANIC ? 1 : 2));
		see(REPLIES, deeds[i], "ab", 0);
	}
}
