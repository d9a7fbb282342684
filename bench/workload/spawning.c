/* SPDX-License-Identifier: BSD-2-Clause
 * spawn_stop: lives of one message.  skynet: a million leaves add up.  tree: fib by actors.
 * idle: a million actors that have nothing to do; idle_1M: their bytes. */
#include "bench/bench.h"

#include <time.h>

/* ---- spawn_stop: 1,000 live ---- */

#define LIVE 1000

struct mother {
	int64_t left;
};

/* Ends with its message; the first of each litter tells the mother to go on. */
static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	heist_ref mother = *(heist_ref *)msg;
	if (mother.v)
		bench_send(mother, 0);
	return HEIST_STOP;
}
static const heist_class child = { "child", HEIST_ABI, 16, child_recv, NULL };

static heist_next mother_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct mother *m = state;
	heist_system *s = heist_system_of(ctx);
	int64_t n = *(int64_t *)msg;
	(void)type;
	if (n)
		m->left = n;
	if (m->left == 0) {
		bench_finish(true);
		return HEIST_CONTINUE;
	}
	m->left -= LIVE;
	for (int i = 0; i < LIVE; i++) {
		heist_ref who = { 0 }, c = bench_spawn(s, &child, NULL);
		if (i == 0) /* runs last: the young end of the deque comes first */
			who = heist_self(ctx);
		heist_send(c, &BENCH_PEER, &who);
	}
	return HEIST_CONTINUE;
}
static const heist_class mother = { "mother", HEIST_ABI, sizeof(struct mother), mother_recv, NULL };

static double spawn_stop(const struct bench_row *row, heist_system *s)
{
	heist_ref m = bench_spawn(s, &mother, NULL);
	bench_begin(1);
	bench_send(m, (int64_t)row->operations);
	return bench_wait();
}

/* ---- spawn_stop/noted: the mother is told of each end and starts the next life ---- */

struct noted {
	int64_t to_start, to_end;
};

struct noted_arg {
	int64_t lives, alive;
};

static heist_next noted_child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	bench_send(*(heist_ref *)msg, 0);
	return HEIST_STOP;
}
static const heist_class noted_child = { "child", HEIST_ABI, 16, noted_child_recv, NULL };

static void start_life(heist_ctx *ctx, struct noted *m)
{
	heist_ref c = bench_spawn(heist_system_of(ctx), &noted_child, NULL);
	bench_introduce(c, heist_self(ctx));
	m->to_start--;
}

static heist_next noted_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct noted_arg *a = arg;
	struct noted *m = state;
	(void)ctx;
	m->to_start = m->to_end = a->lives;
	return HEIST_CONTINUE;
}

/* Its messages: how many to begin with, then 0 for each end. */
static heist_next noted_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct noted *m = state;
	int64_t n = *(int64_t *)msg;
	(void)type;
	if (n == 0 && --m->to_end == 0)
		bench_finish(m->to_start == 0);
	for (n = n ? n : 1; n > 0 && m->to_start > 0; n--)
		start_life(ctx, m);
	return HEIST_CONTINUE;
}
static const heist_hooks noted_hooks = { .arg_size = sizeof(struct noted_arg), .init = noted_init };
static const heist_class noted = { "mother", HEIST_ABI, sizeof(struct noted), noted_recv,
				   &noted_hooks };

/* a: alive */
static double spawn_stop_noted(const struct bench_row *row, heist_system *s)
{
	struct noted_arg a = { (int64_t)row->operations, row->a };
	heist_ref m = bench_spawn(s, &noted, &a);
	bench_settle(s);
	bench_begin(1);
	bench_send(m, row->a);
	return bench_wait();
}

/* What the numbers of skynet and tree must add up to; written before they start. */
static int64_t expected;

/* ---- skynet ---- */

struct sky {
	heist_ref parent;
	int64_t sum_todo; /* sum << 4 | children that have not answered */
};

struct sky_arg {
	heist_ref parent;
	int64_t first, size;
};

static heist_next sky_init(heist_ctx *ctx, void *state, const void *arg);

static heist_next sky_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct sky *k = state;
	(void)ctx, (void)type;
	k->sum_todo += (*(int64_t *)msg << 4) - 1;
	if (k->sum_todo & 15)
		return HEIST_CONTINUE;
	if (k->parent.v)
		bench_send(k->parent, k->sum_todo >> 4);
	else
		bench_finish(k->sum_todo >> 4 == expected);
	return HEIST_STOP;
}
static const heist_hooks sky_hooks = { .arg_size = sizeof(struct sky_arg), .init = sky_init };
static const heist_class sky = { "sky", HEIST_ABI, sizeof(struct sky), sky_recv, &sky_hooks };

static heist_next sky_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct sky_arg *a = arg;
	struct sky *k = state;
	if (a->size == 1) {
		bench_send(a->parent, a->first);
		return HEIST_STOP;
	}
	k->parent = a->parent;
	k->sum_todo = 10;
	struct sky_arg b = { heist_self(ctx), a->first, a->size / 10 };
	for (int i = 0; i < 10; i++, b.first += b.size)
		bench_spawn(heist_system_of(ctx), &sky, &b);
	return HEIST_CONTINUE;
}

/* a: leaves, a power of ten from ten on */
static double skynet(const struct bench_row *row, heist_system *s)
{
	struct sky_arg a = { { 0 }, 0, row->a };
	expected = row->a * (row->a - 1) / 2;
	bench_begin(1);
	bench_spawn(s, &sky, &a);
	return bench_wait();
}

/* ---- tree: fib(n), one actor per call ---- */

struct fib {
	heist_ref parent;
	int32_t sum, todo;
};

struct fib_arg {
	heist_ref parent;
	int64_t n;
};

static heist_next fib_init(heist_ctx *ctx, void *state, const void *arg);

static heist_next fib_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct fib *f = state;
	(void)ctx, (void)type;
	f->sum += (int32_t) * (int64_t *)msg;
	if (--f->todo)
		return HEIST_CONTINUE;
	if (f->parent.v)
		bench_send(f->parent, f->sum);
	else
		bench_finish(f->sum == expected);
	return HEIST_STOP;
}
static const heist_hooks fib_hooks = { .arg_size = sizeof(struct fib_arg), .init = fib_init };
static const heist_class fib = { "fib", HEIST_ABI, sizeof(struct fib), fib_recv, &fib_hooks };

static heist_next fib_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct fib_arg *a = arg;
	struct fib *f = state;
	if (a->n <= 2) {
		bench_send(a->parent, 1);
		return HEIST_STOP;
	}
	f->parent = a->parent;
	f->todo = 2;
	struct fib_arg b = { heist_self(ctx), a->n - 1 };
	bench_spawn(heist_system_of(ctx), &fib, &b);
	b.n--;
	bench_spawn(heist_system_of(ctx), &fib, &b);
	return HEIST_CONTINUE;
}

/* a: n, from 3 on */
static double tree(const struct bench_row *row, heist_system *s)
{
	struct fib_arg a = { { 0 }, row->a };
	expected = 1;
	for (int64_t i = 2, before = 1; i < row->a; i++) {
		int64_t next = expected + before;
		before = expected;
		expected = next;
	}
	bench_begin(1);
	bench_spawn(s, &fib, &a);
	return bench_wait();
}

/* ---- idle ---- */

static heist_next idler_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)type;
	*(int64_t *)state += *(int64_t *)msg;
	return HEIST_CONTINUE;
}
static const heist_class idler = { "idler", HEIST_ABI, 16, idler_recv, NULL };

struct nursery {
	int64_t greet; /* each idler gets a message */
};

/* A thousand at a time, so that they start while others are spawned. */
static heist_next nursery_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct nursery *y = state;
	int64_t left = *(int64_t *)msg;
	if (type == &BENCH_PEER) {
		y->greet = left;
		return HEIST_CONTINUE;
	}
	for (int64_t i = 0; i < LIVE && left > 0; i++, left--) {
		heist_ref r = bench_spawn(heist_system_of(ctx), &idler, NULL);
		if (y->greet)
			bench_send(r, 1);
	}
	if (left == 0)
		bench_finish(true);
	else
		bench_send(heist_self(ctx), left);
	return HEIST_CONTINUE;
}
static const heist_class nursery = { "nursery", HEIST_ABI, sizeof(struct nursery), nursery_recv,
				     NULL };

/* Without what is kept for the next flood, also of a sample before. */
static long trimmed(heist_system *s)
{
	heist_trim(s);
	return bench_resident();
}

/* Time until all have had their turn; a: with a message each.  Tells the growth of RSS. */
static double idle(const struct bench_row *row, heist_system *s)
{
	heist_ref n = bench_spawn(s, &nursery, NULL);
	heist_send(n, &BENCH_PEER, &row->a);
	bench_settle(s);
	long before = trimmed(s);
	uint64_t lost = bench_lost(s);
	double cpu = bench_cpu_ns();
	heist_time begin = heist_now(s);
	bench_begin(1);
	bench_send(n, (int64_t)row->operations);
	if (bench_wait() < 0)
		return -1;
	bench_settle(s);
	double ns = (double)(heist_now(s) - begin);
	bench_aside.cpu_ns = bench_cpu_ns() - cpu;
	if (bench_lost(s) != lost)
		return -1;
	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	bench_aside.rss = trimmed(s) - before;
	return ns;
}

static double idle_bytes(const struct bench_row *row, heist_system *s)
{
	return idle(row, s) < 0 ? -1 : (double)bench_aside.rss;
}

const struct bench_row bench_spawning[] = {
	{ .name = "spawn_stop",
	  .operation = "life",
	  .min_workers = 1,
	  .must = 25,
	  .stretch = 15,
	  .operations = 1000000,
	  .sample = spawn_stop },
	{ .name = "spawn_stop/noted",
	  .operation = "life",
	  .min_workers = 1,
	  .operations = 300000,
	  .a = LIVE,
	  .sample = spawn_stop_noted },
	{ .name = "skynet",
	  .operation = "actor",
	  .min_workers = 1,
	  .must = 27,
	  .must_at_2 = 18,
	  .stretch = 16.2,
	  .operations = 1111111,
	  .a = 1000000,
	  .sample = skynet },
	{ .name = "tree",
	  .operation = "actor",
	  .min_workers = 1,
	  .operations = 150049,
	  .a = 25,
	  .sample = tree },
	{ .name = "idle_1M",
	  .operation = "actor",
	  .min_workers = 1,
	  .must = 96,
	  .stretch = 80,
	  .operations = 1000000,
	  .sample = idle_bytes,
	  .single = true,
	  .unit = "B" },
	{ .name = "idle",
	  .operation = "actor",
	  .min_workers = 1,
	  .operations = 1000000,
	  .a = 1,
	  .sample = idle,
	  .single = true },
	{ 0 },
};
