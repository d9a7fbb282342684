/* SPDX-License-Identifier: BSD-2-Clause
 * rng.h - a small generator for tests: one number replays everything. */
#ifndef HEIST_TESTS_RNG_H
#define HEIST_TESTS_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state; /* never 0 */
};

static inline struct rng rng_seed(uint64_t seed)
{
	return (struct rng){ (seed + 1) * 0x9E3779B97F4A7C15u | 1 };
}

/* xorshift64*: Vigna 2016. */
static inline uint64_t rng_next(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545F4914F6CDD1Du;
}

/* 0 to n - 1; n is small, so the remainder is as good as even. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(rng_next(r) >> 32) % n;
}

#endif
