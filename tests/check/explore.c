/* SPDX-License-Identifier: BSD-2-Clause
 * explore.c - threads as fibers, choices, and the search: random, by priorities, exhaustive. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/check/engine.h"

#define STACK	    (64 * 1024)
#define MAX_CHOICES 32768

enum mode { RANDOM, PRIORITIES, EXHAUSTIVE };

static struct fiber {
	ucontext_t context;
	char *stack;
	bool done, yielded, fresh; /* fresh: yielded, and reads the newest value next */
	uint64_t stores_seen;	   /* when it yielded */
	const void *asleep;
	bool may_time_out;
	int priority;
} fibers[MAX_THREADS];

int self, threads;
static const struct check_model *model;
static enum mode mode;
static int preemption_bound, preemptions, steps, changes[8], change_count;
static uint64_t random_state, stores;
static int choices[MAX_CHOICES], widths[MAX_CHOICES], depth, known;
static enum kind failure;
static char failure_text[512];
static jmp_buf leave_main;
static ucontext_t loop;

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
	if (n <= 1)
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

/* ---- ends ---- */

static _Noreturn void end_execution(void)
{
	if (self == MAIN)
		longjmp(leave_main, 1);
	setcontext(&loop);
	abort();
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

void check_assert_failed(const char *what, const char *file, int line)
{
	char text[256];
	snprintf(text, sizeof text, "%s (%s:%d)", what, file, line);
	fail(KIND_ASSERT, text, NULL);
}

/* ---- scheduling ---- */

void stores_changed(void)
{
	stores++;
}

bool take_yield(void)
{
	bool y = fibers[self].fresh;
	fibers[self].fresh = false;
	return y;
}

/* Threads that can go on: not those asleep; of those that yielded, `eager` takes only those since whose
 * yield somebody has stored. */
static int runnable(int *out, bool eager)
{
	int n = 0;
	for (int i = 0; i < threads; i++) {
		struct fiber *f = &fibers[i];
		if (f->done || (f->asleep && !f->may_time_out))
			continue;
		if (eager && f->yielded && f->stores_seen == stores)
			continue;
		out[n++] = i;
	}
	return n;
}

static int by_priority(const int *r, int n)
{
	int best = r[0];
	for (int i = 1; i < n; i++)
		if (fibers[r[i]].priority > fibers[best].priority)
			best = r[i];
	return best;
}

/* All wait for each other: take turns, so that each comes to read the newest values. */
static int next_in_turn(void)
{
	int r[MAX_THREADS], n = runnable(r, false);
	for (int i = 0; i < n; i++)
		if (r[i] > self)
			return r[i];
	return n ? r[0] : -1;
}

static int pick_thread(void)
{
	int r[MAX_THREADS], n = runnable(r, true), current = -1;
	if (n == 0)
		return next_in_turn();
	for (int i = 0; i < n; i++)
		if (r[i] == self)
			current = i;
	if (mode == PRIORITIES) {
		for (int i = 0; i < change_count; i++)
			if (changes[i] == steps && current >= 0)
				fibers[self].priority = -i;
		return by_priority(r, n);
	}
	if (current < 0)
		return r[choose(n)];
	if (mode == RANDOM)
		return next_random() % 4 ? self : r[choose(n)];
	if (preemptions >= preemption_bound)
		return self;
	r[current] = r[0]; /* staying is choice 0 */
	r[0] = self;
	int c = choose(n);
	preemptions += c != 0;
	return r[c];
}

static void switch_to(int t)
{
	struct fiber *f = &fibers[t];
	int old = self;
	f->yielded = false;
	f->asleep = NULL; /* it was woken, or its time is out */
	self = t;
	if (t != old)
		swapcontext(&fibers[old].context, &f->context);
}

static void reschedule(void)
{
	int t = pick_thread();
	if (t < 0)
		fail(KIND_DEADLOCK, "every thread is asleep", NULL);
	switch_to(t);
}

void step(void)
{
	if (self == MAIN)
		return;
	if (++steps > MAX_STEPS)
		fail(KIND_PROGRESS, "no progress", NULL);
	reschedule();
}

void yielded(void)
{
	if (self == MAIN)
		return;
	struct fiber *f = &fibers[self];
	f->yielded = f->fresh = true;
	f->stores_seen = stores;
	if (mode == PRIORITIES)
		f->priority = -100 - steps; /* a spinner lets everybody else go first */
	step();
}

void sleep_on(const void *word, bool timeout)
{
	if (self == MAIN)
		fail(KIND_DEADLOCK, "setup or finish sleeps", NULL);
	fibers[self].asleep = word;
	fibers[self].may_time_out = timeout;
	reschedule();
}

int wake(const void *word, int count)
{
	int n = 0;
	for (int i = 0; i < threads && n < count; i++)
		if (fibers[i].asleep == word) {
			fibers[i].asleep = NULL;
			n++;
		}
	return n;
}

bool on_private_stack(const void *p)
{
	if (self == MAIN)
		return true;
	char *s = fibers[self].stack;
	return (const char *)p >= s && (const char *)p < s + STACK;
}

/* ---- one execution ---- */

static void fiber_main(int i)
{
	model->thread(i);
	fibers[i].done = true;
	stores++;
	int t = pick_thread();
	bool all = true;
	for (int k = 0; k < threads; k++)
		all &= fibers[k].done;
	if (all)
		setcontext(&loop);
	if (t < 0)
		fail(KIND_DEADLOCK, "every thread that is left is asleep", NULL);
	self = t;
	fibers[t].yielded = false;
	fibers[t].asleep = NULL;
	setcontext(&fibers[t].context);
}

static void fibers_start(void)
{
	for (int i = 0; i < threads; i++) {
		struct fiber *f = &fibers[i];
		char *stack = f->stack ? f->stack : malloc(STACK);
		memset(f, 0, sizeof *f);
		f->stack = stack;
		f->priority = mode == PRIORITIES ? 1 + (int)(next_random() % 1000) : 0;
		getcontext(&f->context);
		f->context.uc_stack.ss_sp = stack;
		f->context.uc_stack.ss_size = STACK;
		makecontext(&f->context, (void (*)(void))fiber_main, 1, i);
	}
	change_count = 3;
	for (int i = 0; i < change_count && mode == PRIORITIES; i++)
		changes[i] = (int)(next_random() % 120);
}

static void run_threads(void)
{
	volatile bool started = false;
	getcontext(&loop);
	if (started)
		return;
	started = true;
	self = choose(threads);
	setcontext(&fibers[self].context);
}

static bool execute(void)
{
	steps = preemptions = 0;
	stores = 0;
	failure = KIND_NONE;
	memory_reset();
	trace_reset();
	threads = model->threads;
	self = MAIN;
	if (!setjmp(leave_main)) {
		model->setup();
		memory_start_threads();
		fibers_start();
		run_threads();
		self = MAIN;
		if (!failure) {
			memory_join_threads();
			model->finish();
		}
	}
	memory_release_all();
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
	bool replay;
	enum kind expect;
};

/* Number of executions; *bad: the last one failed, with *seed. */
static long search(const struct arguments *a, bool *bad, uint64_t *seed)
{
	long n = 0;
	*bad = false;
	for (*seed = a->seed;; (*seed)++) {
		depth = 0;
		if (mode != EXHAUSTIVE)
			seed_with(*seed);
		n++;
		if ((*bad = execute()))
			return n;
		if (mode == EXHAUSTIVE ? !next_path() || (a->executions && n >= a->executions)
				       : n >= a->executions)
			return n;
	}
}

static int usage(const char *program)
{
	printf("usage: %s [--random N | --pct N | --exhaustive | --replay SEED] [OPTION...]\n\n"
	       "  --random N       N executions with random interleavings and reads\n"
	       "  --pct N          N executions by random priorities with 3 change points\n"
	       "  --exhaustive     all executions with at most --preemptions P (default 2)\n"
	       "  --limit N        stop an exhaustive search after N executions\n"
	       "  --replay SEED    one random execution, with its trace (--pct 1 --replay: by "
	       "priorities)\n"
	       "  --seed S         first seed (default 1)\n"
	       "  --expect KIND    succeed only if this is found: assert, race, use-after-free,\n"
	       "                   double-free, no-progress, deadlock, or any\n",
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

int check_main(int argc, char **argv, const struct check_model *m)
{
	static const char *const names[] = { "random", "pct", "exhaustive" };
	struct arguments a = { .executions = 20000, .seed = 1 };
	uint64_t seed;
	bool bad;
	model = m;
	preemption_bound = 2;
	if (!parse(argc, argv, &a))
		return usage(argv[0]);
	long n = search(&a, &bad, &seed);
	if (!bad) {
		printf("%s: nothing found in %ld executions (%s)\n", m->name, n, names[mode]);
		return a.expect != KIND_NONE;
	}
	enum kind found = failure;
	printf("%s: after %ld executions (%s): %s\n", m->name, n, names[mode], failure_text);
	if (a.expect == KIND_NONE || a.replay)
		trace_print();
	if (mode != EXHAUSTIVE)
		printf("replay: %s %s 1 --replay %llu\n", argv[0],
		       mode == RANDOM ? "--random" : "--pct", (unsigned long long)seed);
	if (a.expect == KIND_NONE)
		return 1;
	return !(a.expect == found || (a.expect == KIND_LIMIT && found != KIND_LIMIT));
}
