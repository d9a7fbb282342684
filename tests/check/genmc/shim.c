/* SPDX-License-Identifier: BSD-2-Clause
 * shim.c - check.h and the seam by threads, so that a model runs unchanged outside heist-check: under
 * GenMC (-DGENMC), which explores every execution of one round, and as a plain program of ROUNDS rounds.
 *
 * GenMC reads one source file and knows neither assembly nor system calls: a file made by genmc.py
 * includes this one, the model and the product's sources.  A sleeper is a loop until the futex word
 * changes; GenMC makes a wait of it and reports, as a violation of liveness, one that nothing can end.
 * So a store that is missing before a wake-up is found, a wake-up that is missing after the store is not. */
#include "lockfree/check.h"
#include "lockfree/seam.h"
#include "tests/check/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_THREADS 4

static const struct check_model *model;

#ifdef GENMC

/* Nothing else reaches the shared memory of a loop that waits. */
void heist_check_relax(void)
{
}

_Noreturn void check_assert_failed(const char *what, const char *file, int line)
{
	__VERIFIER_assert_fail(what, file, line);
	abort();
}

void *check_alloc(size_t size, size_t align)
{
	return aligned_alloc(align, (size + align - 1) / align * align);
}

#else

#include <sched.h>
#include <string.h>

#ifndef ROUNDS
#define ROUNDS 2000
#endif

void heist_check_relax(void)
{
	sched_yield();
}

_Noreturn void check_assert_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s: %s (%s:%d)\n", model->name, what, file, line);
	abort();
}

void *check_alloc(size_t size, size_t align)
{
	void *p = aligned_alloc(align, (size + align - 1) / align * align);
	return p ? memset(p, 0, size) : NULL;
}

#endif

void check_free(void *p)
{
	free(p);
}

/* ---- the seam ---- */

void heist_check_poison(void *p, size_t size)
{
	(void)p, (void)size;
}

void heist_check_unpoison(void *p, size_t size)
{
	(void)p, (void)size;
}

void heist_check_fence_light(void)
{
	heist_fence_full();
}

void heist_fence_heavy(void)
{
	heist_fence_full();
}

bool heist_fence_thief(void)
{
	heist_fence_full();
	return true;
}

void heist_thread_yield(void)
{
	heist_relax();
}

/* Every sleeper wakes at once without a reason, as the seam allows: the loop around it waits. */
enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	(void)word, (void)expected, (void)deadline;
	heist_relax();
	return HEIST_WAIT_WOKEN;
}

int heist_futex_wake(_Atomic uint32_t *word, int count)
{
	(void)word;
	return count;
}

/* ---- rounds ---- */

static void *enter(void *self);
static pthread_t threads[MOST_THREADS];

static void threads_start(void)
{
	for (int i = 0; i < model->threads; i++)
		if (pthread_create(&threads[i], NULL, enter, (void *)(intptr_t)i) != 0)
			abort();
}

static void threads_join(void)
{
	for (int i = 0; i < model->threads; i++)
		pthread_join(threads[i], NULL);
}

#ifdef GENMC

/* One round, as long as its threads. */
static void *enter(void *self)
{
	model->thread((int)(intptr_t)self);
	return NULL;
}

static void run_rounds(void)
{
	model->setup();
	threads_start();
	threads_join();
	model->finish();
}

#else

static pthread_barrier_t edge; /* begin or end of a round */

static void *enter(void *self)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&edge);
		model->thread((int)(intptr_t)self);
		pthread_barrier_wait(&edge);
	}
	return NULL;
}

/* The same threads for all: a sanitizer takes long to start one. */
static void run_rounds(void)
{
	if (pthread_barrier_init(&edge, NULL, (unsigned)model->threads + 1) != 0)
		abort();
	threads_start();
	for (int i = 0; i < ROUNDS; i++) {
		model->setup();
		pthread_barrier_wait(&edge);
		pthread_barrier_wait(&edge);
		model->finish();
	}
	threads_join();
}

#endif

int check_main(int argc, char **argv, const struct check_model *m)
{
	(void)argc, (void)argv;
	model = m;
	run_rounds();
	return 0;
}
