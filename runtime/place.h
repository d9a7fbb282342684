/* SPDX-License-Identifier: BSD-2-Clause
 * place.h - where an actor runs: the runtime's own pool, a named pool, or a thread for it alone.
 *
 * Every place but the runtime's own pool is a pool of the scheduler by itself: nothing is stolen across, and
 * what is made runnable for another place goes through that pool's inbox.  The thread of an actor is a
 * pool of one worker; when its actor has ended it serves the next one that wants a thread.
 *
 * Named pools are made with the runtime and live as long.  Threads are hired when they are first needed,
 * so they and their workers appear while others look: both tables only grow.
 *
 * Who may call        hire: any thread, for a spawn.  retire: the runner of the actor that had it.
 *                     Everything else: any thread.
 * Progress            hire and retire are blocking (one lock; a thread is started under it), the rest
 *                     is wait-free.
 * Linearizes at       hire, retire: the lock.
 * Edges               PP1 release store of a count -> acquire load of it: the entries below
 *                     LK1 of spinlock.h: the free threads
 * Invariants          I1 an entry is written once, before its count includes it.  I2 a thread is either
 *                     free or one living actor's, which alone was given it; what is left in its inbox
 *                     of an actor before is drained there. */
#ifndef HEIST_RUNTIME_PLACE_H
#define HEIST_RUNTIME_PLACE_H

#include <heist/heist.h>

#include "runtime/spinlock.h"
#include "sched/pool.h"

#define POOLS_MAX   63
#define THREADS_MAX 64
#define PLACES_MAX  (1 + POOLS_MAX + THREADS_MAX) /* at most 128: actor.config */
#define CREW_MAX    (SCHED_MAX_WORKERS + THREADS_MAX)

struct heist_system;
struct rt_worker;

struct place {
	struct pool pool;
	uint32_t index;
	uint32_t batch;	    /* messages per activation; 0: the runtime's */
	uint64_t budget_ns; /* time per activation; 0: the runtime's     */
	struct place *free; /* the next free thread */
	char name[48];	    /* of a pool; else "" */
};

struct places {
	struct spinlock lock;
	bool closed;	    /* no thread more is hired: all are being stopped */
	struct place *free; /* threads whose actor has ended */
	uint32_t threads, threads_max;
	run_fn *run;		/* of threads that are hired from now on */
	_Atomic uint32_t count; /* of entry, from 1 on */
	struct place *entry[PLACES_MAX];
	/* every worker of every place, numbered; at first those that the runtime starts with */
	uint32_t crew_first;
	_Atomic uint32_t crew_count;
	struct rt_worker *crew[CREW_MAX];
};

/* The pools of config, and the runtime's own one, which exists.  Threads do not run yet.  0, or -1: no
 * memory; heist_places_destroy cleans up. */
int heist_places_init(struct heist_system *s, const heist_config *config);
/* NULL, or what is wrong with them. */
const char *heist_places_bad(const heist_config *config, uint32_t workers);
/* Workers of all named pools of a configuration that is not bad. */
uint32_t heist_places_workers(const heist_config *config);
/* Spares of a pool: as many as asked for, 0: as workers, none with one; at most `left`. */
uint32_t heist_spares_choose(uint32_t asked, uint32_t workers, uint32_t left);
/* Start the threads of the named pools; -1: none of them runs. */
int heist_places_start(struct heist_system *s);
void heist_places_destroy(struct heist_system *s);

/* All places, from now on: another function for a run. */
void heist_places_run_with(struct heist_system *s, run_fn *run);
/* Hire no more, and stop the threads of every place, the runtime's own included.  False: one is in a handler; call again. */
bool heist_places_stop(struct heist_system *s, uint64_t deadline);

/* The index of a named pool; 0: there is none. */
uint32_t heist_place_find(struct heist_system *s, const char *name);
/* A thread for one actor.  ENOMEM: no memory, no thread, or too many; ECLOSED: they are being stopped, or were. */
heist_status heist_place_hire(struct heist_system *s, uint32_t *place);
void heist_place_retire(struct heist_system *s, uint32_t place);

/* Does an actor with this config, which has CONFIG_BOUND, belong on w? */
bool heist_place_is_here(struct rt_worker *w, uint16_t config);
/* Whoever has won the right to run it: to its place.  w NULL: foreign. */
void heist_place_submit(struct heist_system *s, struct rt_worker *w, uint16_t config,
			struct runnable *r);

#endif
