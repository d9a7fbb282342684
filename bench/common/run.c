/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - one sample: its runtime, and its clock from bench_begin to the last bench_finish. */
#include "bench/bench.h"

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
static _Atomic heist_time ended;

void bench_begin(long n)
{
	atomic_store(&wrong, false);
	atomic_store(&ended, 0);
	atomic_store(&parts, n);
	begun_cpu = bench_cpu_ns();
	begun = heist_now(NULL);
}

void bench_finish(bool correct)
{
	if (!correct)
		atomic_store(&wrong, true);
	if (atomic_fetch_sub(&parts, 1) == 1)
		atomic_store(&ended, heist_now(NULL));
}

double bench_wait(void)
{
	heist_time limit = heist_now(NULL) + 60000000000u;
	while (!atomic_load(&ended)) {
		if (heist_now(NULL) > limit)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	bench_aside.cpu_ns = bench_cpu_ns() - begun_cpu;
	return atomic_load(&wrong) ? -1 : (double)(atomic_load(&ended) - begun);
}

void bench_failed(const char *what)
{
	fprintf(stderr, "heist-bench: %s failed\n", what);
	exit(1);
}

heist_system *bench_start(uint32_t workers, heist_switch pin, bool silent)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = workers;
	c.pin = pin;
	if (silent)
		c.log_level = HEIST_LOG_OFF;
	if (heist_start(&c, &s) != HEIST_OK)
		bench_failed("heist_start");
	return s;
}

void bench_stop(heist_system *s)
{
	if (heist_shutdown(s, heist_in_ms(s, 20000)) != HEIST_OK)
		bench_failed("heist_shutdown");
}

void bench_settle(heist_system *s)
{
	heist_stats t = heist_stats_default();
	do
		heist_get_stats(s, &t);
	while (t.accepted != t.handled);
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
