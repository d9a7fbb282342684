/* SPDX-License-Identifier: BSD-2-Clause
 * stress.h - a stress program: very many tiny rounds, each of which ends in quiescence and is then
 * accounted for exactly.
 *
 * Long runs that are only checked at their end hide lost wake-ups and doubled items behind the next
 * event; a round of a few operations cannot.  usage of every program:
 *
 *     stress_NAME [--rounds N] [--seconds T] [--seed S] [--hang T] [--expect-failure]
 *
 * It ends after N rounds, or when T seconds have passed (0, the default: never), for machines that are
 * busy or slow.
 *
 * Round i is made from seed S + i, so the operations of a bad round are replayed by
 * `--seed S+i --rounds 1` (its timing is not).  --expect-failure is for programs that were broken on
 * purpose: status 0 if and only if a round goes wrong.
 *
 * A round that does not end within a minute (--hang T: T seconds) goes wrong too.  Then dump prints
 * the state, and the watchdog (watchdog.h) that of runtimes and threads. */
#ifndef HEIST_TESTS_STRESS_H
#define HEIST_TESTS_STRESS_H

#include "tests/support/rng.h"

#include <stdbool.h>

#define STRESS_THREADS 3 /* most there are */

struct stress {
	const char *name;
	int threads;				/* thread 0 is the one that calls begin and end */
	long rounds;				/* unless --rounds says otherwise */
	void (*begin)(struct rng *r);		/* alone: set up a round */
	void (*run)(int thread, struct rng *r); /* all at once */
	void (*end)(void);			/* alone: everybody is done; account */
	void (*dump)(void); /* may be NULL: on a hang, print what is not in a runtime */
};

/* Runs the rounds; the exit status. */
int stress_main(int argc, char **argv, const struct stress *s);

/* Any thread: this round went wrong.  Prints what, round and seed, and ends the process. */
__attribute__((noreturn, cold, format(printf, 1, 2))) void stress_fail(const char *what, ...);

#define STRESS_CHECK(cond)                                                                         \
	do {                                                                                       \
		if (!(cond))                                                                       \
			stress_fail("%s:%d: %s", __FILE__, __LINE__, #cond);                       \
	} while (0)

/* One turn of a loop that waits for another thread; *turns counts them, from 0.  On a busy machine the
 * other may have lost its CPU, and needs ours. */
void stress_wait(int *turns);

/* 0 to 63 steps of a few cycles or, at times, of some ten: shifts the threads against each other. */
static inline void stress_delay(struct rng *r)
{
	uint64_t x = rng_next(r) >> 32;
	for (uint64_t i = (x & 63) << (x & 64 ? 3 : 0); i > 0; i--)
		__asm__ volatile("" ::: "memory");
}

#endif
