/* SPDX-License-Identifier: BSD-2-Clause
 * stats.h - order statistics and bootstrap intervals of small samples.
 *
 * Intervals are 95 %, from 10,000 resamples with a fixed seed: the same data give the same interval. */
#ifndef HEIST_BENCH_STATS_H
#define HEIST_BENCH_STATS_H

#include <stddef.h>

#define STATS_MOST  4096 /* samples */
#define STATS_PAIRS 64	 /* of runs */

/* Ratios nearer to 1 than this are not judged: they change with the placement of code. */
#define STATS_INDIFFERENT 0.03

struct stats {
	double min, median, max, ci_low, ci_high; /* interval of the median */
};

/* A run before a change and one after it, taken one after the other. */
struct stats_pair {
	const double *before, *after;
	size_t before_count, after_count;
};

struct stats_ratio {
	double median, ci_low, ci_high;
	double least, most; /* of the pairs' own medians */
};

/* 0 < n <= STATS_MOST. */
struct stats stats_of(const double *v, size_t n);
double stats_median(const double *v, size_t n);
/* after / before: the median of the pairs' ratios, 0 < n <= STATS_PAIRS.  The ratio of a pair with as many
 * samples in both: the median of the ratios of the i-th samples, so that what changed for both cancels;
 * otherwise the ratio of the medians, resampled apart.  A resample draws pairs first, then samples in
 * them: two runs of one program differ by more than two samples of one run. */
struct stats_ratio stats_ratio(const struct stats_pair *pairs, size_t n);
/* "slower" or "faster": the whole interval is beyond the indifferent zone, and each pair is on that side
 * of 1; "no difference": wholly in it; "undecided" otherwise. */
const char *stats_verdict(struct stats_ratio r);

#endif
