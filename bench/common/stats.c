/* SPDX-License-Identifier: BSD-2-Clause
 * stats.c - medians and their bootstrap intervals. */
#include "bench/common/stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 10000
#define MOST	  4096

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

double stats_median(const double *v, size_t n)
{
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double resampled_median(const double *v, size_t n, uint64_t *seed)
{
	double r[MOST];
	for (size_t i = 0; i < n; i++)
		r[i] = v[next(seed) % n];
	qsort(r, n, sizeof *r, by_value);
	return stats_median(r, n);
}

static void interval(double *medians, double *low, double *high)
{
	qsort(medians, RESAMPLES, sizeof *medians, by_value);
	*low = medians[RESAMPLES * 25 / 1000];
	*high = medians[RESAMPLES * 975 / 1000];
}

struct stats stats_of(double *v, size_t n)
{
	static double medians[RESAMPLES];
	uint64_t seed = 0x9E3779B97F4A7C15u;
	struct stats s;
	qsort(v, n, sizeof *v, by_value);
	for (int i = 0; i < RESAMPLES; i++)
		medians[i] = resampled_median(v, n, &seed);
	interval(medians, &s.ci_low, &s.ci_high);
	s.min = v[0];
	s.max = v[n - 1];
	s.median = stats_median(v, n);
	return s;
}

void stats_ratio(const double *a, size_t na, const double *b, size_t nb, double *low, double *high)
{
	static double ratios[RESAMPLES];
	uint64_t seed = 0x9E3779B97F4A7C15u;
	for (int i = 0; i < RESAMPLES; i++)
		ratios[i] = resampled_median(b, nb, &seed) / resampled_median(a, na, &seed);
	interval(ratios, low, high);
}
