/* SPDX-License-Identifier: BSD-2-Clause
 * stats.h - order statistics and bootstrap intervals of small samples.
 *
 * Intervals are 95 %, from 10,000 resamples with a fixed seed: the same data give the same interval. */
#ifndef HEIST_BENCH_STATS_H
#define HEIST_BENCH_STATS_H

#include <stddef.h>

#define STATS_MOST 4096 /* samples */

/* Ratios nearer to 1 than this are not judged: they change with the placement of code. */
#define STATS_INDIFFERENT 0.03

struct stats {
	double min, median, max, ci_low, ci_high; /* interval of the median */
};

struct stats_ratio {
	double median, ci_low, ci_high;
};

/* 0 < n <= STATS_MOST. */
struct stats stats_of(const double *v, size_t n);
/* after / before.  As many samples in both: the median of the ratios of the i-th samples, so that what
 * changed for both cancels.  Otherwise the ratio of the medians, resampled apart. */
struct stats_ratio stats_ratio(const double *before, size_t nb, const double *after, size_t na);
/* "slower" or "faster": the whole interval is beyond the indifferent zone; "no difference": wholly in
 * it; "undecided": the interval straddles one of its ends. */
const char *stats_verdict(struct stats_ratio r);

#endif
