/* SPDX-License-Identifier: BSD-2-Clause
 * ask: request and reply with a deadline, one or 50 in flight. */
#include "bench/bench.h"
#include "bench/workload/adder.h"

struct asker {
	heist_ref to;
	int32_t left, wrong;
};

static void on_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user);

static void ask_next(heist_ctx *ctx, struct asker *a)
{
	int64_t n = a->left;
	if (heist_ask(ctx, a->to, &ADD, &n, heist_recent(ctx) + ASK_TIMEOUT, on_reply,
		      (uint64_t)n) != HEIST_OK)
		bench_failed("ask");
}

static void on_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	struct asker *a = state;
	a->wrong += status != HEIST_OK || *(const int64_t *)reply != (int64_t)user + 1;
	if (--a->left == 0)
		bench_finish(a->wrong == 0);
	else if (a->left > 0)
		ask_next(ctx, a);
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct asker *a = state;
	int64_t n = *(int64_t *)msg;
	if (type == &BENCH_PEER) {
		a->to.v = (uint64_t)n;
		return HEIST_CONTINUE;
	}
	a->left = (int32_t)(n >> 8);
	for (int64_t i = 0; i < (n & 255); i++)
		ask_next(ctx, a);
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, sizeof(struct asker), asker_recv, NULL };

/* a: in flight */
static double ask(const struct bench_row *row, heist_system *s)
{
	heist_ref a = bench_spawn(s, &asker, NULL);
	bench_introduce(a, bench_spawn(s, &server, NULL));
	bench_begin(1);
	bench_send(a, (int64_t)row->operations << 8 | row->a);
	return bench_wait();
}

const struct bench_row bench_asking[] = {
	{ .name = "ask/x1",
	  .operation = "ask",
	  .min_workers = 1,
	  .operations = 500000,
	  .a = 1,
	  .sample = ask },
	{ .name = "ask/x50",
	  .operation = "ask",
	  .min_workers = 1,
	  .operations = 500000,
	  .a = 50,
	  .sample = ask },
	{ 0 },
};
