/* SPDX-License-Identifier: BSD-2-Clause
 * paced_latency: an open loop.  A thread sends at fixed times, late or not, and handlers note the time
 * since the message should have been sent, so that waiting in line is counted. */
#include "bench/bench.h"

#include <string.h>

#define MOST_ACTORS 1000

static struct {
	heist_system *s;
	heist_time begin;
	uint64_t period, count;
	uint32_t *latency; /* ns, of message i; about 4 s at most */
} pace;			   /* written before the first message; each latency by one handler */

static heist_next paced_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, ns = heist_now(pace.s) - (pace.begin + n * pace.period);
	(void)ctx, (void)state, (void)type;
	pace.latency[n] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	bench_finish(true);
	return HEIST_CONTINUE;
}
static const heist_class paced = { "paced", HEIST_ABI, 0, paced_recv, NULL };

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
static void send_on_time(const heist_ref *to, int64_t actors)
{
	for (uint64_t i = 0; i < pace.count; i++) {
		while (heist_now(pace.s) < pace.begin + i * pace.period)
			;
		bench_send(to[i % (uint64_t)actors], (int64_t)i);
	}
}

/* a: period in ns; b: actors; operations: messages.  Tells the latencies. */
static double paced_latency(const struct bench_row *row, heist_system *s)
{
	heist_ref to[MOST_ACTORS];
	pace.s = s;
	pace.period = (uint64_t)row->a;
	pace.count = row->operations;
	pace.latency = calloc(pace.count, sizeof *pace.latency);
	if (!pace.latency)
		bench_failed("out of memory");
	memset(pace.latency, 1,
	       pace.count * sizeof *pace.latency); /* no page faults while the clock runs */
	for (int64_t i = 0; i < row->b; i++)
		to[i] = bench_spawn(s, &paced, NULL);
	bench_settle(s);
	bench_begin((long)pace.count);
	pace.begin = heist_now(s);
	send_on_time(to, row->b);
	double ns = bench_wait();
	if (ns >= 0)
		note_latencies();
	free(pace.latency);
	return ns;
}

/* As a row of heist-bench: the 99th percentile (sample() returns it times the operations). */
static double paced_p99(const struct bench_row *row, heist_system *s)
{
	return paced_latency(row, s) < 0 ? -1
					 : (double)bench_aside.latency[2] * (double)row->operations;
}

const struct bench_row bench_paced[] = {
	{ .name = "paced_latency",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = paced_latency,
	  .single = true },
	{ .name = "paced_latency/p99",
	  .operation = "message",
	  .min_workers = 1,
	  .must = 3000,
	  .operations = 300000,
	  .a = 10000,
	  .b = 64,
	  .sample = paced_p99,
	  .single = true },
	{ 0 },
};
