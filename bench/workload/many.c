/* SPDX-License-Identifier: BSD-2-Clause
 * big: all to all.  message_ubench: balls forwarded at random.  chameneos: one mall.  fan_out: one to
 * 60.  steal_imbalance: one worker spawns what all should compute. */
#include "bench/bench.h"

#include <time.h>

#define MOST 1000

static heist_ref all[MOST]; /* written before the balls roll */
static int64_t count;
static uint64_t seed;
static bool by_remainder; /* as in the row */

static uint64_t draw(uint64_t *random, uint64_t n)
{
	return by_remainder ? bench_random(random) % n : bench_random_below(random, n);
}

/* ---- big: pings to random others, the next after the pong ---- */

struct big {
	uint64_t random;
	int32_t left, id;
};

static void big_next(struct big *b)
{
	int64_t to = (int64_t)draw(&b->random, (uint64_t)count - 1);
	bench_send(all[to + (to >= b->id)], b->id << 1);
}

static heist_next big_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct big *b = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER) {
		b->id = (int32_t)(n & 0xffff);
		b->left = (int32_t)(n >> 16);
		b->random = seed + (uint64_t)b->id;
	} else if (!(n & 1) && n >= 0) {
		bench_send(all[n >> 1], n | 1); /* a ping: answer its sender */
	} else if (n >= 0 && --b->left == 0) {
		bench_finish(true);
	} else if (n < 0 || b->left > 0) {
		big_next(b);
	}
	return HEIST_CONTINUE;
}
static const heist_class big_class = { "big", HEIST_ABI, sizeof(struct big), big_recv, NULL };

/* a: actors; b: pings each; c: in flight each */
static double big(const struct bench_row *row, heist_system *s)
{
	count = row->a;
	seed = row->seed;
	by_remainder = row->remainder;
	for (int64_t i = 0; i < count; i++)
		all[i] = bench_spawn(s, &big_class, NULL);
	for (int64_t i = 0; i < count; i++) {
		int64_t set = row->b << 16 | i;
		heist_send(all[i], &BENCH_PEER, &set);
	}
	bench_settle(s);
	bench_begin(count);
	for (int64_t i = 0; i < count; i++)
		for (int64_t k = 0; k < row->c; k++)
			bench_send(all[i], -1);
	return bench_wait();
}

/* ---- message_ubench: each ball makes so many hops ---- */

static heist_next pinger_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t *random = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER)
		*random = (uint64_t)n;
	else if (n == 0)
		bench_finish(true);
	else
		bench_send(all[draw(random, (uint64_t)count)], n - 1);
	return HEIST_CONTINUE;
}
static const heist_class pinger = { "pinger", HEIST_ABI, 8, pinger_recv, NULL };

/* a: pingers; b: balls each */
static double message_ubench(const struct bench_row *row, heist_system *s)
{
	int64_t balls = row->a * row->b, hops = (int64_t)row->operations / balls - 1;
	count = row->a;
	by_remainder = row->remainder;
	for (int64_t i = 0; i < count; i++) {
		uint64_t random = row->seed + (uint64_t)i;
		all[i] = bench_spawn(s, &pinger, NULL);
		heist_send(all[i], &BENCH_PEER, &random);
	}
	bench_settle(s);
	bench_begin(balls);
	for (int64_t i = 0; i < balls; i++)
		bench_send(all[i % count], hops);
	return bench_wait();
}

/* ---- chameneos: creatures show number and colour; all of them count their meetings ---- */

enum colour { BLUE, RED, YELLOW, FADED };

/* What a message says: a creature's number or count, and a colour. */
static int64_t say(int64_t n, enum colour c)
{
	return n << 2 | (int64_t)c;
}

/* Both become what neither is, if they differ. */
static enum colour mixed(enum colour mine, enum colour other)
{
	return mine == other ? mine : (enum colour)(BLUE + RED + YELLOW - mine - other);
}

struct mall {
	int64_t waiting; /* what it said; -1: nobody */
	int64_t meetings, counted;
	int64_t expected, creatures;
};

struct mall_arg {
	int64_t meetings, creatures;
};

static heist_next mall_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct mall_arg *a = arg;
	struct mall *m = state;
	(void)ctx;
	*m = (struct mall){ -1, a->meetings, 0, 2 * a->meetings, a->creatures };
	return HEIST_CONTINUE;
}

static heist_next mall_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct mall *m = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx, (void)type;
	if ((n & 3) == FADED) {
		m->counted += n >> 2;
		if (--m->creatures == 0)
			bench_finish(m->counted == m->expected);
	} else if (m->meetings == 0) {
		bench_send(all[n >> 2], FADED);
	} else if (m->waiting < 0) {
		m->waiting = n;
	} else {
		bench_send(all[m->waiting >> 2], n & 3);
		bench_send(all[n >> 2], m->waiting & 3);
		m->waiting = -1;
		m->meetings--;
	}
	return HEIST_CONTINUE;
}
static const heist_hooks mall_hooks = { .arg_size = sizeof(struct mall_arg), .init = mall_init };
static const heist_class mall = { "mall", HEIST_ABI, sizeof(struct mall), mall_recv, &mall_hooks };

struct creature {
	heist_ref mall;
	int64_t number, met;
	enum colour colour;
};

struct creature_arg {
	heist_ref mall;
	int64_t number;
};

static heist_next creature_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct creature_arg *a = arg;
	struct creature *c = state;
	(void)ctx;
	*c = (struct creature){ a->mall, a->number, 0, (enum colour)(a->number % 3) };
	return HEIST_CONTINUE;
}

/* The other's colour, FADED: the mall has closed, or BENCH_PEER: go. */
static heist_next creature_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct creature *c = state;
	enum colour other = (enum colour) * (int64_t *)msg;
	(void)ctx;
	if (type != &BENCH_PEER && other != FADED) {
		c->met++;
		c->colour = mixed(c->colour, other);
	}
	bench_send(c->mall, other == FADED ? say(c->met, FADED) : say(c->number, c->colour));
	return HEIST_CONTINUE;
}
static const heist_hooks creature_hooks = { .arg_size = sizeof(struct creature_arg),
					    .init = creature_init };
static const heist_class creature = { "creature", HEIST_ABI, sizeof(struct creature), creature_recv,
				      &creature_hooks };

/* a: creatures */
static double chameneos(const struct bench_row *row, heist_system *s)
{
	struct mall_arg m = { (int64_t)row->operations, row->a };
	struct creature_arg c = { bench_spawn(s, &mall, &m), 0 };
	heist_ref nobody = { 0 };
	for (; c.number < row->a; c.number++)
		all[c.number] = bench_spawn(s, &creature, &c);
	bench_settle(s);
	bench_begin(1);
	for (int64_t i = 0; i < row->a; i++)
		bench_introduce(all[i], nobody);
	return bench_wait();
}

/* ---- fan_out: a round to all, the next when all have answered ---- */

struct source {
	int64_t rounds, missing;
};

static heist_next source_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct source *f = state;
	heist_ref self = heist_self(ctx);
	(void)type;
	if (*(int64_t *)msg < 0)
		f->rounds = -*(int64_t *)msg;
	else if (--f->missing > 0)
		return HEIST_CONTINUE;
	if (f->rounds-- == 0) {
		bench_finish(true);
		return HEIST_CONTINUE;
	}
	f->missing = count;
	for (int64_t i = 0; i < count; i++)
		bench_introduce(all[i], self);
	return HEIST_CONTINUE;
}
static const heist_class source = { "source", HEIST_ABI, sizeof(struct source), source_recv, NULL };

static heist_next sink_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	bench_send(*(heist_ref *)msg, 1);
	return HEIST_CONTINUE;
}
static const heist_class sink = { "sink", HEIST_ABI, 0, sink_recv, NULL };

static double fan_out(const struct bench_row *row, heist_system *s)
{
	heist_ref f = bench_spawn(s, &source, NULL);
	count = row->a;
	for (int64_t i = 0; i < count; i++)
		all[i] = bench_spawn(s, &sink, NULL);
	bench_begin(1);
	bench_send(f, -((int64_t)row->operations / count / 2));
	return bench_wait();
}

/* ---- steal_imbalance: real time against ideal, in percent ---- */

#define TASK_US 20

static uint64_t task_spins; /* of TASK_US, calibrated */
static void compute(uint64_t spins)
{
	volatile uint64_t x = 0; /* on the stack: shared with nobody */
	for (uint64_t i = 0; i < spins; i++)
		x = x * 3 + i;
}

static heist_next task_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	compute(task_spins);
	bench_finish(true);
	return HEIST_STOP;
}
static const heist_class task = { "task", HEIST_ABI, 0, task_recv, NULL };

static heist_next boss_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	for (int64_t i = 0; i < *(int64_t *)msg; i++)
		bench_send(bench_spawn(heist_system_of(ctx), &task, NULL), 0);
	return HEIST_CONTINUE;
}
static const heist_class boss = { "boss", HEIST_ABI, 0, boss_recv, NULL };

static double steal_imbalance(const struct bench_row *row, heist_system *s)
{
	heist_stats t = heist_stats_default();
	heist_ref b = bench_spawn(s, &boss, NULL);
	heist_get_stats(s, &t);
	heist_time before = heist_now(s);
	compute(1000000);
	task_spins = TASK_US * (uint64_t)1000 * 1000000 / (heist_now(s) - before);
	before = heist_now(s);
	for (int i = 0; i < 100; i++)
		compute(task_spins);
	double ideal = (double)(heist_now(s) - before) / 100 * (double)row->operations / t.workers;
	bench_begin((long)row->operations);
	bench_send(b, (int64_t)row->operations);
	double ns = bench_wait();
	heist_get_stats(s, &t);
	if (ns < 0 || (t.workers > 1 && t.steals == 0))
		return -1;
	return ns / ideal * 100 * (double)row->operations;
}

#define UBENCH(P, B)                                                                               \
	.name = "message_ubench/" #P "x" #B, .operation = "message", .min_workers = 1,             \
	.operations = 4000000, .a = P, .b = B, .seed = 1, .sample = message_ubench

const struct bench_row bench_many[] = {
	{ UBENCH(8, 5), .must = 10, .stretch = 6.7, .goal_workers = 1 },
	{ UBENCH(320, 30) },
	{ UBENCH(1000, 5) },
	{ .name = "big",
	  .operation = "message",
	  .min_workers = 1,
	  .must = 20,
	  .stretch = 10,
	  .operations = 4800000,
	  .a = 120,
	  .b = 20000,
	  .c = 1,
	  .seed = 1,
	  .sample = big },
	{ .name = "big/x50",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 4800000,
	  .a = 120,
	  .b = 20000,
	  .c = 50,
	  .seed = 1,
	  .sample = big },
	{ .name = "chameneos",
	  .operation = "meeting",
	  .min_workers = 1,
	  .operations = 200000,
	  .a = 100,
	  .sample = chameneos },
	{ .name = "fan_out",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 1200000,
	  .a = 60,
	  .sample = fan_out },
	{ .name = "steal_imbalance",
	  .operation = "run",
	  .min_workers = 1,
	  .operations = 5000,
	  .sample = steal_imbalance,
	  .unit = "%" },
	{ 0 },
};
