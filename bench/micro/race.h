/* SPDX-License-Identifier: BSD-2-Clause
 * race.h - a micro-benchmark: threads that begin at one line, without a runtime. */
#ifndef HEIST_BENCH_RACE_H
#define HEIST_BENCH_RACE_H

#include "bench/bench.h"

#define RACE_THREADS 8 /* most there are */

/* Run body(row, thread) on the row's min_workers threads, each on a CPU of its own as far as there are;
 * ns from the start until all are done, or -1 if one of them said that its result is wrong. */
double race(const struct bench_row *row, void (*body)(const struct bench_row *row, int thread));
/* Any of the threads: is the result right so far? */
void race_check(bool correct);

/* Opponents are rows only where libck is. */
#ifdef HEIST_NO_CK
#define RACE_CK 0
#else
#define RACE_CK 1
#endif

#endif
