/* SPDX-License-Identifier: BSD-2-Clause
 * Timers of actors under a clock that the test moves: when, how often, cancelled at every step, ended with
 * the actor, out of memory. */
#include <string.h>

#include "tests/support/clock.h"
#include "tests/support/memory.h"
#include "tests/support/rng.h"

/* ---- an actor that does what it is told, and a log of what reached it ---- */

enum verb { AFTER, EVERY, EVERY_DELAY, AT_WALL, CANCEL, STOP, AFTER_BIG, EVERY_BIG, AFTER_TO };

struct order {
	uint64_t verb, ns, first;
	heist_ref to;
};

struct tick {
	uint64_t n;
};

struct big {
	uint64_t n, more[30];
};

static long drops;
static heist_timer timer;	     /* the last one set */
static heist_ctx *canceller;	     /* a drop cancels it */
static heist_status cancelled_again; /* and is answered */
static void on_drop(void *payload)
{
	heist_ctx *ctx = canceller;
	(void)payload;
	drops++;
	canceller = NULL; /* once */
	if (ctx)
		cancelled_again = heist_cancel(ctx, timer);
}
static const heist_drops counting = { on_drop, NULL };
static const heist_type ORDER = {
	.base = &ORDER, .name = "order", .size = sizeof(struct order), .reply_size = 1
};
static const heist_type TICK = {
	.base = &TICK, .name = "tick", .size = sizeof(struct tick), .reply_size = 1
};
static const heist_type OWNED = { .base = &OWNED,
				  .name = "owned",
				  .size = sizeof(struct big),
				  .reply_size = 1,
				  .drops = &counting };
static const heist_type BIG = {
	.base = &BIG, .name = "big", .size = sizeof(struct big), .reply_size = 1
};

enum { LOG = 4096 };
static struct {
	uint64_t at, n;
} seen[LOG];
static uint64_t ticks, sequence;
static uint64_t busy_ns;       /* how long the handler of a tick takes */
static long busy_times;	       /* how many of them do */
static heist_next tick_answer; /* and what it says */
static bool panics;	       /* or it never returns */
static heist_status status;    /* of the last order */

static uint64_t at_tick(uint64_t i)
{
	EXPECT(i < ticks);
	return seen[i].at - TEST_S; /* since the beginning */
}

static heist_status obey(heist_ctx *ctx, const struct order *o)
{
	heist_ref self = heist_self(ctx), to = o->to.v ? o->to : self;
	struct tick t = { sequence };
	struct big b = { .n = sequence, .more = { [29] = 29 } };
	switch ((enum verb)o->verb) {
	case AFTER:
	case AFTER_TO:
		return heist_send_after(ctx, to, &TICK, &t, o->ns, &timer);
	case EVERY:
		return heist_send_every(ctx, to, &TICK, &t, o->first, o->ns, HEIST_FIXED_RATE,
					&timer);
	case EVERY_DELAY:
		return heist_send_every(ctx, to, &TICK, &t, o->first, o->ns, HEIST_FIXED_DELAY,
					&timer);
	case AT_WALL:
		return heist_send_at(ctx, to, &TICK, &t, o->ns, &timer);
	case CANCEL:
		return heist_cancel(ctx, timer);
	case AFTER_BIG:
		return heist_send_after(ctx, to, &OWNED, &b, o->ns, &timer);
	case EVERY_BIG:
		return heist_send_every(ctx, to, &BIG, &b, o->first, o->ns, HEIST_FIXED_RATE,
					&timer);
	case STOP:
		break;
	}
	return HEIST_OK;
}

static heist_next on_tick(heist_ctx *ctx, const heist_type *type, void *msg)
{
	struct big *b = msg; /* a tick is its beginning */
	if (type != &TICK)
		EXPECT(b->more[29] == 29);
	if (ticks < LOG) {
		seen[ticks].at = heist_now(heist_system_of(ctx));
		seen[ticks].n = b->n;
	}
	ticks++;
	if (busy_times-- > 0)
		test_now += busy_ns;
	if (panics)
		heist_panic(ctx, HEIST_EUSER);
	heist_next v = tick_answer;
	if (v == HEIST_AGAIN)
		tick_answer = HEIST_CONTINUE;
	return v;
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	if (type != &ORDER)
		return on_tick(ctx, type, msg);
	struct order *o = msg;
	if (o->verb == STOP)
		return HEIST_STOP;
	status = obey(ctx, o);
	sequence++;
	return HEIST_CONTINUE;
}
static const heist_class actor_class = { "actor", HEIST_ABI, 0, actor_recv, NULL };

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	ticks = sequence = 0;
	drops = busy_times = 0;
	tick_answer = HEIST_CONTINUE;
	panics = false;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void tell(heist_system *s, heist_ref a, struct order o)
{
	EXPECT(heist_send(a, &ORDER, &o) == HEIST_OK);
	test_run(s);
}

static heist_stats stats(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(test_conserved(&t));
	return t;
}

/* All actors end; then every timer that was set has fired or was cancelled. */
static void finish(heist_system *s, heist_ref *actor, int n)
{
	for (int i = 0; i < n; i++)
		heist_stop(actor[i], HEIST_OK);
	test_run(s);
	heist_stats t = stats(s);
	EXPECT(t.actors == 0);
	EXPECT(test_timers_over(&t));
	EXPECT(heist_poll_deadline(s) == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- when ---- */

TEST(runtime_timer, fires_at_its_instant)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	const uint64_t delay[] = { 0, 1, 999, 1000003, 5 * TEST_S, 365 * 86400 * TEST_S };
	for (unsigned i = 0; i < sizeof delay / sizeof *delay; i++) {
		uint64_t begin = test_now;
		tell(s, a, (struct order){ .verb = AFTER, .ns = delay[i] });
		EXPECT(status == HEIST_OK);
		if (delay[i]) {
			EXPECT(ticks == i);
			test_pass(s, delay[i] - 1);
			EXPECT(ticks == i);
		}
		test_pass(s, 1);
		EXPECT(ticks == i + 1 && seen[i].at == begin + delay[i]);
		EXPECT(heist_poll_deadline(s) == 0);
	}
	finish(s, &a, 1);
}

TEST(runtime_timer, s_fire_in_the_order_of_their_instants_and_of_their_arming)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	const uint64_t delay[] = { 30, 10, 20, 10, 0, 30 };
	const uint64_t order[] = { 4, 1, 3, 2, 0, 5 };
	for (unsigned i = 0; i < 6; i++)
		EXPECT(heist_send(a, &ORDER, &(struct order){ .verb = AFTER, .ns = delay[i] }) ==
		       HEIST_OK);
	test_pass(s, TEST_MS);
	EXPECT(ticks == 6);
	for (unsigned i = 0; i < 6; i++)
		EXPECT(seen[i].n == order[i]);
	finish(s, &a, 1);
}

TEST(runtime_timer, at_a_fixed_rate_keeps_to_the_grid_and_leaves_out_what_passes_while_busy)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = EVERY, .first = 5 * TEST_MS, .ns = 10 * TEST_MS });
	test_pass(s, 40 * TEST_MS);
	EXPECT(ticks == 4);
	for (uint64_t i = 0; i < 4; i++)
		EXPECT(at_tick(i) == (5 + 10 * i) * TEST_MS);
	busy_ns = 25 * TEST_MS; /* the one at 45 ends at 70 */
	busy_times = 1;
	test_pass(s, 5 * TEST_MS);
	/* what came due at 55 was waiting, 65 is left out, and the grid goes on */
	EXPECT(ticks == 6 && at_tick(4) == 45 * TEST_MS && at_tick(5) == 70 * TEST_MS);
	test_pass(s, 15 * TEST_MS);
	EXPECT(ticks == 8 && at_tick(6) == 75 * TEST_MS && at_tick(7) == 85 * TEST_MS);
	finish(s, &a, 1);
}

TEST(runtime_timer, at_a_fixed_delay_counts_from_the_end_of_the_handler)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	busy_ns = 3 * TEST_MS;
	busy_times = 100;
	tell(s, a, (struct order){ .verb = EVERY_DELAY, .first = 0, .ns = 10 * TEST_MS });
	test_pass(s, 35 * TEST_MS);
	EXPECT(ticks == 3);
	EXPECT(at_tick(0) == 0 && at_tick(1) == 13 * TEST_MS && at_tick(2) == 26 * TEST_MS);
	finish(s, &a, 1);
}

TEST(runtime_timer, at_a_wall_clock_instant_follows_the_wall_clock)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	uint64_t wall = test_wall;
	tell(s, a, (struct order){ .verb = AT_WALL, .ns = wall + 3600 * TEST_S });
	test_pass(s, 1800 * TEST_S);
	test_wall -= 600 * TEST_S; /* set back: it comes later */
	test_pass(s, 1800 * TEST_S);
	EXPECT(ticks == 0);
	test_pass(s, 600 * TEST_S);
	EXPECT(ticks == 1 && at_tick(0) == 4200 * TEST_S && test_wall == wall + 3600 * TEST_S);

	tell(s, a, (struct order){ .verb = AT_WALL, .ns = test_wall + 3600 * TEST_S });
	test_pass(s, 30 * TEST_S);
	test_wall += 7200 * TEST_S; /* set past it: within a minute */
	test_pass(s, 60 * TEST_S);
	EXPECT(ticks == 2);

	tell(s, a, (struct order){ .verb = AT_WALL, .ns = test_wall - 1 }); /* in the past: now */
	EXPECT(ticks == 3);
	finish(s, &a, 1);
}

/* ---- cancel ---- */

TEST(runtime_timer, cancelled_at_each_step_around_its_instant)
{
	for (uint64_t offset = 0; offset <= 4; offset++) {
		heist_system *s = start();
		heist_ref a = test_spawn(s, &actor_class, NULL);
		struct order cancel = { .verb = CANCEL };
		tell(s, a, (struct order){ .verb = AFTER, .ns = 3 });
		test_pass(s, offset);
		EXPECT(ticks == (offset >= 3));
		tell(s, a, cancel);
		EXPECT(status == (offset >= 3 ? HEIST_EDEAD : HEIST_OK));
		tell(s, a, cancel);
		EXPECT(status == HEIST_EDEAD);
		test_pass(s, TEST_S);
		EXPECT(ticks == (offset >= 3));
		finish(s, &a, 1);
	}
}

TEST(runtime_timer, cancelled_with_its_alarm_in_the_mailbox_is_not_handled)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	struct order cancel = { .verb = CANCEL };
	struct tick tick = { 0 };
	tell(s, a, (struct order){ .verb = AFTER, .ns = TEST_MS });
	/* the clock is read every 64 messages: the timer fires while the last of these still waits */
	for (int i = 0; i < 100; i++)
		EXPECT(heist_send(a, &TICK, &tick) == HEIST_OK);
	EXPECT(heist_send(a, &ORDER, &cancel) == HEIST_OK);
	test_now += 2 * TEST_MS;
	while (heist_poll_deadline(s) != 0)
		EXPECT(heist_poll(s, 0, 1) == 1);
	EXPECT(ticks < 100);
	test_run(s);
	EXPECT(status == HEIST_OK && ticks == 100);
	heist_stats t = stats(s);
	EXPECT(t.timers_cancelled == 1 && t.timers_fired == 0);
	finish(s, &a, 1);
}

/* Sets a timer for `to` and cancels it, with a message whose drop function cancels the same one. */
static heist_next cancelling_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	EXPECT(obey(ctx, msg) == HEIST_OK);
	canceller = ctx;
	EXPECT(heist_cancel(ctx, timer) == HEIST_OK);
	canceller = NULL;
	EXPECT(heist_cancel(ctx, timer) == HEIST_EDEAD);
	return HEIST_CONTINUE;
}
static const heist_class cancelling = { "cancelling", HEIST_ABI, 0, cancelling_recv, NULL };

TEST(runtime_timer, cancelled_when_its_message_is_dropped)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &cancelling, NULL);
	cancelled_again = HEIST_OK;
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = TEST_MS });
	EXPECT(drops == 1 && cancelled_again == HEIST_EDEAD);
	EXPECT(stats(s).timers_cancelled == 1);
	finish(s, &a, 1);
}

static heist_timer own;
static heist_next suicidal_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct tick t = { 0 };
	(void)state, (void)msg;
	if (type == &ORDER)
		EXPECT(heist_send_every(ctx, heist_self(ctx), &TICK, &t, 1, 1, HEIST_FIXED_DELAY,
					&own) == 0 &&
		       heist_send_every(ctx, heist_self(ctx), &TICK, &t, 1, 1, HEIST_FIXED_RATE,
					NULL) == 0);
	else if (++ticks == 1)
		EXPECT(heist_cancel(ctx, own) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class suicidal = { "suicidal", HEIST_ABI, 0, suicidal_recv, NULL };

TEST(runtime_timer, cancelled_by_its_own_message_does_not_come_again)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &suicidal, NULL);
	tell(s, a, (struct order){ 0 });
	test_pass(s, 10);
	EXPECT(ticks == 11); /* one of the first timer, ten of the second */
	finish(s, &a, 1);
}

TEST(runtime_timer, id_of_another_actor_or_of_nothing_is_refused)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL), b = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = AFTER, .ns = 1 });
	tell(s, b, (struct order){ .verb = CANCEL });
	EXPECT(status == HEIST_EDEAD);
	timer = 0;
	tell(s, a, (struct order){ .verb = CANCEL });
	EXPECT(status == HEIST_EDEAD);
	test_pass(s, 1);
	EXPECT(ticks == 1);
	finish(s, (heist_ref[]){ a, b }, 2);
}

/* ---- the actor, the receiver, the payload ---- */

TEST(runtime_timer, s_end_with_their_actor)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL), b = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = AFTER, .ns = TEST_MS });
	tell(s, a, (struct order){ .verb = AFTER_TO, .ns = TEST_MS, .to = b });
	tell(s, a, (struct order){ .verb = EVERY, .first = 1, .ns = TEST_MS });
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = TEST_MS });
	tell(s, a, (struct order){ .verb = STOP });
	heist_stats t = stats(s);
	EXPECT(t.timers_cancelled == 4 && drops == 1);
	test_pass(s, TEST_S);
	EXPECT(ticks == 0);
	finish(s, &b, 1);
}

TEST(runtime_timer, for_another_actor_is_sent_or_lost_with_a_cause)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL), b = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = EVERY, .first = 0, .ns = TEST_MS, .to = b });
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = 1, .to = b });
	test_pass(s, 2 * TEST_MS);
	EXPECT(ticks == 4 && drops == 0);
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = TEST_S, .to = b });
	tell(s, b, (struct order){ .verb = STOP });
	test_pass(s, 2 * TEST_S);
	EXPECT(ticks == 4 && drops == 1);
	EXPECT(heist_lost_count(s, HEIST_LOST_DEAD) == 2); /* the last period, and the big one */
	EXPECT(heist_poll_deadline(s) == 0);
	finish(s, &a, 1);
}

TEST(runtime_timer, payload_is_moved_once_and_copied_again_and_again)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = 1 });
	tell(s, a, (struct order){ .verb = EVERY_BIG, .first = 1, .ns = 10 });
	test_pass(s, 100);
	EXPECT(ticks == 11 && drops == 0);
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = 1 });
	tell(s, a, (struct order){ .verb = CANCEL });
	EXPECT(status == HEIST_OK && drops == 1);
	finish(s, &a, 1);
}

TEST(runtime_timer, message_may_be_refused_for_now_or_fail_its_actor)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	tell(s, a, (struct order){ .verb = AFTER, .ns = 1 });
	tick_answer = HEIST_AGAIN;
	test_pass(s, 1);
	EXPECT(ticks == 2); /* the same one twice */
	tell(s, a, (struct order){ .verb = AFTER_BIG, .ns = 1 });
	tell(s, a, (struct order){ .verb = EVERY_DELAY, .first = 1, .ns = 1 });
	tick_answer = HEIST_FAIL;
	test_pass(s, 10);
	EXPECT(ticks == 3 && drops == 1);
	EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == 1);
	panics = true;
	for (int i = 0; i < 4; i++) {
		const enum verb verb[] = { AFTER, AFTER_BIG, EVERY_DELAY, EVERY_BIG };
		a = test_spawn(s, &actor_class, NULL);
		tell(s, a, (struct order){ .verb = verb[i], .ns = 1, .first = 1 });
		test_pass(s, 10);
		EXPECT(ticks == 4 + (uint64_t)i);
	}
	EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == 5 && drops == 2);
	finish(s, &a, 1);
}

/* ---- many ---- */

TEST(runtime_timer, s_set_and_cancelled_at_random_fire_exactly_if_not_cancelled)
{
	enum { ACTORS = 20 };
	heist_system *s = start();
	heist_ref a[ACTORS];
	struct rng r = rng_seed(1);
	for (int i = 0; i < ACTORS; i++)
		a[i] = test_spawn(s, &actor_class, NULL);
	uint64_t set = 0, cancelled = 0;
	for (int i = 0; i < 20000; i++) {
		uint32_t who = rng_below(&r, ACTORS);
		tell(s, a[who],
		     (struct order){ .verb = AFTER,
				     .ns = rng_next(&r) >> (34 + rng_below(&r, 30)) });
		set++;
		if (rng_below(&r, 2) == 0) {
			if (rng_below(&r, 2))
				test_pass(s, rng_below(&r, 1000));
			tell(s, a[who], (struct order){ .verb = CANCEL });
			cancelled += status == HEIST_OK;
		}
		test_pass(s, rng_below(&r, 100000));
		EXPECT(ticks <= set - cancelled);
	}
	test_pass(s, 2 * TEST_S);
	EXPECT(ticks == set - cancelled && cancelled > 1000);
	heist_stats t = stats(s);
	EXPECT(t.timers_fired == ticks && t.timers_cancelled == cancelled);
	finish(s, a, ACTORS);
}

/* All set, then all cancelled; HEIST_TEST_TIMERS says how many (10000000 is the promise). */
static uint64_t many(void)
{
	const char *n = getenv("HEIST_TEST_TIMERS");
	return n ? strtoull(n, NULL, 10) : 50000;
}

static heist_next hoarder_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	static heist_timer *mine;
	struct order *o = msg;
	struct tick t = { 0 };
	(void)state, (void)type;
	if (o->verb == AFTER && !mine)
		EXPECT((mine = malloc(o->ns * sizeof *mine)) != NULL);
	for (uint64_t i = 0; i < o->ns; i++)
		if (o->verb == AFTER)
			EXPECT(heist_send_after(ctx, heist_self(ctx), &TICK, &t, TEST_S + i * 977,
						&mine[i]) == 0);
		else
			EXPECT(heist_cancel(ctx, mine[(i * 7919 + 1) % o->ns]) == HEIST_OK);
	if (o->verb == CANCEL) {
		free(mine);
		mine = NULL;
	}
	return HEIST_CONTINUE;
}
static const heist_class hoarder = { "hoarder", HEIST_ABI, 0, hoarder_recv, NULL };

TEST(runtime_timer, s_armed_and_cancelled_by_the_million_leave_no_memory_behind)
{
	static struct counted_memory memory;
	heist_config c = test_clock_config();
	heist_system *s;
	long before = 0;
	counted_init(&memory);
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref a = test_spawn(s, &hoarder, NULL);
	for (int round = 0; round < 4; round++) {
		tell(s, a, (struct order){ .verb = AFTER, .ns = many() });
		tell(s, a, (struct order){ .verb = CANCEL, .ns = many() });
		EXPECT(heist_poll_deadline(s) == 0);
		if (round == 1)
			before = memory.bytes;
	}
	EXPECT(memory.bytes <= before);
	heist_stats t = stats(s);
	EXPECT(t.timers_armed == 4 * many() && t.timers_cancelled == 4 * many());
	finish(s, &a, 1);
	EXPECT(counted_balanced(&memory));
}

/* ---- no memory ---- */

static void scenario(struct counted_memory *memory, long fail_at)
{
	heist_config c = test_clock_config();
	heist_system *s;
	counted_init(memory);
	c.user = memory;
	c.alloc = memory->hook.alloc;
	c.dealloc = memory->hook.dealloc;
	ticks = 0;
	drops = busy_times = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref a = test_spawn(s, &actor_class, NULL);
	test_run(s);
	long first = memory->calls;
	uint64_t once = 0, big = 0, periodic = 0;
	if (fail_at)
		memory->fail_at = first + fail_at;
	for (int i = 0; i < 6; i++) { /* the sixth needs a larger table */
		struct order o = { .verb = i % 2 ? AFTER_BIG : AFTER, .ns = 10 };
		if (heist_send(a, &ORDER, &o) != HEIST_OK)
			continue;
		test_run(s);
		EXPECT(status == HEIST_OK || status == HEIST_ENOMEM);
		(i % 2 ? &big : &once)[0] += status == HEIST_OK;
	}
	if (heist_send(a, &ORDER,
		       &(struct order){ .verb = EVERY_BIG, .first = 5, .ns = TEST_MS }) ==
	    HEIST_OK) {
		test_run(s);
		periodic += status == HEIST_OK;
	}
	test_pass(s, 20);
	counted_fail(memory, false); /* there is memory again: what waited comes */
	test_pass(s, 2 * TEST_MS);
	EXPECT(drops == 0 && ticks >= once + big + periodic);
	EXPECT(periodic || ticks == once + big);
	finish(s, &a, 1);
	EXPECT(counted_balanced(memory));
}

TEST(runtime_timer, without_memory_is_refused_or_late_but_never_forgotten)
{
	static struct counted_memory memory;
	for (long fail_at = 0; fail_at < 40; fail_at++)
		scenario(&memory, fail_at);
}

/* ---- the clock ---- */

/* What there was no memory for at 20 ms comes a millisecond later; for the actor itself, and for another. */
TEST(runtime_timer, without_memory_keeps_to_its_grid)
{
	static struct counted_memory memory;
	for (int other = 0; other < 2; other++) {
		heist_config c = test_clock_config();
		heist_system *s;
		counted_init(&memory);
		c.user = &memory;
		c.alloc = memory.hook.alloc;
		c.dealloc = memory.hook.dealloc;
		ticks = 0;
		busy_times = 0;
		EXPECT(heist_start(&c, &s) == HEIST_OK);
		heist_ref a[] = { test_spawn(s, &actor_class, NULL),
				  test_spawn(s, &actor_class, NULL) };
		tell(s, a[0],
		     (struct order){ .verb = EVERY_BIG,
				     .first = 10 * TEST_MS,
				     .ns = 10 * TEST_MS,
				     .to = other ? a[1] : a[0] });
		test_pass(s, 15 * TEST_MS);
		memory.fail_once = memory.calls + 1;
		test_pass(s, 25 * TEST_MS);
		EXPECT(ticks == 4 && at_tick(0) == 10 * TEST_MS && at_tick(1) == 21 * TEST_MS);
		EXPECT(at_tick(2) == 30 * TEST_MS && at_tick(3) == 40 * TEST_MS);
		counted_fail(&memory, true);
		test_pass(s, 25 * TEST_MS); /* from 50 on, again and again */
		counted_fail(&memory, false);
		test_pass(s, 15 * TEST_MS);
		EXPECT(ticks == 7 && at_tick(4) == 66 * TEST_MS);
		EXPECT(at_tick(5) == 70 * TEST_MS && at_tick(6) == 80 * TEST_MS);
		finish(s, a, 2);
		EXPECT(counted_balanced(&memory));
	}
}

TEST(runtime_timer, clock_of_the_users_own_needs_a_polled_runtime)
{
	heist_config c = test_clock_config();
	heist_system *s;
	c.mode = HEIST_THREADS;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL);
}

static const heist_type QUESTION = {
	.base = &QUESTION, .name = "question", .size = 8, .reply_size = 8
};

static heist_next silent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	EXPECT(heist_reply_later(ctx, type).v[0] != 0);
	return HEIST_CONTINUE;
}
static const heist_class silent = { "silent", HEIST_ABI, 0, silent_recv, NULL };

TEST(runtime_timer, call_that_only_the_clock_could_end_returns)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &silent, NULL);
	uint64_t n = 0, reply;
	EXPECT(heist_call(s, a, &QUESTION, &n, test_now + 1, &reply) == HEIST_ETIMEOUT);
	test_pass(s, 1);
	EXPECT(heist_poll_deadline(s) == 0);
	finish(s, &a, 1);
}
