/* SPDX-License-Identifier: BSD-2-Clause
 * Handlers that wait for others, on every worker and some spares at once: each round ends only if somebody
 * serves in the place of those that wait, and what they held is neither lost nor run twice. */
#include <heist/heist.h>

#include <stdatomic.h>

#include "tests/support/stress_system.h"

#define WORKERS 2
#define SPARES	2
#define ACTORS	8

static const heist_type POKE = { .base = &POKE, .name = "poke", .size = 8, .reply_size = 1 };
static _Atomic long poked, expected, back;
static long waiting; /* of this round */
static heist_ref waits[WORKERS + SPARES - 1], plain[ACTORS];

static heist_next plain_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&poked, 1);
	return HEIST_CONTINUE;
}

/* Fill the worker's slot and queues, then wait until all of that has been handled elsewhere. */
static heist_next waits_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state;
	for (uint64_t i = 0; i < n % 4; i++)
		STRESS_CHECK(heist_send(plain[(n + i) % ACTORS], type, msg) == HEIST_OK);
	STRESS_CHECK(heist_blocking_begin(ctx) == HEIST_OK);
	for (uint64_t i = 0; i < n / 4 % 4; i++)
		STRESS_CHECK(heist_send(plain[(n + i) % ACTORS], type, msg) == HEIST_OK);
	for (int turns = 0; atomic_load(&poked) < atomic_load(&expected);)
		stress_wait(&turns);
	if (n & 64)
		STRESS_CHECK(heist_blocking_end(ctx) == HEIST_OK);
	atomic_fetch_add(&back, 1);
	return HEIST_CONTINUE;
}
static const heist_class plain_class = { "plain", HEIST_ABI, 0, plain_recv, NULL };
static const heist_class waits_class = { "waits", HEIST_ABI, 0, waits_recv, NULL };

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	(void)r;
	atomic_store(&poked, 0);
	atomic_store(&back, 0);
	if (sys)
		return;
	c.workers = WORKERS;
	c.spare_max = SPARES;
	c.pin = HEIST_OFF;
	c.hog_ms = UINT32_MAX;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	for (int i = 0; i < ACTORS; i++)
		STRESS_CHECK(heist_spawn(sys, &plain_class, NULL, NULL, &plain[i]) == HEIST_OK);
	for (int i = 0; i < WORKERS + SPARES - 1; i++)
		STRESS_CHECK(heist_spawn(sys, &waits_class, NULL, NULL, &waits[i]) == HEIST_OK);
}

static void run(int thread, struct rng *r)
{
	uint64_t what[WORKERS + SPARES - 1];
	long all = rng_below(r, 8);
	(void)thread;
	waiting = rng_below(r, WORKERS + SPARES);
	for (long i = 0; i < waiting; i++) {
		what[i] = rng_next(r) >> 8;
		all += (long)(what[i] % 4 + what[i] / 4 % 4);
	}
	atomic_store(&expected, all);
	long left = all;
	for (long i = 0; i < waiting; i++) {
		left -= (long)(what[i] % 4 + what[i] / 4 % 4);
		STRESS_CHECK(heist_send(waits[i], &POKE, &what[i]) == HEIST_OK);
		stress_delay(r);
	}
	for (; left > 0; left--)
		STRESS_CHECK(heist_send(plain[left % ACTORS], &POKE, &(uint64_t){ 0 }) == HEIST_OK);
	for (int turns = 0; atomic_load(&poked) < all || atomic_load(&back) < waiting;)
		stress_wait(&turns);
}

static void end(void)
{
	STRESS_CHECK(atomic_load(&poked) == atomic_load(&expected));
	STRESS_CHECK(atomic_load(&back) == waiting);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "spare", 1, 20000, begin, run, end, stress_system_dump };
	return stress_system_end(stress_main(argc, argv, &s));
}
