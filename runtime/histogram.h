/* SPDX-License-Identifier: BSD-2-Clause
 * histogram.h - how many values there were in each of ascending ranges: eight of one width for each power of two,
 * from 8 on, below it one for each number.  The last one takes in all that is greater.
 *
 * Threads   sample_put: one writer.  sample_add: anybody, meanwhile; each number is then right by itself. */
#ifndef HEIST_RUNTIME_HISTOGRAM_H
#define HEIST_RUNTIME_HISTOGRAM_H

#include <heist/heist.h>

#include "lockfree/seam.h"

#ifndef HISTOGRAM_POWERS
#define HISTOGRAM_POWERS 40
#endif
#define HISTOGRAM_LINEAR  8u /* 1 << HISTOGRAM_BITS */
#define HISTOGRAM_BITS	  3
#define HISTOGRAM_END	  ((uint64_t)1 << HISTOGRAM_POWERS)
#define HISTOGRAM_BUCKETS ((HISTOGRAM_POWERS - HISTOGRAM_BITS + 1) * HISTOGRAM_LINEAR)

/* While it is written. */
struct sample_histogram {
	_Atomic uint64_t sum, bucket[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_index(uint64_t value)
{
	if (value < HISTOGRAM_LINEAR)
		return (uint32_t)value;
	if (value >= HISTOGRAM_END)
		return HISTOGRAM_BUCKETS - 1;
	uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - HISTOGRAM_BITS;
	return shift * HISTOGRAM_LINEAR + (uint32_t)(value >> shift);
}

/* The greatest value of bucket i. */
static inline uint64_t histogram_last(uint32_t i)
{
	if (i < HISTOGRAM_LINEAR)
		return i;
	uint32_t shift = i / HISTOGRAM_LINEAR - 1;
	return ((uint64_t)(i % HISTOGRAM_LINEAR + HISTOGRAM_LINEAR + 1) << shift) - 1;
}

static inline void sample_put(struct sample_histogram *h, uint64_t value)
{
	heist_count(&h->sum, value);
	heist_count(&h->bucket[histogram_index(value)], 1);
}

/* Add what is in `from`. */
void heist_sample_add(heist_histogram *to, const struct sample_histogram *from);
/* How many values are below `bound`, a power of two. */
uint64_t heist_histogram_below(const heist_histogram *h, uint64_t bound);

#endif
