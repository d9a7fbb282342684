/* SPDX-License-Identifier: BSD-2-Clause
 * explore.c - choices, who runs next, and the search: random, by priorities, exhaustive. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/check/engine.h"

#define MAX_CHOICES 65536
#define CHANGES	    3

enum mode { RANDOM, PRIORITIES, EXHAUSTIVE };

static const struct check_model *model;
static enum mode mode;
static bool reduced = true;
static int preemption_bound, preemptions, steps;
static int priority[MAX_THREADS], changes[CHANGES];
static uint64_t random_state;
static unsigned burst; /* steps that a thread makes in a row, on average, in a random execution */
static int choices[MAX_CHOICES], widths[MAX_CHOICES], depth, known;
static enum kind failure;
static bool given_up; /* the execution repeats an earlier one ... */
static bool whole;    /* ... and comes to its end all the same, in whatever way */
static char failure_text[512];
static jmp_buf leave_main;

/* ---- choices ---- */

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

int choose(int n)
{
	if (n <= 1 || given_up)
		return 0;
	if (mode != EXHAUSTIVE)
		return (int)(next_random() % (uint64_t)n);
	if (depth == MAX_CHOICES)
		fail(KIND_LIMIT, "too many choices", NULL);
	if (depth == known) {
		choices[known] = 0;
		widths[known++] = n;
	}
	return choices[depth++];
}

/* In a random search, do it once in so many times; in an exhaustive one, always consider it. */
bool chance(int one_in)
{
	return mode == EXHAUSTIVE || next_random() % (uint64_t)one_in == 0;
}

bool rarely(int one_in)
{
	return mode != EXHAUSTIVE && next_random() % (uint64_t)one_in == 0;
}

bool exhaustive(void)
{
	return mode == EXHAUSTIVE;
}

int steps_so_far(void)
{
	return steps;
}

/* ---- ends ---- */

static _Noreturn void end_execution(void)
{
	if (self == MAIN)
		longjmp(leave_main, 1);
	fibers_leave();
}

void check_run_whole(void)
{
	whole = true;
}

static void redundant(void)
{
	given_up = true;
	if (!whole)
		end_execution();
}

_Noreturn void fail(enum kind kind, const char *what, void *where)
{
	char line[256];
	if (!failure) {
		failure = kind;
		source_line(where, line, sizeof line);
		snprintf(failure_text, sizeof failure_text, "%s: %s in thread %d, step %d %s",
			 kind_name(kind), what, self == MAIN ? -1 : self, steps, line);
	}
	end_execution();
}

_Noreturn void check_assert_failed(const char *what, const char *file, int line)
{
	char text[256];
	snprintf(text, sizeof text, "%s (%s:%d)", what, file, line);
	fail(KIND_ASSERT, text, NULL);
}

/* ---- who runs ---- */

static int pick_by_priority(const int *r, int n, int current)
{
	int best = r[0];
	for (int i = 0; i < CHANGES; i++)
		if (changes[i] == steps && current >= 0)
			priority[r[current]] = -i;
	for (int i = 1; i < n; i++)
		if (priority[r[i]] > priority[best])
			best = r[i];
	return best;
}

/* A spinner, and who waits for a time to come, lets everybody else go first. */
void policy_waits(int thread)
{
	priority[thread] = -100 - steps;
}

/* First those that cost nothing, then those that cost a preemption: leaving a thread that could go on, and
 * a deadline that passes while somebody runs.  Returns how many of either; staying is choice 0. */
static int by_cost(const int *r, int n, int current, int *c, int *free)
{
	int m = 0;
	bool all_wait = true;
	for (int i = 0; i < n; i++)
		all_wait &= in_timed_sleep(r[i]);
	if (current >= 0)
		c[m++] = r[current];
	for (int i = 0; i < n && current < 0; i++)
		if (all_wait || !in_timed_sleep(r[i]))
			c[m++] = r[i];
	*free = m;
	for (int i = 0; i < n && preemptions < preemption_bound; i++)
		if (current >= 0 ? i != current : !all_wait && in_timed_sleep(r[i]))
			c[m++] = r[i];
	return m;
}

static int pick_exhaustively(const int *r, int n, int current)
{
	int c[MAX_THREADS], free, m = by_cost(r, n, current, c, &free);
	uint32_t costs = 0; /* bit per thread */
	if (given_up)
		return c[0];
	for (int i = free; i < m; i++)
		costs |= (uint32_t)1 << c[i];
	m = reduce_candidates(c, m);
	if (m == 0) {
		redundant();
		return c[0];
	}
	int k = choose(m);
	reduce_chosen(c, k);
	preemptions += costs >> c[k] & 1;
	return c[k];
}

int pick_next(const int *r, int n, int current)
{
	steps++;
	if (mode == EXHAUSTIVE)
		return pick_exhaustively(r, n, current);
	if (mode == PRIORITIES)
		return pick_by_priority(r, n, current);
	if (current >= 0 && next_random() % burst)
		return r[current];
	return r[choose(n)];
}

/* ---- one execution ---- */

/* Change points lie anywhere in a short execution or early in a long one. */
static void draw_priorities(void)
{
	for (int i = 0; i < MAX_THREADS; i++)
		priority[i] = 1 + (int)(next_random() % 1000);
	for (int i = 0; i < CHANGES; i++)
		changes[i] = (int)(next_random() % (60u << next_random() % 5));
}

static bool execute(void)
{
	steps = preemptions = 0;
	failure = KIND_NONE;
	given_up = false;
	fibers_reset(model->threads, model->thread);
	memory_reset();
	race_reset();
	heap_reset();
	seam_reset();
	trace_reset();
	reduce_reset(reduced);
	if (mode == PRIORITIES)
		draw_priorities();
	else if (mode == RANDOM)
		burst = 2u << next_random() % 6;
	if (!setjmp(leave_main)) {
		model->setup();
		for (int i = 0; i < threads; i++)
			memory_start_thread(i);
		fibers_run();
		if (!failure && (!given_up || whole)) {
			for (int i = 0; i < threads; i++)
				memory_join_thread(i);
			model->finish();
		}
	}
	return failure != KIND_NONE;
}

/* ---- the search ---- */

static void seed_with(uint64_t seed)
{
	random_state = (seed + 1) * 0x9E3779B97F4A7C15u | 1;
	for (int i = 0; i < 3; i++)
		next_random();
}

static bool next_path(void)
{
	while (known > 0 && choices[known - 1] + 1 >= widths[known - 1])
		known--;
	if (known == 0)
		return false;
	choices[known - 1]++;
	return true;
}

struct arguments {
	long executions;
	uint64_t seed;
	bool replay, complete;
	enum kind expect;
};

struct result {
	long executions, redundant; /* the latter among the former */
	bool failed, complete;	    /* complete: an exhaustive search came to its end */
	uint64_t seed;		    /* of the failed one */
};

static struct result search(const struct arguments *a)
{
	struct result r = { .seed = a->seed };
	for (;; r.seed++) {
		depth = 0;
		if (mode != EXHAUSTIVE)
			seed_with(r.seed);
		r.failed = execute();
		r.executions++;
		r.redundant += given_up;
		r.complete = !r.failed && mode == EXHAUSTIVE && !next_path();
		if (r.failed || r.complete || (a->executions && r.executions >= a->executions))
			return r;
	}
}

/* ---- crashes ---- */

static void crashed(int signal)
{
	(void)signal;
	fail(KIND_CRASH, "segmentation fault", NULL);
}

/* The stack of the thread that crashed may be what is broken. */
static void crashes_are_failures(void)
{
	static char stack[64 * 1024];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_NODEFER };
	sigaltstack(&own, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* ---- the command ---- */

static int usage(const char *program)
{
	printf("usage: %s [--random N | --pct N | --exhaustive | --replay SEED] [OPTION...]\n\n"
	       "  --random N       N executions with random interleavings and reads\n"
	       "  --pct N          N executions by random priorities with 3 change points\n"
	       "  --exhaustive     all executions with at most --preemptions P (default 2)\n"
	       "  --limit N        stop an exhaustive search after N executions\n"
	       "  --complete       fail if an exhaustive search was stopped so\n"
	       "  --unreduced      without sleep sets\n"
	       "  --membarrier     heavy fences act on all threads at once, light ones do nothing\n"
	       "  --replay SEED    one random execution, with its trace (--pct 1 --replay: by "
	       "priorities)\n"
	       "  --seed S         first seed (default 1)\n"
	       "  --expect KIND    succeed only if this is found: assert, race, use-after-free,\n"
	       "                   double-free, no-progress, deadlock, crash, or any\n",
	       program);
	return 2;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	for (int i = 1; i < argc; i++) {
		const char *key = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(key, "--exhaustive") == 0) {
			mode = EXHAUSTIVE;
			a->executions = 0;
			continue;
		}
		if (strcmp(key, "--unreduced") == 0) {
			reduced = false;
			continue;
		}
		if (strcmp(key, "--membarrier") == 0) {
			membarrier = true;
			continue;
		}
		if (strcmp(key, "--complete") == 0) {
			a->complete = true;
			continue;
		}
		i++;
		if (strcmp(key, "--random") == 0 || strcmp(key, "--pct") == 0) {
			mode = key[2] == 'p' ? PRIORITIES : RANDOM;
			a->executions = atol(value);
		} else if (strcmp(key, "--preemptions") == 0) {
			preemption_bound = atoi(value);
		} else if (strcmp(key, "--limit") == 0) {
			a->executions = atol(value);
		} else if (strcmp(key, "--seed") == 0) {
			a->seed = strtoull(value, NULL, 0);
		} else if (strcmp(key, "--replay") == 0) {
			a->seed = strtoull(value, NULL, 0);
			a->executions = 1;
			a->replay = true;
		} else if (strcmp(key, "--expect") == 0) {
			a->expect = kind_of(value);
			if (a->expect == KIND_NONE)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/* What was searched, in one line. */
static void print_searched(const struct result *r, clock_t begin)
{
	static const char *const names[] = { "random", "pct", "exhaustive" };
	printf("%ld executions (%s", r->executions, names[mode]);
	if (mode == EXHAUSTIVE)
		printf(", at most %d preemptions, %s, %ld redundant", preemption_bound,
		       r->complete ? "complete" : "stopped", r->redundant);
	printf(", %.2f s)", (double)(clock() - begin) / CLOCKS_PER_SEC);
}

int check_main(int argc, char **argv, const struct check_model *m)
{
	struct arguments a = { .executions = 20000, .seed = 1 };
	clock_t begin = clock();
	model = m;
	preemption_bound = 2;
	if (!parse(argc, argv, &a))
		return usage(argv[0]);
	crashes_are_failures();
	struct result r = search(&a);
	printf("%s: %s", m->name, r.failed ? "after " : "nothing found in ");
	print_searched(&r, begin);
	if (!r.failed) {
		printf("\n");
		return a.expect != KIND_NONE || (a.complete && !r.complete);
	}
	enum kind found = failure;
	printf(": %s\n", failure_text);
	if (a.expect == KIND_NONE || a.replay)
		trace_print();
	if (mode != EXHAUSTIVE)
		printf("replay: %s %s%s 1 --replay %llu\n", argv[0],
		       membarrier ? "--membarrier " : "", mode == RANDOM ? "--random" : "--pct",
		       (unsigned long long)r.seed);
	if (a.expect == KIND_NONE)
		return 1;
	return !(a.expect == found || (a.expect == KIND_LIMIT && found != KIND_LIMIT));
}
