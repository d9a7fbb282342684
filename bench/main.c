/* SPDX-License-Identifier: BSD-2-Clause
 * main.c - heist-bench: list, run, compare, calibrate. */
#include "bench/cli.h"

#include <argp.h>
#include <heist/version.h>
#include <string.h>

static const char help[] =
	"usage: heist-bench COMMAND [OPTION...]\n\n"
	"  list                     the rows, what one operation is, and the goals\n"
	"  run [ROW...]             measure; see heist-bench run --help\n"
	"  compare A.json B.json    runs before and after; see heist-bench compare --help\n"
	"  calibrate [--json]       the limits of this machine alone\n\n"
	"  heist-bench run --quick  a first look in about a minute\n";

int bench_list_main(int argc, char **argv)
{
	static const struct argp argp = { .doc = "List the rows." };
	size_t n;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	const struct bench_row *const *rows = bench_rows(&n);
	printf("%-34s %-10s %8s %8s\n", "row", "per", "must", "stretch");
	for (size_t i = 0; i < n; i++) {
		printf("%-34s %-10s", rows[i]->name, rows[i]->operation);
		if (rows[i]->must > 0)
			printf(" %5.4g %-2s %5.4g %s", rows[i]->must,
			       rows[i]->unit ? rows[i]->unit : "ns", rows[i]->stretch,
			       rows[i]->unit ? rows[i]->unit : "ns");
		if (rows[i]->bare)
			printf("   (%u threads, no runtime)", rows[i]->min_workers);
		else if (rows[i]->min_workers > 1)
			printf("   (2 workers or more)");
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *title;
		int (*main)(int argc, char **argv);
	} commands[] = { { "list", "heist-bench list", bench_list_main },
			 { "run", "heist-bench run", bench_run_main },
			 { "compare", "heist-bench compare", bench_compare_main },
			 { "calibrate", "heist-bench calibrate", bench_calibrate_main } };
	argp_program_version = "heist-bench " HEIST_VERSION_STRING;
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			argv[1] = (char *)(uintptr_t)commands[i].title;
			return commands[i].main(argc - 1, argv + 1);
		}
	bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts(argp_program_version);
		return 0;
	}
	if (argc > 1 && !asked)
		fprintf(stderr, "heist-bench: there is no command '%s'\n", argv[1]);
	fputs(help, asked ? stdout : stderr);
	return asked ? 0 : 2;
}
