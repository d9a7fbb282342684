/* SPDX-License-Identifier: BSD-2-Clause
 * Shut a runtime down under load, at whatever point it is: spawns, sends, requests, timers, families,
 * supervisors, monitors, crashes, and threads from outside that go on until they are refused.  It ends,
 * whatever the deadline; every message that was accepted was handled or lost with a cause; every
 * incarnation that began ended, once, and families and trees from their leaves up.
 *
 * -DMUTANT_FORGETS: the runtime's hook for losses overlooks one in a hundred.  It must be noticed. */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/oracle.h"
#include "tests/support/stress.h"

#define OUTSIDE	   2
#define POPULATION 200 /* beyond it nobody spawns */
#define PLACES	   16

static const heist_type STEP = { .base = &STEP, .name = "step", .size = 8, .reply_size = 1 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 120, .reply_size = 1 };
static const heist_type TICK = { .base = &TICK, .name = "tick", .size = 8, .reply_size = 1 };
static const heist_type TWICE = { .base = &TWICE, .name = "twice", .size = 8, .reply_size = 8 };

static heist_system *sys;
static heist_ref sup;
static _Atomic uint64_t place[PLACES]; /* handles, of the living and the dead */
static struct oracle own, requests;    /* messages and lives; asks */
static _Atomic long early;	       /* a parent that ended before its child */
static _Atomic uint64_t seeds;
static _Atomic bool over;
static _Atomic long spawners; /* threads from outside that use sys ... */
static _Atomic bool no_more;  /* ... which they must not do any more   */

struct member {
	uint64_t life;
	struct rng rng;
	_Atomic long *above; /* children of the parent that are alive, or NULL */
	_Atomic long *below; /* those of this one; leaked into the round's pool */
};

/* Counters of children: they outlive the actors. */
#define COUNTERS 4096
static _Atomic long counters[COUNTERS];
static _Atomic uint32_t counters_used;

static _Atomic long *counter_new(void)
{
	uint32_t i = atomic_fetch_add(&counters_used, 1);
	return i < COUNTERS ? &counters[i] : NULL;
}

static bool is_crowded(void)
{
	return oracle_read(&own.begun) - oracle_read(&own.ended) >= POPULATION;
}

extern const heist_class member_class;

static heist_ref anybody(struct rng *r)
{
	return (heist_ref){ atomic_load(&place[rng_below(r, PLACES)]) };
}

static void say(struct rng *r)
{
	uint64_t payload[15] = { 1 };
	if (heist_send(anybody(r), rng_below(r, 4) ? &STEP : &BIG, payload) == HEIST_OK)
		oracle_count(&own.sent);
}

/* ---- a member of the population ---- */

static heist_next member_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct member *m = state;
	heist_timer t;
	uint64_t n = 0;
	m->rng = rng_seed(atomic_fetch_add(&seeds, 1));
	m->above = *(_Atomic long *const *)arg;
	m->life = oracle_begins(&own);
	if (m->above)
		atomic_fetch_add(m->above, 1);
	atomic_store(&place[rng_below(&m->rng, PLACES)], heist_self(ctx).v);
	if (rng_below(&m->rng, 4) == 0)
		(void)heist_send_every(ctx, heist_self(ctx), &TICK, &n, 1000, 100000,
				       HEIST_FIXED_DELAY, &t);
	return rng_below(&m->rng, 50) ? HEIST_CONTINUE : HEIST_FAIL;
}

static void member_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct member *m = state;
	(void)ctx, (void)why;
	if (m->below && atomic_load(m->below) != 0)
		atomic_fetch_add(&early, 1);
	if (m->above)
		atomic_fetch_sub(m->above, 1);
	oracle_ends(&own, m->life);
}

static void on_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	(void)ctx, (void)state;
	if (status == HEIST_OK && *(const uint64_t *)reply != 2 * user)
		abort();
}

static void spawn_child(heist_ctx *ctx, struct member *m)
{
	heist_ref r;
	if (!m->below)
		m->below = counter_new();
	if (m->below && !is_crowded())
		(void)!heist_spawn_child(ctx, &member_class, NULL, &m->below, &r);
}

static void spawn_free(struct rng *r)
{
	_Atomic long *nobody = NULL;
	heist_opts o = heist_opts_default();
	heist_ref ref;
	if (rng_below(r, 4) == 0)
		o.mailbox_cap = 4;
	o.overflow = (heist_overflow)rng_below(r, 3);
	if (!is_crowded())
		(void)!heist_spawn(sys, &member_class, rng_below(r, 2) ? &o : NULL, &nobody, &ref);
}

static void ask(heist_ctx *ctx, struct rng *r)
{
	uint64_t n = rng_below(r, 100);
	if (heist_ask(ctx, anybody(r), &TWICE, &n, rng_below(r, 2) ? heist_now(sys) + 50000 : 0,
		      on_reply, n) == HEIST_OK)
		oracle_count(&requests.sent);
}

static void act(heist_ctx *ctx, struct member *m)
{
	struct rng *r = &m->rng;
	heist_ref other;
	uint64_t n = 0;
	switch (rng_below(r, 16)) {
	case 0:
		spawn_child(ctx, m);
		break;
	case 1:
		spawn_free(r);
		break;
	case 2:
	case 3:
		ask(ctx, r);
		break;
	case 4:
		(void)heist_send_after(ctx, anybody(r), &TICK, &n, rng_below(r, 200000), NULL);
		break;
	case 5:
		if ((other = anybody(r)).v != heist_self(ctx).v)
			(void)heist_monitor(ctx, other);
		break;
	case 6:
		(void)!heist_alloc(ctx, 100);
		break;
	default:
		say(r);
	}
	if (rng_below(r, 2))
		say(r);
}

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct member *m = state;
	if (type == &TWICE) {
		uint64_t twice = 2 * *(uint64_t *)msg;
		oracle_count(&requests.handled);
		if (rng_below(&m->rng, 8))
			(void)heist_reply(ctx, HEIST_OK, type, &twice);
		return HEIST_CONTINUE;
	}
	act(ctx, m);
	uint32_t what = rng_below(&m->rng, 64);
	if (what == 0)
		heist_panic(ctx, HEIST_EUSER);
	if (type != &TICK && what != 1)
		oracle_count(&own.handled);
	return what == 1 ? HEIST_FAIL : what == 2 ? HEIST_STOP : HEIST_CONTINUE;
}

static heist_next member_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)sig;
	return rng_below(&((struct member *)state)->rng, 32) ? HEIST_CONTINUE : HEIST_STOP;
}

static const heist_hooks member_hooks = { .arg_size = sizeof(_Atomic long *),
					  .init = member_init,
					  .stop = member_stop,
					  .signal = member_signal };
const heist_class member_class = { "member", HEIST_ABI, sizeof(struct member), member_recv,
				   &member_hooks };

/* Somebody to talk to, until there are others. */
static heist_next first_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)msg;
	if (type == &TWICE)
		oracle_count(&requests.handled);
	else if (type != &TICK)
		oracle_count(&own.handled);
	return HEIST_CONTINUE;
}
static const heist_class first_class = { "first", HEIST_ABI, 0, first_recv, NULL };

/* ---- the account ---- */

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
#ifdef MUTANT_FORGETS
	static _Atomic long losses;
	if (atomic_fetch_add(&losses, 1) % 100 == 99)
		return;
#endif
	if (l->type == &STEP || l->type == &BIG)
		oracle_count(&own.lost[l->cause]);
	else if (l->type == &TWICE && l->cause != HEIST_LOST_LATE) /* that was a reply */
		oracle_count(&requests.lost[l->cause]);
}

static void on_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line;
}

static heist_child spec(_Atomic long **nobody)
{
	heist_child c = heist_child_default();
	c.cls = &member_class;
	c.arg = nobody;
	c.restart = HEIST_PERMANENT;
	c.backoff_min_ms = 1;
	c.stop_ms = 1;
	return c;
}

static void begin(struct rng *r)
{
	_Atomic long *nobody = NULL;
	heist_config c = heist_config_default();
	heist_sup s = heist_sup_default();
	heist_child children[3] = { spec(&nobody), spec(&nobody), spec(&nobody) };
	heist_ref refs[3];
	oracle_clear(&own);
	oracle_clear(&requests);
	early = 0;
	over = no_more = false;
	seeds = rng_next(r);
	for (uint32_t i = 0; i < COUNTERS; i++)
		atomic_store_explicit(&counters[i], 0, memory_order_relaxed);
	counters_used = 0;
	c.workers = 1 + rng_below(r, 3);
	c.pin = HEIST_OFF;
	c.dead_letter = on_lost;
	c.log = on_log;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	STRESS_CHECK(heist_spawn(sys, &first_class, NULL, NULL, &refs[0]) == HEIST_OK);
	for (uint32_t i = 0; i < PLACES; i++)
		place[i] = refs[0].v;
	s.strategy = (heist_strategy)rng_below(r, 3);
	s.intensity = 1000;
	s.children = children;
	s.child_count = 3;
	STRESS_CHECK(heist_supervise(sys, &s, &sup, refs) == HEIST_OK);
	for (uint32_t i = 0; i < PLACES; i++)
		place[i] = refs[i % 3].v;
}

/* What takes the pointer must have returned before the runtime ends; handles may be used for ever. */
static void spawn_outside(struct rng *r)
{
	atomic_fetch_add(&spawners, 1);
	if (!atomic_load(&no_more))
		spawn_free(r);
	atomic_fetch_sub(&spawners, 1);
}

/* Until it is refused. */
static void outside(struct rng *r)
{
	heist_status st = HEIST_OK;
	while (st != HEIST_ECLOSED && !atomic_load(&over)) {
		uint64_t n = 1;
		heist_ref to = anybody(r);
		uint32_t what = rng_below(r, 32);
		if (what == 0)
			spawn_outside(r);
		else if (what == 1)
			(void)heist_kill(to, HEIST_EUSER);
		else if (what == 2)
			(void)heist_stop(to, HEIST_OK);
		st = heist_send(to, &STEP, &n);
		if (st == HEIST_OK)
			oracle_count(&own.sent);
		stress_delay(r);
	}
}

static void shut_down(struct rng *r)
{
	for (uint32_t i = rng_below(r, 2000); i > 0; i--)
		stress_delay(r);
	heist_time deadline = 0;
	switch (rng_below(r, 4)) {
	case 0: /* there is always a message on its way: drained, it would never end */
	case 1:
		deadline = heist_now(sys) + rng_below(r, 500000);
		break;
	default:
		deadline = heist_now(sys) + rng_below(r, 5000000);
	}
	if (rng_below(r, 4) == 0)
		(void)heist_close(sys);
	atomic_store(&no_more, true);
	for (int turns = 0; atomic_load(&spawners);)
		stress_wait(&turns);
	heist_status st = heist_shutdown(sys, deadline);
	while (st == HEIST_ETIMEOUT) { /* a busy machine */
		heist_straggler who[4];
		size_t n = heist_stragglers(sys, who, 4);
		for (size_t i = 0; i < n && i < 4; i++)
			STRESS_CHECK(who[i].actor.v && who[i].cls && who[i].cls->name);
		st = heist_shutdown(sys, heist_now(sys) + rng_below(r, 5000000));
	}
	STRESS_CHECK(st == HEIST_OK);
	atomic_store(&over, true);
}

static void run(int thread, struct rng *r)
{
	if (thread == 0)
		shut_down(r);
	else
		outside(r);
}

static void end(void)
{
	static uint64_t rounds, all_sent, all_lost, all_begun;
	const char *wrong = oracle_wrong(&own, 0);
	if (wrong || (wrong = oracle_wrong(&requests, 0)) != NULL)
		stress_fail("%s", wrong);
	STRESS_CHECK(early == 0);
	all_sent += oracle_read(&own.sent);
	all_lost += oracle_lost(&own);
	all_begun += oracle_read(&own.begun);
	if (++rounds % 500 == 0) {
		printf("%" PRIu64 " shutdowns: %" PRIu64 " messages, %" PRIu64
		       " of them lost; %" PRIu64 " incarnations\n",
		       rounds, all_sent, all_lost, all_begun);
		fflush(stdout);
	}
}

static void dump(void)
{
	const char *wrong = oracle_wrong(&own, 0);
	fprintf(stderr, "%s\n", wrong ? wrong : "all is accounted for");
}

int main(int argc, char **argv)
{
	static const struct stress s = { .name = "stress_shutdown",
					 .threads = 1 + OUTSIDE,
					 .rounds = 1000,
					 .begin = begin,
					 .run = run,
					 .end = end,
					 .dump = dump };
	return stress_main(argc, argv, &s);
}
