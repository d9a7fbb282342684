/* SPDX-License-Identifier: BSD-2-Clause
 * Start and stop a runtime again and again, with and without load, at whatever point it is.
 *
 * usage: stress_cycles [CYCLES [SEED]] */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/wait.h"

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 8, .reply_size = 1 };
static _Atomic long stops;

static heist_next keep_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t n = *(int64_t *)msg - 1;
	(void)state;
	if (n > 0)
		heist_send(heist_self(ctx), type, &n);
	return HEIST_CONTINUE;
}

static void keep_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&stops, 1);
}
static const heist_hooks hooks = { .stop = keep_stop };
static const heist_class keep = { "keep", HEIST_ABI, 40, keep_recv, &hooks };

static void cycle(uint64_t seed)
{
	heist_config c = heist_config_default();
	heist_system *s;
	long actors = (long)(seed % 7);
	c.workers = 1 + (uint32_t)(seed / 7 % 2);
	c.pin = HEIST_OFF;
	stops = 0;
	if (heist_start(&c, &s) != HEIST_OK)
		abort();
	for (long i = 0; i < actors; i++) {
		heist_ref r;
		int64_t hops = (int64_t)(seed >> 8 & 1023);
		if (heist_spawn(s, &keep, NULL, NULL, &r) != HEIST_OK)
			abort();
		heist_send(r, &BALL, &hops);
	}
	for (volatile uint64_t d = seed >> 48 & 0xfff; d > 0; d--)
		;
	if ((seed & 64 ? heist_shutdown(s, 0) : shut_down_within(s, 5000)) != HEIST_OK)
		abort();
	if (stops != actors) {
		fprintf(stderr, "stress_cycles: %ld actors, %ld stops\n", actors, stops);
		abort();
	}
}

int main(int argc, char **argv)
{
	long cycles = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	printf("stress_cycles %ld %llu\n", cycles, (unsigned long long)seed);
	fflush(stdout);
	for (long i = 0; i < cycles; i++)
		cycle((seed + (uint64_t)i) * 0x9E3779B97F4A7C15u);
	printf("%ld cycles\n", cycles);
	return 0;
}
