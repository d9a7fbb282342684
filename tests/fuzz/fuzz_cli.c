/* SPDX-License-Identifier: BSD-2-Clause
 * fuzz_cli.c - bytes as the command line of heist-bench run, one argument a line: refused, or options in their
 * ranges that point into it. */
#include "tests/fuzz/fuzz.h"

#include <argp.h>
#include <string.h>

#include "bench/common/options.h"

#define MOST_ARGUMENTS 32

/* Cuts the text up; argv[0] is the program's name. */
static int arguments(char *text, char **argv)
{
	static char name[] = "heist-bench run";
	int argc = 0;
	argv[argc++] = name;
	for (char *next; text && argc < MOST_ARGUMENTS; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		argv[argc++] = text;
	}
	argv[argc] = NULL;
	return argc;
}

static bool among(const char *text, char **argv, int argc)
{
	for (int i = 1; i < argc; i++)
		if (text >= argv[i] && text <= argv[i] + strlen(argv[i]))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *argv[MOST_ARGUMENTS + 1], *text = malloc(size + 1);
	struct bench_options o;
	MUST(text);
	memcpy(text, bytes, size);
	text[size] = '\0';
	int argc = arguments(text, argv);
	if (bench_options_parse(argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, &o) == 0) {
		MUST(o.workers <= BENCH_MOST_WORKERS && !(o.workers && o.all_only));
		MUST(o.samples >= 0 && o.samples <= BENCH_MOST_SAMPLES);
		MUST(!o.json || among(o.json, argv, argc));
		MUST(o.pattern_count >= 0 && o.pattern_count < argc);
		for (int i = 0; i < o.pattern_count; i++)
			MUST(among(o.patterns[i], argv, argc));
	}
	free(text);
	return 0;
}
