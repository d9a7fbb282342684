/* SPDX-License-Identifier: BSD-2-Clause
 * Children of a tree of supervisors crash at random: they answer FAIL, panic from some depth, have a fault, fail in
 * their init; others stop, or are killed and replaced, while all send to all.  No supervisor gives up for good.
 * Then what was sent was handled or lost with a cause; every incarnation that began ended, one after the other; every
 * child is found under its handle and its name and works; the end of every child is told once, of each its own.
 *
 * usage: stress_restart [CRASHES [WORKERS [SEED]]] */
#define UNIT_PLAIN /* no test framework */

#include <heist/heist.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lockfree/check.h"
#include "lockfree/seam.h"
#include "tests/support/rng.h"
#include "tests/support/runtime.h"

#define BRANCHES 6
#define LEAVES	 6
#define CHILDREN (BRANCHES * LEAVES)
#define CODE	 ((heist_status)(HEIST_EUSER - 1))
#define NEVER	 65536 /* restarts in a millisecond */

static const heist_type STEP = { .base = &STEP, .name = "step", .size = 8, .reply_size = 1 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 200, .reply_size = 1 };

#if !defined(HEIST_ASAN) && !defined(HEIST_TSAN) /* which catch faults themselves */
#define FAULTS 1
#else
#define FAULTS 0
#endif

enum crash { ANSWER, PANIC, WRITE, DIVIDE, INIT_ANSWER, INIT_PANIC, CRASHES };
static const char *const crash_names[CRASHES] = {
	"answered", "panics", "writes to NULL", "divisions by zero", "in init", "panics in init"
};

static _Atomic uint64_t place[CHILDREN];
static heist_ref root, branch[BRANCHES];
static struct oracle own;
static _Atomic long alive[CHILDREN], at_end[CHILDREN];
static _Atomic long crashes[CRASHES], never_tried_again;
static _Atomic long watched, told;
static _Atomic uint64_t watched_sum, told_sum; /* of handles */
static _Atomic uint64_t seeds;
static _Atomic bool over;
static struct rng plan; /* the main thread's */

struct child {
	uint64_t id, life;
	struct rng rng;
	void *memory;
};

static void say(heist_ref to, bool big)
{
	uint64_t payload[25] = { 1 };
	if (heist_send(to, big ? &BIG : &STEP, payload) == HEIST_OK)
		oracle_count(&own.sent);
}

/* ---- crashes ---- */

static int *volatile nowhere;
static volatile int zero;

/* The same `depth` calls below. */
static __attribute__((noinline)) void crash_below(heist_ctx *ctx, enum crash how, uint32_t depth)
{
	volatile uint32_t here = depth;
	if (here > 0)
		crash_below(ctx, how, here - 1);
	else if (how == WRITE)
		*nowhere = 1;
	else if (how == DIVIDE)
		zero = 1000 / zero;
	else
		heist_panic(ctx, CODE);
	zero = (int)here * 0; /* no tail call */
}

/* A fault leaves no time for a stop hook. */
static bool is_fault(enum crash how)
{
	return how == WRITE || how == DIVIDE;
}

static void ends(const struct child *c)
{
	atomic_fetch_sub(&alive[c->id], 1);
	oracle_ends(&own, c->life);
}

static heist_next crash(heist_ctx *ctx, struct child *c, enum crash how)
{
	atomic_fetch_add(&crashes[how], 1);
	if (how == ANSWER || how == INIT_ANSWER)
		return HEIST_FAIL;
	if (is_fault(how))
		ends(c);
	crash_below(ctx, how, rng_below(&c->rng, 30));
	abort();
}

static long crashed(void)
{
	long n = 0;
	for (int i = 0; i < CRASHES; i++)
		n += crashes[i];
	return n;
}

/* ---- a child ---- */

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct child *c = state;
	if (c->id || c->memory)
		abort(); /* not zeroed */
	c->id = *(const uint64_t *)arg;
	c->rng = rng_seed(atomic_fetch_add(&seeds, 1));
	if (atomic_fetch_add(&alive[c->id], 1) != 0)
		abort(); /* two at once */
	c->life = oracle_begins(&own);
	if (heist_allocated(ctx) != 0)
		abort();
	c->memory = heist_alloc(ctx, 100);
	if (over || rng_below(&c->rng, 20) != 0)
		return HEIST_CONTINUE;
	return crash(ctx, c, rng_below(&c->rng, 2) ? INIT_ANSWER : INIT_PANIC);
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)why;
	ends(state);
}

/* Some have a second go at the message with which they failed. */
static bool tries_again(uint64_t id)
{
	return id % 4 == 3;
}

static bool is_pure(uint64_t id)
{
	return FAULTS && id % 2 == 0;
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
		if (!tries_again(c->id))
			atomic_fetch_add(&never_tried_again, 1);
		return crash(ctx, c, (enum crash)rng_below(&c->rng, is_pure(c->id) ? 4 : 2));
	}
	if (over)
		atomic_fetch_add(&at_end[c->id], 1);
	oracle_count(&own.handled);
	return what == 3 ? HEIST_STOP : HEIST_CONTINUE;
}

static const heist_hooks child_hooks = { .arg_size = 8, .init = child_init, .stop = child_stop };
static const heist_class child_class = { "child", HEIST_ABI, sizeof(struct child), child_recv,
					 &child_hooks };
static const heist_hooks pure_hooks = {
	.arg_size = 8, .init = child_init, .stop = child_stop, .flags = HEIST_PURE
};
static const heist_class pure_class = { "pure", HEIST_ABI, sizeof(struct child), child_recv,
					&pure_hooks };

/* ---- the watcher ---- */

static heist_next watcher_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	if (heist_monitor(ctx, *(heist_ref *)msg) != HEIST_OK)
		abort();
	oracle_count(&own.handled);
	return HEIST_CONTINUE;
}

static heist_next watcher_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	if (sig->kind != HEIST_SIG_DOWN)
		abort();
	atomic_fetch_add(&told_sum, sig->who.v);
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
	oracle_count(&own.sent);
	atomic_fetch_add(&watched, 1);
	atomic_fetch_add(&watched_sum, r.v);
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
	c.cls = is_pure(*id) ? &pure_class : &child_class;
	c.arg = id;
	c.restart = HEIST_PERMANENT;
	c.leftover = (heist_leftover)rng_below(&plan, 3);
	c.keep = keep_big;
	c.poison_retries = tries_again(*id);
	c.backoff_min_ms = rng_below(&plan, 8) == 0;
	c.jitter_percent = 50;
	return c;
}

static const char *name_of(uint64_t id, char name[16])
{
	snprintf(name, 16, "child-%" PRIu64, id);
	return name;
}

static void settle_in(heist_system *s, uint64_t id, heist_ref r)
{
	char name[16];
	place[id] = r.v;
	if (heist_register(s, name_of(id, name), r) != HEIST_OK)
		abort(); /* the one before has ended, so its name is free */
	watch(r);
}

static bool is_found(heist_system *s, uint64_t id)
{
	char name[16];
	return heist_whereis(s, name_of(id, name)).v == place[id];
}

static void plant_branch(heist_system *s, uint64_t b)
{
	uint64_t ids[LEAVES];
	heist_child specs[LEAVES];
	heist_ref leaf[LEAVES];
	heist_sup sup = heist_sup_default();
	for (uint64_t i = 0; i < LEAVES; i++) {
		ids[i] = b * LEAVES + i;
		specs[i] = child_spec(&ids[i]);
	}
	sup.strategy = (heist_strategy)rng_below(&plan, 3);
	sup.intensity = b % 2 ? NEVER : 50; /* some escalate */
	sup.period_ms = b % 2 ? 1 : 1000;
	sup.parent = root;
	sup.children = specs;
	sup.child_count = LEAVES;
	if (heist_supervise(s, &sup, &branch[b], leaf) != HEIST_OK)
		abort();
	for (uint64_t i = 0; i < LEAVES; i++)
		settle_in(s, ids[i], leaf[i]);
}

static void plant(heist_system *s)
{
	heist_sup sup = heist_sup_default();
	sup.intensity = NEVER;
	sup.period_ms = 1;
	if (heist_supervise(s, &sup, &root, NULL) != HEIST_OK)
		abort();
	for (uint64_t b = 0; b < BRANCHES; b++)
		plant_branch(s, b);
}

/* End one for good; another takes its place. */
static void replace(heist_system *s, uint64_t id, bool kill)
{
	heist_ref old = { place[id] }, r;
	heist_child spec = child_spec(&id);
	(void)(kill ? heist_kill : heist_stop)(old, CODE);
	while (heist_send(old, &STEP, &id) == HEIST_OK) { /* it has not ended */
		oracle_count(&own.sent);
		test_sleep_ms(1);
	}
	if (heist_add_child(s, branch[id / LEAVES], &spec, &r) != HEIST_OK)
		abort();
	settle_in(s, id, r);
}

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
	oracle_count(&own.lost[l->cause]);
}

static void on_log(void *user, const heist_log_line *line) /* a line for each fault */
{
	(void)user, (void)line;
}

static uint64_t seed;

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr,
		"stress_restart: %s; seed %" PRIu64 ": sent %" PRIu64 ", handled %" PRIu64
		", lost %" PRIu64 "; begun %" PRIu64 ", ended %" PRIu64 "; watched %ld, told %ld\n",
		what, seed, own.sent, own.handled, oracle_lost(&own), own.begun, own.ended, watched,
		told);
	abort();
}

/* ---- the run ---- */

static heist_system *start(uint32_t workers)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = workers;
	c.dead_letter = on_lost;
	c.log = on_log;
	c.contain = FAULTS ? HEIST_ON : HEIST_DEFAULT;
	check(heist_start(&c, &s) == HEIST_OK, "no start");
	return s;
}

static void trouble(heist_system *s, long crashes_wanted)
{
	for (uint32_t i = 0; crashed() < crashes_wanted; i++) {
		uint64_t id = rng_below(&plan, CHILDREN);
		say((heist_ref){ place[id] }, i % 5 == 0);
		if (rng_below(&plan, 500) == 0)
			replace(s, id, rng_below(&plan, 2));
		if (i % 64 == 0)
			test_sleep_ms(1);
		check(is_found(s, id), "a name is lost during restarts");
	}
	over = true;
	check(test_balanced(s), "not balanced");
}

/* Each has its handle and its name, and handles a message. */
static void all_are_there(heist_system *s)
{
	for (uint64_t id = 0; id < CHILDREN; id++) {
		long before = at_end[id];
		check(is_found(s, id), "a name is lost");
		say((heist_ref){ place[id] }, false);
		check(wait_for(&at_end[id], before + 1), "a handle is lost");
	}
	check(told == watched - CHILDREN, "some end was not told, or twice");
}

static void all_end(heist_system *s)
{
	char name[16];
	check(heist_stop(root, HEIST_OK) == HEIST_OK, "the root has ended");
	check(wait_for(&told, watched), "an end is not told");
	check(told == watched && told_sum == watched_sum, "an end is told of another");
	for (uint64_t id = 0; id < CHILDREN; id++)
		check(heist_whereis(s, name_of(id, name)).v == 0, "a name stays");
	check(heist_shutdown(s, 0) == HEIST_OK, "no shutdown");
}

static void check_sums(void)
{
	long handlers = crashes[ANSWER] + crashes[PANIC] + crashes[WRITE] + crashes[DIVIDE];
	long failed = (long)oracle_read(&own.lost[HEIST_LOST_FAILED]);
	const char *wrong = oracle_wrong(&own, 0);
	check(wrong == NULL, wrong);
	check(failed >= never_tried_again && failed <= handlers,
	      "a message with which a handler failed");
}

int main(int argc, char **argv)
{
	long wanted = argc > 1 ? atol(argv[1]) : 100000;
	uint32_t workers = argc > 2 ? (uint32_t)atol(argv[2]) : 2;
	seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL);
	printf("stress_restart %ld %" PRIu32 " %" PRIu64 "\n", wanted, workers, seed);
	fflush(stdout);
	seeds = seed;
	plan = rng_seed(seed);
	heist_system *s = start(workers);
	watcher = test_spawn(s, &watcher_class, NULL);
	plant(s);
	trouble(s, wanted);
	all_are_there(s);
	all_end(s);
	check_sums();
	printf("%" PRIu64 " incarnations, %ld crashes:", own.begun, crashed());
	for (int i = 0; i < CRASHES; i++)
		printf(" %ld %s%s", crashes[i], crash_names[i], i < CRASHES - 1 ? "," : "\n");
	printf("%" PRIu64 " sent = %" PRIu64 " handled + %" PRIu64 " failed + %" PRIu64
	       " at a restart + %" PRIu64 " dead + %" PRIu64 " stopped + %" PRIu64
	       " closed; %ld watched, %ld told\n",
	       own.sent, own.handled, own.lost[HEIST_LOST_FAILED], own.lost[HEIST_LOST_RESTART],
	       own.lost[HEIST_LOST_DEAD], own.lost[HEIST_LOST_STOPPED], own.lost[HEIST_LOST_CLOSED],
	       watched, told);
	return 0;
}
