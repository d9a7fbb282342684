/* SPDX-License-Identifier: BSD-2-Clause
 * paced_latency: an open loop.  A thread or an actor sends at fixed times, late or not, and handlers note
 * the time since the message should have been sent, so that waiting in line is counted. */
#include "bench/bench.h"

#include <string.h>

#define MOST_ACTORS 1000

static struct {
	heist_system *s;
	heist_time begin;
	uint64_t period, count;
	heist_ref to[MOST_ACTORS];
	int64_t actors;
	uint32_t *latency; /* ns, of message i; about 4 s at most */
} pace;			   /* written before the first message; each latency by one handler */

static heist_time due(uint64_t i)
{
	return pace.begin + i * pace.period;
}

static void send_paced(uint64_t i)
{
	bench_send(pace.to[i % (uint64_t)pace.actors], (int64_t)i);
}

static heist_next receiver_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, ns = heist_now(pace.s) - due(n);
	(void)ctx, (void)state, (void)type;
	pace.latency[n] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	bench_finish(true);
	return HEIST_CONTINUE;
}
static const heist_class receiver = { "receiver", HEIST_ABI, 0, receiver_recv, NULL };

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void note_latencies(void)
{
	static const double at[4] = { 0.5, 0.9, 0.99, 0.999 };
	qsort(pace.latency, pace.count, sizeof *pace.latency, by_value);
	for (int i = 0; i < 4; i++)
		bench_aside.latency[i] = pace.latency[(uint64_t)(at[i] * (double)pace.count)];
	bench_aside.latency[4] = pace.latency[pace.count - 1];
}

/* The driving thread waits for each time without sleeping. */
static void pace_outside(void)
{
	pace.begin = heist_now(pace.s);
	for (uint64_t i = 0; i < pace.count; i++) {
		while (heist_now(pace.s) < due(i))
			;
		send_paced(i);
	}
}

/* Sends what is due, and lets the others run; the worker looks at the clock before each such turn. */
static heist_next pacer_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t *sent = state;
	heist_time now = heist_recent(ctx);
	(void)type, (void)msg;
	for (; *sent < pace.count && due(*sent) <= now; ++*sent)
		send_paced(*sent);
	return *sent < pace.count ? HEIST_AGAIN : HEIST_STOP;
}
static const heist_class pacer = { "pacer", HEIST_ABI, sizeof(uint64_t), pacer_recv, NULL };

static void pace_inside(void)
{
	heist_ref r = bench_spawn(pace.s, &pacer, NULL);
	pace.begin = heist_now(pace.s);
	bench_send(r, 0);
}

static double paced(const struct bench_row *row, heist_system *s, void (*send_on_time)(void))
{
	pace.s = s;
	pace.period = (uint64_t)row->a;
	pace.count = row->operations;
	pace.latency = calloc(pace.count, sizeof *pace.latency);
	if (!pace.latency)
		bench_failed("out of memory");
	memset(pace.latency, 1,
	       pace.count * sizeof *pace.latency); /* no page faults while the clock runs */
	pace.actors = row->b;
	for (int64_t i = 0; i < row->b; i++)
		pace.to[i] = bench_spawn(s, &receiver, NULL);
	bench_settle(s);
	bench_begin((long)pace.count);
	send_on_time();
	double ns = bench_wait();
	if (ns >= 0)
		note_latencies();
	free(pace.latency);
	return ns;
}

/* a: period in ns; b: actors; operations: messages.  They tell the latencies. */
static double paced_outside(const struct bench_row *row, heist_system *s)
{
	return paced(row, s, pace_outside);
}

static double paced_inside(const struct bench_row *row, heist_system *s)
{
	return paced(row, s, pace_inside);
}

/* As rows of heist-bench: the 99th percentile (sample() returns it times the operations). */
static double tail(const struct bench_row *row, double ns)
{
	return ns < 0 ? -1 : (double)bench_aside.latency[2] * (double)row->operations;
}

static double outside_p99(const struct bench_row *row, heist_system *s)
{
	return tail(row, paced_outside(row, s));
}

static double inside_p99(const struct bench_row *row, heist_system *s)
{
	return tail(row, paced_inside(row, s));
}

const struct bench_row bench_paced[] = {
	{ .name = "paced_inside",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = paced_inside,
	  .single = true },
	{ .name = "paced_outside",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = paced_outside,
	  .single = true,
	  .outside = true },
	{ .name = "paced_inside/p99",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = inside_p99,
	  .single = true },
	{ .name = "paced_outside/p99",
	  .operation = "message",
	  .min_workers = 1,
	  .must = 3000,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = outside_p99,
	  .single = true,
	  .outside = true },
	{ 0 },
};
