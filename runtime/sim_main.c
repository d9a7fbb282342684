/* SPDX-License-Identifier: BSD-2-Clause
 * sim_main.c - the main function of a test that runs under simulation: seeds from the environment, and the
 * command that runs a seed again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sim.h"

struct run {
	heist_sim_opts opts;
	uint64_t first, count;
	const char *keep;  /* as it was said */
	char *list;	   /* from a file */
	int trace, status; /* descriptors; -1: none */
	int argc;
	char **argv;
};

/* What a fault prints: all of it is ready before. */
static char again[4096];

/* ---- environment ---- */

static bool number(const char *text, uint64_t *n, const char **rest)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 10);
	*rest = end;
	return true;
}

static bool seeds_from(const char *text, struct run *r)
{
	const char *rest = "";
	r->first = r->opts.seed;
	r->count = 1;
	if (!text)
		return true;
	if (!number(text, &r->first, &rest))
		return false;
	return *rest == '\0' || (*rest == '+' && number(rest + 1, &r->count, &rest) && !*rest);
}

static bool descriptor_from(const char *text, int *fd)
{
	uint64_t n = 0;
	const char *rest = "";
	*fd = -1;
	if (!text)
		return true;
	if (!number(text, &n, &rest) || *rest || n > 1 << 20)
		return false;
	*fd = (int)n;
	return true;
}

static bool read_list(const char *path, struct run *r)
{
	FILE *f = fopen(path, "r");
	size_t n = 0, room = 0, got;
	if (!f)
		return false;
	do {
		r->list = heist_sim_grow(r->list, &room, n + 4096, 1);
		got = fread(r->list + n, 1, room - n - 1, f);
		n += got;
	} while (got != 0);
	fclose(f);
	r->list[n] = '\0';
	r->list[strcspn(r->list, "\n")] = '\0';
	r->opts.keep = r->list;
	return true;
}

static bool keep_from(const char *text, struct run *r)
{
	r->keep = text;
	if (!text)
		return true;
	r->opts.keep = text;
	return *text != '@' || read_list(text + 1, r);
}

/* NULL, or what is wrong. */
static const char *environment(struct run *r)
{
	if (!seeds_from(getenv("HEIST_SIM_SEED"), r))
		return "HEIST_SIM_SEED must be a number, or first+count";
	if (!keep_from(getenv("HEIST_SIM_KEEP"), r))
		return "HEIST_SIM_KEEP names a file that cannot be read";
	if (!descriptor_from(getenv("HEIST_SIM_TRACE"), &r->trace) ||
	    !descriptor_from(getenv("HEIST_SIM_STATUS"), &r->status))
		return "HEIST_SIM_TRACE and HEIST_SIM_STATUS must be file descriptors";
	return NULL;
}

/* ---- the command ---- */

static size_t put(size_t used, const char *text)
{
	size_t n = strlen(text), left = sizeof again - 2 - used;
	n = n < left ? n : left;
	memcpy(again + used, text, n);
	return used + n;
}

/* As the shell wants it. */
static size_t put_quoted(size_t used, const char *text)
{
	used = put(used, "'");
	for (; *text; text++)
		used = *text == '\'' ? put(used, "'\\''") : put(used, (char[2]){ *text, '\0' });
	return put(used, "'");
}

static void again_prepare(const struct run *r, uint64_t seed)
{
	char text[40];
	snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
	size_t n = put(put(0, "again: HEIST_SIM_SEED="), text);
	if (r->keep)
		n = put_quoted(put(n, " HEIST_SIM_KEEP="), r->keep);
	for (int i = 0; i < r->argc; i++)
		n = put_quoted(put(n, " "), r->argv[i]);
	memcpy(again + n, "\n", 2);
}

static void on_fault(int sig)
{
	(void)heist_write(2, again, strlen(again));
	signal(sig, SIG_DFL);
	raise(sig);
}

/* ---- seeds ---- */

static void write_line(void *user, const char *line)
{
	const struct run *r = user;
	char text[400];
	int n = snprintf(text, sizeof text, "%s\n", line);
	(void)heist_write(r->trace, text, (size_t)n);
}

static void tell_status(const struct run *r, uint64_t seed)
{
	char text[40];
	int n = snprintf(text, sizeof text, "seed %llu\n", (unsigned long long)seed);
	if (r->status >= 0)
		(void)heist_write(r->status, text, (size_t)n);
}

static int run_seed(struct run *r, uint64_t seed, heist_sim_fn *run, void *user)
{
	heist_sim *sim;
	again_prepare(r, seed);
	tell_status(r, seed);
	r->opts.seed = seed;
	if (heist_sim_start(&r->opts, NULL, &sim) != HEIST_OK)
		return 2;
	run(sim, heist_sim_system(sim), user);
	if (heist_sim_end(sim) == HEIST_OK)
		return 0;
	fputs(again, stderr);
	return 1;
}

int heist_sim_main(int argc, char **argv, const heist_sim_opts *opts, heist_sim_fn *run, void *user)
{
	static const int faults[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct run r = { .opts = heist_sim_opts_default(), .argc = argc, .argv = argv };
	int verdict = 0;
	if (!run || (opts && (opts->struct_size < sizeof(uint32_t) || opts->struct_size > 4096))) {
		fprintf(stderr,
			"heist_sim_main: run must not be NULL (use heist_sim_opts_default)\n");
		return 2;
	}
	if (opts)
		memcpy(&r.opts, opts,
		       opts->struct_size < sizeof r.opts ? opts->struct_size : sizeof r.opts);
	r.opts.struct_size = sizeof r.opts;
	const char *bad = environment(&r);
	if (bad) {
		fprintf(stderr, "heist_sim_main: %s\n", bad);
		return 2;
	}
	if (r.trace >= 0) {
		r.opts.trace = write_line;
		r.opts.user = &r;
	}
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		signal(faults[i], on_fault);
	for (uint64_t i = 0; i < r.count && verdict == 0; i++)
		verdict = run_seed(&r, r.first + i, run, user);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		signal(faults[i], SIG_DFL);
	heist_default_dealloc(r.list, 0);
	return verdict;
}
