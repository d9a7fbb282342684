/* SPDX-License-Identifier: BSD-2-Clause
 * one_way: a producer floods or feeds a counter in windows.  payload: the same with other sizes, copied
 * or moved.  fan_in: P producers, one counter. */
#include "bench/bench.h"

#include <string.h>

struct counter {
	heist_ref from;
	int64_t left;
	int64_t received;
	char apart[8]; /* more than 24 bytes of state: not in the line that senders write to */
};

struct producer {
	heist_ref to;
	int64_t left;
};

/* What the workload is set to; written before the runtime starts, read only afterwards. */
static struct {
	int64_t total, window, size;
	bool move;
	heist_type type;
} set;

static heist_next counter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct counter *c = state;
	(void)ctx;
	if (type == &BENCH_PEER) {
		c->from = *(heist_ref *)msg;
		c->left = set.total;
		c->received = 0;
		return HEIST_CONTINUE;
	}
	c->received++;
	if (--c->left == 0)
		bench_finish(c->received == set.total && *(int64_t *)msg > 0);
	else if (c->from.v && set.window && c->left % set.window == 0)
		bench_send(c->from, 1);
	return HEIST_CONTINUE;
}
static const heist_class counter = { "counter", HEIST_ABI, sizeof(struct counter), counter_recv,
				     NULL };

static void produce(heist_ctx *ctx, struct producer *p)
{
	union {
		int64_t n;
		char bytes[4096];
	} payload;
	payload.n = 1;
	for (int64_t i = 0; i < set.window && p->left > 0; i++, p->left--) {
		if (!set.move) {
			heist_send(p->to, &set.type, &payload);
			continue;
		}
		void *m = heist_new(heist_system_of(ctx), &set.type, 0);
		if (!m)
			bench_failed("out of memory");
		*(int64_t *)m = 1;
		if (heist_post(p->to, &m) != HEIST_OK)
			bench_failed("post");
	}
}

/* A counter's credit, or the kick-off, is worth one window. */
static heist_next producer_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct producer *p = state;
	if (type == &BENCH_PEER)
		p->to = *(heist_ref *)msg;
	else if (*(int64_t *)msg < 0)
		p->left = -*(int64_t *)msg;
	else
		produce(ctx, p);
	return HEIST_CONTINUE;
}
static const heist_class producer = { "producer", HEIST_ABI, sizeof(struct producer), producer_recv,
				      NULL };

static void configure(int64_t total, int64_t window, int64_t size, bool move)
{
	set.total = total;
	set.window = window;
	set.size = size;
	set.move = move;
	set.type = (heist_type){ .base = &set.type,
				 .name = "payload",
				 .size = (uint32_t)size,
				 .reply_size = sizeof(heist_unit) };
}

static double one_way_round(heist_ref p, heist_ref c, int64_t total)
{
	bench_introduce(p, c);
	bench_introduce(c, p);
	bench_send(p, -total);
	bench_begin(1);
	bench_send(p, 1);
	return bench_wait();
}

/* a: window, 0 = flood; b: payload bytes; c: moved. */
static double one_way(const struct bench_row *row, heist_system *s)
{
	int64_t total = (int64_t)row->operations;
	configure(total, row->a ? row->a : total, row->b ? row->b : 8, row->c);
	heist_ref p = bench_spawn(s, &producer, NULL), c = bench_spawn(s, &counter, NULL);
	return one_way_round(p, c, total);
}

/* Not the first flood of a runtime that has just begun: half of its time is the kernel's, for clearing
 * 64 MB. */
static double second_flood(const struct bench_row *row, heist_system *s)
{
	return one_way(row, s) < 0 ? -1 : one_way(row, s);
}

/* ---- fan_in: many producers, each with its own credit; messages carry the producer's number ---- */

#define MOST_PRODUCERS 1000

static heist_ref producers[MOST_PRODUCERS]; /* written before the first message */

struct fan_counter {
	int64_t left;
	int64_t received[MOST_PRODUCERS];
};

static heist_next fan_counter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct fan_counter *c = state;
	int64_t from = *(int64_t *)msg;
	(void)ctx;
	if (type == &BENCH_PEER)
		c->left = set.total;
	else if (--c->left == 0)
		bench_finish(true);
	else if (++c->received[from] % set.window == 0)
		bench_send(producers[from], 1);
	return HEIST_CONTINUE;
}
static const heist_class fan_counter = { "fan_counter", HEIST_ABI, sizeof(struct fan_counter),
					 fan_counter_recv, NULL };

struct fan_producer {
	heist_ref to;
	int64_t number, left;
};

static heist_next fan_producer_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	memcpy(state, arg, sizeof(struct fan_producer));
	return HEIST_CONTINUE;
}

static heist_next fan_producer_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct fan_producer *p = state;
	(void)ctx, (void)type, (void)msg;
	for (int64_t i = 0; i < set.window && p->left > 0; i++, p->left--)
		bench_send(p->to, p->number);
	return HEIST_CONTINUE;
}
static const heist_hooks fan_producer_hooks = { .arg_size = sizeof(struct fan_producer),
						.init = fan_producer_init };
static const heist_class fan_producer = { "fan_producer", HEIST_ABI, sizeof(struct fan_producer),
					  fan_producer_recv, &fan_producer_hooks };

/* a: producers; b: window */
static double fan_in(const struct bench_row *row, heist_system *s)
{
	struct fan_producer p = { .left = (int64_t)row->operations / row->a };
	configure(p.left * row->a, row->b, 8, false);
	p.to = bench_spawn(s, &fan_counter, NULL);
	bench_introduce(p.to, p.to);
	for (; p.number < row->a; p.number++)
		producers[p.number] = bench_spawn(s, &fan_producer, &p);
	bench_settle(s);
	bench_begin(1);
	for (int64_t i = 0; i < row->a; i++)
		bench_send(producers[i], 1);
	return bench_wait();
}

/* ---- fan_in/stream: a producer that goes on by a message to itself, on another worker ---- */

static heist_next feeder_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct producer *p = state;
	if (type == &BENCH_PEER) {
		p->to = *(heist_ref *)msg;
	} else if (*(int64_t *)msg < 0) {
		p->left = -*(int64_t *)msg;
	} else {
		produce(ctx, p);
		if (p->left > 0)
			bench_send(heist_self(ctx), 1);
	}
	return HEIST_CONTINUE;
}
static const heist_class feeder = { "feeder", HEIST_ABI, sizeof(struct producer), feeder_recv,
				    NULL };

/* b: window */
static double stream(const struct bench_row *row, heist_system *s)
{
	int64_t total = (int64_t)row->operations;
	heist_ref nobody = { 0 };
	configure(total, row->b, 8, false);
	heist_ref c = bench_spawn_on(s, &counter, 2), p = bench_spawn_on(s, &feeder, 1);
	bench_introduce(c, nobody);
	bench_introduce(p, c);
	bench_send(p, -total);
	bench_begin(1);
	bench_send(p, 1);
	return bench_wait();
}

#define ONE_WAY(W)                                                                                 \
	.name = "one_way/W:" #W, .operation = "message", .min_workers = 1, .operations = 3000000,  \
	.a = W, .sample = one_way
#define FAN_IN(P)                                                                                  \
	{                                                                                          \
		.name = "fan_in/P:" #P, .operation = "message", .min_workers = 1,                  \
		.operations = 1000000, .a = P, .b = 1000, .sample = fan_in                         \
	}
#define PAYLOAD(N, MOVE, HOW)                                                                      \
	{                                                                                          \
		.name = "payload/" #N "/" HOW, .operation = "message", .min_workers = 1,           \
		.operations = 500000, .a = 50, .b = N, .c = MOVE, .sample = one_way                \
	}

const struct bench_row bench_oneway[] = {
	{ ONE_WAY(1) },
	{ ONE_WAY(10) },
	{ ONE_WAY(50) },
	{ ONE_WAY(100), .must = 7, .stretch = 5.5, .goal_workers = 1 },
	{ ONE_WAY(1000) },
	{ .name = "one_way/flood",
	  .operation = "message",
	  .min_workers = 1,
	  .must = 12,
	  .goal_workers = 1,
	  .stretch = 9,
	  .operations = 1000000,
	  .sample = second_flood },
	FAN_IN(1),
	FAN_IN(2),
	FAN_IN(8),
	FAN_IN(60),
	FAN_IN(100),
	{ .name = "fan_in/stream",
	  .operation = "message",
	  .min_workers = 2,
	  .must = 12,
	  .stretch = 6,
	  .limit = LIMIT_RING,
	  .limit_factor = 2.5,
	  .operations = 2000000,
	  .b = 1000,
	  .sample = stream },
	PAYLOAD(8, 0, "copied"),
	PAYLOAD(40, 0, "copied"),
	PAYLOAD(200, 0, "copied"),
	PAYLOAD(4096, 0, "copied"),
	PAYLOAD(40, 1, "moved"),
	PAYLOAD(200, 1, "moved"),
	PAYLOAD(4096, 1, "moved"),
	{ 0 },
};
