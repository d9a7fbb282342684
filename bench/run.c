/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - heist-bench run: calibrate, sample the rows, report. */
#include "bench/cli.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/common/options.h"
#include "bench/common/report.h"

/* ---- one row ---- */

static heist_system *start(const struct result *r)
{
	heist_config c = heist_config_default();
	c.workers = r->workers;
	c.pin = HEIST_ON;
	if (r->row->loses)
		c.log_level = HEIST_LOG_OFF;
	return bench_start(&c);
}

/* One sample on a fresh runtime, per operation; -1: wrong. */
static double sample(struct result *r)
{
	heist_stats t = heist_stats_default();
	heist_system *s = r->row->bare ? NULL : start(r);
	double cpu = bench_cpu_ns(), ns = r->row->sample(r->row, s);
	r->cpu = (bench_cpu_ns() - cpu) / (double)r->row->operations;
	if (s) {
		heist_get_stats(s, &t);
		r->steals = t.steals;
		r->parks = t.parks;
		r->wakes = t.wakes;
		bench_stop(s);
	}
	return ns < 0 ? -1 : ns / (double)r->row->operations;
}

/* Until two samples in a row differ by less than 5 %, ten at most. */
static bool warm_up(struct result *r, int most)
{
	double last = 0;
	for (int i = 0; i < most; i++) {
		double x = sample(r);
		if (x < 0)
			return false;
		if (last > 0 && x / last < 1.05 && last / x < 1.05)
			break;
		last = x;
	}
	return true;
}

static void measure(struct result *r, int samples, bool quick)
{
	size_t n = r->row->single ? 1 : (size_t)samples;
	r->samples = calloc(n, sizeof *r->samples);
	if (!r->samples)
		bench_failed("out of memory");
	r->failed = !r->row->single && !warm_up(r, quick ? 2 : 10);
	for (r->sample_count = 0; !r->failed && r->sample_count < n; r->sample_count++) {
		r->samples[r->sample_count] = sample(r);
		r->failed = r->samples[r->sample_count] < 0;
	}
	if (!r->failed)
		r->stats = stats_of(r->samples, n);
}

/* Memory and idle time are measured in a process that has done nothing else. */
static void measure_apart(struct result *r)
{
	int channel[2];
	double value[2] = { -1, 0 };
	if (pipe(channel) != 0)
		bench_failed("pipe");
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		measure(r, 1, true);
		value[0] = r->failed ? -1 : r->samples[0];
		value[1] = r->cpu;
		_exit(write(channel[1], value, sizeof value) != sizeof value);
	}
	close(channel[1]);
	r->failed =
		child < 0 || read(channel[0], value, sizeof value) != sizeof value || value[0] < 0;
	close(channel[0]);
	waitpid(child, NULL, 0);
	r->samples = calloc(1, sizeof *r->samples);
	if (!r->samples)
		bench_failed("out of memory");
	r->samples[0] = value[0];
	r->cpu = value[1];
	r->sample_count = 1;
	if (!r->failed)
		r->stats = stats_of(r->samples, 1);
}

/* ---- all rows ---- */

static uint32_t all_workers(void)
{
	heist_stats t = heist_stats_default();
	heist_config c = heist_config_default();
	heist_system *s = bench_start(&c);
	heist_get_stats(s, &t);
	bench_stop(s);
	return t.workers;
}

static size_t plan(const struct bench_row **rows, size_t n, const struct bench_options *o,
		   struct result **out)
{
	uint32_t all = all_workers(), counts[2] = { 1, all };
	size_t k = 0, ways = all > 1 ? 2 : 1;
	if (o->workers)
		counts[0] = o->workers, ways = 1;
	else if (o->all_only)
		counts[0] = all, ways = 1;
	struct result *r = calloc(n * ways, sizeof *r);
	if (!r)
		bench_failed("out of memory");
	for (size_t i = 0; i < n; i++) {
		uint32_t least = rows[i]->min_workers;
		if (rows[i]->bare && least <= all) /* its own threads, whatever --workers says */
			r[k++] = (struct result){ .row = rows[i], .workers = least };
		for (size_t w = 0; w < ways && !rows[i]->bare; w++)
			if (counts[w] >= least)
				r[k++] = (struct result){ .row = rows[i], .workers = counts[w] };
	}
	*out = r;
	return k;
}

static void progress(size_t i, size_t n, const char *name)
{
	if (isatty(2))
		fprintf(stderr, "\r\033[K[%zu/%zu] %s", i, n, name);
	if (isatty(2) && i == n)
		fprintf(stderr, "\r\033[K");
}

int bench_run_main(int argc, char **argv)
{
	struct bench_options o;
	struct calibration c;
	struct result *r;
	size_t n;
	int failures = 0;
	if (bench_options_parse(argc, argv, 0, &o) != 0)
		return 2;
	if (!o.samples)
		o.samples = o.quick ? 5 : 30;
	bench_idle_seconds = o.idle_seconds ? o.idle_seconds : o.quick ? 5 : 0;
	const struct bench_row **rows = bench_select(o.patterns, o.pattern_count, &n);
	if (!rows)
		return 2;
	FILE *out = o.json && strcmp(o.json, "-") == 0 ? stderr : stdout;
	n = plan(rows, n, &o, &r);
	report_environment(out);
	calibrate(&c);
	report_calibration(out, &c);
	report_heading(out);
	for (size_t i = 0; i < n; i++) {
		progress(i, n, r[i].row->name);
		if (r[i].row->single)
			measure_apart(&r[i]);
		else
			measure(&r[i], o.samples, o.quick);
		progress(n, n, "");
		report_row(out, &r[i], &c);
		fflush(out);
		failures += r[i].failed;
	}
	calibrate_again(&c);
	if (c.moved)
		fprintf(out, "note: the hand-off between cores changed by more than 1.5 x during "
			     "this run\n");
	if (o.json && report_json(o.json, r, n, &c) != 0) {
		fprintf(stderr, "heist-bench: cannot write %s\n", o.json);
		return 1;
	}
	return failures ? 1 : 0;
}
