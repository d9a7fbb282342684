/* SPDX-License-Identifier: BSD-2-Clause
 * contract.c - the contract of bench/peers/README.md: arguments, samples, output. */
#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/c-common/contract.h"

/* ---- what the workloads of several peers need ---- */

int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* jemalloc's, where that is linked; 4096 stands for all of its arenas. */
int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

static void give_back(void)
{
	if (!mallctl) {
		malloc_trim(0);
	} else if (mallctl("arena.4096.purge", NULL, NULL, NULL, 0) != 0) {
		fputs("jemalloc purges no arena\n", stderr);
		exit(1);
	}
}

/* What the program runs with, not what it was built for: linkers leave out what they think unused. */
static void write_allocator(void)
{
	const char *version = NULL;
	size_t size = sizeof version;
	if (mallctl && mallctl("version", &version, &size, NULL, 0) == 0)
		printf("jemalloc %.*s", (int)strcspn(version, "-"), version);
	else
		fputs("the system's malloc", stdout);
}

int64_t resident(void)
{
	unsigned long pages = 0;
	give_back();
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1) {
		fputs("/proc/self/statm cannot be read\n", stderr);
		exit(1);
	}
	fclose(f);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

void percentiles(int64_t *latencies, int64_t count, int64_t result[5])
{
	static const int64_t per_mille[5] = { 500, 900, 990, 999, 1000 };
	qsort(latencies, (size_t)count, sizeof *latencies, ascending);
	for (int i = 0; i < 5; i++)
		result[i] = latencies[(per_mille[i] * count + 999) / 1000 - 1];
}

/* In whole windows. */
int64_t share(int64_t messages, int64_t shares, int64_t window)
{
	if (window == 0)
		window = 1;
	return messages / shares / window * window;
}

/* xorshift64* */
int64_t draw(uint64_t *random, int64_t below)
{
	uint64_t x = *random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*random = x;
	return (int64_t)(x * 0x2545F4914F6CDD1Du % (uint64_t)below);
}

int64_t fibonacci(int64_t n)
{
	int64_t a = 0, b = 1;
	for (int64_t i = 1; i < n; i++) {
		int64_t c = a + b;
		a = b;
		b = c;
	}
	return b;
}

const char *check_thread_ring(const int64_t *p)
{
	return p[2] < p[1] ? "hops is at least one a token" : NULL;
}

const char *check_fan_in(const int64_t *p)
{
	return share(p[1], p[0], p[2]) == 0 ? "messages is at least a window a producer" : NULL;
}

const char *check_one_way(const int64_t *p)
{
	return share(p[0], 1, p[1]) == 0 ? "messages is at least a window" : NULL;
}

const char *check_pairs(const int64_t *p)
{
	return share(p[1], p[0] * 2, p[2]) == 0
		       ? "messages is at least a window there and back a pair"
		       : NULL;
}

const char *check_message_ubench(const int64_t *p)
{
	return p[2] < p[0] * p[1] ? "messages is at least one a ball" : NULL;
}

const char *check_tree(const int64_t *p)
{
	return p[0] > 40 ? "n is at most 40" : NULL;
}

const char *check_skynet(const int64_t *p)
{
	int64_t power = 1;
	while (power < p[0])
		power *= 10;
	return power != p[0] || power > 1000000000 ? "leaves is a power of ten up to 10^9" : NULL;
}

const char *check_paced(const int64_t *p)
{
	return p[2] < p[1] ? "each actor has at least one message" : NULL;
}

/* ---- arguments ---- */

struct options {
	const struct workload *workload;
	int64_t values[PARAMETERS];
	const char *settings;
	int64_t workers, samples;
	double warmup; /* seconds */
	bool step, json, list;
};

__attribute__((noreturn, format(printf, 1, 2))) static void usage(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "%s: ", peer_name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

static int64_t number(const char *what, const char *text, int64_t least)
{
	char *end;
	int64_t n = strtoll(text, &end, 10);
	if (*end || end == text || n < least || n > (int64_t)1 << 40)
		usage("%s is a whole number from %lld, not '%s'", what, (long long)least, text);
	return n;
}

static const struct workload *find(const char *name)
{
	for (const struct workload *w = workloads; w->name; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	usage("unknown workload '%s'; --list shows them", name);
}

/* The defaults, then what is given: text is taken apart. */
static void parameters(struct options *o, char *text)
{
	const struct parameter *p = o->workload->parameters;
	for (int i = 0; i < PARAMETERS; i++)
		o->values[i] = p[i].value;
	for (char *kv = strtok(text, ","); kv; kv = strtok(NULL, ",")) {
		char *value = strchr(kv, '=');
		int i = 0;
		if (value)
			*value++ = '\0';
		while (i < PARAMETERS && p[i].name && strcmp(p[i].name, kv) != 0)
			i++;
		if (!value || i == PARAMETERS || !p[i].name)
			usage("unknown parameter '%s' of %s", kv, o->workload->name);
		o->values[i] = number(kv, value, p[i].least);
	}
	const char *wrong = o->workload->check ? o->workload->check(o->values) : NULL;
	if (wrong)
		usage("%s", wrong);
}

enum { WORKLOAD = 1, PARAMS, WORKERS, SAMPLES, SETTINGS, WARMUP, STEP, JSON, LIST };

static const struct option keys[] = {
	{ "workload", required_argument, NULL, WORKLOAD },
	{ "params", required_argument, NULL, PARAMS },
	{ "workers", required_argument, NULL, WORKERS },
	{ "samples", required_argument, NULL, SAMPLES },
	{ "settings", required_argument, NULL, SETTINGS },
	{ "warmup", required_argument, NULL, WARMUP },
	{ "step", no_argument, NULL, STEP },
	{ "json", no_argument, NULL, JSON },
	{ "list", no_argument, NULL, LIST },
	{ 0 },
};

static void option(struct options *o, int key, char **params)
{
	char *end;
	if (key == WORKLOAD) {
		o->workload = find(optarg);
	} else if (key == PARAMS) {
		*params = optarg;
	} else if (key == WORKERS) {
		o->workers = number("--workers", optarg, 1);
	} else if (key == SAMPLES) {
		o->samples = number("--samples", optarg, 1);
	} else if (key == SETTINGS) {
		o->settings = optarg;
		if (strcmp(optarg, "tuned") != 0 && strcmp(optarg, "default") != 0)
			usage("--settings is tuned or default, not '%s'", optarg);
	} else if (key == WARMUP) {
		o->warmup = strtod(optarg, &end);
		if (*end || end == optarg || !(o->warmup >= 0 && o->warmup <= 3600))
			usage("--warmup is 0 to 3600 seconds, not '%s'", optarg);
	} else if (key == STEP) {
		o->step = true;
	} else if (key == JSON) {
		o->json = true;
	} else if (key == LIST) {
		o->list = true;
	} else {
		exit(2); /* getopt has said why */
	}
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .settings = "default", .workers = 1, .samples = 1 };
	char none[1] = "", *params = none;
	for (int key; (key = getopt_long(argc, argv, "", keys, NULL)) != -1;)
		option(&o, key, &params);
	if (o.list)
		return o;
	if (optind < argc)
		usage("unknown argument '%s'", argv[optind]);
	if (!o.workload)
		usage("--workload is missing");
	if (!o.json)
		usage("the only output is --json");
	parameters(&o, params);
	return o;
}

/* ---- samples ---- */

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void write_sample(const struct sample *s, int64_t ns, int64_t cpu)
{
	static const char *const names[5] = { "p50", "p90", "p99", "p999", "max" };
	printf("{\"ns\": %lld, \"operations\": %lld, \"cpu_ns\": %lld", (long long)ns,
	       (long long)s->operations, (long long)cpu);
	if (s->tells_rss)
		printf(", \"rss\": %lld", (long long)s->rss);
	for (int i = 0; s->latency[4] && i < 5; i++)
		printf("%s\"%s\": %lld%s", i == 0 ? ", \"latency_ns\": {" : ", ", names[i],
		       (long long)s->latency[i], i == 4 ? "}" : "");
	puts("}");
	if (fflush(stdout) != 0)
		exit(1);
}

/* Builds the actors, times from the first send to the last report, frees the actors. */
static void sample(const struct options *o, bool shown)
{
	struct sample s;
	o->workload->build(o->values, &s);
	int64_t expected = s.expected ? s.expected : s.operations;
	int64_t cpu = cpu_ns(), ns = now_ns();
	s.start();
	int64_t counted = peer_await(s.parts);
	ns = now_ns() - ns;
	cpu = cpu_ns() - cpu;
	if (counted != expected) {
		fprintf(stderr, "%s: wrong result: %lld instead of %lld\n", peer_name,
			(long long)counted, (long long)expected);
		exit(1);
	}
	s.end(&s);
	if (shown)
		write_sample(&s, ns, cpu);
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	char line[64];
	for (const struct workload *w = workloads; o.list && w->name; w++)
		puts(w->name);
	if (o.list)
		return 0;
	peer_start((int)o.workers, o.workload->name);
	int64_t until = now_ns() + (int64_t)(o.warmup * 1e9);
	while (strcmp(o.workload->name, "idle") != 0 && now_ns() < until)
		sample(&o, false);
	printf("{\"peer\": \"%s\", \"version\": \"%s\", \"runtime\": \"%s, ", peer_name,
	       peer_version, peer_runtime);
	write_allocator();
	printf("\", \"settings\": \"%s\", \"workers\": %lld}\n", o.settings, (long long)o.workers);
	fflush(stdout);
	while (o.step ? fgets(line, sizeof line, stdin) != NULL : o.samples-- > 0)
		sample(&o, true);
	peer_stop();
	return 0;
}
