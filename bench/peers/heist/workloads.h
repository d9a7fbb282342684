/* SPDX-License-Identifier: BSD-2-Clause
 * workloads.h - the contract's workloads (bench/peers/README.md) as rows of heist-bench. */
#ifndef HEIST_PEER_WORKLOADS_H
#define HEIST_PEER_WORKLOADS_H

#include "bench/bench.h"

struct parameter {
	const char *name;
	int64_t value; /* the default */
	int64_t least, most;
};

struct workload {
	const char *name;
	const char *row; /* of heist-bench, whose numbers `set` replaces */
	struct parameter parameters[4];
	/* From the parameters' values, in their order. */
	void (*set)(struct bench_row *row, const int64_t *values);
};

extern const struct workload workloads[]; /* ends with a NULL name */

const struct workload *workload_find(const char *name);
/* Values of "K=V,..." over the defaults; NULL text: the defaults.  NULL, or what is wrong with it. */
const char *workload_parse(const struct workload *w, const char *text, int64_t *values);
/* The row to sample. */
struct bench_row workload_row(const struct workload *w, const int64_t *values);

#endif
