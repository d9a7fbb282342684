/* SPDX-License-Identifier: BSD-2-Clause
 * Actors join and leave a few groups, end in the middle, and are sent to or picked all the time, while watchers keep the
 * book: what a watcher was told adds up to who is there, nobody joins twice or leaves twice, every message
 * that was taken over is handled or lost with a cause, and nothing is left at the end.
 *
 * usage: stress_groups [STEPS [SEED]] */
#include <heist/heist.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/memory.h"
#include "tests/support/oracle.h"
#include "tests/support/rng.h"

#define THREADS 3
#define GROUPS	3
#define PLACES	24 /* actors that are known at a time */
#define ALIVE	64 /* at once, so that outside does not run away from the workers */

struct large {
	uint64_t n[16];
};
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };
static const heist_type LARGE = {
	.base = &LARGE, .name = "large", .size = sizeof(struct large), .reply_size = 1
};
static const heist_type CHANGE = {
	.base = &CHANGE, .name = "change", .size = sizeof(heist_member_event), .reply_size = 1
};

static heist_system *s;
static long steps;
static uint64_t seed;
static _Atomic uint64_t place[PLACES]; /* handles */
static struct oracle own;	       /* messages */
static _Atomic long wrong, changes, born, ended;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	atomic_fetch_add(&wrong, 1);
	fprintf(stderr, "stress_groups: %s\n", what);
}

static const char *group_of(uint32_t i)
{
	static const char *const names[GROUPS] = { "red", "green", "blue" };
	return names[i];
}

/* ---- members ---- */

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state;
	oracle_count(&own.handled);
	if (type == &LARGE) {
		const struct large *l = msg;
		for (int i = 1; i < 16; i++)
			check(l->n[i] == l->n[0], "a payload is torn");
		return HEIST_CONTINUE;
	}
	return *(uint64_t *)msg == 0 ? HEIST_STOP : HEIST_CONTINUE;
}
static void member_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&ended, 1);
}
static const heist_hooks hooks = { .stop = member_stop };
static const heist_class member = { "member", HEIST_ABI, 0, member_recv, &hooks };

static heist_ref spawn_one(const heist_class *cls)
{
	heist_ref r;
	while (atomic_load(&born) - atomic_load(&ended) >= ALIVE)
		sched_yield();
	atomic_fetch_add(&born, 1);
	if (heist_spawn(s, cls, NULL, NULL, &r) != HEIST_OK)
		abort();
	return r;
}

static heist_ref renew(uint32_t i)
{
	heist_ref r = spawn_one(&member);
	heist_kill((heist_ref){ atomic_exchange(&place[i], r.v) }, HEIST_OK);
	return r;
}

/* ---- watchers: one for each group ---- */

struct book {
	uint64_t there[2 * ALIVE];
	uint32_t count;
};
static _Atomic long in_book[GROUPS];

static uint32_t find(const struct book *b, heist_ref r)
{
	uint32_t i = 0;
	while (i < b->count && b->there[i] != r.v)
		i++;
	return i;
}

static heist_next keeper_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct book *b = state;
	heist_member_event *e = msg;
	uint32_t i = find(b, e->who);
	(void)ctx, (void)type;
	atomic_fetch_add(&changes, 1);
	if (e->change == HEIST_MEMBER_JOINED) {
		check(i == b->count, "joined twice");
		if (b->count < 2 * ALIVE)
			b->there[b->count++] = e->who.v;
	} else {
		check(i < b->count, "left without having joined");
		if (i < b->count)
			b->there[i] = b->there[--b->count];
	}
	atomic_store(&in_book[e->user], (long)b->count);
	return HEIST_CONTINUE;
}
static const heist_class keeper = { "keeper", HEIST_ABI, sizeof(struct book), keeper_recv, NULL };

/* A watcher that comes and goes. */
static heist_next passer_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}
static const heist_class passer = { "passer", HEIST_ABI, 0, passer_recv, &hooks };

/* ---- threads outside ---- */

static void broadcast(struct rng *r, const char *group)
{
	heist_tally t = heist_tally_default();
	uint64_t n = 1 + rng_below(r, 1000);
	struct large l;
	heist_status st;
	for (int i = 0; i < 16; i++)
		l.n[i] = n;
	if (rng_below(r, 2))
		st = heist_group_send(s, group, &LARGE, &l, &t);
	else
		st = heist_group_send(s, group, &GO, &n, &t);
	check(st == HEIST_OK || st == HEIST_EDEAD, "a send failed");
	check(t.tried == t.accepted + t.dead, "the tally does not add up");
	atomic_fetch_add_explicit(&own.sent, t.accepted, memory_order_relaxed);
}

static void step(struct rng *r, heist_ref *watcher)
{
	const char *group = group_of(rng_below(r, GROUPS));
	uint32_t i = rng_below(r, PLACES);
	heist_ref a = { atomic_load(&place[i]) }, out[PLACES];
	heist_status st = HEIST_OK;
	switch (rng_below(r, 9)) {
	case 0:
	case 1:
		st = heist_group_join(s, group, a);
		break;
	case 2:
		if (rng_below(r, 2)) /* both at once */
			heist_kill(a, HEIST_OK);
		st = heist_group_leave(s, group, a);
		break;
	case 3:
		a = renew(i);
		st = heist_group_join(s, group, a);
		break;
	case 4:
		if (heist_send(a, &GO, &(uint64_t){ 0 }) == HEIST_OK)
			oracle_count(&own.sent);
		break;
	case 5:
		check(heist_group_members(s, group, out, PLACES) <= ALIVE + THREADS,
		      "too many members");
		break;
	case 6:
		if (rng_below(r, 4) == 0) {
			heist_kill(*watcher, HEIST_OK);
			*watcher = spawn_one(&passer);
			st = heist_group_watch(s, group, *watcher, &CHANGE, 0);
		} else {
			(void)heist_group_unwatch(s, group, *watcher);
		}
		break;
	case 7:
		a = heist_pick(s, group, (heist_route)rng_below(r, 4), rng_below(r, 100));
		if (a.v && heist_send(a, &GO, &(uint64_t){ 1 }) == HEIST_OK)
			oracle_count(&own.sent);
		break;
	default:
		broadcast(r, group);
	}
	check(st == HEIST_OK || st == HEIST_EEXIST || st == HEIST_EDEAD, "join or leave failed");
}

static void *outside(void *arg)
{
	struct rng r = rng_seed(seed + (uint64_t)(intptr_t)arg);
	heist_ref watcher = { 0 };
	for (long i = 0; i < steps; i++)
		step(&r, &watcher);
	heist_kill(watcher, HEIST_OK);
	return NULL;
}

/* ---- */

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
	if (l->type == &GO || l->type == &LARGE)
		oracle_count(&own.lost[l->cause]);
}

static void on_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line;
}

static bool books_are_empty(void)
{
	for (int i = 0; i < GROUPS; i++)
		if (atomic_load(&in_book[i]) != 0)
			return false;
	return true;
}

static void finish(void)
{
	time_t limit = time(NULL) + 60;
	for (uint32_t i = 0; i < PLACES; i++)
		heist_kill((heist_ref){ atomic_load(&place[i]) }, HEIST_OK);
	while (!books_are_empty() && time(NULL) < limit)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	check(books_are_empty(), "a watcher was not told of all who left");
	for (uint32_t i = 0; i < GROUPS; i++)
		check(heist_group_members(s, group_of(i), NULL, 0) == 0, "the dead are members");
}

int main(int argc, char **argv)
{
	static struct counted_memory memory;
	heist_config c = heist_config_default();
	pthread_t t[THREADS];
	steps = argc > 1 ? atol(argv[1]) : 100000;
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	printf("stress_groups %ld %llu\n", steps, (unsigned long long)seed);
	fflush(stdout);
	counted_init(&memory);
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	c.dead_letter = on_lost;
	c.log = on_log;
	if (heist_start(&c, &s) != HEIST_OK)
		return 1;
	for (uint32_t i = 0; i < GROUPS; i++) {
		heist_ref k;
		if (heist_spawn(s, &keeper, NULL, NULL, &k) != HEIST_OK ||
		    heist_group_watch(s, group_of(i), k, &CHANGE, i) != HEIST_OK)
			return 1;
	}
	for (uint32_t i = 0; i < PLACES; i++)
		renew(i);
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, outside, (void *)i) != 0)
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	finish();
	if (heist_shutdown(s, 0) != HEIST_OK)
		return 1;
	const char *uneven = oracle_wrong(&own, 0);
	check(uneven == NULL, uneven);
	check(counted_balanced(&memory), "memory is left");
	printf("%ld changes, %" PRIu64 " messages, %" PRIu64 " lost\n", atomic_load(&changes),
	       oracle_read(&own.sent), oracle_lost(&own));
	return atomic_load(&wrong) != 0 || atomic_load(&changes) == 0;
}
