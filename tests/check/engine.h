/* SPDX-License-Identifier: BSD-2-Clause
 * engine.h - the parts of the checker for each other. */
#ifndef HEIST_CHECK_ENGINE_H
#define HEIST_CHECK_ENGINE_H

#include <stdbool.h>

#include "tests/check/check.h"

#define MAX_THREADS   6
#define MAX_LOCATIONS 1024 /* atomic ones */
#define MAX_STEPS     24000
#define MAIN	      MAX_THREADS /* the index of setup and finish */

enum kind {
	KIND_NONE,
	KIND_ASSERT,
	KIND_RACE,
	KIND_FREED,
	KIND_DOUBLE_FREE,
	KIND_PROGRESS,
	KIND_DEADLOCK,
	KIND_CRASH,
	KIND_LIMIT
};
enum order { RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

/* What a thread is about to do; two steps that are independent may be swapped (reduce.c). */
enum act { ACT_NOTHING, ACT_LOAD, ACT_STORE, ACT_FENCE, ACT_UNKNOWN };
struct access {
	enum act act;
	bool seq_cst;
	const void *address;
};

/* ---- explore.c: choices, policies, the loop over executions ---- */
int choose(int n); /* 0..n-1, a branch of the search */
bool chance(int one_in);
bool rarely(int one_in); /* never in an exhaustive search */
/* The thread to go on with, of n > 0 runnable ones; `current`: among them, or -1. */
int pick_next(const int *runnable, int n, int current);
void policy_waits(int thread); /* it spins, or sleeps until a deadline */
_Noreturn void fail(enum kind kind, const char *what, void *where);
bool exhaustive(void);
int steps_so_far(void);

/* ---- fiber.c: threads as fibers ---- */
extern int self;    /* the running thread */
extern int threads; /* of this execution, those started by others too */
struct access pending(int thread);
void fibers_reset(int count, void (*entry)(int));
void fibers_run(void); /* until all are done */
int fiber_start(void (*entry)(void *), void *arg);
void fiber_join(int thread);
void step(struct access next); /* before every shared access: somebody else may run first */
void yielded(void);	       /* the running thread waits for others */
bool take_yield(void);	       /* it did; forget it */
void stores_changed(void);
/* True: the deadline (absolute, 0 = none) came first. */
bool sleep_on(const void *word, uint64_t deadline);
int wake(const void *word, int count);
bool in_timed_sleep(int thread);
bool on_private_memory(const void *p); /* own stack, thread-locals */
_Noreturn void fibers_leave(void);     /* the execution is over */

/* ---- reduce.c: sleep sets ---- */
void reduce_reset(bool on);
/* Drop from `candidates` what need not be explored; returns how many are left. */
int reduce_candidates(int *candidates, int n);
/* Candidate `taken` of those was chosen. */
void reduce_chosen(const int *candidates, int taken);
/* The running thread did something that no access tells of. */
void reduce_forget(void);

/* ---- memory.c: views, modification orders ---- */
void memory_reset(void);
void memory_start_thread(int thread);
void memory_join_thread(int thread);
uint64_t memory_load(void *p, int size, enum order o, void *where);
void memory_store(void *p, int size, uint64_t v, enum order o, void *where);
uint64_t memory_rmw(void *p, int size, int op, uint64_t v, enum order o, void *where);
bool memory_cas(void *p, int size, uint64_t *expected, uint64_t v, enum order ok, enum order no,
		void *where);
void memory_fence(enum order o, void *where);
/* membarrier(2): as if each thread had a seq_cst fence at this point. */
void memory_fence_everywhere(void *where);
uint32_t *memory_times(int thread); /* its vector clock */

/* ---- race.c: plain accesses ---- */
void race_reset(void);
void race_access(const void *p, bool write, void *where);
void race_free(const void *p, size_t size, void *where);
/* An atomic access: it may race with plain ones that came before. */
void race_atomic(const void *p, bool write, void *where);

/* ---- heap.c: memory whose misuse is found ---- */
void heap_reset(void);
void heap_check(const void *p, void *where);

/* ---- seam.c ---- */
extern bool
	membarrier; /* heavy fences are membarrier(2), light ones nothing; else both are seq_cst */
void seam_reset(void);
uint64_t clock_now(void);
void clock_reach(uint64_t t);

/* ---- report.c ---- */
void trace_reset(void);
void trace(const char *what, const void *p, uint64_t v, void *where);
void trace_print(void);
const char *kind_name(enum kind k);
enum kind kind_of(const char *name);
void source_line(void *where, char *out, size_t size);

#endif
