/* SPDX-License-Identifier: BSD-2-Clause
 * Notification bits: coalesced, told before messages, to nobody else, over restarts, from handlers of signals. */
#include <errno.h>
#include <signal.h>

#include "tests/support/clock.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
#define CRASH 999

static uint64_t told[8];
static int tellings, messages, lives;
static heist_ref self;

static heist_next on_message(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	messages++;
	return *(uint64_t *)msg == CRASH ? HEIST_FAIL : HEIST_CONTINUE;
}

static heist_next on_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)state;
	EXPECT(sig->kind == HEIST_SIG_NOTIFY && sig->who.v == heist_self(ctx).v);
	told[tellings++ % 8] = sig->bits;
	return sig->bits == 0x80000000u ? HEIST_STOP : HEIST_CONTINUE;
}

static heist_next on_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	lives++;
	return HEIST_CONTINUE;
}

static const heist_hooks hooks = { .init = on_init, .signal = on_signal };
static const heist_class listener = { "listener", HEIST_ABI, 0, on_message, &hooks };
static const heist_class deaf = { "deaf", HEIST_ABI, 0, on_message, NULL };

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	tellings = messages = lives = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

TEST(notify, bits_are_told_in_one_before_what_waits)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &listener, NULL);
	test_run(s);
	for (uint64_t i = 0; i < 3; i++)
		EXPECT(test_tell(a, &WORD, i) == HEIST_OK);
	EXPECT(heist_notify(a, 1) == HEIST_OK && heist_notify(a, 4) == HEIST_OK);
	EXPECT(heist_notify(a, 1) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 1) == 1);
	EXPECT(tellings == 1 && told[0] == 5);
	test_run(s);
	EXPECT(tellings == 1 && messages == 3);
	EXPECT(heist_notify(a, 0) == HEIST_OK); /* nothing to tell */
	test_run(s);
	EXPECT(tellings == 1);
	EXPECT(heist_notify(a, 2) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 2 && told[1] == 2);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(notify, before_it_has_started)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &listener, NULL);
	EXPECT(heist_notify(a, 1u << 31 | 1) == HEIST_OK);
	test_run(s);
	EXPECT(lives == 1 && tellings == 1 && told[0] == (1u << 31 | 1));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Spawns from inside: then a slot that has just come free is used at once. */
static heist_next makes(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	self = test_spawn(heist_system_of(ctx), &listener, NULL);
	return HEIST_CONTINUE;
}
static const heist_class maker = { "maker", HEIST_ABI, 0, makes, NULL };

TEST(notify, nobody_is_told_what_was_for_another)
{
	heist_system *s = start();
	heist_ref m = test_spawn(s, &maker, NULL), a;
	EXPECT(test_tell(m, &WORD, 1) == HEIST_OK);
	test_run(s);
	a = self;
	EXPECT(heist_notify(a, 8) == HEIST_OK && heist_kill(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 0);
	EXPECT(heist_notify(a, 1) == HEIST_EDEAD);
	EXPECT(test_tell(m, &WORD, 1) == HEIST_OK);
	test_run(s);
	EXPECT((self.v & 0xfffffff) == (a.v & 0xfffffff) && self.v != a.v);
	EXPECT(heist_notify(a, 1) == HEIST_EDEAD);
	test_run(s);
	EXPECT(tellings == 0);
	EXPECT(heist_notify(self, 2) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 1 && told[0] == 2);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(notify, an_actor_without_a_hook_and_one_that_stops)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &deaf, NULL), b = test_spawn(s, &listener, NULL);
	EXPECT(heist_notify(a, 1) == HEIST_OK && test_tell(a, &WORD, 1) == HEIST_OK);
	EXPECT(heist_notify(b, 0x80000000u) == HEIST_OK); /* its hook answers STOP */
	EXPECT(test_tell(b, &WORD, 1) == HEIST_OK);
	test_run(s);
	EXPECT(messages == 1 && tellings == 1 && heist_lost_count(s, HEIST_LOST_STOPPED) == 1);
	EXPECT(test_tell(b, &WORD, 1) == HEIST_EDEAD && test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(notify, bits_wait_for_the_next_incarnation)
{
	heist_system *s = start();
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref boss, a;
	child.cls = &listener;
	child.backoff_min_ms = child.backoff_max_ms = 1;
	sup.children = &child;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &boss, &a) == HEIST_OK);
	test_run(s);
	EXPECT(test_tell(a, &WORD, CRASH) == HEIST_OK);
	test_run(s);
	EXPECT(lives == 1);
	EXPECT(heist_notify(a, 16) == HEIST_OK); /* it rests */
	test_run(s);
	EXPECT(tellings == 0);
	test_pass(s, 2 * TEST_MS);
	EXPECT(lives == 2 && tellings == 1 && told[0] == 16);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void handler(int number)
{
	(void)number;
	errno = 7;
	EXPECT(heist_notify(self, 1u << 5) == HEIST_OK && errno == 7);
}

static heist_next raises(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return raise(SIGUSR1) == 0 ? HEIST_CONTINUE : HEIST_FAIL;
}
static const heist_class raiser = { "raiser", HEIST_ABI, 0, raises, NULL };

TEST(notify, from_a_handler_of_signals)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &raiser, NULL);
	self = test_spawn(s, &listener, NULL);
	signal(SIGUSR1, handler);
	EXPECT(raise(SIGUSR1) == 0); /* on the host's thread */
	test_run(s);
	EXPECT(tellings == 1 && told[0] == 32);
	EXPECT(test_tell(a, &WORD, 1) == HEIST_OK); /* on the worker, in a handler of messages */
	test_run(s);
	EXPECT(tellings == 2 && told[1] == 32);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(notify, a_runtime_that_closes_or_has_gone)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &listener, NULL);
	test_run(s);
	EXPECT(heist_close(s) == HEIST_OK);
	EXPECT(heist_notify(a, 1) == HEIST_ECLOSED);
	test_run(s);
	EXPECT(tellings == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(heist_notify(a, 1) == HEIST_EDEAD);
	EXPECT(heist_notify((heist_ref){ 0 }, 1) == HEIST_EDEAD);
}
