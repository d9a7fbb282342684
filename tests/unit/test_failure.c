/* SPDX-License-Identifier: BSD-2-Clause
 * Failure: handlers, hooks and continuations that answer FAIL or panic, at every place a run can be. */
#include <string.h>

#include "tests/support/runtime.h"

enum order { WORK, PANIC, FAIL_, TAKE_PANIC, ASK_PANIC, REPLY_PANIC, DEADLINE_PANIC, REPLY };

static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 8, .reply_size = 8 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 500, .reply_size = 8 };

#define CODE ((heist_status)(HEIST_EUSER - 7))

static _Atomic long worked, stopped, init_count, answers;
static _Atomic int last_why, last_answer;

static void reset(void)
{
	worked = stopped = init_count = answers = 0;
	last_why = last_answer = 0;
}

static __attribute__((noinline)) int dive(heist_ctx *ctx, heist_status why, int depth)
{
	volatile char room[64];
	memset((char *)(uintptr_t)room, depth, sizeof room);
	if (depth == 0 && why)
		heist_panic(ctx, why);
	return depth == 0 ? 0 : dive(ctx, why, depth - 1) + room[depth % 64];
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)state, (void)reply;
	atomic_fetch_add(&answers, 1);
	last_answer = status;
	if (user)
		heist_panic(ctx, CODE);
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t order = *(uint64_t *)msg & 0xff, zero = WORK;
	heist_system *s = heist_system_of(ctx);
	(void)state;
	switch (order) {
	case PANIC:
		dive(ctx, CODE, 100);
		break;
	case FAIL_:
		return HEIST_FAIL;
	case TAKE_PANIC: {
		void *mine = heist_take(ctx, msg);
		EXPECT(mine != NULL);
		heist_discard(&mine);
		heist_panic(ctx, CODE);
	}
	case ASK_PANIC: /* asks itself, and panics in the continuation */
		zero = REPLY;
		EXPECT(heist_ask(ctx, heist_self(ctx), &ORDER, &zero, 0, on_answer, 1) == HEIST_OK);
		break;
	case REPLY_PANIC:
		EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
		heist_panic(ctx, CODE);
	case DEADLINE_PANIC:
		EXPECT(heist_ask(ctx, *(heist_ref *)(void *)((char *)msg + 8), &ORDER, &zero,
				 heist_in_ms(s, 5), on_answer, 1) == HEIST_OK);
		break;
	case REPLY:
		EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
		break;
	}
	atomic_fetch_add(&worked, 1);
	return HEIST_CONTINUE;
}

static void actor_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	last_why = why;
	atomic_fetch_add(&stopped, 1);
}
static const heist_hooks hooks = { .stop = actor_stop };
static const heist_class actor_class = { "actor", HEIST_ABI, 100, actor_recv, &hooks };

/* True once nobody is alive: an actor's handle is stale only after its stop hook has returned. */
static bool nobody_left(heist_system *s)
{
	heist_stats t = heist_stats_default();
	for (int tries = 0; tries < 20000; tries++) {
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
		if (t.actors == 0)
			return true;
		test_sleep_ms(1);
	}
	return false;
}

/* An actor that gets `before` orders to work, then `order`, then `after` more; how it ended. */
static void try_order(uint32_t workers, enum order order, int before, int after)
{
	heist_system *s = test_start(workers);
	heist_stats t = heist_stats_default();
	reset();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	for (int i = 0; i < before; i++)
		EXPECT(test_tell(a, &ORDER, WORK) == HEIST_OK);
	heist_status sent = test_tell(a, &ORDER, order);
	EXPECT(sent == HEIST_OK);
	int accepted = 0;
	for (int i = 0; i < after; i++)
		accepted += test_tell(a, &ORDER, WORK) == HEIST_OK;
	EXPECT(wait_for(&stopped, 1) && nobody_left(s));
	EXPECT(test_tell(a, &ORDER, WORK) == HEIST_EDEAD);
	EXPECT(test_balanced(s));
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(t.actors == 0 && stopped == 1);
	bool taken = order == TAKE_PANIC;
	EXPECT(t.lost[HEIST_LOST_FAILED] == !taken);
	EXPECT(worked >= before);
	if (order <= TAKE_PANIC) {
		EXPECT(worked == before);
		EXPECT(t.handled == (uint64_t)before + taken);
		EXPECT(t.lost[HEIST_LOST_STOPPED] + t.lost[HEIST_LOST_DEAD] == (uint64_t)accepted);
	}
	EXPECT(last_why == (order == FAIL_ ? HEIST_ECRASH : CODE));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(failure, of_a_handler)
{
	for (int workers = 1; workers <= 2; workers++)
		for (int before = 0; before < 200; before += before < 20 ? 1 : 45)
			for (enum order o = PANIC; o <= TAKE_PANIC; o++) {
				try_order((uint32_t)workers, o, before, 0);
				try_order((uint32_t)workers, o, before, 30);
			}
}

TEST(failure, of_a_continuation)
{
	try_order(1, ASK_PANIC, 0, 0);
	try_order(1, ASK_PANIC, 10, 10);
	EXPECT(last_answer == HEIST_OK);
}

TEST(failure, after_the_reply)
{
	heist_system *s = test_start(1);
	heist_ref a = test_spawn(s, &actor_class, NULL);
	uint64_t order = REPLY_PANIC, reply = 0;
	reset();
	EXPECT(heist_call(s, a, &ORDER, &order, 0, &reply) == HEIST_OK);
	EXPECT(reply == REPLY_PANIC);
	EXPECT(wait_for(&stopped, 1));
	EXPECT(test_balanced(s));
	EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(failure, before_the_reply)
{
	for (enum order o = PANIC; o <= TAKE_PANIC; o++)
		for (int big = 0; big < 2; big++) {
			heist_system *s = test_start(1);
			heist_ref a = test_spawn(s, &actor_class, NULL);
			uint64_t order[63] = { o }, reply = 0;
			reset();
			EXPECT(heist_call(s, a, big ? &BIG : &ORDER, order, 0, &reply) ==
			       HEIST_ECRASH);
			EXPECT(wait_for(&stopped, 1));
			EXPECT(test_balanced(s));
			EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == (o != TAKE_PANIC));
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		}
}

static heist_next silent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	EXPECT(heist_reply_later(ctx, type).v[0] != 0);
	return HEIST_CONTINUE;
}
static const heist_class silent_class = { "silent", HEIST_ABI, 0, silent_recv, NULL };

TEST(failure, when_a_deadline_passes)
{
	heist_system *s = test_start(1);
	heist_ref silent = test_spawn(s, &silent_class, NULL);
	uint64_t order[63] = { DEADLINE_PANIC, silent.v };
	reset();
	EXPECT(heist_send(test_spawn(s, &actor_class, NULL), &BIG, order) == HEIST_OK);
	EXPECT(wait_for(&stopped, 1));
	EXPECT(last_why == CODE && last_answer == HEIST_ETIMEOUT);
	EXPECT(test_balanced(s));
	EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- hooks ---- */

static heist_next bad_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)state, (void)arg;
	if (atomic_fetch_add(&init_count, 1) % 2)
		return HEIST_FAIL;
	heist_panic(ctx, CODE);
}
static const heist_hooks bad_init_hooks = { .init = bad_init, .stop = actor_stop };
static const heist_class bad_init_class = { "bad_init", HEIST_ABI, 100, actor_recv,
					    &bad_init_hooks };

TEST(failure, of_init)
{
	heist_system *s = test_start(2);
	reset();
	for (int i = 0; i < 1000; i++) {
		heist_ref r = test_spawn(s, &bad_init_class, NULL);
		heist_status st = test_tell(r, &ORDER, WORK);
		EXPECT(st == HEIST_OK || st == HEIST_EDEAD);
	}
	EXPECT(wait_for(&stopped, 1000));
	EXPECT(last_why == HEIST_EINIT && worked == 0 && init_count == 1000);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void bad_stop(heist_ctx *ctx, void *state, heist_status why)
{
	actor_stop(ctx, state, why);
	dive(ctx, CODE, 10);
}
static const heist_hooks bad_stop_hooks = { .stop = bad_stop };
static const heist_class bad_stop_class = { "bad_stop", HEIST_ABI, 100, actor_recv,
					    &bad_stop_hooks };

TEST(failure, of_stop)
{
	heist_system *s = test_start(1);
	reset();
	heist_ref r = test_spawn(s, &bad_stop_class, NULL);
	test_tell(r, &ORDER, PANIC);
	EXPECT(wait_for(&stopped, 1));
	EXPECT(last_why == CODE);
	r = test_spawn(s, &bad_stop_class, NULL);
	EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK);
	EXPECT(wait_for(&stopped, 2));
	EXPECT(last_why == HEIST_OK);
	(void)test_spawn(s, &bad_stop_class, NULL); /* and one for the shutdown */
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(stopped == 3);
}

/* ---- a crowd: workers that defer their sends, slots that are used again at once ---- */

static heist_next crowd_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)state;
	memcpy(state, arg, 8);
	if (*(const uint64_t *)arg % 17 == 3)
		heist_panic(ctx, CODE);
	return HEIST_CONTINUE;
}

static const heist_class crowd_class;

/* Passes the ball on to a fresh actor; one in eleven panics after that. */
static heist_next crowd_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, *id = state;
	uint64_t heir = *id * 7 + n;
	heist_ref next;
	if (n > 0 &&
	    heist_spawn(heist_system_of(ctx), &crowd_class, NULL, &heir, &next) == HEIST_OK) {
		n--;
		heist_send(next, type, &n);
		heist_send(heist_self(ctx), type, &(uint64_t){ 0 });
	}
	if ((n + *id) % 11 == 0)
		heist_panic(ctx, CODE);
	return n == 0 ? HEIST_STOP : HEIST_CONTINUE;
}

static void crowd_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&stopped, 1);
}
static const heist_hooks crowd_hooks = { .arg_size = 8, .init = crowd_init, .stop = crowd_stop };
static const heist_class crowd_class = { "crowd", HEIST_ABI, 8, crowd_recv, &crowd_hooks };

static void crowd(heist_mode mode, uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_stats t = heist_stats_default();
	heist_system *s = NULL;
	reset();
	c.mode = mode;
	c.workers = workers;
	c.pin = HEIST_OFF;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t hops = 20;
		heist_ref r = test_spawn(s, &crowd_class, &i);
		(void)heist_send(r, &ORDER, &hops);
	}
	while (mode == HEIST_POLLED && heist_poll(s, 0, 1000) > 0)
		;
	EXPECT(test_balanced(s));
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(t.lost[HEIST_LOST_FAILED] > 500);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(failure, in_a_crowd)
{
	crowd(HEIST_THREADS, 1);
	crowd(HEIST_THREADS, 2);
	crowd(HEIST_POLLED, 0);
}
