/* SPDX-License-Identifier: BSD-2-Clause
 * Volume: tokens wander through a mesh of supervised actors, which meanwhile crash, ask, set timers, spawn,
 * give and look up names, and fill mailboxes with bounds; beside them numbers stream through pairs of
 * actors (stream.h), which are most of the messages.  Round after round ends in quiescence, where every
 * message is accounted for:
 *
 *   sent by us == handled + lost as the dead-letter hook saw it, order per pair, each life one stop,
 *   every number of a stream in its place,
 *   accepted == handled + lost and armed == fired + cancelled as the runtime counts them.
 *
 * usage: soak [--hours H] [--messages N] [--workers W] [--seed S]   (default: --messages 100000000) */
#include <heist/heist.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockfree/seam.h"
#include "tests/soak/stream.h"
#include "tests/support/oracle.h"
#include "tests/support/rng.h"
#include "tests/support/wait.h"
#include "tests/support/watchdog.h"

#define MESH	 64 /* places in the mesh; each is a child, and keeps its handle */
#define SINKS	 4
#define TOKENS	 256
#define HOPS	 4000
#define BURSTS	 40000 /* of each stream in a round */
#define PATIENCE 120   /* seconds without any change: a hang */
#define MS	 ((uint64_t)1000000)

struct token {
	uint32_t sender, hops;
	uint64_t sequence;
};
static const heist_type TOKEN = {
	.base = &TOKEN, .name = "token", .size = sizeof(struct token), .reply_size = 1
};
static const heist_type NOTE = { .base = &NOTE, .name = "note", .size = 8, .reply_size = 1 };
static const heist_type TICK = { .base = &TICK, .name = "tick", .size = 8, .reply_size = 1 };
static const heist_type ASK = { .base = &ASK, .name = "ask", .size = 8, .reply_size = 8 };

/* What the actor of a place alone writes, whatever its incarnation. */
struct place {
	_Alignas(128) _Atomic uint64_t sent, handled; /* tokens and notes */
	uint64_t out[MESH + 1], seen[MESH + 1];
	heist_ref ref;
	struct rng rng;
};
static struct place places[MESH + 1]; /* the last: the thread outside */
static heist_ref sinks[SINKS];
static struct oracle own;
static _Atomic uint64_t sink_handled, crashes, answers, asks;
static heist_system *sys;
static uint64_t seed;

static void fail(const char *what)
{
	printf("soak: %s (--seed %" PRIu64 ")\n", what, seed);
	watchdog_report();
	abort();
}

static void pass_on(struct place *from, uint32_t index, uint32_t hops)
{
	uint32_t to = rng_below(&from->rng, MESH);
	struct token t = { index, hops, from->out[to] + 1 };
	heist_status st = heist_send(places[to].ref, &TOKEN, &t);
	if (st != HEIST_OK)
		fail("a token was refused");
	from->out[to]++;
	heist_count(&from->sent, 1);
}

static void note(struct place *from, heist_ref to)
{
	uint64_t n = 0;
	if (heist_send(to, &NOTE, &n) == HEIST_OK)
		heist_count(&from->sent, 1);
}

/* ---- actors that live for one message, and those with bounds ---- */

static heist_next once_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)arg;
	*(uint64_t *)state = oracle_begins(&own);
	return HEIST_CONTINUE;
}

/* The number of the life is what every state begins with. */
static void any_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)why;
	oracle_ends(&own, *(uint64_t *)state);
}

static heist_next sink_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	oracle_count(&sink_handled);
	return HEIST_CONTINUE;
}

static heist_next once_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)sink_recv(ctx, state, type, msg);
	return HEIST_STOP;
}
static const heist_hooks once_hooks = { .init = once_init, .stop = any_stop };
static const heist_class sink_class = { "sink", HEIST_ABI, 8, sink_recv, &once_hooks };
static const heist_class once_class = { "mayfly", HEIST_ABI, 8, once_recv, &once_hooks };

/* ---- the mesh ---- */

struct node {
	uint64_t life, index;
};

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	oracle_count(&answers);
}

static void spawn_one(struct place *p)
{
	heist_ref r;
	if (heist_spawn(sys, &once_class, NULL, NULL, &r) != HEIST_OK)
		fail("no actor");
	note(p, r);
}

static void use_names(struct place *p, heist_ref self)
{
	char name[24];
	snprintf(name, sizeof name, "soak.%u", rng_below(&p->rng, 100));
	heist_status st = heist_register(sys, name, self);
	if (st == HEIST_EEXIST && rng_below(&p->rng, 2))
		(void)heist_unregister(sys, name);
	snprintf(name, sizeof name, "soak.%u", rng_below(&p->rng, 100));
	heist_ref r = heist_whereis(sys, name);
	if (r.v)
		note(p, r);
}

static void ask_somebody(heist_ctx *ctx, struct place *p)
{
	uint64_t n = 0;
	heist_ref to = places[rng_below(&p->rng, MESH)].ref;
	if (heist_ask(ctx, to, &ASK, &n, 0, on_answer, 0) == HEIST_OK)
		oracle_count(&asks);
}

static void set_timer(heist_ctx *ctx, struct place *p)
{
	uint64_t n = 0;
	heist_timer t;
	heist_ref to =
		rng_below(&p->rng, 2) ? heist_self(ctx) : places[rng_below(&p->rng, MESH)].ref;
	if (heist_send_after(ctx, to, &TICK, &n, rng_below(&p->rng, 3000) * 1000, &t) == HEIST_OK &&
	    rng_below(&p->rng, 4) == 0)
		(void)heist_cancel(ctx, t);
}

static void do_something(heist_ctx *ctx, struct place *p)
{
	uint32_t x = rng_below(&p->rng, 1024);
	if (x < 16)
		note(p, sinks[x % SINKS]);
	else if (x < 32)
		ask_somebody(ctx, p);
	else if (x < 40)
		set_timer(ctx, p);
	else if (x < 44)
		spawn_one(p);
	else if (x < 46)
		use_names(p, heist_self(ctx));
}

static heist_next on_token(heist_ctx *ctx, struct place *p, uint64_t index, const struct token *t)
{
	if (!oracle_later(&p->seen[t->sender], t->sequence))
		fail("messages of one sender out of order");
	do_something(ctx, p);
	if (t->hops)
		pass_on(p, (uint32_t)index, t->hops - 1);
	if (rng_below(&p->rng, 8192) == 0) {
		oracle_count(&crashes); /* the token has gone on; this message is lost */
		if (rng_below(&p->rng, 2))
			return HEIST_FAIL;
		heist_panic(ctx, HEIST_EUSER);
	}
	heist_count(&p->handled, 1);
	return HEIST_CONTINUE;
}

static heist_next node_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct node *n = state;
	struct place *p = &places[n->index];
	if (type == &TOKEN)
		return on_token(ctx, p, n->index, msg);
	if (type == &NOTE)
		heist_count(&p->handled, 1);
	if (type == &ASK)
		(void)heist_reply(ctx, HEIST_OK, &ASK, msg);
	return HEIST_CONTINUE;
}

static heist_next node_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct node *n = state;
	(void)ctx;
	n->life = oracle_begins(&own);
	n->index = *(const uint64_t *)arg;
	return HEIST_CONTINUE;
}
static const heist_hooks node_hooks = { .arg_size = 8, .init = node_init, .stop = any_stop };
static const heist_class node_class = { "node", HEIST_ABI, sizeof(struct node), node_recv,
					&node_hooks };

/* ---- set-up ---- */

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
	if (l->type == &TOKEN || l->type == &NOTE)
		oracle_count(&own.lost[l->cause]);
}

static void no_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line; /* losses are expected, and counted */
}

static void plant_mesh(void)
{
	static uint64_t index[MESH];
	static heist_child specs[MESH];
	static heist_ref refs[MESH];
	heist_sup sup = heist_sup_default();
	heist_ref r;
	for (uint64_t i = 0; i <= MESH; i++)
		places[i].rng = rng_seed(seed + i);
	for (uint64_t i = 0; i < MESH; i++) {
		index[i] = i;
		specs[i] = heist_child_default();
		specs[i].cls = &node_class;
		specs[i].arg = &index[i];
	}
	sup.intensity = 1000000;
	sup.period_ms = 1;
	sup.children = specs;
	sup.child_count = MESH;
	if (heist_supervise(sys, &sup, &r, refs) != HEIST_OK)
		fail("no supervisor");
	for (int i = 0; i < MESH; i++)
		places[i].ref = refs[i];
}

static void plant_sinks(void)
{
	static const heist_overflow how[SINKS] = { HEIST_REJECT, HEIST_DROP_NEW, HEIST_DROP_OLD,
						   HEIST_DROP_OLD };
	for (int i = 0; i < SINKS; i++) {
		heist_opts o = heist_opts_default();
		o.mailbox_cap = 10;
		o.overflow = how[i];
		if (heist_spawn(sys, &sink_class, &o, NULL, &sinks[i]) != HEIST_OK)
			fail("no sink");
	}
}

/* ---- rounds ---- */

static uint64_t streams_due; /* numbers that have been asked for */

/* Nothing under way, by the runtime's counters and by ours. */
static bool balanced(const heist_stats *t)
{
	uint64_t sent = 0, handled = oracle_read(&sink_handled), streamed = 0;
	for (int i = 0; i <= MESH; i++) {
		sent += places[i].sent;
		handled += places[i].handled;
	}
	own.sent = sent;
	own.handled = handled;
	return streams_balanced(&streamed) && streamed == streams_due && test_conserved(t) &&
	       test_timers_over(t) && oracle_wrong(&own, MESH + SINKS) == NULL;
}

/* Waits for quiescence; a hang is when nothing moves any more before it. */
static void settle(heist_stats *t)
{
	uint64_t last = 0, still_since = heist_clock_ns();
	for (int calm = 0; calm < 2;) {
		*t = heist_stats_default();
		if (heist_get_stats(sys, t) != HEIST_OK)
			fail("no counters");
		uint64_t moved = t->accepted + t->activations;
		if (moved != last)
			still_since = heist_clock_ns();
		calm = moved == last && balanced(t) ? calm + 1 : 0;
		last = moved;
		if (heist_clock_ns() - still_since > PATIENCE * 1000 * MS)
			fail("a message is missing, or counted twice");
		usleep(2000);
	}
}

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void say(const heist_stats *t, uint64_t begun, uint64_t rounds)
{
	double s = (double)(heist_clock_ns() - begun) / 1e9;
	printf("%8.1f s  round %" PRIu64 "  %" PRIu64 " messages  %.2f M/s  lost %" PRIu64
	       "  crashes %" PRIu64 "  lives %" PRIu64 "  asks %" PRIu64 "  timers %" PRIu64
	       "  refused %" PRIu64 "  steals %" PRIu64 "  %ld MiB\n",
	       s, rounds, t->accepted, (double)t->accepted / s / 1e6, test_lost(t), crashes,
	       own.begun, asks, t->timers_armed, t->refused, t->steals, resident_kib() / 1024);
	fflush(stdout);
}

static void soak(uint64_t messages, double hours)
{
	heist_stats t = heist_stats_default();
	uint64_t begun = heist_clock_ns(), said = begun, rounds = 0;
	do {
		streams_begin(BURSTS);
		streams_due += STREAMS * (uint64_t)BURSTS * STREAM_BURST;
		for (int i = 0; i < TOKENS; i++)
			pass_on(&places[MESH], MESH, HOPS);
		settle(&t);
		rounds++;
		if (heist_clock_ns() - said > 5000 * MS || t.accepted >= messages) {
			said = heist_clock_ns();
			say(&t, begun, rounds);
		}
	} while (hours > 0 ? (double)(heist_clock_ns() - begun) < hours * 3.6e12
			   : t.accepted < messages);
	if (answers > asks)
		fail("a request was answered twice");
}

/* ---- arguments ---- */

static void usage(int status)
{
	fputs("usage: soak [--hours H] [--messages N] [--workers W] [--seed S]\n",
	      status ? stderr : stdout);
	exit(status);
}

static double number(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || *end || !(n > 0))
		usage(2);
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "hours", required_argument, NULL, 'h' },
						 { "messages", required_argument, NULL, 'm' },
						 { "workers", required_argument, NULL, 'w' },
						 { "seed", required_argument, NULL, 's' },
						 { "help", no_argument, NULL, '?' },
						 { 0 } };
	heist_config c = heist_config_default();
	double hours = 0, messages = 1e8;
	seed = heist_random_seed() >> 20;
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (o) {
		case 'h':
			hours = number(optarg);
			break;
		case 'm':
			messages = number(optarg);
			break;
		case 'w':
			c.workers = (uint32_t)number(optarg);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		default:
			usage(optopt ? 2 : 0);
		}
	if (optind != argc)
		usage(2);
	c.dead_letter = on_lost;
	c.log = no_log;
	printf("soak --seed %" PRIu64 "\n", seed);
	if (heist_start(&c, &sys) != HEIST_OK)
		fail("no runtime");
	plant_mesh();
	plant_sinks();
	streams_plant(sys, fail);
	soak((uint64_t)messages, hours);
	if (heist_shutdown(sys, 0) != HEIST_OK)
		fail("no end");
	const char *wrong = oracle_wrong(&own, 0);
	if (wrong)
		fail(wrong);
	return 0;
}
