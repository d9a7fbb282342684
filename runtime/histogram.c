/* SPDX-License-Identifier: BSD-2-Clause
 * histogram.c - reading histograms. */
#include "runtime/histogram.h"

#include "runtime/system.h"

_Static_assert(HISTOGRAM_BUCKETS <= HEIST_HISTOGRAM_BUCKETS, "all of them are told");

void heist_sample_add(heist_histogram *to, const struct sample_histogram *from)
{
	to->sum += atomic_load_explicit(&from->sum, memory_order_relaxed); /* statistics */
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = atomic_load_explicit(&from->bucket[i], memory_order_relaxed);
		to->bucket[i] += n;
		to->count += n;
	}
}

uint64_t heist_histogram_below(const heist_histogram *h, uint64_t bound)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < HEIST_HISTOGRAM_BUCKETS && histogram_last(i) < bound; i++)
		n += h->bucket[i];
	return n;
}

uint64_t heist_quantile(const heist_histogram *h, double q)
{
	uint64_t seen = 0;
	uint32_t i = 0;
	if (!h || !(q >= 0 && q <= 1)) {
		(void)HEIST_BAD_ARG("the histogram must not be NULL, and q must be from 0 to 1");
		return 0;
	}
	if (h->count == 0)
		return 0;
	double rank = q * (double)h->count; /* at least so many are not greater; at least one */
	while (i < HEIST_HISTOGRAM_BUCKETS - 1) {
		seen += h->bucket[i];
		if (seen != 0 && (double)seen >= rank)
			break;
		i++;
	}
	return histogram_last(i);
}
