/* SPDX-License-Identifier: BSD-2-Clause
 * check.h - heist-check: a model checker for C11 lock-free code, for writers of models.
 *
 * A model is a program: setup runs alone, then `threads` threads, and those that the code under test
 * starts, run under a scheduler that picks every interleaving step and every value a weakly ordered
 * machine might read, then finish runs alone.  Each has thread-locals of its own.  The
 * code under test is compiled with -fsanitize=thread and linked with the checker instead of libtsan, so
 * every atomic and every plain access of unchanged headers is seen.
 *
 *     static const struct check_model m = { "deque", 3, setup, thread, finish };
 *     int main(int argc, char **argv) { return check_main(argc, argv, &m); }
 *
 * Found: failed CHECK_ASSERTs and assertions of the code under test, data races, uses after free, double
 * frees, crashes, deadlock (all asleep), no progress (a step bound).  See README.md for the memory model and the limits. */
#ifndef HEIST_CHECK_H
#define HEIST_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct check_model {
	const char *name;
	int threads;
	void (*setup)(void);
	void (*thread)(int self);
	void (*finish)(void);
};

/* The command: see --help.
 * Exit status 0: nothing found, or exactly the kind that was expected. */
int check_main(int argc, char **argv, const struct check_model *m);
/* Before it: an execution that only repeats an earlier one is run to its end all the same, for code whose static
 * data setup cannot put back. */
void check_run_whole(void);

_Noreturn void check_assert_failed(const char *what, const char *file, int line);
#define CHECK_ASSERT(c) ((c) ? (void)0 : check_assert_failed(#c, __FILE__, __LINE__))

/* Memory whose use after free is found, zeroed; never handed out again within an execution. */
void *check_alloc(size_t size, size_t align);
void check_free(void *p);
/* How many allocations have not been freed. */
int check_live(void);
/* Pools: this part of an allocation may not be touched, or may again. */
void check_poison(void *p, size_t size);
void check_revive(void *p, size_t size);
/* Addresses only: to be revived before use. */
void *check_reserve(size_t size, size_t align);

/* Wait, as poll(2) does, until the event descriptor `fd` of the seam is readable. */
void check_event_wait(int fd);

#endif
