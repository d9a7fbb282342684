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

static size_t ratios(const struct stats_pair *p, double *out)
{
	for (size_t i = 0; i < p->before_count; i++)
		out[i] = p->after[i] / p->before[i];
	return p->before_count;
}

double stats_median(const double *v, size_t n)
{
	double sorted[STATS_MOST];
	sort(sorted, v, n);
	return median(sorted, n);
}

static double pair_median(const struct stats_pair *p)
{
	double r[STATS_MOST];
	if (p->before_count == p->after_count)
		return stats_median(r, ratios(p, r));
	return stats_median(p->after, p->after_count) / stats_median(p->before, p->before_count);
}

static double resampled_pair(const struct stats_pair *p, uint64_t *seed)
{
	double r[STATS_MOST];
	if (p->before_count == p->after_count)
		return resampled_median(r, ratios(p, r), seed);
	return resampled_median(p->after, p->after_count, seed) /
	       resampled_median(p->before, p->before_count, seed);
}

static double resampled_pairs(const struct stats_pair *pairs, size_t n, uint64_t *seed)
{
	double r[STATS_PAIRS];
	for (size_t i = 0; i < n; i++)
		r[i] = resampled_pair(&pairs[n > 1 ? next(seed) % n : 0], seed);
	qsort(r, n, sizeof *r, by_value);
	return median(r, n);
}

struct stats_ratio stats_ratio(const struct stats_pair *pairs, size_t n)
{
	static double resampled[RESAMPLES];
	double own[STATS_PAIRS];
	uint64_t seed = SEED;
	struct stats_ratio r;
	for (size_t i = 0; i < n; i++)
		own[i] = pair_median(&pairs[i]);
	qsort(own, n, sizeof *own, by_value);
	for (int i = 0; i < RESAMPLES; i++)
		resampled[i] = resampled_pairs(pairs, n, &seed);
	interval(resampled, &r.ci_low, &r.ci_high);
	r.median = median(own, n);
	r.least = own[0];
	r.most = own[n - 1];
	return r;
}

const char *stats_verdict(struct stats_ratio r)
{
	if (r.ci_low > 1 + STATS_INDIFFERENT && r.least > 1)
		return "slower";
	if (r.ci_high < 1 - STATS_INDIFFERENT && r.most < 1)
		return "faster";
	if (r.ci_low >= 1 - STATS_INDIFFERENT && r.ci_high <= 1 + STATS_INDIFFERENT)
		return "no difference";
	return "undecided";
}
