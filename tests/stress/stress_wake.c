/* SPDX-License-Identifier: BSD-2-Clause
 * One message to a runtime that is about to park, again and again: no wake-up may be lost. */
#include <heist/heist.h>

#include <stdatomic.h>

#include "tests/support/stress.h"

static const heist_type POKE = { .base = &POKE, .name = "poke", .size = 8, .reply_size = 1 };
static _Atomic long seen;
static long sent;
static heist_system *sys;
static heist_ref to[2]; /* anywhere, and bound */

static heist_next poke_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&seen, 1);
	return HEIST_CONTINUE;
}
static const heist_class poked = { "poked", HEIST_ABI, 0, poke_recv, NULL };

/* Once for all rounds: what is tested is a runtime that goes to sleep between them. */
static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	heist_opts bound = heist_opts_default();
	(void)r;
	if (sys)
		return;
	c.workers = 2;
	bound.worker = 2;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	STRESS_CHECK(heist_spawn(sys, &poked, NULL, NULL, &to[0]) == HEIST_OK);
	STRESS_CHECK(heist_spawn(sys, &poked, &bound, NULL, &to[1]) == HEIST_OK);
}

static void run(int thread, struct rng *r)
{
	(void)thread;
	for (volatile uint32_t d = rng_below(r, 40000); d > 0;
	     d--) /* around the end of a spin window */
		;
	STRESS_CHECK(heist_send(to[rng_below(r, 2)], &POKE, &(uint64_t){ 1 }) == HEIST_OK);
	sent++;
	for (int turns = 0; atomic_load(&seen) < sent;)
		stress_wait(&turns);
}

static void end(void)
{
	STRESS_CHECK(atomic_load(&seen) == sent);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "wake", 1, 20000, begin, run, end, NULL };
	int status = stress_main(argc, argv, &s);
	return heist_shutdown(sys, 0) == HEIST_OK ? status : 1;
}
