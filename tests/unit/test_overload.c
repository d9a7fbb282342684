/* SPDX-License-Identifier: BSD-2-Clause
 * Overload: marks with hysteresis, told to the actor and to the user; and full mailboxes that redirect. */
#include <string.h>

#include "tests/support/clock.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
#define CRASH 999

static char told[64];
static int handled, others, hooks_on, hooks_off, lives;
static heist_ref hooked;

static heist_next on_message(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	handled++;
	if (heist_sender(ctx).v)
		EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
	return *(uint64_t *)msg == CRASH ? HEIST_FAIL : HEIST_CONTINUE;
}

static heist_next on_other(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	others++;
	if (heist_sender(ctx).v)
		EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next on_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)state;
	EXPECT(sig->kind == HEIST_SIG_OVERLOAD && sig->who.v == heist_self(ctx).v);
	strcat(told, sig->bits ? "+" : "-");
	return HEIST_CONTINUE;
}

static heist_next on_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	lives++;
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = on_init, .signal = on_signal };
static const heist_class listener = { "listener", HEIST_ABI, 0, on_message, &hooks };
static const heist_class other_class = { "other", HEIST_ABI, 0, on_other, NULL };

static void on_overload(void *user, heist_ref actor, bool on)
{
	(void)user;
	hooked = actor;
	*(on ? &hooks_on : &hooks_off) += 1;
}

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	c.overload = on_overload;
	c.log_level = HEIST_LOG_OFF;
	c.batch = 1; /* a poll of one turn handles one message */
	told[0] = 0;
	handled = others = hooks_on = hooks_off = lives = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static heist_opts marks(uint32_t high, uint32_t low)
{
	heist_opts o = heist_opts_default();
	o.overload_high = high;
	o.overload_low = low;
	return o;
}

static heist_ref spawn(heist_system *s, const heist_class *cls, heist_opts o)
{
	heist_ref r;
	EXPECT(heist_spawn(s, cls, &o, NULL, &r) == HEIST_OK);
	test_run(s);
	return r;
}

static void fill(heist_ref a, int n)
{
	for (int i = 0; i < n; i++)
		EXPECT(test_tell(a, &WORD, 1) == HEIST_OK);
}

static void handle_until(heist_system *s, int n)
{
	while (handled < n)
		EXPECT(heist_poll(s, 0, 1) == 1);
}

static void finish(heist_system *s)
{
	EXPECT(test_balanced(s) && heist_shutdown(s, 0) == HEIST_OK);
}

TEST(overload, marks_with_hysteresis)
{
	heist_system *s = start();
	heist_ref a = spawn(s, &listener, marks(10, 4));
	fill(a, 9);
	EXPECT(hooks_on == 0);
	fill(a, 1);
	EXPECT(hooks_on == 1 && hooked.v == a.v && hooks_off == 0);
	handle_until(s, 1);
	EXPECT(strcmp(told, "+") == 0); /* before the next message */
	fill(a, 1);
	handle_until(s, 5);
	EXPECT(hooks_on == 1 && hooks_off == 0); /* not told again between the marks */
	handle_until(s, 7);
	EXPECT(hooks_off == 1);
	handle_until(s, 8);
	EXPECT(strcmp(told, "+-") == 0);
	test_run(s);
	fill(a, 10);
	test_run(s);
	EXPECT(strcmp(told, "+-+-") == 0 && hooks_on == 2 && hooks_off == 2 && handled == 21);
	finish(s);
}

TEST(overload, what_is_over_by_its_turn_is_not_told)
{
	heist_system *s = start();
	heist_ref a = spawn(s, &listener, marks(2, 0)); /* low: 1 */
	fill(a, 2);
	test_run(s);
	EXPECT(hooks_on == 1 && hooks_off == 1 && strcmp(told, "+-") == 0);
	fill(a, 1);
	test_run(s);
	EXPECT(strcmp(told, "+-") == 0);
	finish(s);
}

TEST(overload, marks_and_a_bound)
{
	heist_system *s = start();
	heist_opts o = marks(4, 1);
	o.mailbox_cap = 6;
	heist_ref a = spawn(s, &listener, o);
	fill(a, 6);
	EXPECT(test_tell(a, &WORD, 1) == HEIST_EFULL && hooks_on == 1);
	test_run(s);
	EXPECT(handled == 6 && strcmp(told, "+-") == 0);
	finish(s);
}

TEST(overload, an_actor_that_ends_and_one_that_is_restarted)
{
	heist_system *s = start();
	heist_ref a = spawn(s, &listener, marks(3, 1)), boss, b;
	fill(a, 5);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(handled == 0 && heist_lost_count(s, HEIST_LOST_STOPPED) == 5);
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_opts o = marks(3, 1);
	child.cls = &listener;
	child.opts = &o;
	sup.children = &child;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &boss, &b) == HEIST_OK);
	test_run(s);
	told[0] = 0;
	lives = 0;
	EXPECT(test_tell(b, &WORD, CRASH) == HEIST_OK);
	fill(b, 6);
	test_run(s);
	EXPECT(lives == 1 && strcmp(told, "++-") == 0); /* each incarnation knows */
	finish(s);
}

TEST(overload, a_full_mailbox_redirects)
{
	heist_system *s = start();
	heist_opts o = heist_opts_default();
	heist_stats t = heist_stats_default();
	o.mailbox_cap = 2;
	heist_ref third = spawn(s, &other_class, o);
	o.overflow = HEIST_REDIRECT;
	o.redirect = third;
	heist_ref second = spawn(s, &other_class, o);
	o.redirect = second;
	heist_ref first = spawn(s, &listener, o);
	fill(first, 4);
	void *m = heist_new(s, &WORD, 0);
	EXPECT(heist_post(first, &m) == HEIST_OK && m == NULL);
	uint64_t n = 1;
	EXPECT(heist_send_urgent(first, &WORD, &n) == HEIST_OK);
	EXPECT(test_tell(first, &WORD, 1) == HEIST_EFULL); /* the third rejects */
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.refused == 1);
	EXPECT(t.redirected == 2 + 2 * 2 + 2);
	test_run(s);
	EXPECT(handled == 2 && others == 4);
	fill(first, 2);
	EXPECT(heist_call(s, first, &WORD, &n, heist_in_ms(s, 1), &n) == HEIST_OK);
	EXPECT(others + handled == 9);
	EXPECT(heist_kill(second, HEIST_OK) == HEIST_OK);
	test_run(s);
	fill(first, 2);
	EXPECT(test_tell(first, &WORD, 1) == HEIST_EFULL); /* nobody there */
	test_run(s);
	finish(s);
}
