/* SPDX-License-Identifier: BSD-2-Clause
 * A runtime that has nothing to do but a timer a second uses no CPU: less than 1 ms a tick, which is 0.1 % of one, and
 * its threads wake up for the tick only, which a thread that looked for work from time to time would not.
 *
 * usage: pain_04_idle_burns_cpu [--full]   60 ticks, one a second; else 20, ten a second */
#define UNIT_PLAIN /* no test framework */

#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/runtime.h"

#define WARM 3 /* ticks that are not counted */

static const heist_type START = { .base = &START, .name = "start", .size = 8, .reply_size = 1 };
static const heist_type TICK = { .base = &TICK, .name = "tick", .size = 8, .reply_size = 1 };
static sem_t warm, end;

struct clock {
	uint64_t ticks, until;
};

static heist_next clock_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct clock *c = state;
	uint64_t n = *(uint64_t *)msg; /* START: the period in ms << 32 | ticks */
	if (type == &START) {
		c->until = (n & UINT32_MAX) + WARM;
		uint64_t period = (n >> 32) * 1000000;
		EXPECT(heist_send_every(ctx, heist_self(ctx), &TICK, &n, period, period,
					HEIST_FIXED_RATE, NULL) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	if (++c->ticks == WARM)
		sem_post(&warm);
	if (c->ticks == c->until)
		sem_post(&end);
	return HEIST_CONTINUE;
}
static const heist_class clock_class = { "clock", HEIST_ABI, sizeof(struct clock), clock_recv,
					 NULL };

static struct rusage usage(void)
{
	struct rusage u;
	EXPECT(getrusage(RUSAGE_SELF, &u) == 0);
	return u;
}

static double cpu_ms(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && strcmp(argv[1], "--full") == 0;
	uint64_t ticks = full ? 60 : 20, period_ms = full ? 1000 : 100;
	EXPECT(sem_init(&warm, 0, 0) == 0 && sem_init(&end, 0, 0) == 0);
	heist_system *s = test_start(4);
	heist_ref clock = test_spawn(s, &clock_class, NULL);
	EXPECT(test_tell(clock, &START, period_ms << 32 | ticks) == HEIST_OK);
	sem_wait(&warm);
	struct rusage before = usage();
	sem_wait(&end); /* this thread wakes up once, too */
	struct rusage after = usage();
	double ms = cpu_ms(&after) - cpu_ms(&before);
	long woken = after.ru_nvcsw - before.ru_nvcsw;
	printf("%d ticks: %.3f ms of CPU, %.4f ms a tick; threads woke up %ld times\n", (int)ticks,
	       ms, ms / (double)ticks, woken);
	EXPECT(ms < (double)ticks);
	EXPECT(woken <= (long)ticks * 5 + 5); /* one that looks each 10 ms: ten a tick */
	return heist_shutdown(s, 0) != HEIST_OK;
}
