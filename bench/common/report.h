/* SPDX-License-Identifier: BSD-2-Clause
 * report.h - results as a table for people and as google-benchmark's JSON for machines. */
#ifndef HEIST_BENCH_REPORT_H
#define HEIST_BENCH_REPORT_H

#include <stdint.h>

#include "bench/bench.h"
#include "bench/common/calibrate.h"
#include "bench/common/stats.h"

struct result {
	const struct bench_row *row;
	uint32_t workers;
	bool failed;
	struct stats stats;
	double *samples;
	size_t sample_count;
	double cpu; /* CPU ns per operation, all threads */
	uint64_t steals, parks, wakes;
};

void report_environment(FILE *out);
void report_calibration(FILE *out, const struct calibration *c);
struct cJSON *report_calibration_json(const struct calibration *c); /* NULL: out of memory */
void report_heading(FILE *out);
void report_row(FILE *out, const struct result *r, const struct calibration *c);
/* 0, or -1: the file cannot be written.  path "-": standard output. */
int report_json(const char *path, const struct result *r, size_t n, const struct calibration *c);

#endif
