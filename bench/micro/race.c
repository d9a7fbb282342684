/* SPDX-License-Identifier: BSD-2-Clause
 * race.c - threads, pinning, starting line and clock of the micro-benchmarks. */
#define _GNU_SOURCE
#include "bench/micro/race.h"

#include <pthread.h>
#include <sched.h>

#include "lockfree/barrier.h"

static const struct bench_row *running;
static void (*body)(const struct bench_row *row, int thread);
static struct barrier line;
static _Atomic bool wrong;
static heist_time begun, ended;

void race_check(bool correct)
{
	if (!correct)
		atomic_store_explicit(&wrong, true, memory_order_relaxed); /* read after the join */
}

/* The CPU number `thread` of those this process may use, round again if there are too few. */
static void pin(int thread)
{
	cpu_set_t may, one;
	if (sched_getaffinity(0, sizeof may, &may) != 0)
		return;
	int nth = thread % CPU_COUNT(&may);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && nth-- == 0) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			pthread_setaffinity_np(pthread_self(), sizeof one, &one);
			return;
		}
}

static void *thread_main(void *arg)
{
	int thread = (int)(intptr_t)arg;
	struct barrier_seat seat = { 0 };
	pin(thread);
	barrier_wait(&line, &seat);
	if (thread == 0)
		begun = heist_now(NULL);
	body(running, thread);
	barrier_wait(&line, &seat);
	if (thread == 0)
		ended = heist_now(NULL);
	return NULL;
}

double race(const struct bench_row *row, void (*run)(const struct bench_row *row, int thread))
{
	pthread_t id[RACE_THREADS];
	running = row;
	body = run;
	atomic_store_explicit(&wrong, false, memory_order_relaxed);
	barrier_init(&line, row->min_workers);
	for (intptr_t t = 0; t < (intptr_t)row->min_workers; t++)
		if (pthread_create(&id[t], NULL, thread_main, (void *)t) != 0)
			bench_failed("pthread_create");
	for (uint32_t t = 0; t < row->min_workers; t++)
		pthread_join(id[t], NULL);
	if (atomic_load_explicit(&wrong, memory_order_relaxed))
		return -1;
	return (double)(ended - begun);
}
