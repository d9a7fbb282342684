/* SPDX-License-Identifier: BSD-2-Clause
 * cli.h - the commands of heist-bench. */
#ifndef HEIST_BENCH_CLI_H
#define HEIST_BENCH_CLI_H

#include "bench/bench.h"

/* Each parses its own arguments (argv[0] is the program and the command); exit status. */
int bench_list_main(int argc, char **argv);
int bench_run_main(int argc, char **argv);
int bench_compare_main(int argc, char **argv);
int bench_calibrate_main(int argc, char **argv);

/* All rows, in the order of the table; *n of them. */
const struct bench_row *const *bench_rows(size_t *n);
/* Rows selected by patterns (exact, prefix of path segments, glob); NULL and a message if one of them
 * selects nothing. */
const struct bench_row **bench_select(char **patterns, int count, size_t *n);

#endif
