/* SPDX-License-Identifier: BSD-2-Clause
 * Mailboxes with a bound: what is let in, what is told, what is lost, and that memory stays what it is. */
#include <pthread.h>

#include "tests/support/clock.h"
#include "tests/support/memory.h"

static _Atomic long handled, drops;
static uint64_t first, last;
static heist_status answer;

static void on_drop(void *payload)
{
	(void)payload;
	atomic_fetch_add(&drops, 1);
}
static const heist_drops counting = { on_drop, NULL };
static const heist_type WORD = {
	.base = &WORD, .name = "word", .size = 8, .reply_size = 8, .drops = &counting
};
static const heist_type BIG = {
	.base = &BIG, .name = "big", .size = 800, .reply_size = 1, .drops = &counting
};
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };

static heist_next slow_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	last = *(uint64_t *)msg;
	if (atomic_fetch_add(&handled, 1) == 0)
		first = last;
	return HEIST_CONTINUE;
}
static const heist_class slow = { "slow", HEIST_ABI, 0, slow_recv, NULL };

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	c.log_level = HEIST_LOG_OFF;
	handled = drops = 0;
	first = last = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static heist_ref spawn_bounded(heist_system *s, const heist_class *cls, uint32_t capacity,
			       heist_overflow overflow)
{
	heist_opts o = heist_opts_default();
	heist_ref r;
	o.mailbox_cap = capacity;
	o.overflow = overflow;
	EXPECT(heist_spawn(s, cls, &o, NULL, &r) == HEIST_OK);
	return r;
}

static heist_stats stats(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	return t;
}

static void finish(heist_system *s)
{
	heist_stats t = stats(s);
	EXPECT(test_conserved(&t));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(bound, rejects_what_is_one_too_many_and_says_so)
{
	heist_system *s = start();
	heist_ref a = spawn_bounded(s, &slow, 10, HEIST_REJECT);
	for (int round = 1; round <= 3; round++) {
		for (uint64_t i = 0; i < 15; i++)
			EXPECT(test_tell(a, &WORD, i) == (i < 10 ? HEIST_OK : HEIST_EFULL));
		test_run(s);
		EXPECT(handled == 10 * round && last == 9 && drops == 0);
		EXPECT(stats(s).refused == 5 * (uint64_t)round);
	}
	finish(s);
}

TEST(bound, a_moved_message_that_is_rejected_stays_with_its_sender)
{
	heist_system *s = start();
	heist_ref a = spawn_bounded(s, &slow, 1, HEIST_REJECT);
	for (int i = 0; i < 3; i++) {
		void *m = heist_new(s, &BIG, 0);
		EXPECT(m != NULL && heist_post(a, &m) == (i ? HEIST_EFULL : HEIST_OK));
		EXPECT((m != NULL) == (i != 0));
		heist_discard(&m);
	}
	EXPECT(drops == 2);
	test_run(s);
	EXPECT(handled == 1);
	finish(s);
}

TEST(bound, drops_the_newest)
{
	heist_system *s = start();
	heist_ref a = spawn_bounded(s, &slow, 10, HEIST_DROP_NEW);
	for (uint64_t i = 0; i < 15; i++)
		EXPECT(test_tell(a, &WORD, i) == HEIST_OK);
	void *m = heist_new(s, &BIG, 0), *small = heist_new(s, &WORD, 0);
	EXPECT(heist_post(a, &m) == HEIST_OK && m == NULL);
	EXPECT(heist_post(a, &small) == HEIST_OK && small == NULL);
	test_run(s);
	EXPECT(handled == 10 && last == 9 && drops == 7);
	EXPECT(heist_lost_count(s, HEIST_LOST_NEW) == 7 && stats(s).refused == 0);
	finish(s);
}

TEST(bound, marks_alone_drop_nothing_whatever_the_policy)
{
	for (int policy = HEIST_REJECT; policy <= HEIST_DROP_OLD; policy++) {
		heist_system *s = start();
		heist_opts o = heist_opts_default();
		heist_ref a;
		o.overload_high = 100;
		o.overflow = (heist_overflow)policy;
		EXPECT(heist_spawn(s, &slow, &o, NULL, &a) == HEIST_OK);
		for (uint64_t i = 0; i < 5; i++)
			EXPECT(test_tell(a, &WORD, i) == HEIST_OK);
		test_run(s);
		EXPECT(handled == 5 && drops == 0);
		finish(s);
	}
}

TEST(bound, drops_the_oldest)
{
	heist_system *s = start();
	heist_ref a = spawn_bounded(s, &slow, 10, HEIST_DROP_OLD);
	for (uint64_t i = 0; i < 15; i++)
		EXPECT(test_tell(a, &WORD, i) == HEIST_OK);
	test_run(s);
	EXPECT(handled == 10 && first == 5 && last == 14 && drops == 5);
	EXPECT(heist_lost_count(s, HEIST_LOST_OLD) == 5);
	for (uint64_t i = 0; i < 25; i++) /* 20 wait, the rest is lost itself */
		EXPECT(test_tell(a, &WORD, i) == HEIST_OK);
	test_run(s);
	EXPECT(handled == 20 && last == 19);
	EXPECT(heist_lost_count(s, HEIST_LOST_OLD) == 15);
	EXPECT(heist_lost_count(s, HEIST_LOST_NEW) == 5);
	finish(s);
}

/* ---- its handle, requests, timers, its end ---- */

static heist_ref self_of, peer;

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	answer = status;
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = 0;
	(void)state, (void)msg;
	if (type != &GO)
		return HEIST_CONTINUE;
	self_of = heist_self(ctx);
	answer = heist_ask(ctx, peer, &WORD, &n, 0, on_answer, 0);
	EXPECT(heist_send_after(ctx, peer, &WORD, &n, 0, NULL) == HEIST_OK);
	EXPECT(heist_send_after(ctx, self_of, &GO, &n, TEST_S, NULL) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, 0, asker_recv, NULL };

TEST(bound, is_part_of_the_handle_and_holds_for_requests_and_timers)
{
	heist_system *s = start();
	heist_ref a = spawn_bounded(s, &asker, 1, HEIST_REJECT);
	peer = spawn_bounded(s, &slow, 1, HEIST_DROP_NEW);
	EXPECT(test_tell(peer, &WORD, 0) == HEIST_OK && test_tell(a, &GO, 0) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 2) == 2); /* in whatever order */
	test_run(s);
	EXPECT(self_of.v == a.v);
	EXPECT(answer == HEIST_EFULL || answer == HEIST_ENOREPLY);
	test_pass(s, 3 * TEST_S); /* its timers for itself come, full or not */
	EXPECT(stats(s).timers_fired >= 4);
	finish(s);
}

/* ---- requests to a full mailbox ---- */

enum { BY_ASK, BY_ASK_ALL, BY_FORWARD, WAYS };

static int crowd, continued;

static void on_answers(heist_ctx *ctx, void *state, const heist_answer *answers, uint32_t n,
		       uint64_t user)
{
	(void)ctx, (void)state, (void)user;
	EXPECT(n == 1);
	answer = answers[0].status;
}

static void on_continued(heist_ctx *ctx, void *state, heist_status status, const void *reply,
			 uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	continued++;
}

/* Fills the mailbox of the peer, then asks it, too. */
static heist_next crowding_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	for (int i = 0; i < crowd; i++)
		EXPECT(test_tell(peer, &GO, (uint64_t)i) == HEIST_OK);
	switch (*(uint64_t *)msg) {
	case BY_ASK:
		answer = heist_ask(ctx, peer, type, msg, 0, on_continued, 0);
		break;
	case BY_ASK_ALL:
		EXPECT(heist_ask_all(ctx, &peer, 1, 0, type, msg, 0, on_answers, 0) == HEIST_OK);
		break;
	case BY_FORWARD:
		answer = heist_forward(ctx, peer, type, msg);
		break;
	}
	return HEIST_CONTINUE;
}
static const heist_class crowding = { "crowding", HEIST_ABI, 0, crowding_recv, NULL };

static void expect_refused(heist_system *s, uint64_t way)
{
	answer = HEIST_OK;
	continued = 0;
	EXPECT(heist_call(s, test_spawn(s, &crowding, NULL), &GO, &way, 0, NULL) == HEIST_OK);
	test_run(s);
	heist_stats t = stats(s);
	EXPECT(answer == HEIST_EFULL && continued == 0);
	EXPECT(handled == crowd && test_lost(&t) == 0 && t.refused == 1);
	finish(s);
}

TEST(bound, a_request_to_a_full_mailbox_is_refused_whatever_the_policy)
{
	crowd = 2;
	for (int policy = HEIST_REJECT; policy <= HEIST_DROP_OLD; policy++)
		for (uint64_t way = BY_ASK; way < WAYS; way++) {
			heist_system *s = start();
			peer = spawn_bounded(s, &slow, 2, (heist_overflow)policy);
			expect_refused(s, way);
		}
}

TEST(bound, a_request_is_refused_by_the_full_mailbox_that_it_is_sent_on_to)
{
	crowd = 4;
	for (int policy = HEIST_REJECT; policy <= HEIST_DROP_OLD; policy++)
		for (uint64_t way = BY_ASK; way < WAYS; way++) {
			heist_system *s = start();
			heist_opts o = heist_opts_default();
			o.mailbox_cap = 2;
			o.overflow = HEIST_REDIRECT;
			o.redirect = spawn_bounded(s, &slow, 2, (heist_overflow)policy);
			EXPECT(heist_spawn(s, &slow, &o, NULL, &peer) == HEIST_OK);
			expect_refused(s, way);
		}
}

TEST(bound, counts_out_what_is_lost_with_the_actor_before)
{
	heist_system *s = start();
	for (int i = 0; i < 2000; i++) { /* slots are used again */
		heist_ref a = spawn_bounded(s, &slow, 3, HEIST_REJECT);
		for (uint64_t k = 0; k < 5; k++)
			EXPECT(test_tell(a, &WORD, k) == (k < 3 ? HEIST_OK : HEIST_EFULL));
		EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK);
		test_run(s);
		EXPECT(test_tell(a, &WORD, 0) == HEIST_EDEAD);
	}
	EXPECT(stats(s).refused == 4000 && heist_lost_count(s, HEIST_LOST_STOPPED) > 0);
	finish(s);
}

TEST(bound, without_memory_counts_nothing_in)
{
	static struct counted_memory memory;
	heist_config c = test_clock_config();
	heist_system *s;
	counted_init(&memory);
	handled = 0;
	c.log_level = HEIST_LOG_OFF;
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref a = spawn_bounded(s, &slow, 2, HEIST_REJECT);
	uint64_t big[100] = { 0 };
	counted_fail(&memory, true);
	for (int i = 0; i < 10; i++)
		EXPECT(heist_send(a, &BIG, big) == HEIST_ENOMEM);
	counted_fail(&memory, false);
	for (int i = 0; i < 3; i++)
		EXPECT(heist_send(a, &BIG, big) == (i < 2 ? HEIST_OK : HEIST_EFULL));
	test_run(s);
	EXPECT(handled == 2);
	finish(s);
	EXPECT(counted_balanced(&memory));
}

/* ---- ten producers, one slow consumer ---- */

enum { PRODUCERS = 10, CAPACITY = 1000 };

static heist_ref consumer;
static _Atomic bool enough;
static _Atomic uint64_t accepted, refused;

static void *produce(void *arg)
{
	uint64_t n = 0, ok = 0, no = 0;
	(void)arg;
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		heist_status r = heist_send(consumer, &WORD, &n);
		EXPECT(r == HEIST_OK || r == HEIST_EFULL);
		r == HEIST_OK ? ok++ : no++;
		n++;
	}
	atomic_fetch_add(&accepted, ok);
	atomic_fetch_add(&refused, no);
	return NULL;
}

static heist_next grinder_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	for (volatile int i = 0; i < 2000; i++)
		;
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class grinder = { "grinder", HEIST_ABI, 0, grinder_recv, NULL };

/* HEIST_TEST_OVERLOAD: how many messages the consumer handles meanwhile. */
TEST(bound, ten_producers_and_a_slow_consumer_take_no_more_memory)
{
	const char *how_long = getenv("HEIST_TEST_OVERLOAD");
	long target = how_long ? atol(how_long) : 20000;
	heist_system *s = test_start(2);
	pthread_t thread[PRODUCERS];
	uint64_t most = 0;
	handled = 0;
	accepted = refused = 0;
	enough = false;
	consumer = spawn_bounded(s, &grinder, CAPACITY, HEIST_REJECT);
	for (int i = 0; i < PRODUCERS; i++)
		EXPECT(pthread_create(&thread[i], NULL, produce, NULL) == 0);
	for (long step = 1; step <= 10; step++) {
		EXPECT(wait_for(&handled, target / 10 * step));
		uint64_t bytes = stats(s).message_bytes;
		most = bytes > most ? bytes : most;
	}
	enough = true;
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(thread[i], NULL);
	EXPECT(test_balanced(s));
	heist_stats t = stats(s);
	EXPECT(t.refused == refused && t.accepted == accepted && t.handled == accepted);
	EXPECT((uint64_t)handled == accepted && refused > 0 && test_lost(&t) == 0);
	/* the most that waited, and some blocks of each of the ten pools */
	EXPECT(most <= 64 * CAPACITY + (uint64_t)12 * 12 * 65536);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- losses on threads of the host, whose hooks send ---- */

static heist_system *outside;
static heist_ref full;
static int depth;

/* Each letter makes another one, and the last of them closes the runtime. */
static void deeper(void *user, const heist_lost *lost)
{
	(void)user;
	EXPECT(lost->cause == HEIST_LOST_NEW);
	if (++depth < 20)
		EXPECT(test_tell(full, &WORD, 0) == HEIST_OK);
	else
		EXPECT(heist_close(outside) == HEIST_OK);
}

TEST(bound, a_hook_may_send_again_and_close)
{
	heist_config c = test_clock_config();
	c.log_level = HEIST_LOG_OFF;
	c.dead_letter = deeper;
	handled = drops = depth = 0;
	EXPECT(heist_start(&c, &outside) == HEIST_OK);
	full = spawn_bounded(outside, &slow, 1, HEIST_DROP_NEW);
	EXPECT(test_tell(full, &WORD, 1) == HEIST_OK && depth == 0);
	EXPECT(test_tell(full, &WORD, 2) == HEIST_OK && depth == 20);
	EXPECT(test_tell(full, &WORD, 3) == HEIST_ECLOSED);
	test_run(outside);
	EXPECT(handled == 1 && drops == 20);
	EXPECT(heist_lost_count(outside, HEIST_LOST_NEW) == 20);
	finish(outside);
}

static _Atomic long letters, mourned, gate;

static heist_next waits_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	handled++;
	while (!gate)
		test_sleep_ms(1);
	return HEIST_CONTINUE;
}
static const heist_class waits = { "waits", HEIST_ABI, 0, waits_recv, NULL };

static heist_next mourns_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	mourned++;
	return HEIST_CONTINUE;
}
static const heist_class mourns = { "mourns", HEIST_ABI, 0, mourns_recv, NULL };

static void forward_letter(void *user, const heist_lost *lost)
{
	(void)user, (void)lost;
	letters++;
	EXPECT(test_tell(peer, &GO, 0) == HEIST_OK);
}

static void *overflow(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < 2000; i++)
		EXPECT(test_tell(full, &GO, i) == HEIST_OK);
	return NULL;
}

/* More threads at once than a runtime has places for, each of them twice inside. */
TEST(bound, many_threads_send_in_hooks)
{
	heist_config c = heist_config_default();
	pthread_t thread[PRODUCERS];
	heist_system *s;
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.hog_ms = UINT32_MAX;
	c.log_level = HEIST_LOG_OFF;
	c.dead_letter = forward_letter;
	handled = letters = mourned = gate = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	full = spawn_bounded(s, &waits, 1, HEIST_DROP_NEW);
	peer = test_spawn(s, &mourns, NULL);
	EXPECT(test_tell(full, &GO, 0) == HEIST_OK && wait_for(&handled, 1));
	for (int i = 0; i < PRODUCERS; i++)
		EXPECT(pthread_create(&thread[i], NULL, overflow, NULL) == 0);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(thread[i], NULL);
	EXPECT(letters >= PRODUCERS * 2000 - 1);
	gate = 1;
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK && mourned == letters);
}

TEST(bound, a_call_to_a_full_mailbox_is_refused_whatever_the_policy)
{
	for (int policy = HEIST_REJECT; policy <= HEIST_DROP_OLD; policy++) {
		heist_system *s = test_start(2);
		uint64_t n = 0;
		handled = gate = 0;
		full = spawn_bounded(s, &waits, 2, (heist_overflow)policy);
		EXPECT(test_tell(full, &GO, 0) == HEIST_OK && wait_for(&handled, 1));
		EXPECT(test_tell(full, &GO, 1) == HEIST_OK && test_tell(full, &GO, 2) == HEIST_OK);
		EXPECT(heist_call(s, full, &GO, &n, heist_in_ms(s, 10000), NULL) == HEIST_EFULL);
		gate = 1;
		EXPECT(test_balanced(s));
		heist_stats t = stats(s);
		EXPECT(handled == 3 && test_lost(&t) == 0 && t.refused == 1);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}
