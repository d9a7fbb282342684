/* SPDX-License-Identifier: BSD-2-Clause
 * Actors monitor, link, give up and end at random, on several workers, in slots that are used again at
 * once.  Every monitor is told once, given up, or ends with its owner.
 *
 * usage: stress_monitor [ENDS [SEED]] */
#define UNIT_PLAIN /* no test framework */

#include <heist/heist.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/rng.h"
#include "tests/support/runtime.h"

#define ACTORS 64
#define OPEN   16
#define CODE   ((heist_status)(HEIST_EUSER - 1))

static const heist_type STEP = { .base = &STEP, .name = "step", .size = 8, .reply_size = 1 };

static _Atomic uint64_t place[ACTORS]; /* who lives there now */
static _Atomic long made, cut, told, dropped, ends, ties, want;

struct agent {
	struct rng rng;
	uint32_t home;
	heist_ref open[OPEN];
};

static const heist_class agent_class, trap_class;

static int find(const struct agent *a, heist_ref r)
{
	for (int i = 0; i < OPEN; i++)
		if (a->open[i].v == r.v)
			return i;
	return -1;
}

static heist_next agent_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct agent *a = state;
	uint64_t seed = *(const uint64_t *)arg;
	a->rng = rng_seed(seed);
	a->home = (uint32_t)(seed % ACTORS);
	heist_send(heist_self(ctx), &STEP, &seed);
	return seed / ACTORS % 50 == 7 ? HEIST_FAIL : HEIST_CONTINUE;
}

/* Whoever ends is followed by another. */
static void agent_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct agent *a = state;
	(void)why;
	for (int i = 0; i < OPEN; i++)
		if (a->open[i].v)
			atomic_fetch_add(&dropped, 1);
	if (atomic_fetch_add(&ends, 1) >= want)
		return;
	uint64_t seed = rng_next(&a->rng) / ACTORS * ACTORS + a->home;
	heist_ref r;
	if (heist_spawn(heist_system_of(ctx), a->home % 4 ? &agent_class : &trap_class, NULL, &seed,
			&r) != HEIST_OK)
		abort();
	place[a->home] = r.v;
	heist_send(r, &STEP, &seed);
}

static heist_next agent_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	struct agent *a = state;
	(void)ctx;
	if (sig->kind == HEIST_SIG_LINK) {
		atomic_fetch_add(&ties, 1);
		return HEIST_CONTINUE;
	}
	int i = find(a, sig->who);
	if (i < 0 || sig->who.v == 0)
		abort(); /* told twice, or after demonitor */
	a->open[i].v = 0;
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}

static void agent_watch(heist_ctx *ctx, struct agent *a, heist_ref who)
{
	int known = find(a, who), room = find(a, (heist_ref){ 0 });
	if (known >= 0 && rng_below(&a->rng, 2)) {
		if (heist_demonitor(ctx, who) != HEIST_OK)
			abort();
		a->open[known].v = 0;
		atomic_fetch_add(&cut, 1);
	} else if (known < 0 && room >= 0) {
		if (heist_monitor(ctx, who) != HEIST_OK)
			abort();
		a->open[room] = who;
		atomic_fetch_add(&made, 1);
	}
}

static heist_next agent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct agent *a = state;
	heist_ref self = heist_self(ctx);
	uint64_t n = *(uint64_t *)msg;
	for (int i = 0; i < 8; i++) {
		heist_ref who = { place[rng_below(&a->rng, ACTORS)] };
		if (who.v == 0 || who.v == self.v)
			continue;
		switch (rng_below(&a->rng, 16)) {
		case 0:
			if (rng_below(&a->rng, 16) == 0)
				heist_link(ctx, who);
			break;
		case 1:
		case 2:
			heist_unlink(ctx, who);
			break;
		case 3:
			if (i == 0)
				heist_kill(who, HEIST_OK);
			break;
		case 4:
			if (i == 0)
				heist_stop(who, CODE);
			break;
		default:
			agent_watch(ctx, a, who);
		}
	}
	if (ends >= want)
		return HEIST_CONTINUE;
	switch (rng_below(&a->rng, 24)) {
	case 0:
		return HEIST_STOP;
	case 1:
		return HEIST_FAIL;
	case 2:
		heist_panic(ctx, CODE);
	}
	heist_send((heist_ref){ place[rng_below(&a->rng, ACTORS)] }, type, &n);
	heist_send(self, type, &n);
	return HEIST_CONTINUE;
}

static const heist_hooks agent_hooks = {
	.arg_size = 8, .init = agent_init, .stop = agent_stop, .signal = agent_signal
};
static const heist_hooks trap_hooks = { .flags = HEIST_TRAP_LINKS,
					.arg_size = 8,
					.init = agent_init,
					.stop = agent_stop,
					.signal = agent_signal };
static const heist_class agent_class = { "agent", HEIST_ABI, sizeof(struct agent), agent_recv,
					 &agent_hooks };
static const heist_class trap_class = { "trap", HEIST_ABI, sizeof(struct agent), agent_recv,
					&trap_hooks };

static void fail(const char *what, uint64_t seed)
{
	fprintf(stderr,
		"stress_monitor: %s, seed %" PRIu64 ": made %ld, cut %ld, told %ld, dropped %ld\n",
		what, seed, made, cut, told, dropped);
	abort();
}

int main(int argc, char **argv)
{
	want = argc > 1 ? atol(argv[1]) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	heist_stats t = heist_stats_default();
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = 2;
	c.batch = 1; /* lives overlap */
	if (heist_start(&c, &s) != HEIST_OK)
		abort();
	printf("stress_monitor %ld %" PRIu64 "\n", want, seed);
	fflush(stdout);
	struct rng rng = rng_seed(seed);
	for (uint64_t i = 0; i < ACTORS; i++) {
		uint64_t arg = rng_next(&rng) / ACTORS * ACTORS + i;
		heist_ref r = test_spawn(s, &agent_class, &arg);
		place[i] = r.v;
	}
	for (long last = -1; ends < want; test_sleep_ms(2)) {
		if (ends == last) /* all tokens are lost: begin again */
			for (int i = 0; i < ACTORS; i++)
				(void)test_tell((heist_ref){ place[i] }, &STEP, 1);
		last = ends;
	}
	if (!test_balanced(s))
		fail("not balanced", seed);
	for (int i = 0; i < ACTORS; i++)
		(void)heist_kill((heist_ref){ place[i] }, HEIST_OK);
	for (int i = 0; i < 20000; i++) {
		if (heist_get_stats(s, &t) == HEIST_OK && t.actors == 0)
			break;
		test_sleep_ms(1);
	}
	if (heist_shutdown(s, 0) != HEIST_OK || t.actors != 0)
		fail("some are left", seed);
	if (made != cut + told + dropped)
		fail("a monitor was forgotten", seed);
	printf("%ld ends: %ld monitors, %ld given up, %ld told, %ld ended with their owner\n", ends,
	       made, cut, told, dropped);
	return 0;
}
