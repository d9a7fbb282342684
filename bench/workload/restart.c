/* SPDX-License-Identifier: BSD-2-Clause
 * restart: a supervised child fails with every message; from the failure to the next message, which waits in the
 * mailbox, in the handler of the next incarnation. */
#include "bench/bench.h"

/* More in a millisecond would be escalated; the supervisor keeps that many instants. */
#define MOST_A_MS 4096

static struct {
	heist_time failed; /* the incarnation before; 0: there is none */
	uint64_t count, total;
	uint32_t *latency; /* ns, of restart i */
} past;			   /* of the only child there is */

static heist_next failing_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_system *s = heist_system_of(ctx);
	heist_time now = heist_now(s);
	(void)state, (void)type, (void)msg;
	if (past.failed) {
		uint64_t ns = now - past.failed;
		past.latency[past.count++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	}
	if (past.count == past.total) {
		bench_finish(true);
		return HEIST_CONTINUE;
	}
	bench_send(heist_self(ctx), 0);
	past.failed = heist_now(s);
	return HEIST_FAIL;
}

static heist_next failing_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)arg;
	*(int64_t *)state = 1;
	return HEIST_CONTINUE;
}
static const heist_hooks failing_hooks = { .init = failing_init };
static const heist_class failing = { "failing", HEIST_ABI, 16, failing_recv, &failing_hooks };

static heist_ref supervise(heist_system *s)
{
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref supervisor, r;
	child.cls = &failing;
	child.restart = HEIST_PERMANENT;
	sup.intensity = MOST_A_MS;
	sup.period_ms = 1;
	sup.children = &child;
	sup.child_count = 1;
	if (heist_supervise(s, &sup, &supervisor, &r) != HEIST_OK)
		bench_failed("heist_supervise");
	return r;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* a: the percentile; times the operations, as it is of each already. */
static double restart(const struct bench_row *row, heist_system *s)
{
	heist_ref child = supervise(s);
	uint32_t *latency = calloc(row->operations, sizeof *latency);
	if (!latency)
		bench_failed("out of memory");
	past.failed = 0;
	past.count = 0;
	past.total = row->operations;
	past.latency = latency;
	bench_begin(1);
	bench_send(child, 0);
	double ns = bench_wait();
	qsort(latency, row->operations, sizeof *latency, by_value);
	double at = latency[row->operations * (uint64_t)row->a / 100];
	free(latency);
	return ns < 0 ? -1 : at * (double)row->operations;
}

const struct bench_row bench_restart[] = {
	{ .name = "restart/p50",
	  .operation = "restart",
	  .min_workers = 1,
	  .loses = true,
	  .must = 2000,
	  .goal_workers = 1,
	  .operations = 20000,
	  .a = 50,
	  .sample = restart },
	{ .name = "restart/p99",
	  .operation = "restart",
	  .min_workers = 1,
	  .loses = true,
	  .operations = 20000,
	  .a = 99,
	  .sample = restart },
	{ 0 },
};
