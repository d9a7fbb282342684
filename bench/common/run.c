/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - one sample: its runtime, and its clock from bench_begin until the thread that waits knows of the
 * last bench_finish. */
#include "bench/bench.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const heist_type BENCH_N = { .base = &BENCH_N, .name = "n", .size = 8, .reply_size = 1 };
const heist_type BENCH_PEER = { .base = &BENCH_PEER, .name = "peer", .size = 8, .reply_size = 1 };

struct bench_aside bench_aside;

static _Atomic long parts;
static _Atomic bool wrong;
static heist_time begun;
static double begun_cpu;
static sem_t end; /* the thread that waits for it sleeps: a look now and then would stop a worker */

void bench_begin(long n)
{
	atomic_store(&wrong, false);
	if (sem_init(&end, 0, 0) != 0)
		bench_failed("sem_init");
	atomic_store(&parts, n);
	begun_cpu = bench_cpu_ns();
	begun = heist_now(NULL);
}

void bench_finish(bool correct)
{
	if (!correct)
		atomic_store(&wrong, true);
	if (atomic_fetch_sub(&parts, 1) == 1)
		sem_post(&end);
}

double bench_wait(void)
{
	struct timespec limit;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	while (sem_timedwait(&end, &limit) != 0)
		if (errno != EINTR)
			return -1;
	heist_time ended = heist_now(NULL);
	sem_destroy(&end);
	bench_aside.cpu_ns = bench_cpu_ns() - begun_cpu;
	return atomic_load(&wrong) ? -1 : (double)(ended - begun);
}

void bench_failed(const char *what)
{
	fprintf(stderr, "heist-bench: %s failed\n", what);
	exit(1);
}

heist_system *bench_start(const heist_config *c)
{
	heist_system *s;
	if (heist_start(c, &s) != HEIST_OK)
		bench_failed("heist_start");
	return s;
}

void bench_stop(heist_system *s)
{
	if (heist_shutdown(s, heist_in_ms(s, 20000)) != HEIST_OK)
		bench_failed("heist_shutdown");
}

static uint64_t lost(const heist_stats *t)
{
	uint64_t sum = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		sum += t->lost[i];
	return sum;
}

void bench_settle(heist_system *s)
{
	heist_stats t = heist_stats_default();
	do
		heist_get_stats(s, &t);
	while (t.accepted != t.handled + lost(&t));
}

uint64_t bench_lost(heist_system *s)
{
	heist_stats t = heist_stats_default();
	heist_get_stats(s, &t);
	return lost(&t);
}

double bench_cpu_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return ((double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec) * 1e9 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

long bench_resident(void)
{
	long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f) {
		if (fscanf(f, "%ld %ld", &size, &pages) != 2)
			pages = 0;
		fclose(f);
	}
	return pages * sysconf(_SC_PAGESIZE);
}
