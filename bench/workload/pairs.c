/* SPDX-License-Identifier: BSD-2-Clause
 * ping_pong: one ball between two actors.  pairs: four pairs, windows of W in flight. */
#include "bench/bench.h"

/* ---- ping_pong: each has every other hop ---- */

static int64_t all_hops; /* written before the ball starts */

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
		bench_finish(p->hits == (all_hops + 1) / 2);
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
	all_hops = (int64_t)row->operations;
	bench_begin(1);
	bench_send(a, all_hops - 1);
	return bench_wait();
}

/* ---- pairs: a window there, an answer to each; the next window after the last answer ---- */

#define MOST_PAIRS 1000

struct asking {
	heist_ref peer;
	int64_t left, missing, window;
};

struct asking_arg {
	heist_ref peer;
	int64_t left, window;
};

static heist_next asking_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct asking_arg *a = arg;
	struct asking *p = state;
	(void)ctx;
	*p = (struct asking){ a->peer, a->left, 0, a->window };
	return HEIST_CONTINUE;
}

/* Its messages: the kick-off, then answers. */
static heist_next asking_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct asking *p = state;
	(void)ctx, (void)type, (void)msg;
	if (p->missing && --p->missing)
		return HEIST_CONTINUE;
	if (p->left == 0) {
		bench_finish(true);
		return HEIST_CONTINUE;
	}
	p->missing = p->left < p->window ? p->left : p->window;
	p->left -= p->missing;
	for (int64_t i = 0; i < p->missing; i++)
		bench_send(p->peer, i);
	return HEIST_CONTINUE;
}
static const heist_hooks asking_hooks = { .arg_size = sizeof(struct asking_arg),
					  .init = asking_init };
static const heist_class asking = { "asking", HEIST_ABI, sizeof(struct asking), asking_recv,
				    &asking_hooks };

static heist_next answering_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx;
	if (type == &BENCH_PEER)
		*(heist_ref *)state = *(heist_ref *)msg;
	else
		bench_send(*(heist_ref *)state, *(int64_t *)msg);
	return HEIST_CONTINUE;
}
static const heist_class answering = { "answering", HEIST_ABI, sizeof(heist_ref), answering_recv,
				       NULL };

/* a: window; b: pairs */
static double pairs(const struct bench_row *row, heist_system *s)
{
	heist_ref first[MOST_PAIRS];
	struct asking_arg arg = { .left = (int64_t)row->operations / row->b / 2, .window = row->a };
	for (int64_t i = 0; i < row->b; i++) {
		arg.peer = bench_spawn(s, &answering, NULL);
		first[i] = bench_spawn(s, &asking, &arg);
		bench_introduce(arg.peer, first[i]);
	}
	bench_settle(s);
	bench_begin(row->b);
	for (int64_t i = 0; i < row->b; i++)
		bench_send(first[i], 0);
	return bench_wait();
}

#define PAIRS(W)                                                                                   \
	.name = "pairs/W:" #W, .operation = "message", .min_workers = 1, .operations = 8000000,    \
	.a = W, .b = 4, .sample = pairs

const struct bench_row bench_pairs[] = {
	{ .name = "ping_pong",
	  .operation = "message",
	  .min_workers = 1,
	  .must = 8,
	  .stretch = 6,
	  .goal_workers = 1,
	  .limit = LIMIT_LOCAL,
	  .limit_factor = 2.0,
	  .operations = 5000000,
	  .sample = ping_pong },
	{ .name = "ping_pong/cross",
	  .operation = "message",
	  .min_workers = 2,
	  .limit = LIMIT_HANDOFF,
	  .limit_factor = 4.0,
	  .operations = 300000,
	  .a = 1,
	  .sample = ping_pong },
	{ PAIRS(1) },
	{ PAIRS(50), .must = 5, .stretch = 3.33, .goal_workers = 2 },
	{ PAIRS(100) },
	{ 0 },
};
