/* SPDX-License-Identifier: BSD-2-Clause
 * options.h - what stands on the command line of heist-bench run, and in its environment. */
#ifndef HEIST_BENCH_OPTIONS_H
#define HEIST_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_MOST_WORKERS	256
#define BENCH_MOST_SAMPLES	4096
#define BENCH_MOST_IDLE_SECONDS 86400

struct bench_options {
	char **patterns; /* within argv, which is put in another order */
	int pattern_count;
	uint32_t workers; /* 0: at one and at all */
	bool all_only;
	int samples; /* 0: as many as usual */
	bool quick;
	uint32_t idle_seconds; /* HEIST_BENCH_IDLE_SECONDS; 0: not set */
	const char *json;
};

/* 0, or the error; flags of argp_parse: without ARGP_NO_ERRS and ARGP_NO_HELP it prints, and may end the
 * process. */
int bench_options_parse(int argc, char **argv, unsigned flags, struct bench_options *out);

#endif
