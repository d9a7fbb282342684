/* SPDX-License-Identifier: BSD-2-Clause
 * Shutdown that does not end in time: who keeps it is told, nothing is skipped, and the next call goes on. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lockfree/seam.h"
#include "tests/support/threads.h"

static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };

static _Atomic long entered, leave, stops;
static char lines[4096];
static uint64_t virtual_now = 1;

static void on_log(void *user, const heist_log_line *line)
{
	size_t n = strlen(lines);
	(void)user;
	snprintf(lines + n, sizeof lines - n, "%s\n", line->text);
}

static void reset(void)
{
	entered = leave = stops = 0;
	lines[0] = '\0';
}

static heist_next hang(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	entered++;
	while (!leave)
		test_sleep_ms(1);
	return HEIST_CONTINUE;
}

static void count_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	stops++;
}

static const heist_hooks hang_hooks = { .stop = count_stop };
static const heist_class hanger = { "hanger", HEIST_ABI, 8, hang, &hang_hooks };

static heist_system *start(uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = workers;
	c.pin = HEIST_OFF;
	c.log = on_log;
	reset();
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

TEST(shutdown, a_handler_that_hangs_is_named)
{
	heist_straggler who[4];
	heist_system *s = start(2);
	heist_opts opts = heist_opts_default();
	heist_ref r;
	opts.mailbox_cap = 10; /* its handle has a bit for it */
	opts.batch = 3;	       /* and it has an extra         */
	EXPECT(heist_spawn(s, &hanger, &opts, NULL, &r) == HEIST_OK);
	EXPECT(heist_register(s, "db/main", r) == HEIST_OK);
	EXPECT(test_tell(r, &GO, 0) == HEIST_OK);
	EXPECT(wait_for(&entered, 1));
	EXPECT(heist_stragglers(s, who, 4) == 0); /* nobody has asked for an end */
	for (int calls = 1; calls <= 2; calls++) {
		EXPECT(heist_shutdown(s, heist_now(s) + 1) == HEIST_ETIMEOUT);
		EXPECT(heist_stragglers(s, NULL, 0) == 1);
		EXPECT(heist_stragglers(s, who, 4) == 1);
		EXPECT(who[0].actor.v == r.v && who[0].cls == &hanger);
		EXPECT(strcmp(who[0].name, "db/main") == 0);
		EXPECT(who[0].worker >= 0 && who[0].worker < 2);
		EXPECT(stops == 0);
	}
	EXPECT(strstr(lines, "(class hanger, name db/main) is still in its handler") != NULL);
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(stops == 1);
}

TEST(shutdown, all_that_hang_are_counted_and_only_they)
{
	heist_straggler one;
	heist_system *s = start(3);
	(void)test_spawn(s, &hanger, NULL); /* idle */
	for (int i = 1; i <= 2; i++) {
		EXPECT(test_tell(test_spawn(s, &hanger, NULL), &GO, 0) == HEIST_OK);
		EXPECT(wait_for(&entered, i));
	}
	EXPECT(heist_shutdown(s, heist_now(s) + 1) == HEIST_ETIMEOUT);
	EXPECT(heist_stragglers(s, &one, 1) == 2); /* the array is full */
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(stops == 3);
}

static _Atomic long calls;
static heist_ref called;
static _Atomic long answer;

static void *call_it(void *system)
{
	calls++;
	answer = heist_call(system, called, &GO, &(uint64_t){ 0 }, 0, NULL);
	return NULL;
}

/* Who calls while no worker can begin to ask: the call never starts, and is answered as the rest is lost. */
TEST(shutdown, a_call_that_has_not_begun_is_answered)
{
	pthread_t caller;
	heist_system *s = start(1);
	heist_stats t = heist_stats_default();
	calls = answer = 0;
	called = test_spawn(s, &hanger, NULL);
	EXPECT(test_tell(called, &GO, 0) == HEIST_OK);
	EXPECT(wait_for(&entered, 1));
	EXPECT(pthread_create(&caller, NULL, call_it, s) == 0);
	do /* the actor that asks for it is there, and waits for the only worker */
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	while (t.actors < 2);
	EXPECT(heist_shutdown(s, heist_now(s) + 1) == HEIST_ETIMEOUT);
	EXPECT(answer == 0);
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(pthread_join(caller, NULL) == 0 && answer == HEIST_ECLOSED);
}

TEST(shutdown, many_stragglers_are_not_all_logged)
{
	heist_system *s = start(12);
	for (int i = 1; i <= 11; i++)
		EXPECT(test_tell(test_spawn(s, &hanger, NULL), &GO, 0) == HEIST_OK);
	EXPECT(wait_for(&entered, 11));
	EXPECT(heist_shutdown(s, heist_now(s) + 1) == HEIST_ETIMEOUT);
	EXPECT(strstr(lines, "and 3 more actors") != NULL);
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(shutdown, the_latest_deadline_is_one)
{
	heist_system *s = start(2);
	for (int i = 0; i < 3; i++)
		(void)test_spawn(s, &hanger, NULL);
	EXPECT(heist_shutdown(s, UINT64_MAX) == HEIST_OK);
	EXPECT(stops == 3);
}

/* ---- a thread that is in a handler when others have been joined ---- */

static heist_thread *joined[8];
static _Atomic long joins = -1, joined_twice; /* -1: nobody counts */
static _Atomic bool hurry; /* from the first join on waits with a deadline end at once */

void __real_heist_thread_join(heist_thread *t);
void __wrap_heist_thread_join(heist_thread *t);
void __wrap_heist_thread_join(heist_thread *t)
{
	for (long i = 0; i < joins; i++)
		if (joined[i] == t) {
			joined_twice++;
			return;
		}
	if (joins >= 0 && joins < 8) {
		joined[joins++] = t;
		EXPECT(wait_for(&entered, 1));
	}
	__real_heist_thread_join(t);
}

enum heist_wait __real_heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t until);
enum heist_wait __wrap_heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t until);
enum heist_wait __wrap_heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t until)
{
	bool late = hurry && until && joins > 0;
	return late ? HEIST_WAIT_TIMEOUT : __real_heist_futex_wait(word, expected, until);
}

static heist_next tick(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	return joins > 0 ? hang(ctx, state, type, msg) : HEIST_CONTINUE;
}

static heist_next tick_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)state, (void)arg;
	EXPECT(heist_send_every(ctx, heist_self(ctx), &GO, &(uint64_t){ 0 }, 5000000, 5000000,
				HEIST_FIXED_DELAY, NULL) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_hooks ticker_hooks = { .init = tick_init, .stop = count_stop };
static const heist_class ticker = { "ticker", HEIST_ABI, 8, tick, &ticker_hooks };

TEST(shutdown, each_thread_is_joined_once)
{
	heist_opts alone = heist_opts_default();
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref r;
	reset();
	c.workers = 1;
	c.log = on_log;
	c.hog_ms = UINT32_MAX; /* no watchdog */
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	alone.own_thread = HEIST_ON;
	EXPECT(heist_spawn(s, &ticker, &alone, NULL, &r) == HEIST_OK);
	joins = joined_twice = 0;
	hurry = true;
	EXPECT(heist_shutdown(s, heist_in_ms(s, 20000)) == HEIST_ETIMEOUT);
	EXPECT(joins == 1 && entered == 1 && stops == 0);
	hurry = false;
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(joins == 3 && joined_twice == 0 && stops == 1); /* and the log's */
	joins = -1;
}

/* ---- stop hooks that take a second each, of a clock that only they move ---- */

static uint64_t on_clock(void *user, heist_clock which)
{
	(void)user, (void)which;
	return virtual_now;
}

static void slow_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	stops++;
	virtual_now += 1000000000u;
}

static heist_next ignore(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}
static const heist_hooks slow_hooks = { .stop = slow_stop };
static const heist_class slow = { "slow", HEIST_ABI, 0, ignore, &slow_hooks };

static heist_next parent_init(heist_ctx *ctx, void *state, const void *arg)
{
	heist_ref r;
	(void)state, (void)arg;
	for (int i = 0; i < 5; i++)
		EXPECT(heist_spawn_child(ctx, &slow, NULL, NULL, &r) == HEIST_OK);
	return HEIST_CONTINUE;
}

static void parent_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	EXPECT(stops % 6 == 5);
	stops++;
}
static const heist_hooks parent_hooks = { .init = parent_init, .stop = parent_stop };
static const heist_class parent = { "parent", HEIST_ABI, 0, ignore, &parent_hooks };

TEST(shutdown, stop_hooks_have_the_same_deadline)
{
	heist_straggler who[16];
	heist_config c = heist_config_default();
	heist_system *s;
	heist_status r;
	reset();
	c.mode = HEIST_POLLED;
	c.clock = on_clock;
	c.log = on_log;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 2; i++)
		(void)test_spawn(s, &parent, NULL);
	while (heist_poll(s, 0, 100) > 0)
		;
	/* half a second, and one more of grace */
	EXPECT(heist_shutdown(s, virtual_now + 500000000u) == HEIST_ETIMEOUT);
	EXPECT(stops == 2);
	EXPECT(heist_stragglers(s, who, 16) == 10);
	EXPECT(who[0].worker == -1 && (who[0].cls == &slow || who[0].cls == &parent));
	EXPECT(strstr(lines, "is still to be stopped") && strstr(lines, "and 2 more actors"));
	EXPECT(heist_send(who[0].actor, &GO, &virtual_now) == HEIST_ECLOSED);
	int calls = 1;
	while ((r = heist_shutdown(s, virtual_now)) == HEIST_ETIMEOUT) /* each call ends one */
		calls++;
	EXPECT(r == HEIST_OK && stops == 12 && calls <= 12);
}

static _Atomic long last_stops;

/* By the end of the shutdown there are no workers any more, and nobody who would wait for a new thread. */
static void stop_late(heist_ctx *ctx, void *state, heist_status why)
{
	heist_opts alone = heist_opts_default();
	heist_ref r;
	(void)state, (void)why;
	alone.own_thread = HEIST_ON;
	EXPECT(heist_spawn(heist_system_of(ctx), &hanger, &alone, NULL, &r) == HEIST_ECLOSED);
	EXPECT(heist_spawn(heist_system_of(ctx), &hanger, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_blocking_begin(ctx) == HEIST_OK && heist_blocking_end(ctx) == HEIST_OK);
	last_stops++;
}
static const heist_hooks late_hooks = { .stop = stop_late };
static const heist_class late_class = { "late", HEIST_ABI, 8, hang, &late_hooks };

TEST(shutdown, stop_hooks_at_the_end_begin_no_thread)
{
	long before = threads_now();
	last_stops = 0;
	for (int round = 1; round <= 10; round++) {
		heist_system *s = start(2);
		for (int i = 0; i < 3; i++)
			(void)test_spawn(s, &late_class, NULL);
		EXPECT(test_balanced(s));
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		EXPECT(threads_become(before) && last_stops == 3 * round);
	}
}
