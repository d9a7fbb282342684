/* SPDX-License-Identifier: BSD-2-Clause
 * report.c - the table, the environment, the JSON. */
#include "bench/common/report.h"

#include <cjson/cJSON.h>
#include <heist/version.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* ---- environment ---- */

static void first_line(const char *path, const char *prefix, char *out, size_t size)
{
	char line[256];
	FILE *f = fopen(path, "r");
	snprintf(out, size, "unknown");
	while (f && fgets(line, sizeof line, f)) {
		char *value = strchr(line, ':');
		if (strncmp(line, prefix, strlen(prefix)) != 0)
			continue;
		value = *prefix && value ? value + 2 : line;
		value[strcspn(value, "\n")] = '\0';
		snprintf(out, size, "%.200s", value);
		break;
	}
	if (f)
		fclose(f);
}

static long cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

void report_environment(FILE *out)
{
	char cpu[256], load[256], thp[256];
	struct utsname u;
	uname(&u);
	first_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
	first_line("/proc/loadavg", "", load, sizeof load);
	first_line("/sys/kernel/mm/transparent_hugepage/enabled", "", thp, sizeof thp);
	load[strcspn(load, " ")] = '\0';
	fprintf(out, "heist %s, %s, %ld CPUs, %s %s, %s, huge pages %s, load %s\n",
		HEIST_VERSION_STRING, cpu, cpus(), u.sysname, u.release, HEIST_BENCH_BUILD, thp,
		load);
}

void report_calibration(FILE *out, const struct calibration *c)
{
	fprintf(out,
		"limits (ns): exchange %.2f  fence %.2f  call %.2f  free list %.2f  allocation "
		"%.1f  "
		"clock %.1f\n"
		"             2 exchanges + call + free list = %.2f per message at least\n",
		c->rmw, c->fence, c->call, c->pool, c->alloc, c->clock, c->local);
	if (c->handoff > 0)
		fprintf(out,
			"             core to core L = %.1f  SPSC ring %.2f per message  "
			"futex wake %.0f (%.0f for the waker)\n",
			c->handoff, c->ring, c->wake, c->wake_cost);
	else
		fprintf(out, "             one CPU only: nothing measured between cores\n");
}

/* ---- the table ---- */

void report_heading(FILE *out)
{
	fprintf(out, "\n%-34s %10s %10s %21s %9s  %s\n", "row", "min", "median", "95 % of median",
		"x limit", "goal, of min");
}

static double limit_of(const struct bench_row *row, const struct calibration *c)
{
	return row->limit == LIMIT_LOCAL     ? c->local
	       : row->limit == LIMIT_HANDOFF ? c->handoff
	       : row->limit == LIMIT_RING    ? c->ring
					     : 0;
}

static void format_goal(const struct result *r, double limit, char *out, size_t size)
{
	const struct bench_row *row = r->row;
	bool parallel = row->must_at_2 > 0 && r->workers > 1;
	double goal = parallel ? row->must_at_2 : row->must;
	const char *kind = "must";
	out[0] = '\0';
	if (row->goal_workers && row->goal_workers != r->workers)
		return;
	if (row->limit_factor > 0 && limit > 0 && (goal == 0 || row->limit == LIMIT_HANDOFF)) {
		goal = row->limit_factor * limit;
		kind = "must (x limit)";
	}
	if (goal <= 0)
		return;
	bool stretch = !parallel && row->stretch > 0 && r->stats.min <= row->stretch;
	if (stretch)
		snprintf(out, size, "<= %.4g stretch: met", row->stretch);
	else
		snprintf(out, size, "<= %.4g %s: %s", goal, kind,
			 r->stats.min <= goal ? "met" : "missed");
}

void report_row(FILE *out, const struct result *r, const struct calibration *c)
{
	char name[96], goal[64], ratio[16] = "", ci[32];
	double limit = limit_of(r->row, c);
	snprintf(name, sizeof name, "%s/workers:%u", r->row->name, r->workers);
	if (r->failed) {
		fprintf(out, "%-34s FAILED: wrong result or no end within 60 s\n", name);
		return;
	}
	if (limit > 0)
		snprintf(ratio, sizeof ratio, "%.2f", r->stats.min / limit);
	snprintf(ci, sizeof ci, "%.4g - %.4g", r->stats.ci_low, r->stats.ci_high);
	format_goal(r, limit, goal, sizeof goal);
	fprintf(out, "%-34s %7.4g %-2s %7.4g %-2s %21s %9s  %s\n", name, r->stats.min,
		r->row->unit ? r->row->unit : "ns", r->stats.median,
		r->row->unit ? r->row->unit : "ns", ci, ratio, goal);
}

/* ---- JSON ---- */

cJSON *report_calibration_json(const struct calibration *c)
{
	const struct {
		const char *name;
		double value;
	} units[] = { { "exchange", c->rmw },
		      { "fence", c->fence },
		      { "call", c->call },
		      { "free_list", c->pool },
		      { "allocation", c->alloc },
		      { "clock", c->clock },
		      { "message_bound", c->local },
		      { "handoff", c->handoff },
		      { "spsc_ring", c->ring },
		      { "futex_wake", c->wake },
		      { "futex_wake_cost", c->wake_cost } };
	cJSON *o = cJSON_CreateObject();
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		cJSON_AddNumberToObject(o, units[i].name, units[i].value);
	return o;
}

static cJSON *json_context(const struct calibration *c)
{
	char cpu[256], host[128] = "", date[64];
	time_t t = time(NULL);
	struct tm tm;
	cJSON *o = cJSON_CreateObject(), *k = report_calibration_json(c);
	first_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
	gethostname(host, sizeof host - 1);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&t, &tm));
	cJSON_AddStringToObject(o, "date", date);
	cJSON_AddStringToObject(o, "host_name", host);
	cJSON_AddStringToObject(o, "executable", "heist-bench");
	cJSON_AddNumberToObject(o, "num_cpus", (double)cpus());
	cJSON_AddStringToObject(o, "cpu_model", cpu);
	cJSON_AddStringToObject(o, "library_version", HEIST_VERSION_STRING);
	cJSON_AddStringToObject(o, "library_build_type", HEIST_BENCH_BUILD);
	cJSON_AddBoolToObject(k, "handoff_moved", c->moved);
	cJSON_AddItemToObject(o, "calibration_ns", k);
	return o;
}

static cJSON *json_row(const struct result *r)
{
	char name[96];
	cJSON *o = cJSON_CreateObject();
	snprintf(name, sizeof name, "%s/workers:%u", r->row->name, r->workers);
	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddStringToObject(o, "run_name", name);
	cJSON_AddStringToObject(o, "run_type", "iteration");
	cJSON_AddNumberToObject(o, "repetitions", 1);
	cJSON_AddNumberToObject(o, "threads", 1);
	cJSON_AddBoolToObject(o, "across_cores", r->workers > 1 || r->row->outside);
	if (r->failed) {
		cJSON_AddBoolToObject(o, "error_occurred", true);
		cJSON_AddStringToObject(o, "error_message", "wrong result, or no end within 60 s");
		return o;
	}
	cJSON_AddNumberToObject(o, "iterations", (double)r->row->operations);
	cJSON_AddNumberToObject(o, "real_time", r->stats.median);
	cJSON_AddNumberToObject(o, "cpu_time", r->cpu);
	cJSON_AddStringToObject(o, "time_unit", "ns");
	cJSON_AddNumberToObject(o, "min", r->stats.min);
	cJSON_AddNumberToObject(o, "ci_low", r->stats.ci_low);
	cJSON_AddNumberToObject(o, "ci_high", r->stats.ci_high);
	cJSON_AddNumberToObject(o, "samples", (double)r->sample_count);
	if (!r->row->unit)
		cJSON_AddNumberToObject(o, "items_per_second", 1e9 / r->stats.median);
	else
		cJSON_AddStringToObject(o, "unit", r->row->unit);
	cJSON_AddNumberToObject(o, "steals", (double)r->steals);
	cJSON_AddNumberToObject(o, "parks", (double)r->parks);
	cJSON_AddNumberToObject(o, "wakes", (double)r->wakes);
	cJSON_AddItemToObject(o, "raw", cJSON_CreateDoubleArray(r->samples, (int)r->sample_count));
	return o;
}

int report_json(const char *path, const struct result *r, size_t n, const struct calibration *c)
{
	cJSON *o = cJSON_CreateObject(), *rows = cJSON_CreateArray();
	cJSON_AddItemToObject(o, "context", json_context(c));
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(rows, json_row(&r[i]));
	cJSON_AddItemToObject(o, "benchmarks", rows);
	char *text = cJSON_Print(o);
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	int ok = text && f && fprintf(f, "%s\n", text) > 0;
	if (f && f != stdout && fclose(f) != 0)
		ok = 0;
	free(text);
	cJSON_Delete(o);
	return ok ? 0 : -1;
}
