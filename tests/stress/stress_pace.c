/* SPDX-License-Identifier: BSD-2-Clause
 * A thief that has made up its mind to stay away (meson.build: at once, and for an hour), while the other worker
 * jams: one of the balls that two workers toss about ends in a handler that waits for actors it has woken, and the
 * other balls lie behind it.  A round ends only if the thief comes all the same. */
#include <heist/heist.h>

#include <stdatomic.h>

#include "tests/support/stress_system.h"

#define PLAYERS 8
#define BALLS	12
#define WAKES	4

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 8, .reply_size = 1 };
static _Atomic long caught, woken, jammed;
static long wakes; /* of this round */
static heist_ref players[PLAYERS], plain[WAKES];

static heist_next plain_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&woken, 1);
	return HEIST_CONTINUE;
}
static const heist_class plain_class = { "plain", HEIST_ABI, 0, plain_recv, NULL };

static void jam(const heist_type *type, void *msg)
{
	for (long i = 0; i < wakes; i++)
		STRESS_CHECK(heist_send(plain[i], type, msg) == HEIST_OK);
	for (int turns = 0; atomic_load(&woken) < wakes;)
		stress_wait(&turns);
}

static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t *random = state, left = *(uint64_t *)msg;
	(void)ctx;
	if (left > 0) {
		*random = *random * 6364136223846793005u + 1442695040888963407u;
		left--;
		STRESS_CHECK(heist_send(players[*random >> 32 & (PLAYERS - 1)], type, &left) ==
			     HEIST_OK);
		return HEIST_CONTINUE;
	}
	if (atomic_exchange(&jammed, 1) == 0)
		jam(type, msg);
	atomic_fetch_add(&caught, 1);
	return HEIST_CONTINUE;
}
static const heist_class player_class = { "player", HEIST_ABI, 8, player_recv, NULL };

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	atomic_store(&caught, 0);
	atomic_store(&woken, 0);
	atomic_store(&jammed, 0);
	wakes = 1 + (long)rng_below(r, WAKES);
	if (sys)
		return;
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.hog_ms = UINT32_MAX; /* nobody else relieves */
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	for (int i = 0; i < WAKES; i++)
		STRESS_CHECK(heist_spawn(sys, &plain_class, NULL, NULL, &plain[i]) == HEIST_OK);
	for (int i = 0; i < PLAYERS; i++)
		STRESS_CHECK(heist_spawn(sys, &player_class, NULL, NULL, &players[i]) == HEIST_OK);
}

static void run(int thread, struct rng *r)
{
	(void)thread;
	for (int i = 0; i < BALLS; i++) {
		uint64_t hops = rng_below(r, 2000);
		STRESS_CHECK(heist_send(players[i % PLAYERS], &BALL, &hops) == HEIST_OK);
	}
	for (int turns = 0; atomic_load(&caught) < BALLS;)
		stress_wait(&turns);
}

static void end(void)
{
	STRESS_CHECK(atomic_load(&woken) == wakes);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "pace", 1, 2000, begin, run, end, stress_system_dump };
	return stress_system_end(stress_main(argc, argv, &s));
}
