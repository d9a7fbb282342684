/* SPDX-License-Identifier: BSD-2-Clause
 * Silence: told once, not early, at most a quarter late; whatever a busy actor does in between. */
#include "tests/support/clock.h"

#define PERIOD (1000 * TEST_MS)

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
enum { NOTHING, WATCH, UNWATCH, ASK, CRASH, BECOME, HOLD };

static int told, handled, lives, calm_handled;
static uint64_t when;
static heist_ref other, late;
static heist_token owed;
static bool rewatch;
static uint64_t rewatch_for;

static void answered(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	(void)state, (void)status, (void)reply, (void)user;
	if (rewatch)
		EXPECT(heist_idle_after(ctx, rewatch_for) == HEIST_OK);
}

static heist_next calm(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	calm_handled++;
	return HEIST_CONTINUE;
}

static heist_next on_message(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t nothing = NOTHING;
	(void)state;
	handled++;
	switch (*(uint64_t *)msg) {
	case WATCH:
		EXPECT(heist_idle_after(ctx, PERIOD) == HEIST_OK);
		break;
	case UNWATCH:
		EXPECT(heist_idle_after(ctx, 0) == HEIST_OK);
		break;
	case ASK:
		EXPECT(heist_ask(ctx, other, type, &nothing, test_now + PERIOD / 2, answered, 0) ==
		       HEIST_OK);
		break;
	case HOLD:
		EXPECT(heist_ask(ctx, late, type, &nothing, 0, answered, 0) == HEIST_OK);
		EXPECT(heist_hold(ctx) == HEIST_OK);
		break;
	case CRASH:
		return HEIST_FAIL;
	case BECOME:
		heist_become(ctx, calm);
		break;
	}
	return HEIST_CONTINUE;
}

static heist_next on_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)state;
	if (sig->kind == HEIST_SIG_IDLE && sig->who.v == heist_self(ctx).v) {
		told++;
		when = test_now;
	}
	return sig->kind == HEIST_SIG_IDLE && told == 9 ? HEIST_STOP : HEIST_CONTINUE;
}

static heist_next on_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	lives++;
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = on_init, .signal = on_signal };
static const heist_class listener = { "listener", HEIST_ABI, 0, on_message, &hooks };
static const heist_class plain = { "plain", HEIST_ABI, 0, calm, NULL };

static heist_next owe(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	owed = heist_reply_later(ctx, type);
	return HEIST_CONTINUE;
}
static const heist_class debtor = { "debtor", HEIST_ABI, 0, owe, NULL };

static heist_system *start(heist_ref *a)
{
	heist_config c = test_clock_config();
	heist_system *s;
	told = handled = lives = calm_handled = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	*a = test_spawn(s, &listener, NULL);
	other = test_spawn(s, &plain, NULL);
	late = test_spawn(s, &debtor, NULL);
	rewatch = false;
	return s;
}

static void tell(heist_system *s, heist_ref a, uint64_t what)
{
	EXPECT(test_tell(a, &WORD, what) == HEIST_OK);
	test_run(s);
}

TEST(idle, told_once_for_each_silence)
{
	heist_ref a;
	heist_system *s = start(&a);
	test_pass(s, 5 * PERIOD);
	EXPECT(told == 0); /* nobody asked for it */
	tell(s, a, WATCH);
	uint64_t began = test_now;
	test_pass(s, 10 * PERIOD);
	EXPECT(told == 1 && when >= began + PERIOD && when <= began + PERIOD + PERIOD / 4 + 8);
	EXPECT(heist_poll_deadline(s) == 0); /* nothing looks any more */
	tell(s, a, NOTHING);
	began = test_now;
	test_pass(s, 10 * PERIOD);
	EXPECT(told == 2 && when >= began + PERIOD && when <= began + PERIOD + PERIOD / 4 + 8);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(idle, not_while_messages_come)
{
	heist_ref a;
	heist_system *s = start(&a);
	tell(s, a, WATCH);
	for (int i = 0; i < 50; i++) {
		test_pass(s, PERIOD * 99 / 100);
		tell(s, a, NOTHING);
		EXPECT(told == 0);
	}
	uint64_t last = test_now;
	test_pass(s, 3 * PERIOD);
	EXPECT(told == 1 && when >= last + PERIOD && when <= last + PERIOD + PERIOD / 4 + 8);
	EXPECT(handled == 51);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(idle, replies_count_and_a_new_behaviour_stays)
{
	heist_ref a;
	heist_system *s = start(&a);
	tell(s, a, WATCH);
	test_pass(s, PERIOD / 2);
	tell(s, a, ASK); /* answered at once, or at its deadline */
	test_pass(s, PERIOD * 9 / 10);
	EXPECT(told == 0);
	tell(s, a, BECOME);
	test_pass(s, PERIOD * 2);
	EXPECT(told == 1);
	tell(s, a, NOTHING);
	EXPECT(calm_handled >= 1 && handled == 3);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* It holds, has a message to handle afterwards, and a look at its silence has passed. */
static heist_system *start_holding(heist_ref *a)
{
	heist_system *s = start(a);
	tell(s, *a, WATCH);
	tell(s, *a, HOLD);
	tell(s, *a, NOTHING);
	test_pass(s, PERIOD / 2);
	EXPECT(handled == 2 && told == 0);
	return s;
}

static void pay(heist_system *s)
{
	EXPECT(heist_reply_to(owed, HEIST_OK, &WORD, &(uint64_t){ 1 }) == HEIST_OK);
	test_run(s);
}

TEST(idle, an_answer_ends_a_hold_that_was_silent)
{
	heist_ref a;
	heist_system *s = start_holding(&a);
	pay(s);
	EXPECT(handled == 3);
	uint64_t last = test_now;
	test_pass(s, 3 * PERIOD);
	EXPECT(told == 1 && when >= last + PERIOD && when <= last + PERIOD + PERIOD / 4 + 8);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(idle, a_continuation_that_ends_a_hold_may_watch_or_give_up)
{
	for (rewatch_for = 0; rewatch_for <= PERIOD; rewatch_for += PERIOD) {
		heist_ref a;
		heist_system *s = start_holding(&a);
		rewatch = true;
		pay(s);
		EXPECT(handled == 3);
		test_pass(s, 3 * PERIOD);
		EXPECT(told == (rewatch_for != 0));
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(idle, a_stop_waits_for_a_hold_that_was_silent)
{
	heist_ref a;
	heist_system *s = start_holding(&a);
	EXPECT(heist_stop(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(test_tell(a, &WORD, NOTHING) == HEIST_OK);
	pay(s);
	EXPECT(handled >= 3 && test_tell(a, &WORD, NOTHING) == HEIST_EDEAD);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(idle, given_up_renewed_and_ended_by_the_hook)
{
	heist_ref a;
	heist_system *s = start(&a);
	tell(s, a, WATCH);
	test_pass(s, PERIOD / 2);
	tell(s, a, UNWATCH);
	tell(s, a, NOTHING);
	test_pass(s, 5 * PERIOD);
	EXPECT(told == 0 && heist_poll_deadline(s) == 0);
	tell(s, a, WATCH);
	test_pass(s, PERIOD / 2);
	tell(s, a, WATCH);
	test_pass(s, PERIOD * 3 / 4);
	EXPECT(told == 0);
	told = 8;
	test_pass(s, PERIOD);
	EXPECT(told == 9 && test_tell(a, &WORD, NOTHING) == HEIST_EDEAD);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(idle, gone_with_a_restart)
{
	heist_config c = test_clock_config();
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref boss, a;
	heist_system *s;
	told = handled = lives = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	child.cls = &listener;
	sup.children = &child;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &boss, &a) == HEIST_OK);
	test_run(s);
	tell(s, a, WATCH);
	tell(s, a, CRASH);
	EXPECT(lives == 2);
	test_pass(s, 5 * PERIOD);
	EXPECT(told == 0);
	tell(s, a, NOTHING);
	EXPECT(handled == 3);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
