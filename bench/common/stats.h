/* SPDX-License-Identifier: BSD-2-Clause
 * stats.h - order statistics and bootstrap intervals of small samples. */
#ifndef HEIST_BENCH_STATS_H
#define HEIST_BENCH_STATS_H

#include <stddef.h>

struct stats {
	double min, median, max, ci_low, ci_high; /* 95 % interval of the median */
};

/* Sorts v.  n > 0. */
struct stats stats_of(double *v, size_t n);
/* 95 % bootstrap interval (10,000 resamples, fixed seed) of median(b) / median(a). */
void stats_ratio(const double *a, size_t na, const double *b, size_t nb, double *low, double *high);
double stats_median(const double *sorted, size_t n);

#endif
