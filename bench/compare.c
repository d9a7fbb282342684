/* SPDX-License-Identifier: BSD-2-Clause
 * compare.c - heist-bench compare: JSON files of runs before and after, row by row, with a verdict. */
#include "bench/cli.h"

#include <argp.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "bench/common/stats.h"

#define MOVED 1.5 /* a limit of the machine that differs by more makes rows incomparable */

struct options {
	const char *files[2 * STATS_PAIRS]; /* before, after, before, after, ... */
	size_t count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	if (key == ARGP_KEY_ARG && o->count < 2 * STATS_PAIRS)
		o->files[o->count++] = arg;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "at most %d pairs of files", STATS_PAIRS);
	else if (key == ARGP_KEY_END && (o->count == 0 || o->count % 2))
		argp_error(state, "files come in pairs: before and after");
	else
		return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "BEFORE.json AFTER.json [BEFORE.json AFTER.json ...]",
	.doc = "Compare runs row by row: the median ratio after/before of the i-th samples with "
	       "its "
	       "95 % bootstrap interval (of medians, if the runs have different numbers of "
	       "samples); "
	       "of several pairs of runs the median of their ratios.\v"
	       "Verdict: faster or slower if the whole interval is beyond 3 % and each pair says "
	       "so, "
	       "no difference if it is wholly within, undecided if it straddles 3 %, or if a limit "
	       "of "
	       "the machine that the row depends on differs by more than 1.5 x between the runs.  "
	       "One "
	       "pair tells nothing about what differs between two runs of the same program: take "
	       "several, before and after in turn.\n"
	       "Exit status: 0, 1 if a row became slower, failed or is gone, 2 if a file is no "
	       "result.\n\n"
	       "  heist-bench run ping_pong --json before.json   (then rebuild, and the same "
	       "again)\n"
	       "  heist-bench compare before.json after.json\n"
	       "  heist-bench compare b1.json a1.json b2.json a2.json b3.json a3.json",
};

/* ---- files ---- */

static char *text_of(const char *path)
{
	char *text = NULL;
	size_t size = 0, used = 0;
	FILE *f = fopen(path, "r");
	if (!f) {
		fprintf(stderr, "heist-bench: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (!feof(f) && !ferror(f)) {
		if (used + 65536 > size && !(text = realloc(text, size += 1 << 20)))
			bench_failed("out of memory");
		used += fread(text + used, 1, 65535, f);
		text[used] = '\0';
	}
	fclose(f);
	return text;
}

static cJSON *load(const char *path)
{
	char *text = text_of(path);
	cJSON *o = cJSON_Parse(text);
	free(text);
	if (!cJSON_IsArray(cJSON_GetObjectItem(o, "benchmarks"))) {
		fprintf(stderr, "heist-bench: %s is not a result of heist-bench run --json\n",
			path);
		exit(2);
	}
	return o;
}

static const cJSON *rows_of(const cJSON *run)
{
	return cJSON_GetObjectItem(run, "benchmarks");
}

static const char *name_of(const cJSON *row)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(row, "name"));
}

static const cJSON *find(const cJSON *run, const char *name)
{
	const cJSON *r;
	cJSON_ArrayForEach(r, rows_of(run))
	{
		const char *n = name_of(r);
		if (n && strcmp(n, name) == 0)
			return r;
	}
	return NULL;
}

static size_t samples_of(const cJSON *row, double *out)
{
	const cJSON *x;
	size_t n = 0;
	cJSON_ArrayForEach(x, cJSON_GetObjectItem(row, "raw")) if (n < STATS_MOST) out[n++] =
		x->valuedouble;
	return n;
}

/* ---- the machine ---- */

static double limit_of(const cJSON *run, const char *name)
{
	const cJSON *limits =
		cJSON_GetObjectItem(cJSON_GetObjectItem(run, "context"), "calibration_ns");
	return cJSON_GetNumberValue(cJSON_GetObjectItem(limits, name));
}

/* Whether a limit was not the same in all runs that tell it, which is said. */
static bool moved(cJSON *const *runs, size_t n, const char *name, const char *what)
{
	double least = 0, most = 0;
	for (size_t i = 0; i < n; i++) {
		double x = limit_of(runs[i], name);
		if (!(x > 0))
			continue;
		least = least > 0 && least < x ? least : x;
		most = most > x ? most : x;
	}
	if (most <= MOVED * least)
		return false;
	printf("the machine changed: %s took %.3g to %.3g ns\n", what, least, most);
	return true;
}

struct machine {
	bool exchange, handoff; /* moved */
};

/* Whether what a row's figure depends on was another thing before. */
static bool incomparable(const struct machine *m, const cJSON *row)
{
	const char *unit = cJSON_GetStringValue(cJSON_GetObjectItem(row, "unit"));
	if (unit && strcmp(unit, "B") == 0)
		return false;
	return m->exchange ||
	       (m->handoff && cJSON_IsTrue(cJSON_GetObjectItem(row, "across_cores")));
}

/* ---- rows ---- */

/* The pairs of a row; 0: some run lacks it, which is said.  worse: so does one after the change. */
static size_t pairs_of(cJSON *const *runs, size_t n, const char *name, struct stats_pair *pairs,
		       double *room, bool *worse)
{
	bool lacking = false;
	for (size_t i = 0; i < n; i++, room += STATS_MOST) {
		const cJSON *row = find(runs[i], name);
		size_t count = samples_of(row, room);
		struct stats_pair *p = &pairs[i / 2];
		*(i % 2 ? &p->after : &p->before) = room;
		*(i % 2 ? &p->after_count : &p->before_count) = count;
		if (count > 0)
			continue;
		printf("%-40s %s in run %zu %s\n", name, row ? "FAILED" : "missing", i / 2 + 1,
		       i % 2 ? "after" : "before");
		lacking = true;
		*worse |= i % 2;
	}
	return lacking ? 0 : n / 2;
}

/* One row of the table; true: slower, or no longer there. */
static bool print_row(cJSON *const *runs, size_t n, const cJSON *row, const struct machine *m,
		      double *room)
{
	struct stats_pair pairs[STATS_PAIRS];
	bool worse = false;
	size_t count = pairs_of(runs, n, name_of(row), pairs, room, &worse);
	if (count == 0)
		return worse;
	struct stats_ratio r = stats_ratio(pairs, count);
	const char *verdict = incomparable(m, row) ? "undecided" : stats_verdict(r);
	printf("%-40s %10.4g %10.4g %8.3f %8.3f - %6.3f  %s\n", name_of(row),
	       stats_median(pairs[0].before, pairs[0].before_count),
	       stats_median(pairs[0].after, pairs[0].after_count), r.median, r.ci_low, r.ci_high,
	       verdict);
	return strcmp(verdict, "slower") == 0;
}

static int compare(cJSON *const *runs, size_t n, double *room)
{
	struct machine m = { .exchange = moved(runs, n, "exchange", "an exchange"),
			     .handoff = moved(runs, n, "handoff", "the hand-off between cores") };
	const cJSON *row;
	int worse = 0;
	printf("%-40s %10s %10s %8s %17s  %s\n", "row", n > 2 ? "1st before" : "before",
	       n > 2 ? "1st after" : "after", "ratio", "95 %", "verdict");
	cJSON_ArrayForEach(row, rows_of(runs[0])) if (name_of(row)) worse +=
		print_row(runs, n, row, &m, room);
	cJSON_ArrayForEach(row, rows_of(runs[1])) if (name_of(row) && !find(runs[0], name_of(row)))
		printf("%-40s new\n", name_of(row));
	return worse ? 1 : 0;
}

int bench_compare_main(int argc, char **argv)
{
	struct options o = { 0 };
	cJSON *runs[2 * STATS_PAIRS] = { 0 };
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (size_t i = 0; i < o.count; i++)
		runs[i] = load(o.files[i]);
	double *room = calloc(o.count * STATS_MOST, sizeof *room);
	if (!room)
		bench_failed("out of memory");
	int status = compare(runs, o.count, room);
	free(room);
	for (size_t i = 0; i < o.count; i++)
		cJSON_Delete(runs[i]);
	return status;
}
