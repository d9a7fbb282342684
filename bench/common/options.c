/* SPDX-License-Identifier: BSD-2-Clause
 * options.c - the command line of heist-bench run (argp). */
#include "bench/common/options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

static const struct argp_option keys[] = {
	{ "workers", 'w', "N", 0, "Workers: a number, or all (default: at 1 and at all)", 0 },
	{ "samples", 's', "N", 0, "Samples per row (default 30; 5 with --quick)", 0 },
	{ "quick", 'q', NULL, 0, "Few samples, short idle times: a look, not a measurement", 0 },
	{ "json", 'j', "FILE", 0,
	  "Write google-benchmark's JSON to FILE, - for standard output only", 0 },
	{ 0 },
};

/* Digits only: 1 to most; 0: anything else. */
static uint32_t number(const char *text, uint32_t most)
{
	uint32_t n = 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > most)
			return 0;
		n = n * 10 + (uint32_t)(*text - '0');
	}
	return n <= most ? n : 0;
}

static error_t parse_workers(struct bench_options *o, const char *arg, struct argp_state *state)
{
	o->all_only = strcmp(arg, "all") == 0;
	o->workers = o->all_only ? 0 : number(arg, BENCH_MOST_WORKERS);
	if (o->all_only || o->workers)
		return 0;
	argp_error(state, "--workers must be 1 to %d, or all, not '%s'", BENCH_MOST_WORKERS, arg);
	return EINVAL;
}

static error_t parse_samples(struct bench_options *o, const char *arg, struct argp_state *state)
{
	o->samples = (int)number(arg, BENCH_MOST_SAMPLES);
	if (o->samples)
		return 0;
	argp_error(state, "--samples must be 1 to %d, not '%s'", BENCH_MOST_SAMPLES, arg);
	return EINVAL;
}

static error_t parse_idle(struct bench_options *o, struct argp_state *state)
{
	const char *text = getenv("HEIST_BENCH_IDLE_SECONDS");
	o->idle_seconds = text ? number(text, BENCH_MOST_IDLE_SECONDS) : 0;
	if (!text || o->idle_seconds)
		return 0;
	argp_error(state, "HEIST_BENCH_IDLE_SECONDS must be 1 to %d, not '%s'",
		   BENCH_MOST_IDLE_SECONDS, text);
	return EINVAL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench_options *o = state->input;
	switch (key) {
	case 'w':
		return parse_workers(o, arg, state);
	case 's':
		return parse_samples(o, arg, state);
	case 'q':
		o->quick = true;
		return 0;
	case 'j':
		o->json = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->patterns = state->argv + state->next;
		o->pattern_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		return parse_idle(o, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = keys,
	.parser = parse,
	.args_doc = "[ROW...]",
	.doc = "Measure rows: all, or those that a name, a leading part of one, or a pattern "
	       "selects.\v"
	       "Each sample runs on a fresh runtime outside the timed part and checks its result; "
	       "a row "
	       "with a wrong result has no number.  Times are per operation (heist-bench list says "
	       "of "
	       "what).  Exit status: 0, or 1 if a row failed.\n\n"
	       "  heist-bench run ping_pong 'one_way/W:*' --workers 1\n"
	       "  heist-bench run --quick --json - | python3 -m json.tool\n",
};

int bench_options_parse(int argc, char **argv, unsigned flags, struct bench_options *out)
{
	*out = (struct bench_options){ 0 };
	return argp_parse(&argp, argc, argv, flags, NULL, out);
}
