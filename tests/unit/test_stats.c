/* SPDX-License-Identifier: BSD-2-Clause
 * test_stats.c - heist-bench's statistics against distributions whose medians are known. */
#include "bench/common/stats.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/rng.h"
#include "tests/support/unit.h"

#define TRIALS 100
#define N      20

/* Exponential, median ln 2: skewed, as times are. */
static void draw(struct rng *r, double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = -log(((double)(rng_next(r) >> 11) + 1) / 9007199254740994.0);
}

static struct stats_ratio ratio(const double *before, size_t nb, const double *after, size_t na)
{
	struct stats_pair p = { before, after, nb, na };
	return stats_ratio(&p, 1);
}

TEST(stats, order_statistics_leave_the_samples_alone)
{
	double v[4] = { 4, 1, 3, 2 }, odd[3] = { 9, 7, 8 };
	struct stats s = stats_of(v, 4), o = stats_of(odd, 3);
	EXPECT(s.min == 1 && s.median == 2.5 && s.max == 4);
	EXPECT(o.median == 8);
	EXPECT(v[0] == 4 && v[3] == 2);
	EXPECT(s.ci_low >= 1 && s.ci_low <= s.median && s.ci_high >= s.median && s.ci_high <= 4);
}

TEST(stats, one_sample_and_equal_samples_have_no_width)
{
	double v[30];
	for (int i = 0; i < 30; i++)
		v[i] = 7;
	struct stats one = stats_of(v, 1), same = stats_of(v, 30);
	EXPECT(one.ci_low == 7 && one.ci_high == 7);
	EXPECT(same.ci_low == 7 && same.median == 7 && same.ci_high == 7);
}

/* A 95 % interval of 20 samples holds the true median about 95 times in 100. */
TEST(stats, intervals_hold_the_median_as_often_as_they_say)
{
	struct rng r = rng_seed(1);
	double v[N];
	int held = 0;
	for (int t = 0; t < TRIALS; t++) {
		draw(&r, v, N);
		struct stats s = stats_of(v, N);
		held += s.ci_low <= log(2) && log(2) <= s.ci_high;
	}
	EXPECT(held >= 88 && held <= 99);
}

TEST(stats, pairs_cancel_what_changes_for_both)
{
	struct rng r = rng_seed(2);
	double before[N], after[N];
	draw(&r, before, N);
	for (int i = 0; i < N; i++)
		after[i] = before[i] * (1.095 + 0.001 * (i % 10));
	struct stats_ratio paired = ratio(before, N, after, N);
	struct stats_ratio apart = ratio(before, N, after, N - 1);
	EXPECT(paired.ci_low > 1.094 && paired.ci_high < 1.106);
	EXPECT(strcmp(stats_verdict(paired), "slower") == 0);
	EXPECT(strcmp(stats_verdict(apart), "undecided") == 0);
}

TEST(stats, runs_of_different_length_are_compared_by_their_medians)
{
	double before[3] = { 10, 11, 12 }, after[5] = { 20, 21, 22, 23, 24 };
	struct stats_ratio r = ratio(before, 3, after, 5);
	EXPECT(r.median == 2);
	EXPECT(r.ci_low >= 20 / 12.0 && r.ci_high <= 2.4 && r.ci_low < r.ci_high);
}

TEST(stats, equal_distributions_are_rarely_told_apart)
{
	struct rng r = rng_seed(3);
	double before[N], after[N];
	int alarms = 0;
	for (int t = 0; t < TRIALS; t++) {
		draw(&r, before, N);
		draw(&r, after, N);
		const char *v = stats_verdict(ratio(before, N, after, N));
		alarms += strcmp(v, "slower") == 0 || strcmp(v, "faster") == 0;
	}
	EXPECT(alarms <= 10);
}

TEST(stats, verdicts_need_the_whole_interval)
{
	static const struct {
		double low, high;
		const char *verdict;
	} cases[] = { { 1.031, 1.2, "slower" },		 { 0.8, 0.969, "faster" },
		      { 0.971, 1.029, "no difference" }, { 1.0, 1.031, "undecided" },
		      { 0.969, 1.0, "undecided" },	 { 0.5, 2.0, "undecided" } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double middle = (cases[i].low + cases[i].high) / 2;
		struct stats_ratio r = { middle, cases[i].low, cases[i].high, middle, middle };
		EXPECT(strcmp(stats_verdict(r), cases[i].verdict) == 0);
	}
}

TEST(stats, verdicts_need_each_pair)
{
	EXPECT(strcmp(stats_verdict((struct stats_ratio){ 1.2, 1.1, 1.3, 1.01, 1.3 }), "slower") ==
	       0);
	EXPECT(strcmp(stats_verdict((struct stats_ratio){ 1.2, 1.1, 1.3, 0.99, 1.3 }),
		      "undecided") == 0);
	EXPECT(strcmp(stats_verdict((struct stats_ratio){ 0.8, 0.7, 0.9, 0.7, 0.99 }), "faster") ==
	       0);
	EXPECT(strcmp(stats_verdict((struct stats_ratio){ 0.8, 0.7, 0.9, 0.7, 1.01 }),
		      "undecided") == 0);
}

/* Runs that differ although nothing was changed: one pair of them is sure of it, five are not. */
TEST(stats, pairs_that_disagree_widen_the_interval)
{
	static const double states[5] = { 1.2, 0.85, 1.1, 0.9, 1.0 };
	double before[N], after[5][N];
	struct stats_pair pairs[5];
	for (int i = 0; i < N; i++)
		before[i] = 10 + 0.01 * i;
	for (int k = 0; k < 5; k++) {
		for (int i = 0; i < N; i++)
			after[k][i] = before[i] * states[k];
		pairs[k] = (struct stats_pair){ before, after[k], N, N };
	}
	struct stats_ratio one = stats_ratio(pairs, 1), all = stats_ratio(pairs, 5);
	EXPECT(strcmp(stats_verdict(one), "slower") == 0);
	EXPECT(strcmp(stats_verdict(all), "undecided") == 0);
	EXPECT(fabs(all.median - 1) < 1e-9 && all.least < 0.86 && all.most > 1.19);
	EXPECT(all.ci_low < 0.95 && all.ci_high > 1.05);
}
