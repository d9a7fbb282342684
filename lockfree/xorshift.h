/* SPDX-License-Identifier: BSD-2-Clause
 * xorshift.h - numbers that look random, for choices that need no more: Marsaglia, "Xorshift RNGs", 2003
 * (shifts 13, 7, 17; period 2^64 - 1).  One owner a state, which is not 0. */
#ifndef HEIST_LOCKFREE_XORSHIFT_H
#define HEIST_LOCKFREE_XORSHIFT_H

#include <stdint.h>

static inline uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
