/* SPDX-License-Identifier: BSD-2-Clause
 * stats.c - medians, ratios and their bootstrap intervals. */
#include "bench/common/stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 10000
#define SEED	  0x9E3779B97F4A7C15u

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

static double median(const double *sorted, size_t n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static void sort(double *out, const double *v, size_t n)
{
	memcpy(out, v, n * sizeof *v);
	qsort(out, n, sizeof *out, by_value);
}

static double resampled_median(const double *v, size_t n, uint64_t *seed)
{
	double r[STATS_MOST];
	for (size_t i = 0; i < n; i++)
		r[i] = v[next(seed) % n];
	qsort(r, n, sizeof *r, by_value);
	return median(r, n);
}

static void interval(double *resampled, double *low, double *high)
{
	qsort(resampled, RESAMPLES, sizeof *resampled, by_value);
	*low = resampled[RESAMPLES * 25 / 1000];
	*high = resampled[RESAMPLES * 975 / 1000];
}

struct stats stats_of(const double *v, size_t n)
{
	static double medians[RESAMPLES];
	double sorted[STATS_MOST];
	uint64_t seed = SEED;
	struct stats s;
	sort(sorted, v, n);
	for (int i = 0; i < RESAMPLES; i++)
		medians[i] = resampled_median(v, n, &seed);
	interval(medians, &s.ci_low, &s.ci_high);
	s.min = sorted[0];
	s.max = sorted[n - 1];
	s.median = median(sorted, n);
	return s;
}

static struct stats_ratio paired(const double *before, const double *after, size_t n)
{
	double ratios[STATS_MOST];
	for (size_t i = 0; i < n; i++)
		ratios[i] = after[i] / before[i];
	struct stats s = stats_of(ratios, n);
	return (struct stats_ratio){ s.median, s.ci_low, s.ci_high };
}

struct stats_ratio stats_ratio(const double *before, size_t nb, const double *after, size_t na)
{
	static double ratios[RESAMPLES];
	double x[STATS_MOST], y[STATS_MOST];
	uint64_t seed = SEED;
	struct stats_ratio r;
	if (na == nb)
		return paired(before, after, na);
	sort(x, before, nb);
	sort(y, after, na);
	for (int i = 0; i < RESAMPLES; i++)
		ratios[i] =
			resampled_median(after, na, &seed) / resampled_median(before, nb, &seed);
	interval(ratios, &r.ci_low, &r.ci_high);
	r.median = median(y, na) / median(x, nb);
	return r;
}

const char *stats_verdict(struct stats_ratio r)
{
	if (r.ci_low > 1 + STATS_INDIFFERENT)
		return "slower";
	if (r.ci_high < 1 - STATS_INDIFFERENT)
		return "faster";
	if (r.ci_low >= 1 - STATS_INDIFFERENT && r.ci_high <= 1 + STATS_INDIFFERENT)
		return "no difference";
	return "undecided";
}
