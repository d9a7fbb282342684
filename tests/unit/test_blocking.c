/* SPDX-License-Identifier: BSD-2-Clause
 * Handlers that wait: what their worker held goes on, by counts; spares come and go. */
#include <pthread.h>

#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

enum { COUNT, WAIT, WAIT_LOUD, WAIT_NO_END, WAIT_STOP, WAIT_PANIC, SHORT };

static _Atomic long handled, waiting, gate, over;
static heist_ref others[4];

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t what = *(uint64_t *)msg, n = COUNT;
	(void)state;
	atomic_fetch_add(&handled, 1);
	if (what == COUNT)
		return HEIST_CONTINUE;
	for (int i = 0; i < 4 && what != SHORT; i++) /* into the worker's slot and queue */
		EXPECT(heist_send(others[i], type, &n) == HEIST_OK);
	EXPECT(heist_blocking_begin(ctx) == HEIST_OK);
	EXPECT(heist_blocking_begin(ctx) == HEIST_OK);
	for (int i = 0; i < 4 && what == WAIT_LOUD; i++)
		EXPECT(heist_send(others[i], type, &n) == HEIST_OK);
	atomic_fetch_add(&waiting, 1);
	while (what != SHORT && !atomic_load(&gate))
		test_sleep_ms(1);
	if (what != WAIT_NO_END && what != WAIT_PANIC)
		EXPECT(heist_blocking_end(ctx) == HEIST_OK);
	if (what != WAIT_NO_END)
		EXPECT(heist_blocking_end(ctx) == HEIST_OK);
	atomic_fetch_add(&over, 1);
	if (what == WAIT_PANIC)
		heist_panic(ctx, HEIST_ECRASH);
	return what == WAIT_STOP ? HEIST_STOP : HEIST_CONTINUE;
}
static const heist_class cls = { "waits", HEIST_ABI, 0, recv, NULL };

static heist_system *start(uint32_t workers, uint32_t spares)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = workers;
	c.spare_max = spares;
	c.pin = HEIST_OFF;
	handled = waiting = gate = over = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 4; i++)
		others[i] = test_spawn(s, &cls, NULL);
	EXPECT(test_balanced(s));
	return s;
}

/* From outside, to actors that do not wait: n of them are handled while the others do. */
static void go_on(long n)
{
	long before = atomic_load(&handled);
	for (long i = 0; i < n; i++)
		EXPECT(test_tell(others[i % 4], &WORD, COUNT) == HEIST_OK);
	EXPECT(wait_for(&handled, before + n));
}

static void finish(heist_system *s)
{
	atomic_store(&gate, 1);
	EXPECT(test_balanced(s));
	go_on(100);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(blocking, one_worker_waits_and_the_spare_goes_on)
{
	heist_system *s = start(1, 1);
	heist_ref r = test_spawn(s, &cls, NULL);
	EXPECT(test_tell(r, &WORD, WAIT) == HEIST_OK && wait_for(&waiting, 1));
	EXPECT(wait_for(&handled, 5)); /* what was in the slot and the queue */
	go_on(1000);
	finish(s);
}

TEST(blocking, what_is_sent_meanwhile_is_handled)
{
	for (uint32_t workers = 1; workers <= 2; workers++) {
		heist_system *s = start(workers, 1);
		heist_ref r = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(r, &WORD, WAIT_LOUD) == HEIST_OK && wait_for(&waiting, 1));
		EXPECT(wait_for(&handled, 9));
		finish(s);
	}
}

TEST(blocking, all_workers_wait_and_all_spares_go_on)
{
	heist_system *s = start(2, 0);
	heist_ref r[2];
	for (int i = 0; i < 2; i++) {
		r[i] = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(r[i], &WORD, WAIT) == HEIST_OK);
	}
	EXPECT(wait_for(&waiting, 2) && wait_for(&handled, 10));
	go_on(1000);
	finish(s);
}

TEST(blocking, spares_wait_themselves)
{
	heist_system *s = start(1, 4);
	for (long i = 1; i <= 4; i++) {
		heist_ref r = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(r, &WORD, WAIT) == HEIST_OK && wait_for(&waiting, i));
		go_on(100);
	}
	finish(s);
}

TEST(blocking, again_and_again)
{
	heist_system *s = start(2, 0);
	heist_ref r[3];
	for (int i = 0; i < 3; i++)
		r[i] = test_spawn(s, &cls, NULL);
	for (int i = 0; i < 3000; i++)
		EXPECT(test_tell(i % 2 ? r[i % 3] : others[i % 4], &WORD, i % 2 ? SHORT : COUNT) ==
		       HEIST_OK);
	EXPECT(wait_for(&handled, 3000) && over == 1500);
	finish(s);
}

TEST(blocking, the_end_of_the_handler_is_an_end)
{
	static const uint64_t how[] = { WAIT_NO_END, WAIT_STOP, WAIT_PANIC };
	heist_system *s = start(1, 1);
	for (int i = 0; i < 9; i++) {
		heist_ref r = test_spawn(s, &cls, NULL);
		atomic_store(&gate, 0);
		EXPECT(test_tell(r, &WORD, how[i % 3]) == HEIST_OK && wait_for(&waiting, i + 1));
		go_on(50);
		atomic_store(&gate, 1);
		EXPECT(wait_for(&over, i + 1));
	}
	finish(s);
}

TEST(blocking, in_a_named_pool_its_spares_go_on)
{
	heist_pool p = heist_pool_default();
	heist_config c = heist_config_default();
	heist_opts o = heist_opts_default();
	heist_system *s;
	heist_ref r;
	p.name = o.pool = "files";
	p.spare_max = 2;
	c.workers = 1;
	c.pools = &p;
	c.pool_count = 1;
	handled = waiting = gate = over = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 4; i++)
		EXPECT(heist_spawn(s, &cls, &o, NULL, &others[i]) == HEIST_OK);
	for (long i = 1; i <= 2; i++) { /* its worker, and a spare */
		EXPECT(heist_spawn(s, &cls, &o, NULL, &r) == HEIST_OK);
		EXPECT(test_tell(r, &WORD, i == 1 ? WAIT : WAIT_LOUD) == HEIST_OK);
		EXPECT(wait_for(&waiting, i));
		go_on(200);
	}
	finish(s);
}

TEST(blocking, without_a_spare_nothing_changes)
{
	heist_system *s = start(1, 0);
	heist_ref r = test_spawn(s, &cls, NULL);
	EXPECT(test_tell(r, &WORD, WAIT) == HEIST_OK && wait_for(&waiting, 1));
	for (int i = 0; i < 100; i++)
		EXPECT(test_tell(others[i % 4], &WORD, COUNT) == HEIST_OK);
	test_sleep_ms(2);
	EXPECT(handled == 1); /* the only thread waits */
	atomic_store(&gate, 1);
	EXPECT(wait_for(&handled, 105));
	finish(s);
}

TEST(blocking, a_shutdown_does_not_wait_for_the_bench)
{
	for (int round = 0; round < 30; round++) {
		heist_system *s = start(2, 0);
		heist_ref r = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(r, &WORD, WAIT) == HEIST_OK && wait_for(&waiting, 1));
		if (round % 2)
			EXPECT(heist_shutdown(s, heist_in_ms(s, 1)) == HEIST_ETIMEOUT);
		atomic_store(&gate, 1);
		EXPECT(shut_down_within(s, 1000) == HEIST_OK);
	}
}

/* It sets itself a timer each time, on the wheel of the worker that runs it. */
static heist_next ticking_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	atomic_fetch_add(&handled, 1);
	EXPECT(heist_send_after(ctx, heist_self(ctx), type, msg, 3000000, NULL) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class ticking = { "ticking", HEIST_ABI, 0, ticking_recv, NULL };

TEST(blocking, timers_of_a_worker_that_waits_fire)
{
	heist_system *s = start(1, 2);
	heist_ref t = test_spawn(s, &ticking, NULL);
	EXPECT(test_tell(t, &WORD, COUNT) == HEIST_OK && wait_for(&handled, 3));
	for (int i = 0; i < 2; i++) {
		heist_ref r = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(r, &WORD, WAIT) == HEIST_OK && wait_for(&waiting, i + 1));
		EXPECT(wait_for(&handled, atomic_load(&handled) + 10));
	}
	atomic_store(&gate, 1); /* and those of the bench */
	EXPECT(wait_for(&over, 2));
	EXPECT(wait_for(&handled, atomic_load(&handled) + 20));
	EXPECT(heist_kill(t, HEIST_OK) == HEIST_OK);
	finish(s);
}
