/* SPDX-License-Identifier: BSD-2-Clause
 * fiber.c - threads as fibers of one thread: switching, sleeping, starting, joining, thread-locals. */
#define _GNU_SOURCE
#include <link.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/check/engine.h"

#define STACK	  (128 * 1024)
#define MAX_LOCAL 4096 /* bytes of thread-locals */

static struct fiber {
	jmp_buf at;
	char *stack;
	char locals[MAX_LOCAL];
	void (*entry)(void *);
	void *arg;
	bool started, first;	   /* first: it has not come to its first step yet */
	bool done, yielded, fresh; /* fresh: yielded, and reads the newest value next */
	uint64_t stores_seen;	   /* when it yielded */
	const void *asleep;
	uint64_t deadline; /* of its sleep, 0 = none */
	bool timed_out;
	struct access next;
} fibers[MAX_THREADS];

int self, threads;
static uint64_t stores;
static void (*model_thread)(int);
static jmp_buf loop;

/* ---- thread-locals of the program under test: one block, swapped with the fiber ---- */

static char *locals, locals_at_start[MAX_LOCAL];
static size_t locals_size;

static int find_locals(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size, (void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS) {
			locals = info->dlpi_tls_data;
			locals_size = info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the program comes first */
}

static void locals_reset(void)
{
	static bool found;
	if (!found) {
		found = true;
		dl_iterate_phdr(find_locals, NULL);
		if (locals_size > MAX_LOCAL)
			abort();
		if (locals)
			memcpy(locals_at_start, locals, locals_size);
	}
	if (locals)
		memcpy(locals, locals_at_start, locals_size);
	for (int i = 0; i < MAX_THREADS && locals; i++)
		memcpy(fibers[i].locals, locals_at_start, locals_size);
}

bool on_private_memory(const void *p)
{
	const char *c = p;
	if (locals && c >= locals && c < locals + locals_size)
		return true;
	return self != MAIN && c >= fibers[self].stack && c < fibers[self].stack + STACK;
}

/* ---- who can run ---- */

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

struct access pending(int thread)
{
	return fibers[thread].next;
}

/* Threads that can go on: not those asleep; of those that yielded, `eager` takes only those since whose
 * yield somebody has stored. */
static int runnable(int *out, bool eager)
{
	int n = 0;
	for (int i = 0; i < threads; i++) {
		struct fiber *f = &fibers[i];
		if (f->done || (f->asleep && f->deadline == 0))
			continue;
		if (eager && f->yielded && f->stores_seen == stores)
			continue;
		out[n++] = i;
	}
	return n;
}

/* All wait for each other: take turns, so that each comes to read the newest values. */
static int next_in_turn(int *out)
{
	int r[MAX_THREADS], n = runnable(r, false);
	int i = 0;
	while (i < n && r[i] <= self)
		i++;
	out[0] = r[i < n ? i : 0];
	return n > 0;
}

/* An exhaustive search brings every thread to its first step at once: what it does before is its own. */
static int unstarted(void)
{
	for (int i = 0; i < threads && exhaustive(); i++)
		if (!fibers[i].started)
			return i;
	return -1;
}

static int pick_thread(void)
{
	int r[MAX_THREADS], n, current = -1, t = unstarted();
	if (t >= 0)
		return t;
	n = runnable(r, true);
	if (n == 0 && (n = next_in_turn(r)) == 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (r[i] == self && !fibers[self].first && !fibers[self].asleep)
			current = i;
	fibers[self].first = false;
	return pick_next(r, n, current);
}

/* ---- switching ---- */

static void fiber_main(void);

static void enter(int t)
{
	struct fiber *f = &fibers[t];
	f->yielded = false;
	if (f->asleep) { /* it was not woken: its time is out */
		f->asleep = NULL;
		f->timed_out = true;
		clock_reach(f->deadline);
	}
	if (locals && t != self) {
		memcpy(fibers[self].locals, locals, locals_size);
		memcpy(locals, f->locals, locals_size);
	}
	self = t;
	if (f->started)
		_longjmp(f->at, 1);
	f->started = f->first = true;
	ucontext_t c;
	getcontext(&c);
	c.uc_stack.ss_sp = f->stack;
	c.uc_stack.ss_size = STACK;
	makecontext(&c, fiber_main, 0);
	setcontext(&c);
	abort();
}

static __attribute__((noinline)) void switch_to(int t)
{
	if (!_setjmp(fibers[self].at))
		enter(t);
}

static void reschedule(void)
{
	int t = pick_thread();
	if (t < 0)
		fail(KIND_DEADLOCK, "every thread is asleep", NULL);
	if (t == self && !fibers[t].asleep)
		fibers[t].yielded = false;
	else
		switch_to(t);
}

void step(struct access next)
{
	if (self == MAIN)
		return;
	fibers[self].next = next;
	if (steps_so_far() > MAX_STEPS)
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
	policy_waits(self);
	step((struct access){ ACT_UNKNOWN, false, NULL });
}

bool sleep_on(const void *word, uint64_t deadline)
{
	if (self == MAIN)
		fail(KIND_DEADLOCK, "setup or finish sleeps", NULL);
	struct fiber *f = &fibers[self];
	f->asleep = word;
	f->deadline = deadline;
	f->timed_out = false;
	f->next = (struct access){ ACT_UNKNOWN, false, NULL };
	if (deadline)
		policy_waits(self);
	reschedule();
	return f->timed_out;
}

bool in_timed_sleep(int thread)
{
	return fibers[thread].asleep && fibers[thread].deadline;
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

/* ---- start, end, join ---- */

static void fiber_main(void)
{
	struct fiber *f = &fibers[self];
	if (f->entry)
		f->entry(f->arg);
	else
		model_thread(self);
	f->done = true;
	f->first = false;
	stores++;
	reduce_forget();
	wake(f, MAX_THREADS);
	bool all = true;
	for (int i = 0; i < threads; i++)
		all &= fibers[i].done;
	if (all)
		fibers_leave();
	int t = pick_thread();
	if (t < 0)
		fail(KIND_DEADLOCK, "every thread that is left is asleep", NULL);
	enter(t);
}

static void fiber_init(int i, void (*entry)(void *), void *arg)
{
	struct fiber *f = &fibers[i];
	if (!f->stack)
		f->stack = aligned_alloc(64, STACK);
	f->entry = entry;
	f->arg = arg;
	f->started = f->first = f->done = f->yielded = f->fresh = f->timed_out = false;
	f->asleep = NULL;
	f->next = (struct access){ ACT_NOTHING, false, NULL };
}

void fibers_reset(int count, void (*entry)(int))
{
	stores = 0;
	threads = count;
	model_thread = entry;
	self = MAIN;
	locals_reset();
	for (int i = 0; i < count; i++)
		fiber_init(i, NULL, NULL);
}

int fiber_start(void (*entry)(void *), void *arg)
{
	if (threads == MAX_THREADS)
		fail(KIND_LIMIT, "too many threads", NULL);
	fiber_init(threads, entry, arg);
	if (self != MAIN)
		memory_start_thread(threads);
	reduce_forget();
	return threads++;
}

void fiber_join(int thread)
{
	step((struct access){ ACT_UNKNOWN, false, NULL });
	while (!fibers[thread].done)
		sleep_on(&fibers[thread], 0);
	memory_join_thread(thread);
}

void fibers_leave(void)
{
	_longjmp(loop, 1);
}

static int first_thread(void)
{
	int r[MAX_THREADS], t = unstarted();
	for (int i = 0; i < threads; i++)
		r[i] = i;
	return t >= 0 ? t : pick_next(r, threads, -1);
}

void fibers_run(void)
{
	static char main_locals[MAX_LOCAL];
	if (locals)
		memcpy(main_locals, locals, locals_size);
	if (!_setjmp(loop)) {
		self = first_thread(); /* the locals of main are kept here, not with a fiber */
		if (locals)
			memcpy(locals, fibers[self].locals, locals_size);
		enter(self);
	}
	self = MAIN;
	if (locals)
		memcpy(locals, main_locals, locals_size);
}
