/* SPDX-License-Identifier: BSD-2-Clause
 * Out of memory at every point, and memory given back. */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
