/* SPDX-License-Identifier: BSD-2-Clause
 * One message to a runtime that is about to park, again and again: no wake-up may be lost.
 *
 * usage: stress_wake [ROUNDS [SEED]] */
#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const heist_type POKE = { .base = &POKE, .name = "poke", .size = 8, .reply_size = 1 };
static _Atomic long seen;

static heist_next poke_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&seen, 1);
	return HEIST_CONTINUE;
}
static const heist_class poked = { "poked", HEIST_ABI, 0, poke_recv, NULL };

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 20000;
	uint64_t x = (argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL)) | 1;
	heist_config c = heist_config_default();
	heist_opts bound = heist_opts_default();
	heist_system *s;
	heist_ref r[2];
	printf("stress_wake %ld %llu\n", rounds, (unsigned long long)x);
	fflush(stdout);
	c.workers = 2;
	bound.worker = 2;
	if (heist_start(&c, &s) != HEIST_OK ||
	    heist_spawn(s, &poked, NULL, NULL, &r[0]) != HEIST_OK ||
	    heist_spawn(s, &poked, &bound, NULL, &r[1]) != HEIST_OK)
		return 1;
	for (long i = 0; i < rounds; i++) {
		heist_time limit = heist_now(s) + 10000000000u;
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		for (volatile uint64_t d = x % 40000; d > 0;
		     d--) /* around the end of a spin window */
			;
		if (heist_send(r[i & 1], &POKE, &(uint64_t){ 1 }) != HEIST_OK)
			return 1;
		while (atomic_load(&seen) <= i)
			if (heist_now(s) > limit) {
				fprintf(stderr, "stress_wake: round %ld: a wake-up was lost\n", i);
				abort();
			}
	}
	printf("%ld rounds\n", rounds);
	return heist_shutdown(s, 0) != HEIST_OK;
}
