/* SPDX-License-Identifier: BSD-2-Clause
 * spawn_stop: lives of one message.  skynet: a million leaves add up.  tree: fib by actors.
 * idle_1M: bytes per idle actor. */
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
		bench_finish(k->sum_todo >> 4 == 499999500000);
	return HEIST_STOP;
}
static const heist_hooks sky_hooks = { 0, sizeof(struct sky_arg), sky_init, NULL };
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

static double skynet(const struct bench_row *row, heist_system *s)
{
	struct sky_arg a = { { 0 }, 0, 1000000 };
	(void)row;
	bench_begin(1);
	bench_spawn(s, &sky, &a);
	return bench_wait();
}

/* ---- tree: fib(25), one actor per call ---- */

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
	f->sum += (int32_t)*(int64_t *)msg;
	if (--f->todo)
		return HEIST_CONTINUE;
	if (f->parent.v)
		bench_send(f->parent, f->sum);
	else
		bench_finish(f->sum == 75025);
	return HEIST_STOP;
}
static const heist_hooks fib_hooks = { 0, sizeof(struct fib_arg), fib_init, NULL };
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

static double tree(const struct bench_row *row, heist_system *s)
{
	struct fib_arg a = { { 0 }, 25 };
	(void)row;
	bench_begin(1);
	bench_spawn(s, &fib, &a);
	return bench_wait();
}

/* ---- idle_1M ---- */

static heist_next idler_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}
static const heist_class idler = { "idler", HEIST_ABI, 16, idler_recv, NULL };

static heist_next nursery_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
static const heist_class nursery = { "nursery", HEIST_ABI, 8, nursery_recv, NULL };

/* A thousand at a time, so that they start while others are spawned. */
static heist_next nursery_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t left = *(int64_t *)msg;
	(void)state, (void)type;
	for (int64_t i = 0; i < LIVE && left > 0; i++, left--)
		bench_spawn(heist_system_of(ctx), &idler, NULL);
	if (left == 0)
		bench_finish(true);
	else
		bench_send(heist_self(ctx), left);
	return HEIST_CONTINUE;
}
static double idle_1M(const struct bench_row *row, heist_system *s)
{
	struct timespec pause = { .tv_sec = 1 };
	heist_ref n = bench_spawn(s, &nursery, NULL);
	bench_begin(1);
	bench_send(n, 0);
	bench_wait();
	long before = bench_resident();
	bench_begin(1);
	bench_send(n, (int64_t)row->operations);
	if (bench_wait() < 0)
		return -1;
	nanosleep(&pause, NULL);
	return (double)(bench_resident() - before);
}

const struct bench_row bench_spawning[] = {
	{ .name = "spawn_stop", .operation = "life", .min_workers = 1, .must = 25, .stretch = 15,
	  .operations = 1000000, .sample = spawn_stop },
	{ .name = "skynet", .operation = "actor", .min_workers = 1, .must = 27, .stretch = 16.2,
	  .operations = 1111111, .sample = skynet },
	{ .name = "tree", .operation = "actor", .min_workers = 1, .operations = 150049,
	  .sample = tree },
	{ .name = "idle_1M", .operation = "actor", .min_workers = 1, .must = 96, .stretch = 80,
	  .operations = 1000000, .sample = idle_1M, .single = true, .unit = "B" },
	{ 0 },
};
