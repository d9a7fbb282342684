/* SPDX-License-Identifier: BSD-2-Clause
 * compare.c - heist-bench compare: two JSON files, row by row, with a verdict. */
#include "bench/cli.h"

#include <argp.h>
#include <cjson/cJSON.h>
#include <string.h>

#include "bench/common/stats.h"

struct options {
	const char *files[2];
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	if (key == ARGP_KEY_ARG && o->count < 2)
		o->files[o->count++] = arg;
	else if (key == ARGP_KEY_ARG || (key == ARGP_KEY_END && o->count < 2))
		argp_error(state, "two files are needed: before and after");
	else
		return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "BEFORE.json AFTER.json",
	.doc = "Compare two runs row by row: the median ratio after/before of the i-th samples "
	       "with its "
	       "95 % bootstrap interval (of medians, if the runs have different numbers of "
	       "samples).\v"
	       "Verdict: faster or slower if the whole interval is beyond 3 %, no difference if it "
	       "is "
	       "wholly within, undecided if it straddles 3 %: take more samples, on a quieter "
	       "machine.  "
	       "Runs that alternate before and after cancel what changes for both.\n"
	       "Exit status: 0, 1 if a row became slower or failed, 2 if a file is no result.\n\n"
	       "  heist-bench run ping_pong --json before.json   (then rebuild, and the same "
	       "again)\n"
	       "  heist-bench compare before.json after.json",
};

static cJSON *load(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0, used = 0;
	while (f && !feof(f)) {
		if (used + 65536 > size && !(text = realloc(text, size += 1 << 20)))
			bench_failed("out of memory");
		used += fread(text + used, 1, 65535, f);
		text[used] = '\0';
	}
	if (f)
		fclose(f);
	cJSON *o = text ? cJSON_Parse(text) : NULL;
	free(text);
	if (!cJSON_IsArray(cJSON_GetObjectItem(o, "benchmarks"))) {
		fprintf(stderr, "heist-bench: %s is not a result of heist-bench run --json\n",
			path);
		exit(2);
	}
	return o;
}

static size_t samples_of(const cJSON *row, double *out, size_t most)
{
	const cJSON *x;
	size_t n = 0;
	cJSON_ArrayForEach(x, cJSON_GetObjectItem(row, "raw")) if (n < most) out[n++] =
		x->valuedouble;
	return n;
}

static const cJSON *find(const cJSON *rows, const char *name)
{
	const cJSON *r;
	cJSON_ArrayForEach(r, rows)
	{
		const cJSON *n = cJSON_GetObjectItem(r, "name");
		if (cJSON_IsString(n) && strcmp(n->valuestring, name) == 0)
			return r;
	}
	return NULL;
}

/* One row of the table; true: slower, or no longer right. */
static bool print_row(const cJSON *before, const cJSON *after, const char *name)
{
	static double a[STATS_MOST], b[STATS_MOST];
	size_t na = samples_of(before, a, STATS_MOST), nb = samples_of(after, b, STATS_MOST);
	if (na == 0 || nb == 0) {
		bool broke = na > 0 && cJSON_IsTrue(cJSON_GetObjectItem(after, "error_occurred"));
		printf("%-40s %s\n", name, broke ? "FAILED in the second run" : "not in both runs");
		return broke;
	}
	struct stats_ratio r = stats_ratio(a, na, b, nb);
	const char *verdict = stats_verdict(r);
	printf("%-40s %10.4g %10.4g %8.3f %8.3f - %6.3f  %s\n", name, stats_of(a, na).median,
	       stats_of(b, nb).median, r.median, r.ci_low, r.ci_high, verdict);
	return strcmp(verdict, "slower") == 0;
}

int bench_compare_main(int argc, char **argv)
{
	struct options o = { 0 };
	const cJSON *before;
	int slower = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	cJSON *x = load(o.files[0]), *y = load(o.files[1]);
	printf("%-40s %10s %10s %8s %17s  %s\n", "row", "before", "after", "ratio", "95 %",
	       "verdict");
	cJSON_ArrayForEach(before, cJSON_GetObjectItem(x, "benchmarks"))
	{
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(before, "name"));
		if (name)
			slower += print_row(before,
					    find(cJSON_GetObjectItem(y, "benchmarks"), name), name);
	}
	cJSON_Delete(x);
	cJSON_Delete(y);
	return slower ? 1 : 0;
}
