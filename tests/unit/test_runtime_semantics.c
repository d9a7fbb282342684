/* SPDX-License-Identifier: BSD-2-Clause
 * What a handler may do with its messages and its own life, and what becomes of each message. */
#include <pthread.h>
#include <string.h>

#include "tests/support/runtime.h"

/* ---- an actor that runs a script: the message says what to do ---- */

enum act {
	NOTHING,
	STOP,
	FAIL,
	AGAIN_TWICE,
	TAKE_DISCARD,
	TAKE_FAIL,
	TAKE_AGAIN,
	TAKE_TWICE,
	SEND_SELF,
	STOP_SELF,
	KILL_SELF,
	BECOME_DEAF,
	WAIT_GATE,
};

struct act_msg {
	uint64_t act, runs;
};

static _Atomic long inits, handled, stops, drops, gate, letters[HEIST_CAUSES];
static _Atomic int why;

static void on_drop(void *payload)
{
	(void)payload;
	atomic_fetch_add(&drops, 1);
}
static const heist_drops counting = { on_drop, NULL };
static const heist_type ACT = { .base = &ACT,
				.name = "act",
				.size = sizeof(struct act_msg),
				.reply_size = 1,
				.drops = &counting };
static const heist_type BIG_ACT = {
	.base = &BIG_ACT, .name = "big act", .size = 200, .reply_size = 1, .drops = &counting
};

struct actor {
	uint64_t order; /* 0: init has not run, 1: it has, 2: a handler has */
	uint64_t verdict;
	char more[100];
};

static heist_next actor_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct actor *a = state;
	(void)ctx;
	EXPECT(a->order == 0 && a->more[99] == 0);
	a->order = 1;
	atomic_fetch_add(&inits, 1);
	return (heist_next) * (const uint64_t *)arg;
}

static void actor_stop(heist_ctx *ctx, void *state, heist_status status)
{
	struct actor *a = state;
	(void)ctx;
	EXPECT(a->order == 1 || a->order == 2);
	a->order = 3;
	atomic_store(&why, status);
	atomic_fetch_add(&stops, 1);
}

static void take_and_discard(heist_ctx *ctx, void *msg)
{
	void *mine = heist_take(ctx, msg);
	EXPECT(mine != NULL);
	EXPECT(heist_take(ctx, msg) == NULL);
	heist_discard(&mine);
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = state;
	struct act_msg *m = msg;
	EXPECT(a->order == 1 || a->order == 2);
	a->order = 2;
	atomic_fetch_add(&handled, 1);
	switch ((enum act)m->act) {
	case STOP:
		return HEIST_STOP;
	case FAIL:
		return HEIST_FAIL;
	case AGAIN_TWICE:
		return m->runs++ < 2 ? HEIST_AGAIN : HEIST_CONTINUE;
	case TAKE_DISCARD:
	case TAKE_TWICE:
		take_and_discard(ctx, msg);
		return HEIST_CONTINUE;
	case TAKE_FAIL:
		take_and_discard(ctx, msg);
		return HEIST_FAIL;
	case TAKE_AGAIN:
		take_and_discard(ctx, msg);
		return HEIST_AGAIN;
	case SEND_SELF:
		EXPECT(heist_send(heist_self(ctx), type, &(struct act_msg){ NOTHING, 0 }) ==
		       HEIST_OK);
		return HEIST_CONTINUE;
	case STOP_SELF:
		EXPECT(heist_stop(heist_self(ctx), HEIST_EUSER) == HEIST_OK);
		return HEIST_CONTINUE;
	case KILL_SELF:
		EXPECT(heist_kill(heist_self(ctx), HEIST_EUSER) == HEIST_OK);
		return HEIST_CONTINUE;
	case BECOME_DEAF:
		heist_become(ctx, heist_unhandled);
		return HEIST_CONTINUE;
	case WAIT_GATE:
		while (!atomic_load(&gate))
			;
		return HEIST_CONTINUE;
	case NOTHING:
		break;
	}
	return HEIST_CONTINUE;
}
static const heist_hooks actor_hooks = { .arg_size = 8, .init = actor_init, .stop = actor_stop };
static const heist_class actor_class = { "actor", HEIST_ABI, sizeof(struct actor), actor_recv,
					 &actor_hooks };

static void on_dead_letter(void *user, const heist_lost *lost)
{
	EXPECT(user == letters && lost->type != NULL && lost->to.v != 0);
	atomic_fetch_add(&letters[lost->cause], 1);
}

static heist_system *start(uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.workers = workers;
	c.pin = HEIST_OFF;
	c.user = letters;
	c.dead_letter = on_dead_letter;
	inits = handled = stops = drops = gate = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		letters[i] = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static heist_ref spawn(heist_system *s, heist_next init_verdict)
{
	uint64_t v = init_verdict;
	return test_spawn(s, &actor_class, &v);
}

static void act(heist_ref r, enum act what)
{
	struct act_msg m = { what, 0 };
	EXPECT(heist_send(r, &ACT, &m) == HEIST_OK);
}

static void act_big(heist_ref r, enum act what)
{
	struct act_msg m[13] = { { what, 0 } };
	EXPECT(heist_send(r, &BIG_ACT, m) == HEIST_OK);
}

/* Balanced, every loss told to the hook, every actor that started ended. */
static void end(heist_system *s)
{
	EXPECT(test_balanced(s));
	for (int i = 0; i < HEIST_CAUSES; i++)
		EXPECT(heist_lost_count(s, (heist_cause)i) == (uint64_t)letters[i]);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(inits == stops);
}

/* ---- life ---- */

TEST(semantics, hooks_run_once_around_the_handlers)
{
	heist_system *s = start(2);
	for (int i = 0; i < 1000; i++) {
		heist_ref r = spawn(s, HEIST_CONTINUE);
		act(r, NOTHING);
		act(r, i % 2 ? STOP : NOTHING);
	}
	EXPECT(wait_for(&handled, 2000) && wait_for(&stops, 500));
	EXPECT(inits == 1000);
	end(s);
	EXPECT(stops == 1000 && drops == 0);
}

TEST(semantics, an_init_that_does_not_go_on_ends_the_actor)
{
	static const heist_next verdicts[] = { HEIST_STOP, HEIST_FAIL, HEIST_AGAIN };
	for (int i = 0; i < 3; i++) {
		heist_system *s = start(1);
		heist_ref gatekeeper = spawn(s, HEIST_CONTINUE);
		act(gatekeeper, WAIT_GATE);
		EXPECT(wait_for(&handled, 1)); /* the only worker is busy: both messages queue */
		heist_ref r = spawn(s, verdicts[i]);
		act(r, NOTHING);
		act_big(r, NOTHING);
		gate = 1;
		EXPECT(wait_for(&stops, 1) && wait_for(&drops, 2));
		EXPECT(why == HEIST_EINIT && handled == 1);
		EXPECT(heist_send(r, &ACT, &(struct act_msg){ 0, 0 }) == HEIST_EDEAD);
		EXPECT(letters[HEIST_LOST_STOPPED] == 2);
		end(s);
	}
}

TEST(semantics, stop_and_kill_of_an_actor_that_has_not_started)
{
	for (int kill = 0; kill < 2; kill++) {
		heist_system *s = start(1);
		heist_ref gatekeeper = spawn(s, HEIST_CONTINUE);
		act(gatekeeper, WAIT_GATE);
		EXPECT(wait_for(&handled, 1));
		heist_ref r = spawn(s, HEIST_CONTINUE);
		act(r, NOTHING);
		EXPECT((kill ? heist_kill(r, HEIST_EUSER) : heist_stop(r, HEIST_EUSER)) ==
		       HEIST_OK);
		act(r, NOTHING);
		gate = 1;
		EXPECT(wait_for(&stops, 1));
		EXPECT(inits == 2 && why == HEIST_EUSER);
		EXPECT(test_balanced(s));
		if (kill) /* counted as lost before it is dropped */
			EXPECT(wait_for(&drops, 2) && handled == 1);
		else
			EXPECT(handled >= 2);
		end(s);
	}
}

TEST(semantics, a_kill_beats_an_earlier_stop)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, HEIST_CONTINUE);
	act(r, WAIT_GATE);
	EXPECT(wait_for(&handled, 1));
	for (int i = 0; i < 10; i++)
		act(r, NOTHING);
	EXPECT(heist_stop(r, HEIST_EUSER) == HEIST_OK);
	EXPECT(heist_kill(r, (heist_status)(HEIST_EUSER - 1)) == HEIST_OK);
	EXPECT(heist_stop(r, HEIST_EUSER) == HEIST_OK); /* does not weaken the kill */
	gate = 1;
	EXPECT(wait_for(&stops, 1));
	EXPECT(why == HEIST_EUSER - 1 && handled < 10);
	EXPECT(heist_kill(r, HEIST_OK) == HEIST_EDEAD);
	end(s);
}

TEST(semantics, a_handler_may_end_itself_from_outside)
{
	heist_system *s = start(1);
	heist_ref a = spawn(s, HEIST_CONTINUE), b = spawn(s, HEIST_CONTINUE);
	act(a, STOP_SELF);
	EXPECT(wait_for(&stops, 1) && why == HEIST_EUSER);
	act(b, KILL_SELF);
	EXPECT(wait_for(&stops, 2) && why == HEIST_EUSER);
	end(s);
}

TEST(semantics, what_is_queued_at_the_end_is_lost_once)
{
	for (int fail = 0; fail < 2; fail++) {
		heist_system *s = start(1);
		heist_ref r = spawn(s, HEIST_CONTINUE);
		act(r, WAIT_GATE);
		EXPECT(wait_for(&handled, 1));
		act(r, fail ? FAIL : STOP);
		for (int i = 0; i < 50; i++) {
			act(r, NOTHING);
			act_big(r, NOTHING);
		}
		gate = 1;
		EXPECT(wait_for(&stops, 1) && wait_for(&drops, 100 + fail));
		EXPECT(why == (fail ? HEIST_ECRASH : HEIST_OK) && handled == 2);
		EXPECT(letters[HEIST_LOST_STOPPED] == 100 && letters[HEIST_LOST_FAILED] == fail);
		end(s);
		EXPECT(drops == 100 + fail);
	}
}

/* ---- verdicts and ownership ---- */

TEST(semantics, again_runs_the_same_message_and_keeps_what_was_written)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, HEIST_CONTINUE);
	act(r, AGAIN_TWICE);
	act_big(r, AGAIN_TWICE);
	EXPECT(wait_for(&handled, 6));
	test_sleep_ms(5);
	EXPECT(handled == 6);
	end(s);
	EXPECT(drops == 0);
}

TEST(semantics, a_taken_message_is_not_dropped_by_a_failure)
{
	heist_system *s = start(1);
	heist_ref a = spawn(s, HEIST_CONTINUE), b = spawn(s, HEIST_CONTINUE);
	act(a, TAKE_FAIL);
	act_big(b, TAKE_FAIL);
	EXPECT(wait_for(&stops, 2) && why == HEIST_ECRASH);
	EXPECT(drops == 2); /* by heist_discard */
	EXPECT(test_balanced(s));
	EXPECT(letters[HEIST_LOST_FAILED] == 0);
	end(s);
}

TEST(semantics, a_taken_message_does_not_come_again)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, HEIST_CONTINUE);
	act(r, TAKE_AGAIN);
	act_big(r, TAKE_AGAIN);
	act(r, NOTHING);
	EXPECT(wait_for(&handled, 3));
	EXPECT(drops == 2 && stops == 0);
	end(s);
	EXPECT(handled == 3 && drops == 2);
}

TEST(semantics, become_changes_the_behaviour_for_good)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, HEIST_CONTINUE);
	act(r, BECOME_DEAF);
	for (int i = 0; i < 20; i++)
		act(r, NOTHING);
	act_big(r, NOTHING);
	EXPECT(wait_for(&drops, 21));
	EXPECT(handled == 1 && letters[HEIST_LOST_UNHANDLED] == 21);
	end(s);
}

TEST(semantics, self_sends_are_accepted_and_handled)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, HEIST_CONTINUE);
	for (int i = 0; i < 1000; i++)
		act(r, SEND_SELF);
	for (int i = 0; i < 100; i++)
		act_big(r, TAKE_DISCARD);
	EXPECT(wait_for(&handled, 2100));
	end(s);
	EXPECT(drops == 100);
}

/* ---- sizes ---- */

static _Atomic long sized;

static heist_next sized_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	const unsigned char *p = msg;
	(void)ctx, (void)state;
	EXPECT(((uintptr_t)p & 7) == 0);
	for (uint32_t i = 0; i < type->size; i++)
		EXPECT(p[i] == (unsigned char)(type->size + i));
	atomic_fetch_add(&sized, 1);
	return HEIST_CONTINUE;
}
static const heist_class sized_class = { "sized", HEIST_ABI, 0, sized_recv, NULL };

TEST(semantics, payloads_from_nothing_to_many_pages)
{
	static heist_type types[70];
	static unsigned char bytes[100000];
	heist_system *s = test_start(2);
	heist_ref r = test_spawn(s, &sized_class, NULL);
	for (uint32_t i = 0; i < 70; i++) {
		uint32_t size = i < 60 ? i : 1000 * (i - 59) * (i - 59);
		types[i] = (heist_type){
			.base = types, .name = "sized", .size = size, .reply_size = 1
		};
		for (uint32_t k = 0; k < size; k++)
			bytes[k] = (unsigned char)(size + k);
		EXPECT(heist_send(r, &types[i], size ? bytes : NULL) == HEIST_OK);
		void *m = heist_new(s, &types[i], i % 3);
		EXPECT(m != NULL);
		for (uint32_t k = 0; k < size + i % 3; k++)
			EXPECT(((unsigned char *)m)[k] == 0);
		memcpy(m, bytes, size);
		EXPECT(heist_post(r, &m) == HEIST_OK && m == NULL);
	}
	EXPECT(wait_for(&sized, 140));
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- several runtimes ---- */

TEST(semantics, two_hundred_and_fifty_five_runtimes_and_no_more)
{
	heist_system *s[127], *more = NULL;
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.max_actors = 1000;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 127; i++)
			EXPECT(heist_start(&c, &s[i]) == HEIST_OK);
		EXPECT(heist_start(&c, &more) == HEIST_EINVAL && more == NULL);
		for (int i = 0; i < 127; i++)
			EXPECT(heist_shutdown(s[i], 0) == HEIST_OK);
	}
}

static _Atomic long asked_across;

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	EXPECT(!"a continuation of a refused request");
}

static heist_next across_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref to = *(heist_ref *)msg;
	struct act_msg m = { NOTHING, 0 };
	(void)state, (void)type;
	EXPECT(heist_send(to, &ACT, &m) == HEIST_OK);
#ifdef NDEBUG /* debug builds abort on wrong arguments */
	EXPECT(heist_ask(ctx, to, &ACT, &m, 0, on_answer, 0) == HEIST_EINVAL);
	void *small = heist_new(heist_system_of(ctx), &ACT, 0);
	void *large = heist_new(heist_system_of(ctx), &BIG_ACT, 0);
	EXPECT(heist_post(to, &small) == HEIST_EINVAL && small != NULL);
	EXPECT(heist_post(to, &large) == HEIST_EINVAL && large != NULL);
	heist_discard(&small);
	heist_discard(&large);
#else
	(void)ctx, (void)on_answer;
#endif
	atomic_fetch_add(&asked_across, 1);
	return HEIST_CONTINUE;
}
static const heist_class across_class = { "across", HEIST_ABI, 0, across_recv, NULL };

TEST(semantics, only_copies_go_to_another_runtime)
{
	heist_system *s = start(1), *t = test_start(1);
	heist_ref here = spawn(s, HEIST_CONTINUE), there = test_spawn(t, &across_class, NULL);
	EXPECT(heist_send(there, &ACT, &(struct act_msg){ here.v, 0 }) == HEIST_OK);
	EXPECT(wait_for(&asked_across, 1) && wait_for(&handled, 1));
	EXPECT(test_balanced(t));
	EXPECT(heist_shutdown(t, 0) == HEIST_OK);
	end(s);
}

/* ---- where and for how long ---- */

static _Atomic long homeless, turns;
static _Atomic(uint64_t) home[2];

static heist_next homing_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t which = *(uint64_t *)msg, expected = 0, me = (uint64_t)pthread_self();
	(void)state;
	if (!atomic_compare_exchange_strong(&home[which], &expected, me) && expected != me)
		atomic_fetch_add(&homeless, 1);
	if (atomic_fetch_add(&turns, 1) < 20000)
		heist_send(heist_self(ctx), type, msg);
	return HEIST_CONTINUE;
}
static const heist_class homing_class = { "homing", HEIST_ABI, 0, homing_recv, NULL };

TEST(semantics, a_bound_actor_never_leaves_its_worker)
{
	static const heist_type WORD = {
		.base = &WORD, .name = "word", .size = 8, .reply_size = 1
	};
	heist_system *s = test_start(2);
	heist_opts o = heist_opts_default();
	for (uint64_t i = 0; i < 20; i++) {
		heist_ref r;
		o.worker = 1 + (uint32_t)i % 2;
		o.batch = i < 10 ? 0 : 3;
		EXPECT(heist_spawn(s, &homing_class, &o, NULL, &r) == HEIST_OK);
		EXPECT(test_tell(r, &WORD, i % 2) == HEIST_OK);
	}
	EXPECT(wait_for(&turns, 20000));
	EXPECT(test_balanced(s));
	EXPECT(homeless == 0 && home[0] != 0 && home[1] != 0 && home[0] != home[1]);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* One worker: how often has the one that waits run, each time the one that yields comes again? */
static int yields;
static heist_ref waiter;
static long waited[5];

static heist_next yielding_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state;
	waited[yields] = atomic_load(&handled);
	if (yields++ >= 3)
		return HEIST_CONTINUE;
	EXPECT(heist_send(waiter, type, msg) == HEIST_OK);
	return HEIST_AGAIN;
}

static heist_next waiter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class yielding_class = { "yielding", HEIST_ABI, 0, yielding_recv, NULL };
static const heist_class waiter_class = { "waiter", HEIST_ABI, 0, waiter_recv, NULL };

TEST(semantics, again_lets_those_run_that_wait)
{
	static const heist_type WORD = {
		.base = &WORD, .name = "word", .size = 8, .reply_size = 1
	};
	heist_system *s = test_start(1);
	yields = 0;
	atomic_store(&handled, 0);
	waiter = test_spawn(s, &waiter_class, NULL);
	heist_ref r = test_spawn(s, &yielding_class, NULL);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK && test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(wait_for(&handled, 3));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(yields == 5);
	for (int i = 0; i < 4; i++)
		EXPECT(waited[i] == i);
}

static _Atomic long others, spent;

static heist_next greedy_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	if (atomic_load(&others) >= 100)
		return HEIST_STOP;
	while (!heist_out_of_budget(ctx))
		;
	atomic_fetch_add(&spent, 1);
	return HEIST_AGAIN;
}

static heist_next other_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	if (atomic_fetch_add(&others, 1) < 99)
		heist_send(heist_self(ctx), type, msg);
	return HEIST_CONTINUE;
}
static const heist_class greedy_class = { "greedy", HEIST_ABI, 0, greedy_recv, NULL };
static const heist_class other_class = { "other", HEIST_ABI, 0, other_recv, NULL };

TEST(semantics, a_long_computation_gives_way_when_out_of_budget)
{
	static const heist_type WORD = {
		.base = &WORD, .name = "word", .size = 8, .reply_size = 1
	};
	heist_system *s = test_start(1);
	heist_opts o = heist_opts_default();
	heist_ref r;
	o.batch = 1; /* a hundred turns, not one */
	EXPECT(heist_spawn(s, &greedy_class, NULL, NULL, &r) == HEIST_OK);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(wait_for(&spent, 1));
	EXPECT(heist_spawn(s, &other_class, &o, NULL, &r) == HEIST_OK);
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(wait_for(&others, 100));
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
