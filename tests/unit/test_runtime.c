/* SPDX-License-Identifier: BSD-2-Clause
 * Actors through the public API: life, order, handles, ownership, losses. */
#include <heist/heist.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/oracle.h"
#include "tests/support/unit.h"
#include "tests/support/wait.h"

static _Atomic long events, inits, stops, drops, blocked;
static _Atomic int last_why;

static void reset(void)
{
	atomic_store(&events, 0);
	atomic_store(&inits, 0);
	atomic_store(&blocked, 0);
	atomic_store(&stops, 0);
	atomic_store(&drops, 0);
	atomic_store(&last_why, 0);
}

static void on_drop(void *payload)
{
	(void)payload;
	atomic_fetch_add(&drops, 1);
}

static const heist_drops counting = { on_drop, NULL };
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
static const heist_type OWNED = {
	.base = &OWNED, .name = "owned", .size = 8, .reply_size = 1, .drops = &counting
};
static const heist_type LARGE = {
	.base = &LARGE, .name = "large", .size = 1000, .reply_size = 1, .drops = &counting
};
static const heist_type NEXT = { .base = &NEXT, .name = "next", .size = 8, .reply_size = 1 };

static heist_system *start(uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.workers = workers;
	reset();
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

/* Shut down, and check that nothing was lost without a cause. */
static void end(heist_system *s)
{
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- a recorder: counts, checks order ---- */

struct recorder {
	uint64_t last;
};

static heist_next recorder_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct recorder *r = state;
	(void)ctx, (void)arg;
	EXPECT(r->last == 0);
	atomic_fetch_add(&inits, 1);
	return HEIST_CONTINUE;
}

static void recorder_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	atomic_store(&last_why, why);
	atomic_fetch_add(&stops, 1);
}

static heist_next recorder_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct recorder *r = state;
	uint64_t n = *(uint64_t *)msg;
	(void)ctx;
	if (type == &WORD && n != 0) {
		EXPECT(n == r->last + 1);
		r->last = n;
	}
	atomic_fetch_add(&events, 1);
	return type == &NEXT ? (heist_next)n : HEIST_CONTINUE;
}

static const heist_hooks recorder_hooks = { .init = recorder_init, .stop = recorder_stop };
static const heist_class recorder = { "recorder", HEIST_ABI, sizeof(struct recorder), recorder_recv,
				      &recorder_hooks };

static heist_ref spawn(heist_system *s, const heist_class *c, const void *arg)
{
	heist_ref r = { 0 };
	EXPECT(heist_spawn(s, c, NULL, arg, &r) == HEIST_OK);
	EXPECT(r.v != 0);
	return r;
}

static heist_status tell(heist_ref to, const heist_type *type, uint64_t n)
{
	return heist_send(to, type, &n);
}

/* It has counted its end in its stop hook, where it is alive. */
static void wait_gone(heist_ref r)
{
	while (heist_kill(r, HEIST_OK) != HEIST_EDEAD)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

TEST(runtime, messages_are_handled_in_the_order_sent)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &recorder, NULL);
	for (uint64_t i = 1; i <= 100000; i++)
		EXPECT(tell(r, &WORD, i) == HEIST_OK);
	EXPECT(wait_for(&events, 100000));
	EXPECT(test_balanced(s));
	end(s);
	EXPECT(inits == 1 && stops == 1 && last_why == HEIST_EKILLED);
}

TEST(runtime, stop_drains_what_was_accepted_before)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &recorder, NULL);
	for (uint64_t i = 1; i <= 1000; i++)
		tell(r, &WORD, i);
	EXPECT(heist_stop(r, HEIST_EUSER) == HEIST_OK);
	EXPECT(wait_for(&stops, 1));
	EXPECT(events == 1000 && last_why == HEIST_EUSER);
	wait_gone(r);
	EXPECT(tell(r, &WORD, 1001) == HEIST_EDEAD);
	EXPECT(heist_stop(r, HEIST_OK) == HEIST_EDEAD);
	EXPECT(test_balanced(s));
	end(s);
}

static heist_next blocker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	atomic_fetch_add(&blocked, 1);
	if (*(uint64_t *)msg <= 2)
		while (atomic_load(&inits) < (long)*(uint64_t *)msg)
			;
	atomic_fetch_add(&events, 1);
	return HEIST_CONTINUE;
}
static const heist_hooks blocker_hooks = { .stop = recorder_stop };
static const heist_class blocker = { "blocker", HEIST_ABI, 0, blocker_recv, &blocker_hooks };

TEST(runtime, kill_overtakes_and_counts_what_was_queued)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, &blocker, NULL);
	for (uint64_t i = 1; i <= 100; i++)
		heist_send(r, &OWNED, &i);
	EXPECT(heist_kill(r, HEIST_EUSER) == HEIST_OK);
	atomic_store(&inits, 1);
	EXPECT(wait_for(&stops, 1));
	EXPECT(test_balanced(s));
	EXPECT(events <= 1 && drops == 100 - events); /* the running one, if it had begun */
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == (uint64_t)drops);
	end(s);
}

TEST(runtime, kill_ends_a_batch_after_its_message)
{
	for (uint64_t at = 2; at < 70; at++) {
		heist_system *s = start(1);
		heist_ref r = spawn(s, &blocker, NULL);
		for (uint64_t i = 1; i <= 100; i++)
			tell(r, &WORD, i == 1 ? 1 : i == at ? 2 : 0);
		atomic_store(&inits, 1); /* all are there */
		EXPECT(wait_for(&events, (long)at - 1));
		EXPECT(heist_kill(r, HEIST_EUSER) == HEIST_OK);
		atomic_store(&inits, 2);
		EXPECT(wait_for(&stops, 1));
		EXPECT(test_balanced(s));
		EXPECT(events == (long)at);
		EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 100 - at);
		end(s);
	}
}

TEST(runtime, handler_verdicts_end_the_actor)
{
	heist_system *s = start(1);
	heist_ref a = spawn(s, &recorder, NULL), b = spawn(s, &recorder, NULL);
	tell(a, &NEXT, HEIST_STOP);
	EXPECT(wait_for(&stops, 1));
	EXPECT(last_why == HEIST_OK);
	tell(b, &NEXT, HEIST_FAIL);
	EXPECT(wait_for(&stops, 2));
	EXPECT(last_why == HEIST_ECRASH && heist_lost_count(s, HEIST_LOST_FAILED) == 1);
	EXPECT(test_balanced(s));
	end(s);
}

TEST(runtime, again_brings_the_same_message_back)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, &recorder, NULL);
	tell(r, &NEXT, HEIST_AGAIN);
	EXPECT(wait_for(&events, 1000));
	EXPECT(heist_kill(r, HEIST_OK) == HEIST_OK);
	EXPECT(wait_for(&stops, 1));
	EXPECT(test_balanced(s));
	end(s);
}

TEST(runtime, a_stale_handle_never_reaches_the_next_actor)
{
	heist_system *s = start(1);
	for (int i = 0; i < 1000; i++) {
		heist_ref old = spawn(s, &recorder, NULL);
		tell(old, &NEXT, HEIST_STOP);
		EXPECT(wait_for(&stops, i + 1));
		wait_gone(old);
		EXPECT(stops == i + 1 && tell(old, &WORD, 77) == HEIST_EDEAD);
	}
	EXPECT(events == 1000 && inits == 1000);
	end(s);
}

TEST(runtime, forged_handles_are_harmless)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &recorder, NULL);
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 200000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		heist_ref forged = { i & 1 ? (r.v & ~0xffffffffffffffu) | x >> 8 : x };
		if (forged.v != r.v)
			EXPECT(tell(forged, &WORD, 0) == HEIST_EDEAD);
		if (forged.v != r.v)
			EXPECT(heist_kill(forged, HEIST_OK) == HEIST_EDEAD);
	}
	EXPECT(test_balanced(s));
	end(s);
	EXPECT(tell(r, &WORD, 1) == HEIST_EDEAD);
}

/* ---- ownership ---- */

static heist_next large_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref *to = state;
	unsigned char *p = msg;
	if (type == &WORD) {
		to->v = *(uint64_t *)msg;
		return HEIST_CONTINUE;
	}
	for (uint32_t i = 0; i < type->size; i++)
		EXPECT(p[i] == (unsigned char)i);
	atomic_fetch_add(&events, 1);
	if (to->v) {
		void *mine = heist_take(ctx, msg);
		EXPECT(mine != NULL);
		EXPECT(heist_post(*to, &mine) == HEIST_OK && mine == NULL);
	}
	return HEIST_CONTINUE;
}
static const heist_class forwarder = { "forwarder", HEIST_ABI, 8, large_recv, NULL };

TEST(runtime, payloads_of_every_size_arrive_and_move)
{
	heist_system *s = start(2);
	heist_ref a = spawn(s, &forwarder, NULL), b = spawn(s, &forwarder, NULL);
	tell(a, &WORD, b.v);
	unsigned char bytes[1000];
	static heist_type types[200];
	for (int i = 0; i < 1000; i++)
		bytes[i] = (unsigned char)i;
	for (uint32_t size = 1; size < 200; size++) {
		types[size] = (heist_type){ .base = types,
					    .name = "sized",
					    .size = size,
					    .reply_size = 1,
					    .drops = &counting };
		EXPECT(heist_send(a, &types[size], bytes) == HEIST_OK);
	}
	EXPECT(heist_send(a, &LARGE, bytes) == HEIST_OK);
	EXPECT(wait_for(&events, 400));
	EXPECT(test_balanced(s));
	end(s);
	EXPECT(drops == 0);
}

TEST(runtime, what_nobody_takes_is_dropped_once)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, &recorder, NULL);
	for (size_t extra = 0; extra < 100; extra += 33) {
		void *m = heist_new(s, &OWNED, extra);
		EXPECT(m != NULL);
		heist_discard(&m);
		EXPECT(m == NULL);
	}
	EXPECT(drops == 4);
	tell(r, &NEXT, HEIST_STOP);
	EXPECT(wait_for(&stops, 1));
	wait_gone(r);
	void *m = heist_new(s, &OWNED, 0);
	EXPECT(heist_post(r, &m) == HEIST_EDEAD && m != NULL);
	heist_discard(&m);
	EXPECT(drops == 5);
	end(s);
}

static void *home;

static heist_next settled_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int *turn = state;
	(void)type;
	EXPECT(msg == home);
	if (++*turn == 1) {
		EXPECT(heist_stash(ctx, msg) == HEIST_OK && heist_unstash(ctx) == 1);
		EXPECT(heist_take(ctx, msg) == NULL);
	} else {
		void *mine = heist_take(ctx, msg);
		EXPECT(mine == home && heist_take(ctx, msg) == NULL);
		if (*turn == 2)
			EXPECT(heist_post(heist_self(ctx), &mine) == HEIST_OK);
		heist_discard(&mine);
	}
	atomic_fetch_add(&events, 1);
	return HEIST_CONTINUE;
}

TEST(runtime, a_payload_of_a_fixed_address_does_not_move)
{
	static const heist_type settled = { .base = &settled,
					    .name = "settled",
					    .size = 8,
					    .reply_size = 1,
					    .flags = HEIST_FIXED_ADDRESS,
					    .drops = &counting };
	static const heist_class cls = { "settled", HEIST_ABI, sizeof(int), settled_recv, NULL };
	heist_system *s = start(1);
	void *m = home = heist_new(s, &settled, 0);
	EXPECT(m && heist_post(spawn(s, &cls, NULL), &m) == HEIST_OK);
	EXPECT(wait_for(&events, 3));
	EXPECT(test_balanced(s));
	end(s);
	EXPECT(drops == 1);
}

/* More actors than a shutdown that is late has turns: the last ones never start. */
TEST(runtime, an_argument_that_no_init_hook_gets_is_dropped)
{
	static const heist_hooks hooks = { .arg_size = 8, .init = recorder_init };
	static const heist_class cls = { "argument", HEIST_ABI, 8, recorder_recv, &hooks };
	heist_config c = heist_config_default();
	heist_opts o = heist_opts_default();
	heist_system *s;
	heist_ref r;
	uint64_t arg = 1;
	c.mode = HEIST_POLLED;
	o.arg_type = &OWNED;
	reset();
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 2000; i++)
		EXPECT(heist_spawn(s, &cls, &o, &arg, &r) == HEIST_OK);
	EXPECT(heist_shutdown(s, 1) == HEIST_OK);
	EXPECT(inits > 0 && drops > 0 && inits + drops == 2000);
}

TEST(runtime, unhandled_is_a_counted_loss)
{
	static const heist_class deaf = { "deaf", HEIST_ABI, 0, heist_unhandled, NULL };
	heist_system *s = start(1);
	heist_ref r = spawn(s, &deaf, NULL);
	tell(r, &OWNED, 1);
	EXPECT(wait_for(&drops, 1));
	EXPECT(test_balanced(s));
	EXPECT(heist_lost_count(s, HEIST_LOST_UNHANDLED) == 1);
	end(s);
}

/* ---- several threads, several runtimes ---- */

static void *foreign_sender(void *arg)
{
	heist_ref *r = arg;
	for (int i = 0; i < 20000; i++)
		EXPECT(tell(*r, &WORD, 0) == HEIST_OK);
	return NULL;
}

TEST(runtime, foreign_threads_send_at_once)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &recorder, NULL);
	pthread_t t[12];
	for (int i = 0; i < 12; i++)
		pthread_create(&t[i], NULL, foreign_sender, &r);
	for (int i = 0; i < 12; i++)
		pthread_join(t[i], NULL);
	EXPECT(wait_for(&events, 240000));
	EXPECT(test_balanced(s));
	end(s);
}

TEST(runtime, runtimes_can_talk)
{
	heist_system *s = start(1), *t = NULL;
	EXPECT(heist_start(NULL, &t) == HEIST_OK);
	heist_ref b = spawn(t, &forwarder, NULL), a = spawn(s, &recorder, NULL);
	tell(b, &WORD, a.v);
	EXPECT(tell(a, &WORD, 1) == HEIST_OK && tell(a, &WORD, 2) == HEIST_OK);
	EXPECT(wait_for(&events, 2));
	EXPECT(heist_shutdown(t, 0) == HEIST_OK);
	EXPECT(tell(b, &WORD, 1) == HEIST_EDEAD);
	end(s);
}

TEST(runtime, bound_actors_run_on_their_worker)
{
	heist_system *s = start(2);
	heist_opts o = heist_opts_default();
	heist_ref r;
	for (o.worker = 1; o.worker <= 2; o.worker++) {
		EXPECT(heist_spawn(s, &recorder, &o, NULL, &r) == HEIST_OK);
		for (uint64_t i = 1; i <= 1000; i++)
			tell(r, &WORD, i);
	}
	EXPECT(wait_for(&events, 2000));
#ifdef NDEBUG /* debug builds abort on wrong arguments */
	o.worker = 3;
	EXPECT(heist_spawn(s, &recorder, &o, NULL, &r) == HEIST_EINVAL);
#endif
	end(s);
}

/* ---- shutdown ---- */

TEST(runtime, closing_refuses_foreign_work)
{
	heist_system *s = start(1);
	heist_ref r = spawn(s, &recorder, NULL), x;
	EXPECT(heist_close(s) == HEIST_OK);
	EXPECT(tell(r, &WORD, 1) == HEIST_ECLOSED);
	EXPECT(heist_spawn(s, &recorder, NULL, NULL, &x) == HEIST_ECLOSED);
	end(s);
	EXPECT(stops == 1);
}

TEST(runtime, shutdown_answers_while_a_handler_spins)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &blocker, NULL);
	tell(r, &WORD, 1);
	EXPECT(wait_for(&blocked, 1));
	EXPECT(heist_shutdown(s, heist_in_ms(s, 50)) == HEIST_ETIMEOUT);
	atomic_store(&inits, 1);
	end(s);
	EXPECT(events == 1 && stops == 1);
}

TEST(runtime, endless_work_is_discarded_at_the_deadline)
{
	heist_system *s = start(2);
	heist_ref r = spawn(s, &recorder, NULL);
	tell(r, &NEXT, HEIST_AGAIN);
	EXPECT(wait_for(&events, 10));
	EXPECT(shut_down_within(s, 100) == HEIST_OK);
	EXPECT(stops == 1);
}

TEST(runtime, arguments_are_checked)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.batch = 70000;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && s == NULL);
	c = heist_config_default();
	c.alloc = NULL, c.dealloc = (void (*)(void *, void *, size_t))(void (*)(void))abort;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && s == NULL);
	EXPECT(strcmp(heist_strstatus(HEIST_OK), "ok") == 0);
	EXPECT(strcmp(heist_strstatus((heist_status)-999), "unknown status") == 0);
	EXPECT(heist_abi_version() == HEIST_ABI);
}
