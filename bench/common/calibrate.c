/* SPDX-License-Identifier: BSD-2-Clause
 * calibrate.c - unit costs of one core, and of a line that moves between two. */
#define _GNU_SOURCE
#include "bench/common/calibrate.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REPETITIONS 15

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The CPUs this process may use, for pinning the two sides. */
static int cpus[2];

static int find_cpus(void)
{
	cpu_set_t set;
	int n = 0;
	sched_getaffinity(0, sizeof set, &set);
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &set))
			cpus[n++] = i;
	return n;
}

static void pin(int side)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpus[side], &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* ---- one core ---- */

static _Alignas(64) _Atomic uint64_t line;
static _Alignas(64) struct cell {
	struct cell *next;
	char rest[56];
} cells[64], *free_cells;

static __attribute__((noinline)) void callee(uint64_t *x)
{
	*x += 1;
	__asm__ volatile("" ::: "memory");
}
static void (*volatile callee_pointer)(uint64_t *) = callee;

static void do_rmw(long n)
{
	for (long i = 0; i < n; i++)
		atomic_exchange_explicit(&line, (uint64_t)i, memory_order_acq_rel);
}

static void do_fence(long n)
{
	for (long i = 0; i < n; i++) {
		atomic_store_explicit(&line, (uint64_t)i, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
	}
}

static void do_call(long n)
{
	uint64_t x = 0;
	void (*f)(uint64_t *) = callee_pointer;
	for (long i = 0; i < n; i++) {
		__asm__ volatile("" : "+r"(f));
		f(&x);
	}
}

static void do_pool(long n)
{
	for (long i = 0; i < n; i++) {
		struct cell *c = free_cells;
		free_cells = c->next;
		__asm__ volatile("" : : "r"(c) : "memory");
		c->next = free_cells;
		free_cells = c;
	}
}

static void do_alloc(long n)
{
	for (long i = 0; i < n; i++) {
		void *p = malloc(64);
		__asm__ volatile("" : : "r"(p) : "memory");
		free(p);
	}
}

static void do_clock(long n)
{
	for (long i = 0; i < n; i++)
		(void)now();
}

static double least(void (*f)(long), long n)
{
	double best = 1e18;
	f(n / 10);
	for (int r = 0; r < REPETITIONS; r++) {
		double t = now();
		f(n);
		t = (now() - t) / (double)n;
		if (t < best)
			best = t;
	}
	return best;
}

/* ---- two cores ---- */

static _Alignas(128) _Atomic uint64_t ping, pong;
static _Alignas(128) _Atomic int stop;

static void *echo(void *arg)
{
	(void)arg;
	pin(1);
	for (uint64_t seen = 0; !atomic_load_explicit(&stop, memory_order_relaxed);) {
		uint64_t v = atomic_load_explicit(&ping, memory_order_acquire);
		if (v != seen)
			atomic_store_explicit(&pong, seen = v, memory_order_release);
	}
	return NULL;
}

static double measure_handoff(void)
{
	enum { N = 10000 };
	pthread_t t;
	double best = 1e18;
	atomic_store(&stop, 0);
	atomic_store(&ping, 0);
	atomic_store(&pong, 0);
	if (pthread_create(&t, NULL, echo, NULL) != 0)
		return 0;
	uint64_t v = 0;
	for (int r = 0; r < REPETITIONS; r++) {
		double begin = now();
		for (int i = 0; i < N; i++) {
			atomic_store_explicit(&ping, ++v, memory_order_release);
			while (atomic_load_explicit(&pong, memory_order_acquire) != v)
				;
		}
		double each = (now() - begin) / N / 2;
		if (each < best)
			best = each;
	}
	atomic_store(&stop, 1);
	pthread_join(t, NULL);
	return best;
}

#define RING  1024
#define BATCH 16
static _Alignas(128) struct {
	_Alignas(64) uint64_t value;
} slots[RING];
static _Alignas(128) _Atomic uint64_t written;
static _Alignas(128) _Atomic uint64_t taken;

static void *drain(void *arg)
{
	uint64_t n = *(uint64_t *)arg, sum = 0;
	pin(1);
	for (uint64_t i = 0; i < n;) {
		uint64_t w = atomic_load_explicit(&written, memory_order_acquire);
		for (; i < w; i++)
			sum += slots[i % RING].value;
		atomic_store_explicit(&taken, i, memory_order_release);
	}
	line = sum;
	return NULL;
}

static double measure_ring(void)
{
	uint64_t n = 1000000;
	double best = 1e18;
	for (int r = 0; r < 5; r++) {
		pthread_t t;
		atomic_store(&written, 0);
		atomic_store(&taken, 0);
		if (pthread_create(&t, NULL, drain, &n) != 0)
			return 0;
		double begin = now();
		for (uint64_t i = 0; i < n; i++) {
			while (i - atomic_load_explicit(&taken, memory_order_acquire) >= RING)
				;
			slots[i % RING].value = i;
			if (i % BATCH == BATCH - 1 || i == n - 1)
				atomic_store_explicit(&written, i + 1, memory_order_release);
		}
		pthread_join(t, NULL);
		double each = (now() - begin) / (double)n;
		if (each < best)
			best = each;
	}
	return best;
}

/* ---- futex ---- */

static _Atomic uint32_t futex_word;
static _Atomic uint64_t awake_at;

static void *sleeper(void *arg)
{
	(void)arg;
	pin(1);
	for (;;) {
		while (atomic_load(&futex_word) == 0)
			syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		uint64_t t = (uint64_t)now();
		if (atomic_exchange(&futex_word, 0) == 2)
			return NULL;
		atomic_store(&awake_at, t);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure_wake(struct calibration *c)
{
	enum { N = 51 };
	double to_run[N], cost[N];
	pthread_t t;
	if (pthread_create(&t, NULL, sleeper, NULL) != 0)
		return;
	for (int i = 0; i < N; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		atomic_store(&awake_at, 0);
		double begin = now();
		atomic_store(&futex_word, 1);
		syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		cost[i] = now() - begin;
		while (!atomic_load(&awake_at))
			;
		to_run[i] = (double)atomic_load(&awake_at) - begin;
	}
	atomic_store(&futex_word, 2);
	syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_join(t, NULL);
	qsort(to_run, N, sizeof *to_run, by_value);
	qsort(cost, N, sizeof *cost, by_value);
	c->wake = to_run[N / 2];
	c->wake_cost = cost[N / 2];
}

/* ---- all of it, on a thread of its own so that pinning stays there ---- */

static void *run(void *arg)
{
	struct calibration *c = arg;
	int n = find_cpus();
	pin(0);
	for (int i = 0; i < 63; i++)
		cells[i].next = &cells[i + 1];
	cells[63].next = NULL;
	free_cells = cells;
	c->rmw = least(do_rmw, 1000000);
	c->fence = least(do_fence, 1000000);
	c->call = least(do_call, 1000000);
	c->pool = least(do_pool, 1000000);
	c->alloc = least(do_alloc, 300000);
	c->clock = least(do_clock, 100000);
	c->local = 2 * c->rmw + c->call + c->pool;
	if (n < 2)
		return NULL;
	c->handoff = measure_handoff();
	c->ring = measure_ring();
	measure_wake(c);
	return NULL;
}

static void *run_again(void *arg)
{
	struct calibration *c = arg;
	pin(0);
	double before = c->handoff, after = measure_handoff();
	c->moved = after > before * 1.5 || before > after * 1.5;
	if (after < before)
		c->handoff = after;
	return NULL;
}

void calibrate(struct calibration *c)
{
	pthread_t t;
	*c = (struct calibration){ 0 };
	if (pthread_create(&t, NULL, run, c) == 0)
		pthread_join(t, NULL);
}

void calibrate_again(struct calibration *c)
{
	pthread_t t;
	if (c->handoff > 0 && pthread_create(&t, NULL, run_again, c) == 0)
		pthread_join(t, NULL);
}
