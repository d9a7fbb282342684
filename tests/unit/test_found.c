/* SPDX-License-Identifier: BSD-2-Clause
 * What the fuzzer of tests/fuzz has found, as the smallest programs that show it; the rest are inputs in
 * tests/fuzz/corpus. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "sched/policy.h"
#include "tests/support/clock.h"
#include "tests/support/memory.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type UNIT = { .base = &UNIT, .name = "unit", .size = 8, .reply_size = 1 };

/* ---- scripts: what an actor does when it gets number n ---- */

static heist_next (*script)(heist_ctx *, uint64_t n);

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	return script ? script(ctx, *(uint64_t *)msg) : HEIST_CONTINUE;
}

static heist_next on_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state, (void)sig;
	return HEIST_CONTINUE;
}

static const heist_hooks hooks = { .signal = on_signal };
static const heist_class player = { "player", HEIST_ABI, 0, recv, &hooks };

static struct counted_memory memory;

/* Polled, with a clock that is ours, memory that is filled with rubbish when it goes, and events. */
static heist_system *start(uint32_t events)
{
	heist_config c = test_clock_config();
	heist_system *s = NULL;
	counted_init(&memory);
	c.alloc = counted_get;
	c.dealloc = counted_put;
	c.user = &memory;
	c.events = events;
	script = NULL;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void end(heist_system *s)
{
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(counted_balanced(&memory));
}

static void dump(heist_system *s)
{
	int fd = open("/dev/null", O_WRONLY);
	EXPECT(fd >= 0 && heist_dump_events(s, fd) == HEIST_OK);
	close(fd);
}

/* ---- events ---- */

static heist_ref watched;

static heist_next watch(heist_ctx *ctx, uint64_t n)
{
	(void)n;
	EXPECT(heist_monitor(ctx, watched) == HEIST_OK);
	return HEIST_CONTINUE;
}

/* A turn that began with a doorbell was written down with a signal in the place of a message type. */
TEST(found, the_turn_of_a_doorbell_has_no_type)
{
	heist_system *s = start(64);
	heist_ref a = test_spawn(s, &player, NULL);
	watched = test_spawn(s, &player, NULL);
	script = watch;
	test_run(s);
	EXPECT(test_tell(a, &UNIT, 0) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 1) == 1); /* the signal waits, with its doorbell */
	test_run(s);
	EXPECT(heist_kill(watched, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	dump(s);
	end(s);
}

/* ---- alarms ---- */

static long timeouts, inits;

static void on_timeout(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		       uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	EXPECT(status == HEIST_ETIMEOUT);
	timeouts++;
}

/* Whom it asks owes the answer for ever. */
static heist_next ask_init(heist_ctx *ctx, void *state, const void *arg)
{
	uint64_t n = 9;
	(void)state, (void)arg;
	inits++;
	EXPECT(heist_ask(ctx, watched, &WORD, &n, test_now + 10 * TEST_MS, on_timeout, 0) ==
	       HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_hooks ask_hooks = { .init = ask_init };
static const heist_class asking = { "asking", HEIST_ABI, 0, recv, &ask_hooks };

static heist_next fail_or_keep(heist_ctx *ctx, uint64_t n)
{
	if (n == 3)
		test_now += 10 * TEST_MS;
	if (n == 9)
		(void)heist_reply_later(ctx, &WORD);
	return n == 1 ? HEIST_FAIL : HEIST_CONTINUE;
}

/* The alarm of an incarnation that is over met the deadlines of the next one, and armed an armed timer. */
TEST(found, an_alarm_of_the_last_incarnation)
{
	heist_system *s = start(0);
	heist_child spec = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_opts o = heist_opts_default();
	heist_ref r, child;
	timeouts = inits = 0;
	script = fail_or_keep;
	watched = test_spawn(s, &player, NULL);
	o.batch = 1;
	spec.opts = &o;
	spec.cls = &asking;
	sup.children = &spec;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &r, &child) == HEIST_OK);
	test_run(s);
	EXPECT(inits == 1 && test_tell(child, &UNIT, 3) == HEIST_OK);
	for (int i = 0; i < 2 * SCHED_CLOCK_MESSAGES; i++) /* time passes, and is noticed ... */
		EXPECT(test_tell(child, &UNIT, 2) == HEIST_OK);
	EXPECT(test_tell(child, &UNIT, 1) == HEIST_OK); /* ... before it fails: the alarm waits */
	test_run(s);
	EXPECT(inits == 2 && timeouts == 0);
	test_pass(s, 5 * TEST_MS);
	EXPECT(timeouts == 0);
	test_pass(s, 10 * TEST_MS);
	EXPECT(timeouts == 1);
	end(s);
}
