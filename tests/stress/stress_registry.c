/* SPDX-License-Identifier: BSD-2-Clause
 * Actors fight for a few names, hold them, give them back or die with them, while threads outside look them up
 * and tell the holders to go.  A name never has two holders, every lookup that answers names an actor that had
 * it, and nothing is left at the end.
 *
 * usage: stress_registry [STEPS [SEED]] */
#include <heist/heist.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/memory.h"
#include "tests/support/rng.h"

#define THREADS 2
#define NAMES	6
#define ALIVE	16 /* at once, so that outside does not run away from the workers */
#define LOOSE	4  /* names that threads outside give to whomever they found last, and take away */

static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };

static heist_system *s;
static long steps;
static int nowhere;
static uint64_t seed;
static _Atomic uint64_t holder[NAMES]; /* handle of who says that the name is his */
static _Atomic long born, ended, held, wrong;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	atomic_fetch_add(&wrong, 1);
	fprintf(stderr, "stress_registry: %s\n", what);
}

static void name_of(char *out, uint32_t i)
{
	snprintf(out, HEIST_NAME_MAX + 1, i < NAMES ? "holder/%u" : "loose/%u", i);
}

struct actor {
	uint32_t name;
	bool holds;
};

static void let_go(struct actor *a, heist_ref self)
{
	check(atomic_exchange(&holder[a->name], 0) == self.v, "somebody else held the name");
	a->holds = false;
}

static heist_next actor_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct actor *a = state;
	char name[HEIST_NAME_MAX + 1];
	a->name = *(const uint32_t *)arg;
	name_of(name, a->name);
	heist_status st = heist_register(heist_system_of(ctx), name, heist_self(ctx));
	if (st != HEIST_OK) {
		check(st == HEIST_EEXIST, "register failed");
		return HEIST_STOP;
	}
	a->holds = true;
	atomic_fetch_add(&held, 1);
	check(atomic_exchange(&holder[a->name], heist_self(ctx).v) == 0, "two holders");
	return HEIST_CONTINUE;
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = state;
	char name[HEIST_NAME_MAX + 1];
	(void)type;
	if (*(uint64_t *)msg == 0 && a->holds) { /* give it back, then end */
		name_of(name, a->name);
		let_go(a, heist_self(ctx));
		check(heist_unregister(heist_system_of(ctx), name) == HEIST_OK,
		      "unregister failed");
	}
	return HEIST_STOP;
}

static void actor_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct actor *a = state;
	(void)why;
	if (a->holds)
		let_go(a, heist_self(ctx)); /* and die with it */
	atomic_fetch_add(&ended, 1);
}
static const heist_hooks hooks = { .arg_size = sizeof(uint32_t),
				   .init = actor_init,
				   .stop = actor_stop };
static const heist_class class = { "actor", HEIST_ABI, sizeof(struct actor), actor_recv, &hooks };

static void spawn_one(uint32_t name)
{
	heist_ref r;
	if (heist_spawn(s, &class, NULL, &name, &r) != HEIST_OK)
		abort();
	atomic_fetch_add(&born, 1);
}

static void *outside(void *arg)
{
	struct rng r = rng_seed(seed + (uint64_t)(intptr_t)arg);
	heist_ref found = { 0 };
	char name[HEIST_NAME_MAX + 1];
	for (long i = 0; i < steps; i++) {
		uint32_t k = rng_below(&r, NAMES);
		name_of(name, k);
		if (rng_below(&r, 1000) == 0)
			check(heist_dump_events(s, nowhere) == HEIST_OK, "dump failed");
		switch (rng_below(&r, 4)) {
		case 0:
			if (atomic_load(&born) - atomic_load(&ended) < ALIVE)
				spawn_one(k);
			break;
		case 1:
			name_of(name, NAMES + rng_below(&r, LOOSE));
			heist_status st = heist_register(s, name, found);
			check(st == HEIST_OK || st == HEIST_EEXIST || st == HEIST_EDEAD,
			      "loose register");
			break;
		case 2:
			name_of(name, NAMES + rng_below(&r, LOOSE));
			(void)heist_unregister(s, name);
			break;
		default:
			found = heist_whereis(s, name);
			if (found.v)
				heist_send(found, &GO, &(uint64_t){ rng_below(&r, 2) });
		}
	}
	return NULL;
}

/* Until every actor has ended. */
static void finish(void)
{
	char name[HEIST_NAME_MAX + 1];
	time_t limit = time(NULL) + 60;
	while (atomic_load(&ended) < atomic_load(&born) && time(NULL) < limit)
		for (uint32_t i = 0; i < NAMES; i++) {
			name_of(name, i);
			heist_ref found = heist_whereis(s, name);
			if (found.v)
				heist_send(found, &GO, &(uint64_t){ i % 2 });
		}
	check(atomic_load(&ended) == atomic_load(&born), "an actor without a name lives on");
	for (uint32_t i = 0; i < NAMES; i++)
		check(atomic_load(&holder[i]) == 0, "somebody who has ended holds a name");
	for (uint32_t i = 0; i < NAMES + LOOSE; i++) {
		name_of(name, i);
		check(heist_whereis(s, name).v == 0, "somebody who has ended has a name");
	}
}

int main(int argc, char **argv)
{
	static struct counted_memory memory;
	heist_config c = heist_config_default();
	pthread_t t[THREADS];
	steps = argc > 1 ? atol(argv[1]) : 300000;
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	printf("stress_registry %ld %llu\n", steps, (unsigned long long)seed);
	fflush(stdout);
	counted_init(&memory);
	nowhere = open("/dev/null", O_WRONLY);
	c.workers = 2;
	c.events = 30; /* its rings are written all the time, and read by whoever dumps */
	c.pin = HEIST_OFF;
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	if (heist_start(&c, &s) != HEIST_OK)
		return 1;
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, outside, (void *)i) != 0)
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	finish();
	if (heist_shutdown(s, 0) != HEIST_OK)
		return 1;
	check(counted_balanced(&memory), "memory is left");
	printf("%ld actors, %ld held a name\n", atomic_load(&born), atomic_load(&held));
	return atomic_load(&wrong) != 0 || atomic_load(&held) == 0;
}
