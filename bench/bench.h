/* SPDX-License-Identifier: BSD-2-Clause
 * bench.h - what a workload is, and what it may use: <heist/heist.h> and this. */
#ifndef HEIST_BENCH_H
#define HEIST_BENCH_H

#include <heist/heist.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum bench_limit { LIMIT_NONE, LIMIT_LOCAL, LIMIT_HANDOFF, LIMIT_RING }; /* what to compare with */

struct bench_row {
	const char *name;      /* WORKLOAD[/VARIANT] */
	const char *operation; /* what real_time is the time of */
	uint32_t min_workers;  /* 1 or 2 */
	double must, stretch;  /* goals in ns per operation, 0 = none */
	uint32_t goal_workers; /* the goals are for that many workers; 0: for any number */
	double must_at_2;      /* at two workers or more, if it differs; else 0 */
	enum bench_limit limit;
	double limit_factor; /* goal as a multiple of the limit, 0 = none */
	uint64_t operations; /* per sample */
	int64_t a, b, c;     /* parameters of the workload */
	uint64_t seed;	     /* of its random numbers; actor i draws from seed + i */
	bool remainder;	     /* which it takes by %, as the peers' contract has it */
	/* One sample on a fresh runtime: nanoseconds in all, or -1: the result was wrong. */
	double (*sample)(const struct bench_row *row, heist_system *s);
	bool single;  /* measured once per run, not sampled (memory, idle time) */
	bool outside; /* driven by a thread beside the workers: crosses cores with one worker, too */
	bool loses;   /* messages, on purpose */
	bool bare;    /* no runtime: on min_workers threads of its own, s is NULL */
	const char *unit; /* NULL: ns per operation; else what sample() returns is in this unit */
};

/* ---- a run: set up, kick off, wait, stop the clock ---- */

/* The clock runs from bench_begin until bench_wait knows of the last bench_finish, which a handler calls. */
void bench_begin(long parts); /* how many bench_finish calls end the run */
void bench_finish(bool correct);
/* Wait for the end; elapsed ns, or -1 if some part was wrong or 60 seconds passed. */
double bench_wait(void);

/* What a sample may tell beside its time. */
struct bench_aside {
	double cpu_ns;	     /* of the process in the time that sample() returns       */
	long rss;	     /* idle: bytes by which the resident size grew            */
	uint64_t latency[5]; /* paced: ns at 50 %, 90 %, 99 %, 99.9 %, maximum */
};
extern struct bench_aside bench_aside;

/* How long idle_cpu takes; 0: as its row says. */
extern int64_t bench_idle_seconds;

/* ---- small things ---- */
void bench_failed(const char *what) __attribute__((noreturn));
heist_system *bench_start(const heist_config *c);
void bench_stop(heist_system *s);
/* Wait until what was sent so far has been handled or lost. */
void bench_settle(heist_system *s);
/* Messages lost since the runtime began. */
uint64_t bench_lost(heist_system *s);
double bench_cpu_ns(void); /* CPU time of the process */

static inline heist_ref bench_spawn(heist_system *s, const heist_class *c, const void *arg)
{
	heist_ref r = { 0 };
	if (heist_spawn(s, c, NULL, arg, &r) != HEIST_OK)
		bench_failed("spawn");
	return r;
}

static inline heist_ref bench_spawn_on(heist_system *s, const heist_class *c, uint32_t worker)
{
	heist_ref r = { 0 };
	heist_opts o = heist_opts_default();
	o.worker = worker;
	if (heist_spawn(s, c, &o, NULL, &r) != HEIST_OK)
		bench_failed("spawn");
	return r;
}

/* The one 8-byte message type most workloads need, and one that introduces a peer. */
extern const heist_type BENCH_N, BENCH_PEER;

static inline void bench_send(heist_ref to, int64_t n)
{
	heist_send(to, &BENCH_N, &n);
}

static inline void bench_introduce(heist_ref to, heist_ref peer)
{
	heist_send(to, &BENCH_PEER, &peer);
}

/* xorshift64*; a state is never 0. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Du;
}

/* 0 to n - 1 < 2^32, by multiplication (Lemire, 2019), as a division would cost as much as a message. */
static inline uint64_t bench_random_below(uint64_t *state, uint64_t n)
{
	return (bench_random(state) >> 32) * n >> 32;
}

long bench_resident(void); /* bytes of RSS */

/* Each workload file defines its rows; row lists end with a NULL name. */
extern const struct bench_row bench_pairs[], bench_oneway[], bench_ring[], bench_spawning[],
	bench_restart[], bench_many[], bench_outside[], bench_asking[], bench_paced[],
	bench_timing[], bench_queues[], bench_deques[], bench_sleepers[];

#endif
