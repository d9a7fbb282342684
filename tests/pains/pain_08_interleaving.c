/* SPDX-License-Identifier: BSD-2-Clause
 * "Does my handler interleave?"  The rules, one test each: no turn begins before the last has ended; a continuation is
 * a turn like any other; what comes while an actor waits for an answer is handled meanwhile; after heist_hold it is
 * not.
 *
 * usage: pain_08_interleaving */
#include <pthread.h>

#include "tests/support/runtime.h"

#define THREADS 4
#define EACH	5000

static const heist_type ADD = { .base = &ADD, .name = "add", .size = 8, .reply_size = 8 };
static const heist_type ASK = { .base = &ASK, .name = "ask", .size = 8, .reply_size = 8 };
static const heist_type ASK_HOLD = {
	.base = &ASK_HOLD, .name = "ask_hold", .size = 8, .reply_size = 8
};
static _Atomic long turns, waiting, answered, meanwhile, held_meanwhile;
static heist_ref server;

/* Nothing of it is atomic. */
struct account {
	long sum, open;
	bool inside, held;
};

static void enter(struct account *a)
{
	EXPECT(!a->inside);
	a->inside = true;
	for (volatile int i = 0; i < 50; i++)
		;
}

static void leave(struct account *a)
{
	EXPECT(a->inside);
	a->inside = false;
	atomic_fetch_add(&turns, 1);
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	struct account *a = state;
	(void)ctx, (void)reply, (void)user;
	EXPECT(status == HEIST_OK);
	enter(a);
	a->open--;
	a->held = false;
	leave(a);
	atomic_fetch_add(&answered, 1);
}

static heist_next account_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct account *a = state;
	uint64_t n = *(uint64_t *)msg;
	enter(a);
	if (type == &ADD) {
		long sum = a->sum;
		atomic_fetch_add(a->held ? &held_meanwhile : &meanwhile, a->open > 0);
		a->sum = sum + (long)n;
	} else {
		EXPECT(heist_ask(ctx, server, &ASK, &n, 0, on_answer, 0) == HEIST_OK);
		a->open++;
		a->held = type == &ASK_HOLD;
		if (a->held)
			EXPECT(heist_hold(ctx) == HEIST_OK);
	}
	leave(a);
	return HEIST_CONTINUE;
}
static const heist_class account_class = { "account", HEIST_ABI, sizeof(struct account),
					   account_recv, NULL };

/* Answers the question of 1 at once, that of 0 when it is told to. */
static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	heist_token *owed = state;
	if (type == &ADD) {
		EXPECT(heist_reply_to(*owed, HEIST_OK, &ASK, &n) == HEIST_OK);
	} else if (n == 1) {
		EXPECT(heist_reply(ctx, HEIST_OK, &ASK, &n) == HEIST_OK);
	} else {
		*owed = heist_reply_later(ctx, type);
		atomic_fetch_add(&waiting, 1);
	}
	return HEIST_CONTINUE;
}
static const heist_class server_class = { "server", HEIST_ABI, sizeof(heist_token), server_recv,
					  NULL };
static heist_ref account;

static heist_system *start(void)
{
	heist_system *s = test_start(2);
	turns = waiting = answered = meanwhile = held_meanwhile = 0;
	server = test_spawn(s, &server_class, NULL);
	account = test_spawn(s, &account_class, NULL);
	return s;
}

static void *produce(void *type)
{
	for (int i = 0; i < EACH; i++)
		EXPECT(test_tell(account, type, 1) == HEIST_OK);
	return NULL;
}

static void from_all(const heist_type *first, const heist_type *rest)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&t[i], NULL, produce,
				      (void *)(uintptr_t)(i ? rest : first)) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

TEST(interleaving, no_turn_begins_before_the_last_has_ended)
{
	heist_system *s = start();
	from_all(&ADD, &ADD);
	EXPECT(wait_for(&turns, THREADS * EACH));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(interleaving, a_continuation_is_a_turn_like_any_other)
{
	heist_system *s = start();
	from_all(&ASK, &ADD);
	EXPECT(wait_for(&answered, EACH) && wait_for(&turns, (THREADS + 1) * EACH));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Ask, then n more, then the answer. */
static heist_system *ask_and_add(const heist_type *how)
{
	heist_system *s = start();
	EXPECT(test_tell(account, how, 0) == HEIST_OK && wait_for(&waiting, 1));
	for (int i = 0; i < EACH; i++)
		EXPECT(test_tell(account, &ADD, 1) == HEIST_OK);
	return s;
}

static void answer(heist_system *s)
{
	EXPECT(test_tell(server, &ADD, 1) == HEIST_OK && wait_for(&answered, 1));
	EXPECT(wait_for(&turns, EACH + 2));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(interleaving, messages_are_handled_while_an_answer_is_awaited)
{
	heist_system *s = ask_and_add(&ASK);
	EXPECT(wait_for(&meanwhile, EACH) && answered == 0);
	answer(s);
}

TEST(interleaving, none_is_after_hold)
{
	heist_system *s = ask_and_add(&ASK_HOLD);
	answer(s);
	EXPECT(meanwhile == 0 && held_meanwhile == 0);
}
