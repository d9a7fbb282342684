/* SPDX-License-Identifier: BSD-2-Clause
 * thread_ring: tokens round a ring.  random_1M: the same over a random cycle of a million actors. */
#include "bench/bench.h"

struct link {
	heist_ref next;
};

static heist_next link_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct link *l = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER)
		l->next.v = (uint64_t)n;
	else if (n > 0)
		bench_send(l->next, n - 1);
	else
		bench_finish(n == 0);
	return HEIST_CONTINUE;
}
static const heist_class link_class = { "link", HEIST_ABI, sizeof(struct link), link_recv, NULL };

static void shuffle(uint32_t *order, uint32_t n)
{
	uint64_t seed = 88172645463325252u;
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t j = (uint32_t)(bench_random(&seed) % (i + 1)), x = order[i];
		order[i] = order[j];
		order[j] = x;
	}
}

/* a: actors; b: tokens; c: in random order */
static double ring(const struct bench_row *row, heist_system *s)
{
	uint32_t n = (uint32_t)row->a;
	heist_ref *r = malloc(n * sizeof *r);
	uint32_t *order = malloc(n * sizeof *order);
	if (!r || !order)
		bench_failed("out of memory");
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	if (row->c)
		shuffle(order, n);
	for (uint32_t i = 0; i < n; i++)
		r[i] = bench_spawn(s, &link_class, NULL);
	for (uint32_t i = 0; i < n; i++)
		bench_introduce(r[order[i]], r[order[(i + 1) % n]]);
	bench_settle(s);
	int64_t hops = (int64_t)row->operations / row->b - 1;
	bench_begin(row->b);
	for (int64_t t = 0; t < row->b; t++)
		bench_send(r[order[(uint64_t)t * n / (uint64_t)row->b]], hops);
	double ns = bench_wait();
	free(r);
	free(order);
	return ns;
}

#define RING(N, T)                                                                                 \
	.name = "thread_ring/" #N "x" #T, .operation = "hop", .min_workers = 1,                    \
	.operations = 3000000, .a = N, .b = T, .sample = ring
#define RANDOM(T)                                                                                  \
	.name = "random_1M/tokens:" #T, .operation = "hop", .min_workers = 1,                      \
	.operations = 2000000, .a = 1000000, .b = T, .c = 1, .sample = ring

const struct bench_row bench_ring[] = {
	{ RING(100, 1), .must = 8, .stretch = 6, .goal_workers = 1, .limit = LIMIT_LOCAL,
	  .limit_factor = 2.0 },
	{ RING(1000, 1) },
	{ RING(100, 50) },
	{ RANDOM(1) },
	{ RANDOM(1000), .must = 25, .stretch = 15 },
	{ 0 },
};
