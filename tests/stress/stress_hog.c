/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of handlers of two classes that run for up to some milliseconds, while the watchdog names who runs for
 * one, with a call chain: it never leads through a handler of the class that is not named. */
#include <heist/heist.h>

#include <string.h>

#include "lockfree/seam.h"
#include "tests/support/side.h"
#include "tests/support/stress_system.h"

#define ACTORS 4

static const heist_type SPIN = { .base = &SPIN, .name = "spin", .size = 8, .reply_size = 1 };

static heist_ref actors[ACTORS];
static _Atomic long handled, wanted, chains;

/* What both do, in two places; for as many nanoseconds as the message says. */
#define SPINNER(T)                                                                                 \
	SIDE(T)                                                                                    \
	static heist_next recv_##T(heist_ctx *ctx, void *state, const heist_type *type, void *msg) \
	{                                                                                          \
		uint64_t until = heist_clock_ns() + *(uint64_t *)msg;                              \
		(void)ctx, (void)state, (void)type;                                                \
		while (heist_clock_ns() < until)                                                   \
			heist_thread_yield(); /* where ThreadSanitizer hands signals on */         \
		atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);                      \
		return HEIST_CONTINUE;                                                             \
	}
SPINNER(0)
SPINNER(1)

static const heist_class classes[] = { { "0", HEIST_ABI, 0, recv_0, NULL },
				       { "1", HEIST_ABI, 0, recv_1, NULL } };

/* The watchdog. */
static void on_hog(void *user, const heist_hog *hog)
{
	int cls = strcmp(hog->cls, "1") == 0, own = 0;
	(void)user;
	STRESS_CHECK(cls || strcmp(hog->cls, "0") == 0);
	for (uint32_t i = 0; i < hog->frame_count; i++) {
		own += side_has(cls, hog->frames[i]);
		STRESS_CHECK(!side_has(!cls, hog->frames[i]));
	}
	atomic_fetch_add_explicit(&chains, own > 0, memory_order_relaxed);
}

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	(void)r;
	if (sys)
		return;
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.hog_ms = c.hog_name_ms = 1;
	c.hog = on_hog;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	for (int i = 0; i < ACTORS; i++)
		STRESS_CHECK(heist_spawn(sys, &classes[i % 2], NULL, NULL, &actors[i]) == HEIST_OK);
}

static void run(int thread, struct rng *r)
{
	int turns = 0;
	(void)thread;
	for (int i = 0; i < ACTORS; i++) {
		uint64_t ns = rng_below(r, 3000000);
		STRESS_CHECK(heist_send(actors[i], &SPIN, &ns) == HEIST_OK);
	}
	atomic_fetch_add_explicit(&wanted, ACTORS, memory_order_relaxed);
	while (atomic_load_explicit(&handled, memory_order_relaxed) < wanted)
		stress_wait(&turns);
}

static void end(void)
{
}

int main(int argc, char **argv)
{
	static const struct stress s = { "hog", 1, 2000, begin, run, end, stress_system_dump };
	int status = stress_system_end(stress_main(argc, argv, &s));
	/* else nothing was checked */
	return status ? status : atomic_load_explicit(&chains, memory_order_relaxed) == 0;
}
