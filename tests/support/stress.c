/* SPDX-License-Identifier: BSD-2-Clause
 * stress.c - runs the rounds of a stress program: threads, starting line, watchdog, report. */
#define _GNU_SOURCE
#include "tests/support/stress.h"
#include "lockfree/seam.h"
#include "tests/support/watchdog.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct stress *program;
static long rounds;
static uint64_t seconds;   /* after which no round begins; 0: no limit */
static uint64_t hang = 60; /* seconds after which a round does not end */
static uint64_t seed;
static bool expect_failure;
static _Atomic long current; /* round */
static _Atomic bool over;    /* no more rounds */

/* ---- lines ---- */

void stress_wait(int *turns)
{
	if ((*turns)++ < 400)
		heist_relax();
	else
		sched_yield();
}

/* The beginning and the end of a round.  It yields: a spin lock or barrier costs a time slice whenever one
 * of the threads has lost its CPU, which on a busy machine is most rounds. */
static struct {
	_Atomic int arrived, generation;
} gate;

static void gate_wait(void)
{
	int g = atomic_load_explicit(&gate.generation, memory_order_acquire);
	if (atomic_fetch_add_explicit(&gate.arrived, 1, memory_order_acq_rel) ==
	    program->threads - 1) {
		atomic_store_explicit(&gate.arrived, 0, memory_order_relaxed);
		atomic_store_explicit(&gate.generation, g + 1, memory_order_release);
		return;
	}
	for (int turns = 0; atomic_load_explicit(&gate.generation, memory_order_acquire) == g;)
		stress_wait(&turns);
}

/* ---- report ---- */

void stress_fail(const char *what, ...)
{
	static _Atomic bool reported;
	long round = atomic_load_explicit(&current, memory_order_relaxed);
	va_list args;
	if (atomic_exchange_explicit(&reported, true, memory_order_relaxed))
		for (;;) /* another thread reports, and ends the process */
			pause();
	printf("stress_%s: round %ld (--seed %llu): ", program->name, round,
	       (unsigned long long)(seed + (uint64_t)round));
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	puts(expect_failure ? " (as expected)" : "");
	fflush(stdout);
	_exit(expect_failure ? 0 : 1);
}

static void print_hang(void)
{
	if (expect_failure)
		return;
	printf("stress_%s: a round does not end\n", program->name);
	if (program->dump)
		program->dump();
	fflush(stdout);
	watchdog_report();
}

/* A round that does not end is a failure too. */
static void *watchdog(void *unused)
{
	int still = 0;
	long last = -1;
	while (!atomic_load_explicit(&over, memory_order_acquire)) {
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
		long now = atomic_load_explicit(&current, memory_order_relaxed);
		still = now == last ? still + 1 : 0;
		last = now;
		if ((uint64_t)still > hang * 10) {
			print_hang();
			stress_fail("does not end");
		}
	}
	return unused;
}

/* ---- threads ---- */

/* Thread 0, alone: is there another round?  If so sets it up. */
static void next_round(long i, uint64_t begun, struct rng *r)
{
	if (i == rounds || (seconds && heist_clock_ns() - begun > seconds * 1000000000u)) {
		atomic_store_explicit(&over, true, memory_order_release);
		return;
	}
	atomic_store_explicit(&current, i, memory_order_relaxed);
	program->begin(r);
}

static void *thread_main(void *arg)
{
	int thread = (int)(intptr_t)arg;
	uint64_t begun = heist_clock_ns();
	for (long i = 0;; i++) {
		/* A generator of its own for each thread of each round, and for begin. */
		uint64_t s = (seed + (uint64_t)i) * (STRESS_THREADS + 1);
		struct rng r = rng_seed(s + 1 + (uint64_t)thread), first = rng_seed(s);
		if (thread == 0)
			next_round(i, begun, &first);
		gate_wait();
		if (atomic_load_explicit(&over, memory_order_acquire))
			break;
		program->run(thread, &r);
		gate_wait();
		if (thread == 0)
			program->end();
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t id[STRESS_THREADS], dog;
	if (pthread_create(&dog, NULL, watchdog, NULL) != 0)
		abort();
	for (intptr_t t = 1; t < program->threads; t++)
		if (pthread_create(&id[t], NULL, thread_main, (void *)t) != 0)
			abort();
	thread_main((void *)0);
	for (int t = 1; t < program->threads; t++)
		pthread_join(id[t], NULL);
	pthread_join(dog, NULL);
}

/* ---- arguments ---- */

static void usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: stress_%s [--rounds N] [--seconds T] [--seed S] [--hang T]\n"
		"       [--expect-failure]\n",
		program->name);
	exit(status);
}

static uint64_t number(const char *text)
{
	char *end;
	errno = 0;
	uint64_t n = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0')
		usage(2);
	return n;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
						 { "seed", required_argument, NULL, 's' },
						 { "seconds", required_argument, NULL, 't' },
						 { "hang", required_argument, NULL, 'g' },
						 { "expect-failure", no_argument, NULL, 'x' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case 'r':
			rounds = (long)number(optarg);
			break;
		case 's':
			seed = number(optarg);
			break;
		case 't':
			seconds = number(optarg);
			break;
		case 'g':
			hang = number(optarg);
			break;
		case 'x':
			expect_failure = true;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	if (optind != argc)
		usage(2);
}

int stress_main(int argc, char **argv, const struct stress *s)
{
	program = s;
	rounds = s->rounds;
	seed = heist_random_seed() >> 20; /* short enough to read and type */
	parse(argc, argv);
	printf("stress_%s --rounds %ld --seed %llu\n", s->name, rounds, (unsigned long long)seed);
	fflush(stdout);
	run_threads();
	printf("%ld rounds\n", atomic_load_explicit(&current, memory_order_relaxed) + 1);
	if (expect_failure)
		printf("nothing found, although this program is broken\n");
	return expect_failure;
}
