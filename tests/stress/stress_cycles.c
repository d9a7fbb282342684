/* SPDX-License-Identifier: BSD-2-Clause
 * Start and stop a runtime again and again, at whatever point it is: workers or polled, alone or
 * several at once, drained or with messages on the way.  Every actor that began stops once, and after
 * the first thousand cycles there are no more threads, descriptors or pages than before. */
#include <heist/heist.h>

#include <dirent.h>
#include <stdio.h>

#include "lockfree/check.h"
#include "tests/support/oracle.h"
#include "tests/support/stress.h"

#define MOST 3 /* runtimes at once */

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 8, .reply_size = 1 };
static struct oracle own; /* lives */
static heist_system *systems[MOST];
static int alive;

static heist_next keep_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t n = *(int64_t *)msg - 1;
	(void)state;
	if (n > 0)
		heist_send(heist_self(ctx), type, &n);
	return HEIST_CONTINUE;
}

static heist_next keep_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)arg;
	*(uint64_t *)state = oracle_begins(&own);
	return HEIST_CONTINUE;
}

static void keep_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)why;
	oracle_ends(&own, *(uint64_t *)state);
}
static const heist_hooks hooks = { .init = keep_init, .stop = keep_stop };
static const heist_class keep = { "keep", HEIST_ABI, 40, keep_recv, &hooks };

/* ---- a cycle ---- */

static void on_log(void *user,
		   const heist_log_line *line) /* that a handler still runs is no news */
{
	(void)user, (void)line;
}

static heist_system *start(struct rng *r)
{
	heist_config c = heist_config_default();
	heist_system *s;
	if (rng_below(r, 4) == 0)
		c.mode = HEIST_POLLED;
	else
		c.workers = 1 + rng_below(r, 2);
	c.pin = HEIST_OFF;
	c.log = on_log;
	STRESS_CHECK(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void load(heist_system *s, struct rng *r)
{
	int64_t hops = rng_below(r, 1024);
	for (uint32_t n = rng_below(r, 7); n > 0; n--) {
		heist_ref ref;
		STRESS_CHECK(heist_spawn(s, &keep, NULL, NULL, &ref) == HEIST_OK);
		STRESS_CHECK(heist_send(ref, &BALL, &hops) == HEIST_OK);
	}
	stress_delay(r);
}

static void begin(struct rng *r)
{
	oracle_clear(&own);
	alive = rng_below(r, 8) ? 1 : 1 + (int)rng_below(r, MOST);
	for (int i = 0; i < alive; i++)
		systems[i] = start(r);
}

static void run(int thread, struct rng *r)
{
	(void)thread;
	for (int i = 0; i < alive; i++)
		load(systems[i], r);
	for (int i = 0; i < alive; i++) {
		heist_system *s = systems[i];
		/* drained, or in the middle of it */
		heist_time deadline = rng_below(r, 2) ? 0 : heist_now(s) + rng_below(r, 2000000);
		heist_status st = heist_shutdown(s, deadline);
		while (st == HEIST_ETIMEOUT) /* a busy machine: a worker had no CPU for so long */
			st = heist_shutdown(s, heist_in_ms(s, 5000));
		STRESS_CHECK(st == HEIST_OK);
	}
}

/* ---- what must not grow ---- */

struct census {
	long threads, descriptors, pages;
};

static long entries(const char *folder)
{
	DIR *d = opendir(folder);
	long n = 0;
	STRESS_CHECK(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static struct census census(void)
{
	struct census c = { entries("/proc/self/task"), entries("/proc/self/fd"), 0 };
	FILE *f = fopen("/proc/self/statm", "r");
	STRESS_CHECK(f && fscanf(f, "%*d %ld", &c.pages) == 1 && fclose(f) == 0);
	return c;
}

/* Sanitizers keep freed memory back for a while, so there pages are not compared. */
#if defined(HEIST_ASAN) || defined(HEIST_TSAN)
#define PAGES_MORE 100000000
#else
#define PAGES_MORE 1024
#endif

static void end(void)
{
	static struct census first;
	static long cycle;
	const char *wrong = oracle_wrong(&own, 0);
	if (wrong)
		stress_fail("%s", wrong);
	if (++cycle % 1000 != 0)
		return;
	struct census now = census();
	if (cycle == 1000)
		first = now;
	printf("%ld cycles: %ld threads, %ld descriptors, %ld pages\n", cycle, now.threads - 2,
	       now.descriptors - 2, now.pages);
	fflush(stdout);
	STRESS_CHECK(now.threads == first.threads && now.descriptors == first.descriptors);
	STRESS_CHECK(now.pages <= first.pages + PAGES_MORE);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "cycles", 1, 10000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
