/* SPDX-License-Identifier: BSD-2-Clause
 * ping_pong: one ball between two actors.  pairs: 2 x workers pairs, windows of W in flight. */
#include "bench/bench.h"

/* ---- ping_pong ---- */

struct player {
	heist_ref peer;
	int64_t hits;
};

static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct player *p = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER) {
		p->peer.v = (uint64_t)n;
		return HEIST_CONTINUE;
	}
	p->hits++;
	if (n == 0)
		bench_finish(p->hits > 0);
	else
		bench_send(p->peer, n - 1);
	return HEIST_CONTINUE;
}
static const heist_class player = { "player", HEIST_ABI, sizeof(struct player), player_recv, NULL };

static double ping_pong(const struct bench_row *row, heist_system *s)
{
	heist_ref a = row->a ? bench_spawn_on(s, &player, 1) : bench_spawn(s, &player, NULL);
	heist_ref b = row->a ? bench_spawn_on(s, &player, 2) : bench_spawn(s, &player, NULL);
	bench_introduce(a, b);
	bench_introduce(b, a);
	bench_begin(1);
	bench_send(a, (int64_t)row->operations - 1);
	return bench_wait();
}

/* ---- pairs ---- */

struct half {
	heist_ref peer;
	int64_t left;
	uint32_t window, to_send; /* windows */
};

struct half_arg {
	uint64_t left, window;
};

static heist_next half_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct half_arg *a = arg;
	struct half *h = state;
	(void)ctx;
	h->left = (int64_t)a->left;
	h->window = (uint32_t)a->window;
	h->to_send = (uint32_t)(a->left / a->window);
	return HEIST_CONTINUE;
}

/* The first of a pair sends a window, the other answers a whole window with a window. */
static heist_next half_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct half *h = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER) {
		h->peer.v = (uint64_t)n;
		return HEIST_CONTINUE;
	}
	if (n < 0) /* kick-off: send the first window */
		n = h->window;
	else if (--h->left == 0)
		bench_finish(true);
	if (n != h->window || h->to_send == 0)
		return HEIST_CONTINUE;
	h->to_send--;
	for (int64_t i = 1; i <= h->window; i++)
		bench_send(h->peer, i);
	return HEIST_CONTINUE;
}
static const heist_hooks half_hooks = { 0, sizeof(struct half_arg), half_init, NULL };
static const heist_class half = { "half", HEIST_ABI, sizeof(struct half), half_recv, &half_hooks };

static double pairs(const struct bench_row *row, heist_system *s)
{
	heist_stats t = heist_stats_default();
	heist_get_stats(s, &t);
	long n = 4; /* 2 x workers on two cores; the same work at one worker, to be comparable */
	uint64_t each = row->operations / (uint64_t)n / 2 / (uint64_t)row->a * (uint64_t)row->a;
	struct half_arg arg = { each, (uint64_t)row->a };
	heist_ref a[4], b[4];
	for (long i = 0; i < n; i++) {
		a[i] = bench_spawn(s, &half, &arg);
		b[i] = bench_spawn(s, &half, &arg);
		bench_introduce(a[i], b[i]);
		bench_introduce(b[i], a[i]);
	}
	bench_begin(2 * n);
	for (long i = 0; i < n; i++)
		bench_send(a[i], -1);
	return bench_wait();
}

const struct bench_row bench_pairs[] = {
	{ .name = "ping_pong", .operation = "message", .min_workers = 1, .must = 8, .stretch = 6,
	  .limit = LIMIT_LOCAL, .limit_factor = 2.0, .operations = 5000000, .sample = ping_pong },
	{ .name = "ping_pong/cross", .operation = "message", .min_workers = 2,
	  .limit = LIMIT_HANDOFF, .limit_factor = 4.0, .operations = 300000, .a = 1,
	  .sample = ping_pong },
	{ .name = "pairs/W:1", .operation = "message", .min_workers = 1, .operations = 8000000, .a = 1,
	  .sample = pairs },
	{ .name = "pairs/W:50", .operation = "message", .min_workers = 1, .must = 5,
	  .stretch = 3.33, .operations = 8000000, .a = 50, .sample = pairs },
	{ .name = "pairs/W:100", .operation = "message", .min_workers = 1, .operations = 8000000,
	  .a = 100, .sample = pairs },
	{ 0 },
};
