/* SPDX-License-Identifier: BSD-2-Clause
 * Named pools and threads of single actors: who runs where, and who goes on while others block. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

enum { COUNT, BLOCK, SPAWN, STOP, FAIL };

static _Atomic long handled, blocked, gate, inits;
static pthread_t default_thread;

struct seen { /* the state of an actor: the thread that ran it */
	pthread_t thread;
	bool known, moved;
};
static _Atomic long moves; /* handlers that ran on another thread than the ones before */

static void see(struct seen *s)
{
	if (s->known && !pthread_equal(s->thread, pthread_self()))
		atomic_fetch_add(&moves, 1);
	s->thread = pthread_self();
	s->known = true;
}

static void block(void)
{
	atomic_fetch_add(&blocked, 1);
	while (!atomic_load(&gate))
		test_sleep_ms(1);
}

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
static heist_next init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)arg;
	see(state);
	atomic_fetch_add(&inits, 1);
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = init };
static const heist_class cls = { "placed", HEIST_ABI, sizeof(struct seen), recv, &hooks };

static heist_next default_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	if (!pthread_equal(default_thread, pthread_self()))
		atomic_fetch_add(&moves, 1);
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class default_class = { "usual", HEIST_ABI, 0, default_recv, NULL };

static heist_next first_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	default_thread = pthread_self();
	atomic_fetch_add(&handled, 1);
	return HEIST_STOP;
}
static const heist_class first_class = { "first", HEIST_ABI, 0, first_recv, NULL };

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t what = *(uint64_t *)msg;
	heist_ref r;
	see(state);
	if (what == BLOCK)
		block();
	if (what == SPAWN) {
		EXPECT(heist_spawn(heist_system_of(ctx), &default_class, NULL, NULL, &r) ==
		       HEIST_OK);
		heist_status sent = heist_send(r, type, msg);
		EXPECT(sent == HEIST_OK || sent == HEIST_EDEAD); /* a shutdown ended it */
	}
	atomic_fetch_add(&handled, 1);
	return what == STOP ? HEIST_STOP : what == FAIL ? HEIST_FAIL : HEIST_CONTINUE;
}

static heist_system *start(const heist_pool *pools, uint32_t count, uint32_t threads)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref r;
	c.workers = 1;
	c.pools = pools;
	c.pool_count = count;
	c.threads_max = threads;
	handled = blocked = gate = inits = moves = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	r = test_spawn(s, &first_class, NULL);
	EXPECT(test_tell(r, &WORD, COUNT) == HEIST_OK && wait_for(&handled, 1));
	atomic_store(&handled, 0);
	return s;
}

static heist_ref on_thread(heist_system *s)
{
	heist_opts o = heist_opts_default();
	heist_ref r = { 0 };
	o.own_thread = HEIST_ON;
	EXPECT(heist_spawn(s, &cls, &o, NULL, &r) == HEIST_OK);
	return r;
}

static heist_ref in_pool(heist_system *s, const char *pool)
{
	heist_opts o = heist_opts_default();
	heist_ref r = { 0 };
	o.pool = pool;
	EXPECT(heist_spawn(s, &cls, &o, NULL, &r) == HEIST_OK);
	return r;
}

static heist_pool pool(const char *name, uint32_t workers)
{
	heist_pool p = heist_pool_default();
	p.name = name;
	p.workers = workers;
	return p;
}

TEST(place, an_actor_with_its_own_thread_blocks_nobody)
{
	heist_system *s = start(NULL, 0, 0);
	heist_ref a = on_thread(s), b = on_thread(s), usual = test_spawn(s, &default_class, NULL);
	EXPECT(test_tell(a, &WORD, BLOCK) == HEIST_OK && test_tell(b, &WORD, BLOCK) == HEIST_OK);
	EXPECT(wait_for(&blocked, 2));
	for (int i = 0; i < 1000; i++)
		EXPECT(test_tell(usual, &WORD, COUNT) == HEIST_OK);
	EXPECT(wait_for(&handled, 1000) && handled == 1000);
	EXPECT(test_tell(a, &WORD, SPAWN) == HEIST_OK);
	atomic_store(&gate, 1);
	EXPECT(wait_for(&handled, 1004));
	for (int i = 0; i < 100; i++)
		EXPECT(test_tell(a, &WORD, COUNT) == HEIST_OK);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(handled == 1104 && moves == 0);
}

TEST(place, a_thread_serves_the_next_actor_when_its_own_has_ended)
{
	heist_system *s = start(NULL, 0, 1);
	heist_opts o = heist_opts_default();
	o.own_thread = HEIST_ON;
	for (long i = 0; i < 50; i++) {
		heist_ref r = on_thread(s), none;
		EXPECT(heist_spawn(s, &cls, &o, NULL, &none) == HEIST_ENOMEM);
		EXPECT(test_tell(r, &WORD, STOP) == HEIST_OK && wait_for(&handled, i + 1));
		while (heist_send(r, &WORD, &(uint64_t){ COUNT }) == HEIST_OK) /* not counted */
			;
		EXPECT(test_balanced(s)); /* the slot is drained, the thread free */
	}
	EXPECT(inits == 50);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(place, a_pool_blocks_only_itself)
{
	heist_pool pools[] = { pool("files", 2), pool("other", 1) };
	heist_system *s = start(pools, 2, 0);
	heist_ref a = in_pool(s, "files"), b = in_pool(s, "files"), c = in_pool(s, "files"),
		  o = in_pool(s, "other"), usual = test_spawn(s, &default_class, NULL);
	EXPECT(test_tell(a, &WORD, BLOCK) == HEIST_OK && test_tell(b, &WORD, BLOCK) == HEIST_OK);
	EXPECT(wait_for(&blocked, 2));
	EXPECT(test_tell(c, &WORD, COUNT) == HEIST_OK); /* nobody else may run it */
	for (int i = 0; i < 500; i++)
		EXPECT(test_tell(usual, &WORD, COUNT) == HEIST_OK &&
		       test_tell(o, &WORD, COUNT) == HEIST_OK);
	EXPECT(wait_for(&handled, 1000));
	test_sleep_ms(2);
	EXPECT(handled == 1000);
	atomic_store(&gate, 1);
	EXPECT(wait_for(&handled, 1003) && test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Every CPU that we may use, in turn: the pool's worker stays there. */
static _Atomic long seen_cpu;

static heist_next where_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	cpu_set_t set;
	(void)ctx, (void)state, (void)type;
	EXPECT(sched_getaffinity(0, sizeof set, &set) == 0);
	if (CPU_COUNT(&set) == 1 && CPU_ISSET(*(uint64_t *)msg, &set))
		atomic_store(&seen_cpu, (long)*(uint64_t *)msg);
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class where_class = { "where", HEIST_ABI, 0, where_recv, NULL };

TEST(place, a_pool_stays_on_its_cpus)
{
	cpu_set_t all;
	EXPECT(sched_getaffinity(0, sizeof all, &all) == 0);
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		char list[8];
		heist_pool p = pool("a", 1);
		heist_opts o = heist_opts_default();
		heist_ref r;
		if (!CPU_ISSET(cpu, &all))
			continue;
		snprintf(list, sizeof list, "%u", cpu);
		p.cpus = list;
		o.pool = "a";
		heist_system *s = start(&p, 1, 0);
		atomic_store(&seen_cpu, -1);
		EXPECT(heist_spawn(s, &where_class, &o, NULL, &r) == HEIST_OK);
		EXPECT(test_tell(r, &WORD, cpu) == HEIST_OK && wait_for(&handled, 1));
		EXPECT(seen_cpu == (long)cpu);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

/* Two actors send a number back and forth that becomes less. */
static heist_ref peers[2];

static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t left = *(uint64_t *)msg;
	heist_ref me = heist_self(ctx);
	see(state);
	atomic_fetch_add(&handled, 1);
	if (left-- > 0)
		EXPECT(heist_send(peers[peers[0].v == me.v], type, &left) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class player = { "player", HEIST_ABI, sizeof(struct seen), player_recv, NULL };

TEST(place, messages_go_from_place_to_place)
{
	heist_pool pools[] = { pool("a", 1), pool("b", 1) };
	heist_system *s = start(pools, 2, 0);
	const char *where[] = { NULL, "a", "b", "b" };
	for (int i = 0; i < 4; i++) {
		heist_opts o = heist_opts_default();
		atomic_store(&handled, 0);
		for (int k = 0; k < 2; k++) {
			o.pool = where[(i + k) % 4];
			EXPECT(heist_spawn(s, &player, &o, NULL, &peers[k]) == HEIST_OK);
		}
		EXPECT(test_tell(peers[0], &WORD, 999) == HEIST_OK);
		EXPECT(wait_for(&handled, 1000));
	}
	EXPECT(moves == 0);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* It goes on by a timer of its own and by an answer, ten times. */
static heist_ref server;

static void answered(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	uint64_t again = COUNT;
	(void)reply, (void)user;
	see(state);
	EXPECT(status == HEIST_OK);
	EXPECT(heist_send_after(ctx, heist_self(ctx), &WORD, &again, 1000, NULL) == HEIST_OK);
}

static heist_next asking_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	see(state);
	if (atomic_fetch_add(&handled, 1) < 9)
		EXPECT(heist_ask(ctx, server, type, msg, 0, answered, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	see(state);
	EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class asking = { "asking", HEIST_ABI, sizeof(struct seen), asking_recv, NULL };
static const heist_class answering = { "answering", HEIST_ABI, sizeof(struct seen), server_recv,
				       NULL };

TEST(place, timers_and_answers_come_to_where_the_actor_runs)
{
	heist_pool pools[] = { pool("a", 1), pool("b", 1) };
	heist_system *s = start(pools, 2, 0);
	heist_opts o = heist_opts_default();
	heist_ref a;
	for (int k = 0; k < 2; k++) {
		atomic_store(&handled, 0);
		o = heist_opts_default();
		o.pool = k ? "b" : NULL;
		EXPECT(heist_spawn(s, &answering, &o, NULL, &server) == HEIST_OK);
		o = heist_opts_default();
		o.pool = k ? "a" : NULL;
		o.own_thread = k ? HEIST_DEFAULT : HEIST_ON;
		EXPECT(heist_spawn(s, &asking, &o, NULL, &a) == HEIST_OK);
		EXPECT(test_tell(a, &WORD, COUNT) == HEIST_OK);
		EXPECT(wait_for(&handled, 10));
	}
	EXPECT(moves == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(place, a_supervised_actor_keeps_its_thread)
{
	heist_system *s = start(NULL, 0, 2);
	heist_opts o = heist_opts_default();
	heist_child c = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref supervisor, child, none;
	o.own_thread = HEIST_ON;
	c.cls = &cls;
	c.opts = &o;
	sup.children = &c;
	sup.child_count = 1;
	sup.intensity = 100;
	EXPECT(heist_supervise(s, &sup, &supervisor, &child) == HEIST_OK);
	EXPECT(wait_for(&inits, 1));
	(void)on_thread(s);
	for (long i = 0; i < 10; i++) {
		EXPECT(test_tell(child, &WORD, FAIL) == HEIST_OK);
		EXPECT(wait_for(&inits, i + 3));
		EXPECT(heist_spawn(s, &cls, &o, NULL, &none) == HEIST_ENOMEM);
	}
	EXPECT(heist_kill(supervisor, HEIST_OK) == HEIST_OK);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(place, a_shutdown_ends_what_is_left_everywhere)
{
	heist_pool pools[] = { pool("a", 2) };
	for (int round = 0; round < 20; round++) {
		heist_system *s = start(pools, 1, 0);
		heist_ref all[] = { in_pool(s, "a"), in_pool(s, "a"), on_thread(s),
				    test_spawn(s, &default_class, NULL) };
		for (int i = 0; i < 400; i++)
			EXPECT(test_tell(all[i % 4], &WORD, i % 4 < 3 ? SPAWN : COUNT) == HEIST_OK);
		EXPECT(shut_down_within(s, round % 2 ? 1000 : 1) == HEIST_OK);
	}
}
