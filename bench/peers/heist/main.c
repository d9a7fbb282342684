/* SPDX-License-Identifier: BSD-2-Clause
 * main.c - Heist under the contract of the peer programs (bench/peers/README.md). */
#include <argp.h>
#include <cjson/cJSON.h>
#include <heist/version.h>
#include <string.h>

#include "bench/peers/heist/workloads.h"

enum {
	KEY_WORKLOAD = 1001,
	KEY_PARAMS,
	KEY_WORKERS,
	KEY_SAMPLES,
	KEY_STEP,
	KEY_SETTINGS,
	KEY_JSON,
	KEY_LIST,
	KEY_WARMUP
};

struct options {
	const struct workload *workload;
	const char *params;
	int64_t values[4];
	uint32_t workers;
	long samples;
	double warmup; /* seconds */
	bool step, tuned, list;
};

static const struct argp_option keys[] = {
	{ "workload", KEY_WORKLOAD, "NAME", 0, "What to run; --list prints the names", 0 },
	{ "params", KEY_PARAMS, "K=V,...", 0, "Parameters that are not to have their defaults", 0 },
	{ "workers", KEY_WORKERS, "N", 0, "Worker threads (default 1)", 0 },
	{ "samples", KEY_SAMPLES, "N", 0, "Run so many samples and end (default 1)", 0 },
	{ "step", KEY_STEP, NULL, 0, "Run a sample for each line of standard input", 0 },
	{ "warmup", KEY_WARMUP, "SECONDS", 0, "Untimed samples before the first (default 0)", 0 },
	{ "settings", KEY_SETTINGS, "tuned|default", 0, "See peer.json (default: default)", 0 },
	{ "json", KEY_JSON, NULL, 0, "Write JSON, a line a sample; there is no other format", 0 },
	{ "list", KEY_LIST, NULL, 0, "Print the workloads, one a line", 0 },
	{ 0 },
};

static long number(struct argp_state *state, const char *what, const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (*end || end == text || n < 1 || n > most)
		argp_error(state, "%s must be 1 to %ld, not '%s'", what, most, text);
	return n;
}

static void finish(struct options *o, struct argp_state *state)
{
	if (o->list)
		return;
	if (!o->workload)
		argp_error(state, "--workload is missing");
	const char *wrong = workload_parse(o->workload, o->params, o->values);
	if (wrong)
		argp_error(state, "%s", wrong);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;
	switch (key) {
	case KEY_WORKLOAD:
		o->workload = workload_find(arg);
		if (!o->workload)
			argp_error(state, "there is no workload '%s'; see --list", arg);
		return 0;
	case KEY_PARAMS:
		o->params = arg;
		return 0;
	case KEY_WORKERS:
		o->workers = (uint32_t)number(state, "--workers", arg, 256);
		return 0;
	case KEY_SAMPLES:
		o->samples = number(state, "--samples", arg, 1000000);
		return 0;
	case KEY_WARMUP:
		o->warmup = strtod(arg, &end);
		if (*end || end == arg || !(o->warmup >= 0 && o->warmup <= 3600))
			argp_error(state, "--warmup must be 0 to 3600 seconds, not '%s'", arg);
		return 0;
	case KEY_STEP:
		o->step = true;
		return 0;
	case KEY_SETTINGS:
		o->tuned = strcmp(arg, "tuned") == 0;
		if (!o->tuned && strcmp(arg, "default") != 0)
			argp_error(state, "--settings must be tuned or default, not '%s'", arg);
		return 0;
	case KEY_JSON:
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_END:
		finish(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	keys, parse, NULL, "One workload on Heist, under the contract in bench/peers/README.md.",
	NULL, NULL,  NULL
};

static void print(cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);
	if (!text)
		bench_failed("out of memory");
	puts(text);
	if (fflush(stdout) != 0)
		bench_failed("writing");
	free(text);
	cJSON_Delete(o);
}

static void introduce(const struct options *o)
{
	cJSON *j = cJSON_CreateObject();
	cJSON_AddStringToObject(j, "peer", "heist");
	cJSON_AddStringToObject(j, "version", HEIST_VERSION_STRING);
	cJSON_AddStringToObject(j, "runtime", HEIST_BENCH_BUILD);
	cJSON_AddStringToObject(j, "settings", o->tuned ? "tuned" : "default");
	cJSON_AddNumberToObject(j, "workers", o->workers);
	print(j);
}

static void add_latencies(cJSON *j)
{
	static const char *const names[5] = { "p50", "p90", "p99", "p999", "max" };
	cJSON *l = cJSON_AddObjectToObject(j, "latency_ns");
	for (int i = 0; i < 5; i++)
		cJSON_AddNumberToObject(l, names[i], (double)bench_aside.latency[i]);
}

static heist_system *start(const struct options *o)
{
	heist_config c = heist_config_default();
	c.workers = o->workers;
	if (o->tuned)
		c.pin = HEIST_ON;
	return bench_start(&c);
}

static cJSON *sample(const struct options *o, const struct bench_row *row, heist_system *s)
{
	bench_aside = (struct bench_aside){ 0 };
	double ns = row->sample(row, s);
	if (ns < 0) {
		fprintf(stderr, "%s: a wrong result, or no end within 60 seconds\n",
			o->workload->name);
		exit(1);
	}
	bench_settle(s); /* nothing of it is left for the next one */
	cJSON *j = cJSON_CreateObject();
	cJSON_AddNumberToObject(j, "ns", ns);
	cJSON_AddNumberToObject(j, "operations", (double)row->operations);
	cJSON_AddNumberToObject(j, "cpu_ns", bench_aside.cpu_ns);
	if (bench_aside.rss)
		cJSON_AddNumberToObject(j, "rss", (double)bench_aside.rss);
	if (bench_aside.latency[4])
		add_latencies(j);
	return j;
}

/* idle measures a process that has done nothing before. */
static void warm_up(const struct options *o, const struct bench_row *row, heist_system *s)
{
	heist_time until = heist_now(NULL) + (heist_time)(o->warmup * 1e9);
	while (strcmp(o->workload->name, "idle") != 0 && heist_now(NULL) < until)
		cJSON_Delete(sample(o, row, s));
}

int main(int argc, char **argv)
{
	struct options o = { .workers = 1, .samples = 1 };
	char line[64];
	argp_err_exit_status = 2;
	argp_program_version = "heist " HEIST_VERSION_STRING;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (const struct workload *w = workloads; o.list && w->name; w++)
		puts(w->name);
	if (o.list)
		return 0;
	struct bench_row row = workload_row(o.workload, o.values);
	heist_system *s = start(&o);
	warm_up(&o, &row, s);
	introduce(&o);
	if (o.step)
		while (fgets(line, sizeof line, stdin))
			print(sample(&o, &row, s));
	else
		for (long i = 0; i < o.samples; i++)
			print(sample(&o, &row, s));
	bench_stop(s);
	return 0;
}
