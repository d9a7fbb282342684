/* SPDX-License-Identifier: BSD-2-Clause
 * Children of a tree of supervisors crash at random, are killed and replaced, while others send to them.
 * What was sent was handled or lost with a cause; every incarnation that began ended, one after the other;
 * every child that is watched is told of once.
 *
 * usage: stress_restart [RESTARTS [SEED]] */
#define UNIT_PLAIN /* no test framework */

#include <heist/heist.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/rng.h"
#include "tests/support/runtime.h"

#define BRANCHES 6
#define LEAVES	 6
#define CHILDREN (BRANCHES * LEAVES)
#define CODE	 ((heist_status)(HEIST_EUSER - 1))

static const heist_type STEP = { .base = &STEP, .name = "step", .size = 8, .reply_size = 1 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 200, .reply_size = 1 };

static _Atomic uint64_t place[CHILDREN];
static heist_ref branch[BRANCHES];
static _Atomic long inits, stops, alive[CHILDREN], sent, completed, crashed, watched, told, want;
static _Atomic long lost[HEIST_CAUSES];
static _Atomic uint64_t seeds;
static _Atomic bool over;

struct child {
	uint64_t id;
	struct rng rng;
	void *memory;
};

static void say(heist_ref to, bool big)
{
	uint64_t payload[25] = { 1 };
	if (heist_send(to, big ? &BIG : &STEP, payload) == HEIST_OK)
		atomic_fetch_add(&sent, 1);
}

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct child *c = state;
	if (c->id || c->memory)
		abort(); /* not zeroed */
	c->id = *(const uint64_t *)arg;
	c->rng = rng_seed(atomic_fetch_add(&seeds, 1));
	if (atomic_fetch_add(&alive[c->id], 1) != 0)
		abort(); /* two at once */
	atomic_fetch_add(&inits, 1);
	if (heist_allocated(ctx) != 0)
		abort();
	c->memory = heist_alloc(ctx, 100);
	return !over && rng_below(&c->rng, 20) == 0 ? HEIST_FAIL : HEIST_CONTINUE;
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct child *c = state;
	(void)ctx, (void)why;
	atomic_fetch_sub(&alive[c->id], 1);
	atomic_fetch_add(&stops, 1);
}

static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct child *c = state;
	uint32_t what = over ? 7 : rng_below(&c->rng, 24);
	(void)type, (void)msg;
	if (!over)
		for (uint32_t i = rng_below(&c->rng, 3); i > 0; i--)
			say((heist_ref){ place[rng_below(&c->rng, CHILDREN)] }, i == 2);
	if (what < 2) {
		atomic_fetch_add(&crashed, 1);
		if (what)
			return HEIST_FAIL;
		heist_panic(ctx, CODE);
	}
	atomic_fetch_add(&completed, 1);
	return what == 3 ? HEIST_STOP : HEIST_CONTINUE;
}

static const heist_hooks child_hooks = { .arg_size = 8, .init = child_init, .stop = child_stop };
static const heist_class child_class = { "child", HEIST_ABI, sizeof(struct child), child_recv,
					 &child_hooks };

/* ---- the watcher ---- */

static heist_next watcher_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	if (heist_monitor(ctx, *(heist_ref *)msg) != HEIST_OK)
		abort();
	atomic_fetch_add(&completed, 1);
	return HEIST_CONTINUE;
}

static heist_next watcher_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	if (sig->kind != HEIST_SIG_DOWN)
		abort();
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}
static const heist_hooks watcher_hooks = { .signal = watcher_signal };
static const heist_class watcher_class = { "watcher", HEIST_ABI, 0, watcher_recv, &watcher_hooks };
static heist_ref watcher;

static void watch(heist_ref r)
{
	if (heist_send(watcher, &STEP, &r) != HEIST_OK)
		abort();
	atomic_fetch_add(&sent, 1);
	atomic_fetch_add(&watched, 1);
}

/* ---- the tree ---- */

static bool keep_big(void *user, const heist_type *type, const void *msg)
{
	(void)user, (void)msg;
	return type == &BIG;
}

static heist_child child_spec(uint64_t *id)
{
	heist_child c = heist_child_default();
	c.cls = &child_class;
	c.arg = id;
	c.restart = HEIST_PERMANENT;
	c.leftover = (heist_leftover)(*id % 3);
	c.keep = keep_big;
	c.poison_retries = *id % 4 == 3;
	c.backoff_min_ms = *id % 5 == 4;
	c.jitter_percent = 50;
	return c;
}

static void plant(heist_system *s)
{
	heist_sup root = heist_sup_default();
	heist_ref r;
	root.intensity = 1000000;
	root.period_ms = 1;
	if (heist_supervise(s, &root, &r, NULL) != HEIST_OK)
		abort();
	for (uint64_t b = 0; b < BRANCHES; b++) {
		uint64_t ids[LEAVES];
		heist_child specs[LEAVES];
		heist_ref leaf[LEAVES];
		heist_sup sup = heist_sup_default();
		for (uint64_t i = 0; i < LEAVES; i++) {
			ids[i] = b * LEAVES + i;
			specs[i] = child_spec(&ids[i]);
		}
		sup.strategy = (heist_strategy)(b % 3);
		sup.intensity = b % 2 ? 1000000 : 50; /* some escalate */
		sup.period_ms = 1000;
		sup.parent = r;
		sup.children = specs;
		sup.child_count = LEAVES;
		if (heist_supervise(s, &sup, &branch[b], leaf) != HEIST_OK)
			abort();
		for (uint64_t i = 0; i < LEAVES; i++) {
			place[ids[i]] = leaf[i].v;
			watch(leaf[i]);
		}
	}
}

/* End one for good; another takes its place. */
static void replace(heist_system *s, uint64_t id, bool kill)
{
	heist_ref old = { place[id] }, r;
	heist_child spec = child_spec(&id);
	(void)(kill ? heist_kill : heist_stop)(old, CODE);
	while (heist_send(old, &STEP, &id) == HEIST_OK) { /* it has not ended */
		atomic_fetch_add(&sent, 1);
		test_sleep_ms(1);
	}
	if (heist_add_child(s, branch[id / LEAVES], &spec, &r) != HEIST_OK)
		abort();
	place[id] = r.v;
	watch(r);
}

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
	atomic_fetch_add(&lost[l->cause], 1);
}

static void fail(const char *what, uint64_t seed)
{
	fprintf(stderr, "stress_restart: %s, seed %" PRIu64 "\n", what, seed);
	abort();
}

static long all_lost(void)
{
	long n = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		n += lost[i];
	return n;
}

int main(int argc, char **argv)
{
	want = argc > 1 ? atol(argv[1]) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	heist_config c = heist_config_default();
	heist_system *s;
	printf("stress_restart %ld %" PRIu64 "\n", want, seed);
	fflush(stdout);
	seeds = seed;
	c.workers = 2;
	c.dead_letter = on_lost;
	if (heist_start(&c, &s) != HEIST_OK)
		abort();
	watcher = test_spawn(s, &watcher_class, NULL);
	plant(s);
	struct rng rng = rng_seed(seed);
	for (uint32_t i = 0; inits < want; i++) {
		say((heist_ref){ place[rng_below(&rng, CHILDREN)] }, i % 5 == 0);
		if (rng_below(&rng, 500) == 0)
			replace(s, rng_below(&rng, CHILDREN), rng_below(&rng, 2));
		if (i % 64 == 0)
			test_sleep_ms(1);
	}
	over = true;
	if (!test_balanced(s))
		fail("not balanced", seed);
	if (!wait_for(&told, watched - CHILDREN) || told != watched - CHILDREN)
		fail("not every end was told once", seed);
	if (heist_shutdown(s, 0) != HEIST_OK)
		fail("no shutdown", seed);
	if (sent != completed + all_lost())
		fprintf(stderr, "sent %ld, completed %ld, lost %ld\n", sent, completed, all_lost()),
			fail("a message was forgotten, or counted twice", seed);
	if (inits != stops)
		fail("an incarnation did not end", seed);
	printf("%ld incarnations, %ld crashes; %ld sent = %ld handled + %ld failed + %ld at a "
	       "restart + %ld "
	       "dead + %ld stopped + %ld closed; %ld watched, %ld told\n",
	       inits, crashed, sent, completed, lost[HEIST_LOST_FAILED], lost[HEIST_LOST_RESTART],
	       lost[HEIST_LOST_DEAD], lost[HEIST_LOST_STOPPED], lost[HEIST_LOST_CLOSED], watched,
	       told);
	return 0;
}
