/* SPDX-License-Identifier: BSD-2-Clause
 * Out of memory at every point, and memory given back. */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/system.h"
#include "tests/support/unit.h"
#include "tests/support/wait.h"

/* ---- an allocator that fails ---- */

static _Atomic long calls, balance, events;
static long fail_at, fail_from; /* the n-th call; every call from the n-th on; 0 = never */

static void *hook_alloc(void *user, size_t size, size_t align)
{
	void *p = NULL;
	(void)user;
	long n = atomic_fetch_add(&calls, 1) + 1;
	if (n == fail_at || (fail_from && n >= fail_from))
		return NULL;
	if (posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
		return NULL;
	atomic_fetch_add(&balance, (long)size);
	return p;
}

static void hook_dealloc(void *user, void *p, size_t size)
{
	(void)user;
	atomic_fetch_sub(&balance, (long)size);
	free(p);
}

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 500, .reply_size = 1 };

static bool acceptable(heist_status s)
{
	return s == HEIST_OK || s == HEIST_ENOMEM;
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	EXPECT(acceptable(status) || status == HEIST_ENOREPLY || status == HEIST_ETIMEOUT);
	atomic_fetch_add(&events, 1);
}

struct big_state {
	char room[300];
};

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state;
	if (type == &BIG) {
		void *p = heist_take(ctx, msg);
		heist_discard(&p);
	} else if (n > 0) {
		uint64_t less = n - 1;
		heist_reply(ctx, HEIST_OK, type, msg);
		EXPECT(acceptable(heist_send(heist_self(ctx), &WORD, &less)));
		heist_status s = heist_ask(ctx, heist_self(ctx), &WORD, &less,
					   heist_in_ms(heist_system_of(ctx), 60000), on_answer, 0);
		EXPECT(acceptable(s));
	}
	return HEIST_CONTINUE;
}
static const heist_class actor = { "actor", HEIST_ABI, sizeof(struct big_state), actor_recv, NULL };

/* Everything that allocates, once. */
static void scenario(void)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_opts o = heist_opts_default();
	heist_ref r;
	char big[500] = { 0 };
	uint64_t v = 2, reply;
	c.workers = 1;
	c.alloc = hook_alloc;
	c.dealloc = hook_dealloc;
	heist_status st = heist_start(&c, &s);
	EXPECT(acceptable(st));
	if (st != HEIST_OK)
		return;
	for (o.batch = 0; o.batch < 2; o.batch++) {
		st = heist_spawn(s, &actor, &o, NULL, &r);
		EXPECT(acceptable(st));
		if (st != HEIST_OK)
			continue;
		EXPECT(acceptable(heist_send(r, &WORD, &v)));
		EXPECT(acceptable(heist_send(r, &BIG, big)));
		void *m = heist_new(s, &BIG, 100);
		if (m && heist_post(r, &m) != HEIST_OK)
			heist_discard(&m);
		st = heist_call(s, r, &WORD, &v, heist_in_ms(s, 1000), &reply);
		EXPECT(acceptable(st) || st == HEIST_ENOREPLY || st == HEIST_ETIMEOUT);
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(memory, every_allocation_may_fail_once)
{
	for (fail_at = 1, fail_from = 0;; fail_at++) {
		calls = balance = 0;
		scenario();
		EXPECT(balance == 0);
		if (calls < fail_at)
			break;
	}
	EXPECT(fail_at > 10);
}

TEST(memory, every_allocation_from_some_point_on_may_fail)
{
	for (fail_at = 0, fail_from = 1;; fail_from++) {
		calls = balance = 0;
		scenario();
		EXPECT(balance == 0);
		if (calls < fail_from)
			break;
	}
	EXPECT(fail_from > 10);
}

/* ---- a million actors come and go ---- */

#ifdef UNIT_PLAIN /* a sanitizer keeps what is freed in quarantine, so that what returns is not looked at */
enum { N = 100000 };
#else
enum { N = 1000000 };
#endif

static long resident(void)
{
	long size, pages;
	FILE *f = fopen("/proc/self/statm", "r");
	EXPECT(f && fscanf(f, "%ld %ld", &size, &pages) == 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static heist_next idler_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&events, 1);
	return HEIST_STOP;
}
static const heist_class idler = { "idler", HEIST_ABI, 16, idler_recv, NULL };

static atomic_bool awake;
static heist_next sleeper_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	while (!atomic_load(&awake))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	atomic_fetch_add(&events, 1);
	return HEIST_CONTINUE;
}
static const heist_class sleeper = { "sleeper", HEIST_ABI, 0, sleeper_recv, NULL };

/* Messages of a flood are kept for the next one, by default for longer than this takes. */
TEST(memory, returns_to_the_system_when_told_to)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref r;
	heist_stats t = heist_stats_default();
	uint64_t v = 0;
	c.workers = 1;
	events = 0;
	awake = false;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &sleeper, NULL, NULL, &r) == HEIST_OK);
	long before = resident();
	for (int i = 0; i < N; i++)
		EXPECT(heist_send(r, &WORD, &v) == HEIST_OK);
	long full = resident();
	EXPECT(full - before > 64 * (long)N);
	atomic_store(&awake, true);
	EXPECT(wait_for(&events, N));
	do { /* the worker holds some until it parks */
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	} while (t.message_bytes > 4 << 20);
#ifndef UNIT_PLAIN
	EXPECT(resident() - before > 64 * (long)N);
#endif
	EXPECT(heist_trim(s) == HEIST_OK);
#ifndef UNIT_PLAIN
	EXPECT(resident() - before < (full - before) / 4);
#endif
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK);
	EXPECT(wait_for(&events, N + 1));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- what a worker that sleeps has sent ---- */

static _Atomic long sent, let_go;
static heist_ref flooded;

static void wait_until_told(void)
{
	while (!atomic_load(&let_go))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static heist_next flood_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = N;
	(void)ctx, (void)state, (void)msg;
	while (n-- > 0)
		EXPECT(heist_send(flooded, type, &n) == HEIST_OK);
	atomic_fetch_add(&sent, 1);
	return HEIST_CONTINUE;
}
static const heist_class flood = { "flood", HEIST_ABI, 0, flood_recv, NULL };

/* The last message, 0, is handled until the test says so. */
static heist_next last_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)sleeper_recv(ctx, state, type, msg);
	if (*(uint64_t *)msg == 0)
		wait_until_told();
	return HEIST_CONTINUE;
}
static const heist_class last = { "last", HEIST_ABI, 0, last_recv, NULL };

static heist_next busy_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return atomic_load(&let_go) ? HEIST_CONTINUE : HEIST_AGAIN;
}
static const heist_class busy = { "busy", HEIST_ABI, 0, busy_recv, NULL };

static heist_next waits_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	EXPECT(heist_blocking_begin(ctx) == HEIST_OK);
	atomic_fetch_add(&sent, 1);
	wait_until_told();
	EXPECT(heist_blocking_end(ctx) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class waits = { "waits", HEIST_ABI, 0, waits_recv, NULL };

/* Worker 0, and worker 1: of another pool, or its spare. */
static heist_system *start_two(bool spare)
{
	heist_config c = heist_config_default();
	heist_pool p = heist_pool_default();
	heist_system *s;
	p.name = "sleeper";
	c.workers = 1;
	c.hog_ms = UINT32_MAX;
	c.memory_keep_ms = UINT32_MAX;
	c.pools = spare ? NULL : &p;
	c.pool_count = spare ? 0 : 1;
	c.spare_max = spare ? 1 : 0;
	events = sent = let_go = 0;
	awake = false;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

/* Send to r, and wait until one more handler has said that it did its part. */
static void order(heist_ref r)
{
	uint64_t v = 0;
	long before = atomic_load(&sent);
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && wait_for(&sent, before + 1));
}

/* All messages wait, and worker 1, which has sent them, sleeps. */
static heist_system *sleeping(const heist_class *cls)
{
	heist_system *s = start_two(false);
	heist_opts o = heist_opts_default();
	heist_ref r;
	o.pool = "sleeper";
	EXPECT(heist_spawn(s, cls, NULL, NULL, &flooded) == HEIST_OK);
	EXPECT(heist_spawn(s, &flood, &o, NULL, &r) == HEIST_OK);
	order(r);
	struct pool *p = system_worker(s, 1)->base.pool;
	while (!idle_is_parked(&p->idle, 0))
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	return s;
}

static uint64_t message_bytes(const heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	return t.message_bytes;
}

/* False after 20 seconds. */
static bool messages_go(const heist_system *s)
{
	for (int i = 0; i < 20000 && message_bytes(s) > 16 * (uint64_t)N; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return message_bytes(s) <= 16 * (uint64_t)N;
}

static void drain(heist_system *s)
{
	EXPECT(message_bytes(s) > 64 * (uint64_t)N);
	atomic_store(&awake, true);
	EXPECT(wait_for(&events, N));
}

TEST(memory, of_a_worker_that_sleeps_goes_back_when_others_rest)
{
	heist_system *s = sleeping(&sleeper);
	drain(s);
	EXPECT(messages_go(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* The other worker is in a handler and sees to nothing. */
TEST(memory, of_a_worker_that_sleeps_goes_back_when_told_to)
{
	heist_system *s = sleeping(&last);
	drain(s);
	EXPECT(heist_trim(s) == HEIST_OK);
	EXPECT(messages_go(s));
	for (int i = 0; i < 20000 && atomic_load(&s->slabs.surplus); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	EXPECT(!atomic_load(&s->slabs.surplus));
	atomic_store(&let_go, 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Of two that take turns on the other worker, one never ends. */
TEST(memory, of_a_worker_that_sleeps_goes_back_while_others_work)
{
	heist_system *s = sleeping(&sleeper);
	heist_ref r;
	uint64_t v = 0;
	EXPECT(heist_spawn(s, &busy, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK);
	drain(s);
	EXPECT(messages_go(s));
	atomic_store(&let_go, 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* It sends while worker 0 waits, and sits down when that is back, in a handler that waits without a word. */
TEST(memory, of_a_spare_on_the_bench_goes_back)
{
	heist_system *s = start_two(true);
	heist_opts o = heist_opts_default();
	heist_ref r;
	o.worker = 1;
	EXPECT(heist_spawn(s, &waits, &o, NULL, &r) == HEIST_OK);
	EXPECT(heist_spawn(s, &sleeper, &o, NULL, &flooded) == HEIST_OK);
	order(r);
	EXPECT(heist_spawn(s, &flood, NULL, NULL, &r) == HEIST_OK);
	order(r);
	atomic_store(&let_go, 1);
	while (!heist_spare_is_off(&s->pool, 1))
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	drain(s);
	EXPECT(messages_go(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(memory, returns_to_the_system_after_a_million_actors)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref *r = malloc(N * sizeof *r);
	uint64_t v = 0;
	c.workers = 1;
	c.memory_keep_ms = 100;
	events = 0;
	for (int i = 0; i < N; i++)
		r[i].v = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	long before = resident();
	for (int i = 0; i < N; i++)
		EXPECT(heist_spawn(s, &idler, NULL, NULL, &r[i]) == HEIST_OK);
	long full = resident();
	for (int i = 0; i < N; i++)
		EXPECT(heist_send(r[i], &WORD, &v) == HEIST_OK);
	EXPECT(wait_for(&events, N));
	EXPECT(full - before > 64 * (long)N);
#ifndef UNIT_PLAIN
	long after = full;
	for (int i = 0; i < 2000 && after - before > (full - before) / 2; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		after = resident();
	}
	EXPECT(after - before < (full - before) / 2); /* the run queue keeps its largest size */
#endif
	for (int i = 0; i < N; i += 1000)
		EXPECT(heist_send(r[i], &WORD, &v) == HEIST_EDEAD);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	free(r);
}
