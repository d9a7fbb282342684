/* SPDX-License-Identifier: BSD-2-Clause
 * Actors that wander between workers set timers and cancel some, while a worker is now and then stuck in a
 * handler: each fires once or is cancelled, and none that was cancelled is handled.
 *
 * usage: stress_timers [TIMERS [SEED]] */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/oracle.h"
#include "tests/support/rng.h"

#define ACTORS 64
#define OWN    32 /* timers an actor has at once */

static const heist_type STEP = { .base = &STEP, .name = "step", .size = 8, .reply_size = 1 };
static const heist_type DUE = { .base = &DUE, .name = "due", .size = 8, .reply_size = 1 };
static struct oracle own; /* timers */
static _Atomic long left;

struct actor {
	struct rng rng;
	uint64_t serial;
	struct {
		heist_timer timer;
		uint64_t serial; /* of the message that may come; 0: none */
	} own[OWN];
};

static void fail(const char *what)
{
	fprintf(stderr, "stress_timers: %s\n", what);
	abort();
}

static heist_next actor_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct actor *a = state;
	(void)ctx;
	a->rng = rng_seed(*(const uint64_t *)arg);
	return HEIST_CONTINUE;
}

static void set_or_cancel(heist_ctx *ctx, struct actor *a)
{
	uint32_t i = rng_below(&a->rng, OWN);
	uint64_t msg = (a->serial + 1) << 8 | i;
	if (a->own[i].serial) {
		if (heist_cancel(ctx, a->own[i].timer) != HEIST_OK)
			fail("a timer that has not come can not be cancelled");
		a->own[i].serial = 0;
		oracle_count(&own.cancelled);
		return;
	}
	if (heist_send_after(ctx, heist_self(ctx), &DUE, &msg, rng_below(&a->rng, 300000),
			     &a->own[i].timer) != HEIST_OK)
		fail("no memory");
	a->own[i].serial = ++a->serial;
	oracle_count(&own.set);
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = state;
	uint64_t n = *(uint64_t *)msg;
	if (type == &DUE) {
		if (a->own[n & 255].serial != n >> 8)
			fail("a cancelled timer was handled");
		a->own[n & 255].serial = 0;
		oracle_count(&own.came);
		return HEIST_CONTINUE;
	}
	if (atomic_fetch_sub_explicit(&left, 1, memory_order_relaxed) <= 0)
		return HEIST_CONTINUE;
	set_or_cancel(ctx, a);
	if (rng_below(&a->rng, 4096) == 0) /* others must fire its worker's timers meanwhile */
		nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
	/* by the wheel or by the mailbox, so that it is woken here and there */
	if (rng_below(&a->rng, 2))
		return heist_send(heist_self(ctx), type, msg) == HEIST_OK ? HEIST_CONTINUE
									  : HEIST_FAIL;
	if (heist_send_after(ctx, heist_self(ctx), type, msg, rng_below(&a->rng, 20000), NULL) !=
	    HEIST_OK)
		fail("no memory");
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .arg_size = 8, .init = actor_init };
static const heist_class actor = { "actor", HEIST_ABI, sizeof(struct actor), actor_recv, &hooks };

static void wait_for_all(heist_system *s)
{
	heist_stats t = heist_stats_default();
	for (int i = 0; i < 60000; i++) {
		if (heist_get_stats(s, &t) == HEIST_OK && atomic_load(&left) <= 0 &&
		    test_timers_over(&t) && oracle_wrong(&own, 0) == NULL)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	fail("a timer never came");
}

int main(int argc, char **argv)
{
	heist_config c = heist_config_default();
	heist_system *s;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	left = argc > 1 ? atol(argv[1]) : 100000;
	printf("stress_timers %ld %llu\n", left, (unsigned long long)seed);
	fflush(stdout);
	c.workers = 3;
	c.pin = HEIST_OFF;
	if (heist_start(&c, &s) != HEIST_OK)
		fail("no runtime");
	for (uint64_t i = 0; i < ACTORS; i++) {
		uint64_t arg = seed + i;
		heist_ref r;
		if (heist_spawn(s, &actor, NULL, &arg, &r) != HEIST_OK ||
		    heist_send(r, &STEP, &arg) != HEIST_OK)
			fail("no actor");
	}
	wait_for_all(s);
	printf("%" PRIu64 " set, %" PRIu64 " cancelled, %" PRIu64 " came\n", own.set, own.cancelled,
	       own.came);
	return heist_shutdown(s, 0) != HEIST_OK;
}
