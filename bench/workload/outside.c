/* SPDX-License-Identifier: BSD-2-Clause
 * injection: sends from foreign threads.  wake_latency: from a foreign send to its handler after a gap.
 * idle_cpu: CPU time of a runtime that gets one message a second. */
#include "bench/bench.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

/* ---- injection ---- */

static _Atomic int64_t to_come;

static heist_next target_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	if (atomic_fetch_sub_explicit(&to_come, 1, memory_order_relaxed) == 1)
		bench_finish(true);
	return HEIST_CONTINUE;
}
static const heist_class target = { "target", HEIST_ABI, 0, target_recv, NULL };

struct sender {
	const heist_ref *to;
	int64_t targets, count;
};

static void *send_all(void *arg)
{
	const struct sender *p = arg;
	for (int64_t i = 0; i < p->count; i++)
		bench_send(p->to[i % p->targets], 1);
	return NULL;
}

/* a: threads; b: actors */
static double injection(const struct bench_row *row, heist_system *s)
{
	heist_ref to[64];
	pthread_t t[8];
	struct sender p = { to, row->b, (int64_t)row->operations / row->a };
	for (int64_t i = 0; i < row->b; i++)
		to[i] = bench_spawn(s, &target, NULL);
	atomic_store(&to_come, p.count * row->a);
	bench_begin(1);
	for (int64_t i = 0; i < row->a; i++)
		if (pthread_create(&t[i], NULL, send_all, &p) != 0)
			bench_failed("pthread_create");
	for (int64_t i = 0; i < row->a; i++)
		pthread_join(t[i], NULL);
	return bench_wait();
}

/* ---- wake_latency: median over the gaps of one sample ---- */

#define WAKES 200

static double latency[WAKES];
static _Atomic long woken;

static heist_next clock_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	heist_time sent = (heist_time) * (int64_t *)msg;
	long n = atomic_load_explicit(&woken, memory_order_relaxed);
	latency[n] = (double)(heist_now(heist_system_of(ctx)) - sent);
	atomic_store_explicit(&woken, n + 1, memory_order_release);
	return HEIST_CONTINUE;
}
static const heist_class clock_class = { "clock", HEIST_ABI, 0, clock_recv, NULL };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* a: gap in us */
static double wake_latency(const struct bench_row *row, heist_system *s)
{
	heist_ref r = bench_spawn(s, &clock_class, NULL);
	long wakes = row->a >= 1000 ? 20 : WAKES;
	atomic_store(&woken, 0);
	for (long i = 0; i < wakes; i++) {
		struct timespec gap = { .tv_nsec = row->a * 1000 };
		heist_time until = heist_now(s) + (uint64_t)row->a * 1000;
		if (row->a > 100)
			nanosleep(&gap, NULL);
		while (heist_now(s) < until)
			;
		bench_send(r, (int64_t)heist_now(s));
		while (atomic_load_explicit(&woken, memory_order_acquire) == i)
			;
	}
	qsort(latency, (size_t)wakes, sizeof *latency, by_value);
	return latency[wakes / 2];
}

/* ---- idle_cpu: percent of one CPU ---- */

int64_t bench_idle_seconds;

static double idle_cpu(const struct bench_row *row, heist_system *s)
{
	int64_t seconds = bench_idle_seconds ? bench_idle_seconds : row->a;
	heist_ref r = bench_spawn(s, &clock_class, NULL);
	atomic_store(&woken, 0);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	double before = bench_cpu_ns();
	for (int64_t i = 0; i < seconds; i++) {
		bench_send(r, (int64_t)heist_now(s));
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	return (bench_cpu_ns() - before) / 1e9 / (double)seconds * 100;
}

#define INJECTION(T, N)                                                                            \
	{                                                                                          \
		.name = "injection/threads:" #T "/actors:" #N, .operation = "message",             \
		.min_workers = 1, .must = 60, .stretch = 30, .operations = 1000000, .a = T,        \
		.b = N, .sample = injection, .outside = true                                       \
	}
#define WAKE(US, TEXT)                                                                             \
	{                                                                                          \
		.name = "wake_latency/gap:" TEXT, .operation = "wake", .min_workers = 1,           \
		.operations = 1, .a = US, .sample = wake_latency, .outside = true                  \
	}

const struct bench_row bench_outside[] = {
	INJECTION(1, 1),
	INJECTION(1, 64),
	INJECTION(2, 1),
	INJECTION(2, 64),
	WAKE(10, "10us"),
	WAKE(100, "100us"),
	WAKE(1000, "1ms"),
	WAKE(10000, "10ms"),
	{ .name = "idle_cpu",
	  .operation = "run",
	  .min_workers = 1,
	  .must = 0.1,
	  .operations = 1,
	  .a = 60,
	  .sample = idle_cpu,
	  .single = true,
	  .unit = "%" },
	{ 0 },
};
