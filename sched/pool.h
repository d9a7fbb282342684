/* SPDX-License-Identifier: BSD-2-Clause
 * pool.h - the set of workers: create, start, submit from outside, quiescence, stop.
 *
 * The scheduler knows no actors: it runs struct runnable through ops->run.  A pool either owns one
 * thread per worker, or has one worker that a host thread drives (pool_config.polled). */
#ifndef HEIST_SCHED_POOL_H
#define HEIST_SCHED_POOL_H

#include "sched/spare.h"
#include "sched/topology.h"
#include "sched/watchdog.h"
#include "sched/worker.h"

struct pool_ops {
	/* Run r for one batch.  If that is more than one message, it counts them down in
	 * w->clock_left, and calls heist_worker_clock when that reaches 0. */
	run_fn *run;
	/* The worker has nothing to run: send what was deferred.  True: look again. */
	bool (*flush)(struct worker *w);
	/* Between two activations, every 64: the clock was read, `elapsed` ns after the last time. */
	void (*tick)(struct worker *w, uint64_t elapsed);
	/* In a turn of the slot, when w has had at least w->due activations; sets w->due anew.  May be NULL
	 * where that stays what it is at first, UINT64_MAX. */
	void (*due)(struct worker *w);
	/* `stuck` has been in one activation for long: make runnable what it holds back.  True: look
	 * for work again. */
	bool (*stuck)(struct worker *w, struct worker *stuck);
	/* The watchdog: w has been in activation n for `elapsed` ns.  May be NULL without a watchdog. */
	void (*hog)(struct worker *w, uint64_t n, uint64_t elapsed);
	/* worker_handled.  NULL: activations count. */
	uint64_t (*handled)(struct worker *w);
	/* The worker is about to sleep: return memory. */
	void (*trim)(struct worker *w);
	/* Fire timers due at `now`; the next deadline, 0 = none. */
	uint64_t (*timers)(struct worker *w, uint64_t now);
	/* Call body(arg).  If a run is abandoned by a jump to here, settle what it ran and call body
	 * again. */
	void (*guard)(struct worker *w, void (*body)(void *), void *arg);
	/* A polled worker has work and nobody polls. */
	void (*signal_host)(struct worker *w);
	/* One line of warning. */
	void (*warn)(struct pool *p, const char *line);
};

struct pool_config {
	const struct pool_ops *ops;
	const struct heist_memory *memory;
	uint32_t workers;
	uint32_t spares; /* at most SPARES_MAX, and SCHED_MAX_WORKERS with the workers (spare.h) */
	uint64_t hog_ns; /* a handler that takes longer is a hog (watchdog.h); 0: nobody watches */
	bool pin, spin, polled;
	size_t worker_size;    /* of the struct that begins with struct worker */
	const char *synthetic; /* topology for tests, or NULL */
	/* A polled pool may have a clock of its own; it then never sleeps.  NULL: the seam's. */
	uint64_t (*clock)(void *user);
	void *clock_user;
	/* A polled pool may choose by itself what runs next, of what waits in the worker's queues and
	 * elsewhere, and fires timers and flushes itself.  NULL, or no answer: nothing.  NULL here: the order
	 * of sched/README.md. */
	struct runnable *(*pick)(struct worker *w);
	uint64_t seed;
	/* Pools that hand work to each other: the first of them, which must outlive this one; NULL: this
	 * is the first, or the only one.  heist_pool_join makes it one of them. */
	struct pool *group;
};

struct pool {
	struct idle idle;
	/* immutable after start */
	_Alignas(HEIST_ISOLATE) const struct pool_ops *ops;
	const struct heist_memory *memory;
	struct heist_topology topology;
	uint32_t workers; /* always there */
	uint32_t crew;	  /* and those that may be: spares behind them */
	uint32_t search_limit;
	uint64_t spin_ns, hog_ns;
	bool pin, polled;
	uint64_t (*clock)(void *user);
	void *clock_user;
	struct runnable *(*pick)(struct worker *w);
	size_t worker_size;
	char *base; /* the workers */
	/* any thread, rarely */
	_Alignas(HEIST_ISOLATE) _Atomic uint32_t sentinel; /* who parks with a timeout, + 1 */
	_Atomic uint32_t pacer; /* who stays away, or compares, + 1: pace.h */
	_Atomic uint32_t next_inbox;
	_Atomic uint32_t stop;	  /* workers leave when they find no work */
	_Atomic uint32_t exited;  /* workers that have left                */
	_Atomic uint32_t watched; /* somebody waits for quiescence: of the first of a group */
	struct spares spares;
	struct watchdog watchdog; /* of the first of a group */
	struct eventcount quiet;
	bool stopped;		     /* heist_pool_stop has joined its threads */
	struct pool *group;	     /* the first of its group */
	_Atomic(struct pool *) next; /* of the group           */
};

static inline struct worker *pool_worker(struct pool *p, uint32_t i)
{
	return (struct worker *)(void *)(p->base + (size_t)i * p->worker_size);
}

/* Any thread: its workers leave, or have left. */
static inline bool pool_stops(const struct pool *p)
{
	return atomic_load_explicit(&p->stop, memory_order_acquire) != 0; /* PL2 acquire */
}

/* Any thread: messages that w has handled so far, more or less. */
static inline uint64_t worker_handled(struct worker *w)
{
	uint64_t (*handled)(struct worker *) = w->pool->ops->handled;
	return handled ? handled(w) : atomic_load_explicit(&w->activations, memory_order_relaxed);
}

/* Workers that have threads. */
static inline uint32_t pool_present(const struct pool *p)
{
	return p->workers + spares_hired(&p->spares);
}

/* Any thread: the time that deadlines and timers of this pool are meant in. */
static inline uint64_t pool_now(const struct pool *p)
{
	return HEIST_UNLIKELY(p->clock != NULL) ? p->clock(p->clock_user) : heist_clock_ns();
}

/* Every pool of a group, from its first one on. */
static inline struct pool *pool_next_of_group(struct pool *p)
{
	return atomic_load_explicit(&p->next, memory_order_acquire); /* PL3 acquire */
}

/* 0, or -1: out of memory or threads, nothing is left behind.  The workers' memory beyond struct
 * worker is zeroed. */
int heist_pool_init(struct pool *p, const struct pool_config *config);
/* Start the threads; on -1 those that ran have been stopped. */
int heist_pool_start(struct pool *p);
/* Of those that are in a group, one thread at a time: heist_pool_wait_quiet of the first looks at p, too. */
void heist_pool_join(struct pool *p);
/* No thread may run any more. */
void heist_pool_destroy(struct pool *p);

/* Any thread: run with another function from now on; activations under way go on with the old one. */
void heist_pool_run_with(struct pool *p, run_fn *run);

/* Any thread: make r runnable from outside a worker of this pool. */
void heist_pool_submit(struct pool *p, struct runnable *r);
/* The same in the background: behind everything else, but not for ever (sched/README.md, "Fairness"). */
void heist_pool_submit_low(struct pool *p, struct runnable *r);
/* Any thread: make r runnable on worker i only, which is no spare. */
void heist_pool_submit_bound(struct pool *p, uint32_t i, struct runnable *r);

/* Any thread: worker i, who may be a spare, calls ops->trim once more before it sleeps on. */
void heist_pool_ask_trim(struct pool *p, uint32_t i);

/* A thread that is no worker: wait until nothing runs and nothing is queued in p and in the pools of the
 * group that it is the first of, provided that nothing is submitted meanwhile.  False: the deadline passed (0 = none).  After a heist_pool_stop that failed,
 * true at once: workers that have left never park, and to stop them again is the way on. */
bool heist_pool_wait_quiet(struct pool *p, uint64_t deadline);
/* Ask the workers to leave, and wait; the watchdog ends first.  False: one is still in a handler; call
 * again.  One thread at a time; a pool that has stopped: nothing to do, true. */
bool heist_pool_stop(struct pool *p, uint64_t deadline);

/* The driving thread of a polled pool.  Run up to max_turns, or until idle and past `until`. */
int heist_pool_poll(struct pool *p, uint64_t until, int max_turns);

#endif
