/* SPDX-License-Identifier: BSD-2-Clause
 * engine.h - the parts of the checker for each other. */
#ifndef HEIST_CHECK_ENGINE_H
#define HEIST_CHECK_ENGINE_H

#include <stdbool.h>

#include "tests/check/check.h"

#define MAX_THREADS   6
#define MAX_LOCATIONS 192
#define MAX_STEPS     6000
#define MAIN	      MAX_THREADS /* the index of setup and finish */

enum kind {
	KIND_NONE,
	KIND_ASSERT,
	KIND_RACE,
	KIND_FREED,
	KIND_DOUBLE_FREE,
	KIND_PROGRESS,
	KIND_DEADLOCK,
	KIND_LIMIT
};
enum order { RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

/* ---- explore.c: threads, choices, the loop over executions ---- */
extern int self;    /* the running thread */
extern int threads; /* of the model */
int choose(int n);  /* 0..n-1, a branch of the search */
bool chance(int one_in);
void step(void);       /* before every shared access: somebody else may run first */
void yielded(void);    /* the running thread waits for others */
bool take_yield(void); /* it did; forget it */
void stores_changed(void);
void sleep_on(const void *word, bool timeout);
int wake(const void *word, int count);
_Noreturn void fail(enum kind kind, const char *what, void *where);
bool on_private_stack(const void *p);

/* ---- memory.c: views, modification orders, races ---- */
void memory_reset(void);
void memory_start_threads(void);
void memory_join_threads(void);
uint64_t memory_load(void *p, int size, enum order o, void *where);
void memory_store(void *p, int size, uint64_t v, enum order o, void *where);
uint64_t memory_rmw(void *p, int size, int op, uint64_t v, enum order o, void *where);
bool memory_cas(void *p, int size, uint64_t *expected, uint64_t v, enum order ok, enum order no,
		void *where);
void memory_fence(enum order o, void *where);
void memory_plain(const void *p, int size, bool write, void *where);
void memory_release_all(void); /* allocations of the execution */

/* ---- report.c ---- */
void trace_reset(void);
void trace(const char *what, const void *p, uint64_t v, void *where);
void trace_print(void);
const char *kind_name(enum kind k);
enum kind kind_of(const char *name);
void source_line(void *where, char *out, size_t size);

#endif
