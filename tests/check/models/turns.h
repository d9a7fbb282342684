/* SPDX-License-Identifier: BSD-2-Clause
 * A stand-in for the scheduler, so small that models of the runtime can be searched exhaustively: the model's first
 * threads are the workers, what is runnable is a bit of one word, any worker takes it.  It promises what the
 * scheduler promises (MQ4: release when an actor is handed over, acquire when it is taken) and nothing else.
 *
 * Link with --wrap=heist_pool_start,--wrap=heist_pool_stop,--wrap=heist_pool_submit: the pool has no threads, and
 * looks parked.  An actor that is handed over while it waits to be taken has two holders of its right to run, which
 * is found. */
#ifndef HEIST_CHECK_MODELS_TURNS_H
#define HEIST_CHECK_MODELS_TURNS_H

#include "tests/check/models/runtime.h"

#define TURNS_END ((uint32_t)1 << 31)

static heist_system *turns_system;
static _Atomic uint32_t turns_ready; /* bit per slot; TURNS_END: all is done */
static _Atomic uint32_t
	turns_busy; /* actors that are runnable or run, and threads that may make some so */

int __wrap_heist_pool_start(struct pool *p);
bool __wrap_heist_pool_stop(struct pool *p, uint64_t deadline);
void __wrap_heist_pool_submit(struct pool *p, struct runnable *r);

int __wrap_heist_pool_start(struct pool *p)
{
	for (uint32_t i = 0; i < p->workers; i++) {
		idle_search_join(&p->idle);
		idle_park(&p->idle, i);
	}
	return 0;
}

bool __wrap_heist_pool_stop(struct pool *p, uint64_t deadline)
{
	(void)p, (void)deadline;
	return true;
}

static void turns_put(struct runnable *r)
{
	uint32_t slot = (uint32_t)(actor_of(r) - turns_system->slots.base);
	CHECK_ASSERT(slot < 31);
	CHECK_ASSERT(!(
		atomic_fetch_or_explicit(&turns_ready, (uint32_t)1 << slot, memory_order_release) >>
			slot &
		1)); /* MQ4 */
	heist_futex_wake(&turns_ready, 1);
}

void __wrap_heist_pool_submit(struct pool *p, struct runnable *r)
{
	(void)p;
	atomic_fetch_add_explicit(&turns_busy, 1, memory_order_relaxed);
	turns_put(r);
}

/* Somebody who may have made others busy is no longer there. */
static void turns_leave(void)
{
	if (atomic_fetch_sub_explicit(&turns_busy, 1, memory_order_relaxed) != 1)
		return;
	atomic_fetch_or_explicit(&turns_ready, TURNS_END, memory_order_relaxed);
	heist_futex_wake(&turns_ready, INT32_MAX);
}

/* One of the runnable ones: worker 0 takes the first, worker 1 the last.  NULL: somebody was faster. */
static struct runnable *turns_take(uint32_t worker, uint32_t ready)
{
	uint32_t slot = (uint32_t)(worker ? 31 - __builtin_clz(ready) : __builtin_ctz(ready));
	uint32_t bit = (uint32_t)1 << slot;
	return atomic_fetch_and_explicit(&turns_ready, ~bit, memory_order_acquire) & bit /* MQ4 */
		       ? &turns_system->slots.base[slot].run
		       : NULL;
}

/* One that is late stays here: two workers would pass it to each other for ever. */
static void turns_run(struct rt_worker *w, struct runnable *r)
{
	enum verdict v = RUN_DONE;
	do {
		heist_count(&w->base.activations, 1);
		if (v == RUN_LATE)
			heist_relax(); /* the producer goes first, and its link is what is read next */
		v = heist_actor_run(&w->base, r);
		ctx_set_actor(&w->ctx, NULL);
	} while (v == RUN_LATE);
	if (v == RUN_DONE)
		turns_leave();
	else
		turns_put(r);
}

/* The newest value: what is missed is missed by the code under test. */
static uint32_t turns_look(void)
{
	return atomic_fetch_or_explicit(&turns_ready, 0, memory_order_relaxed);
}

/* What worker i does.  `waits`: until all is done; otherwise until nothing is runnable. */
static void turns_work(uint32_t i, bool waits)
{
	struct rt_worker *w = system_worker(turns_system, i);
	uint32_t ready;
	heist_worker_self = &w->base;
	while (!((ready = turns_look()) & TURNS_END)) {
		struct runnable *r = ready ? turns_take(i, ready) : NULL;
		if (r)
			turns_run(w, r);
		else if (!ready && !waits)
			break;
		else if (!ready)
			heist_futex_wait(&turns_ready, 0, 0);
	}
	heist_worker_self = NULL;
}

/* Workers of the stand-in hand everything over through it. */
static void turns_home(bool at_home)
{
	for (uint32_t i = 0; i < turns_system->pool.workers; i++)
		system_worker(turns_system, i)->home = at_home ? turns_system : NULL;
}

/* `others`: threads that are no workers; each calls turns_leave(). */
static heist_system *turns_start(uint32_t workers, uint32_t others)
{
	SET(turns_ready, 0);
	SET(turns_busy, others);
	turns_system = model_start(workers);
	turns_system->lost_log.next =
		UINT64_MAX; /* nothing is said of losses: it reads every counter */
	turns_home(false);
	return turns_system;
}

/* All threads have left. */
static void turns_shutdown(void)
{
	turns_home(true); /* shutdown takes turns by itself */
	CHECK_ASSERT(heist_shutdown(turns_system, 0) == HEIST_OK);
}

#endif
