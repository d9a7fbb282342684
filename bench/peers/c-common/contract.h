/* SPDX-License-Identifier: BSD-2-Clause
 * contract.h - what programs in C and C++ need for the contract of bench/peers/README.md: contract.c has
 * main, the peer has the rest. */
#ifndef PEERS_CONTRACT_H
#define PEERS_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PARAMETERS 4

struct parameter {
	const char *name;
	int64_t value; /* the default, or what was given */
	int64_t least;
};

/* A sample: built by the workload, started by its driver, then awaited. */
struct sample {
	int64_t parts;	  /* reports that the driver waits for */
	int64_t expected; /* the sum of what they have counted */
	int64_t operations;
	bool tells_rss; /* idle only */
	int64_t rss;
	int64_t latency[5];	      /* the paced ones only: p50, p90, p99, p999, max */
	void (*start)(void);	      /* sends what sets off the work */
	void (*end)(struct sample *); /* measures what is left to measure, frees the actors */
};

struct workload {
	const char *name;
	struct parameter parameters[PARAMETERS]; /* as far as they have a name */
	/* NULL, or what is wrong with the parameters. */
	const char *(*check)(const int64_t *p);
	void (*build)(const int64_t *p, struct sample *s);
};

/* The peer's: the table ends with a NULL name. */
extern const struct workload workloads[];
extern const char peer_name[], peer_version[], peer_runtime[];
void peer_start(int workers, const char *workload);
void peer_stop(void); /* after the last sample */
/* The driving thread: waits until the parts have reported, returns the sum. */
int64_t peer_await(int64_t parts);

int64_t now_ns(void);
/* Of the process, in bytes. */
int64_t resident(void);
/* Sorts the latencies. */
void percentiles(int64_t *latencies, int64_t count, int64_t result[5]);
/* The part of one of so many, in whole windows; a window of 0 is none. */
int64_t share(int64_t messages, int64_t shares, int64_t window);
/* xorshift64*, unsigned, below a bound. */
int64_t draw(uint64_t *random, int64_t below);
int64_t fibonacci(int64_t n);
/* Checks of parameters that all programs have: NULL, or what is wrong. */
const char *check_one_way(const int64_t *p);
const char *check_thread_ring(const int64_t *p);
const char *check_fan_in(const int64_t *p);
const char *check_pairs(const int64_t *p);
const char *check_message_ubench(const int64_t *p);
const char *check_tree(const int64_t *p);
const char *check_skynet(const int64_t *p);
const char *check_paced(const int64_t *p);

#ifdef __cplusplus
}
#endif

#endif
