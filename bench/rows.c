/* SPDX-License-Identifier: BSD-2-Clause
 * rows.c - the list of all rows, and the selection of some. */
#include "bench/cli.h"

#include <fnmatch.h>
#include <string.h>

#define MOST 256

const struct bench_row *const *bench_rows(size_t *n)
{
	static const struct bench_row *all[MOST];
	static size_t count;
	static const struct bench_row *const lists[] = {
		bench_pairs,  bench_oneway,  bench_ring,    bench_spawning, bench_restart,
		bench_many,   bench_outside, bench_asking,  bench_paced,    bench_timing,
		bench_queues, bench_deques,  bench_sleepers
	};
	for (size_t l = 0; count == 0 || l < sizeof lists / sizeof *lists; l++) {
		if (l == 0 && count)
			break;
		for (const struct bench_row *r = lists[l]; r->name && count < MOST; r++)
			all[count++] = r;
	}
	*n = count;
	return all;
}

static bool selects(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);
	return fnmatch(pattern, name, 0) == 0 ||
	       (strncmp(pattern, name, n) == 0 && (name[n] == '\0' || name[n] == '/'));
}

/* Edit distance, for "did you mean". */
static size_t distance(const char *a, const char *b)
{
	size_t row[128], nb = strlen(b) < 127 ? strlen(b) : 127;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

static void unknown(const char *pattern)
{
	size_t n, least = SIZE_MAX;
	const struct bench_row *const *all = bench_rows(&n);
	const char *nearest = "";
	for (size_t i = 0; i < n; i++)
		if (distance(pattern, all[i]->name) < least) {
			least = distance(pattern, all[i]->name);
			nearest = all[i]->name;
		}
	fprintf(stderr,
		"heist-bench: no row is called '%s'; did you mean '%s'?  See heist-bench list.\n",
		pattern, nearest);
}

const struct bench_row **bench_select(char **patterns, int count, size_t *n)
{
	static const struct bench_row *chosen[MOST];
	static bool taken[MOST];
	size_t all_count;
	const struct bench_row *const *all = bench_rows(&all_count);
	for (int p = 0; p < count; p++) {
		bool any = false;
		for (size_t i = 0; i < all_count; i++)
			if (selects(patterns[p], all[i]->name))
				any = taken[i] = true;
		if (!any) {
			unknown(patterns[p]);
			return NULL;
		}
	}
	*n = 0;
	for (size_t i = 0; i < all_count; i++)
		if (count == 0 || taken[i])
			chosen[(*n)++] = all[i];
	return chosen;
}
