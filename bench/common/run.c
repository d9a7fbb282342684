/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - the clock of a run: from bench_begin to the last bench_finish. */
#include "bench/bench.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

const heist_type BENCH_N = { .base = &BENCH_N, .name = "n", .size = 8, .reply_size = 1 };
const heist_type BENCH_PEER = { .base = &BENCH_PEER, .name = "peer", .size = 8, .reply_size = 1 };

static _Atomic long parts;
static _Atomic bool wrong;
static heist_time begun;
static _Atomic heist_time ended;

void bench_begin(long n)
{
	atomic_store(&wrong, false);
	atomic_store(&ended, 0);
	atomic_store(&parts, n);
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
	return atomic_load(&wrong) ? -1 : (double)(atomic_load(&ended) - begun);
}

void bench_failed(const char *what)
{
	fprintf(stderr, "heist-bench: %s failed\n", what);
	exit(1);
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
