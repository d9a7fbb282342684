/* SPDX-License-Identifier: BSD-2-Clause
 * worker.h - one worker: its run queues, its inboxes, and the calls that make something runnable.
 *
 * Where a runnable goes (sched/README.md, "Run queues"):
 *   woken by a send                  LIFO slot; what it displaces goes to the FIFO
 *   spawned                          LIFO deque: depth first
 *   batch used up, slot streak over  FIFO
 *   from a foreign thread            inbox of some worker, taken whole by anybody
 *   in the background                a deque and an inbox of their own, last
 *   bound to one worker              that worker's private inbox, taken by it alone */
#ifndef HEIST_SCHED_WORKER_H
#define HEIST_SCHED_WORKER_H

#include "lockfree/deque.h"
#include "lockfree/eventcount.h"
#include "lockfree/inject.h"
#include "lockfree/lifo.h"
#include "sched/idle.h"
#include "sched/lead.h"
#include "sched/pace.h"
#include "sched/policy.h"
#include "sched/runnable.h"
#include "sched/throttle.h"

struct pool;
struct worker;
typedef enum verdict run_fn(struct worker *w, struct runnable *r);

/* Counters written by the worker alone (relaxed), read by anybody. */
struct worker_stats {
	_Atomic uint64_t steals, parks, wakes;
};

struct worker {
	/* the worker itself */
	_Alignas(HEIST_ISOLATE) struct lifo_slot slot; /* thieves on their last pass */
	struct pool *pool;
	_Atomic(run_fn *) run; /* one batch of one runnable; changed by heist_pool_run_with */
	uint32_t index;
	_Atomic uint64_t activations;	 /* so far; also tells when the slot must give way */
	uint32_t clock_left;		 /* messages of batches until the clock is read, > 0  */
	uint32_t late_runs;		 /* runs in a row that only waited for a late link    */
	uint64_t now;			 /* cached clock                                      */
	uint64_t timer_next;		 /* deadline of its earliest timer, 0 = none          */
	struct inject_link *bound_ready; /* taken from bound, not yet run, oldest first */
	uint64_t random;		 /* xorshift state                                    */
	uint64_t due;			 /* activations after which ops->due is called        */
	bool stale;	/* somebody yielded: the clock is read before what is queued runs */
	bool fed;	/* what runs came from outside, and nothing else waits here */
	bool guarded;	/* a sentinel was asked for since the last park      */
	bool searching; /* counted in idle.counts                            */
	uint32_t spin_failures;
	_Atomic uint32_t stealing;    /* it may be reading the arrays of others' deques: shrink.c */
	struct deque_array *outgrown; /* what its own deques had, for when nobody reads it        */
	struct throttle throttle;     /* of its thefts from spawn deques                          */
	struct pace pace;	      /* of its thefts from run queues                            */
	struct lead lead;	      /* of those whose slots it takes                            */
	struct worker_stats stats;
	/* the worker pushes, everybody takes */
	struct deque spawned; /* LIFO use */
	struct deque fifo;    /* FIFO use */
	struct deque low;     /* FIFO use: the background */
	/* everybody pushes */
	_Alignas(HEIST_ISOLATE) struct inject inbox; /* anybody takes    */
	struct inject bound;			     /* the worker takes */
	struct inject low_inbox;		     /* anybody takes    */
	_Alignas(HEIST_ISOLATE) struct eventcount wakeup;
	heist_thread thread;
	_Atomic uint32_t away;	  /* enum away: spare.h */
	_Atomic uint32_t place;	  /* of a spare: whose CPU it has */
	_Atomic uint32_t resting; /* looks for work, or waits for some: no handler runs */
	_Atomic uint32_t asked;	  /* to trim before it sleeps on: shrink.c */
	uint64_t seen, since;	  /* the watchdog's */
	uint64_t paced;		  /* the pacer's (pace.h) */
	uint64_t relieved;	  /* when it looked last at slots of those that are away */
};

/* Only if it runs with `from`: a shutdown may have put the function there that discards. */
static inline bool worker_run_switch(struct worker *w, run_fn *from, run_fn *to)
{
	return atomic_compare_exchange_strong_explicit(&w->run, &from, to, memory_order_relaxed,
						       memory_order_relaxed); /* code only */
}

/* What thieves may want. */
static inline uint64_t worker_surplus(struct worker *w)
{
	return deque_size(&w->fifo) + deque_size(&w->spawned) + deque_size(&w->low);
}

/* The worker that runs on this thread, or NULL. */
extern _Thread_local struct worker *heist_worker_self __attribute__((tls_model("initial-exec")));

/* Cold: the deque could not take r (no memory): through the inbox, which needs none. */
void heist_worker_queue_fallback(struct worker *w, struct runnable *r);
/* Cold: wake a parked worker to search, if there is surplus to find.  Returns 0. */
int heist_worker_wake_thief(struct worker *w);
/* Cold: the spawn deque must grow.  Returns 0. */
int heist_worker_spawned_cold(struct worker *w, struct runnable *r);
/* The rest of a wake: settle with a thief, queue what was displaced, and, as something of ours may now
 * get stuck behind a handler, see that a parked worker keeps watch. */
int heist_worker_displace(struct worker *w, void *displaced, uint32_t claim);

/* worker.c: the loop of a worker thread; one turn of it. */
void heist_worker_main(void *worker);
struct runnable *heist_worker_next(struct worker *w);
void heist_worker_run(struct worker *w, struct runnable *r);
/* What a verdict other than RUN_DONE asks for. */
void heist_worker_requeue(struct worker *w, struct runnable *r, enum verdict v);
/* Read the clock into w->now and fire timers that are due. */
void heist_worker_look(struct worker *w);
/* The same; resets clock_left. */
void heist_worker_clock(struct worker *w);
/* park.c: work from anywhere, sleeping if need be; NULL: the pool stops. */
struct runnable *heist_worker_find(struct worker *w);
/* steal.c: one look at every victim, nearest first; at what stays put, too, on the last pass. */
struct runnable *heist_worker_steal(struct worker *w);
struct runnable *heist_worker_steal_last(struct worker *w);
/* shrink.c: the worker, about to park: give memory back that its deques do not need now. */
void heist_worker_shrink(struct worker *w);
/* And all else that it can spare (pool_ops.trim). */
void heist_worker_trim(struct worker *w);
/* Has somebody asked w to trim since it has begun to?  A no is sure after eventcount_prepare. */
static inline bool worker_is_asked(struct worker *w)
{
	return atomic_load_explicit(&w->asked, memory_order_relaxed) != 0; /* ordered by EC1 */
}

/* Queue what workers hold that are away. */
void heist_worker_relieve(struct worker *w);
/* park.c: w searches no more; if there is something to find, somebody else does. */
void heist_worker_pass_on(struct worker *w);
/* The same from any thread: if nobody keeps watch over those that are awake, a parked worker does. */
void heist_pool_keep_watch(struct pool *p, uint32_t near);
/* worker.c: the thread to its CPU. */
void heist_worker_bind(struct worker *w);
/* pool.c: wake worker i, which the caller has claimed. */
void heist_pool_notify(struct pool *p, uint32_t i);

/* Around whatever reads others' deques: shrink.c. */
static inline void worker_steal_begin(struct worker *w)
{
	atomic_store_explicit(&w->stealing, 1, memory_order_relaxed);
	heist_fence_light(); /* SH1 */
}

static inline void worker_steal_end(struct worker *w)
{
	atomic_store_explicit(&w->stealing, 0, memory_order_release); /* SH2 release */
}

/* The idle set is the first member of struct pool. */
HEIST_HOT_INLINE struct idle *worker_idle_set(struct worker *w)
{
	return (struct idle *)(void *)w->pool;
}

/* Surplus was published: wake a thief if one sleeps and none searches. */
HEIST_HOT_INLINE void worker_published(struct worker *w)
{
	heist_fence_light(); /* ID1 */
	if (HEIST_UNLIKELY(idle_wants_wake(worker_idle_set(w))))
		heist_worker_wake_thief(w);
}

/* The worker: r to the end of the FIFO. */
static inline void worker_queue(struct worker *w, struct runnable *r)
{
	if (HEIST_UNLIKELY(!deque_push(&w->fifo, r)))
		heist_worker_queue_fallback(w, r);
	worker_published(w);
}

/* The worker: r to the end of the background. */
static inline void worker_queue_low(struct worker *w, struct runnable *r)
{
	if (HEIST_UNLIKELY(!deque_push(&w->low, r)))
		inject_push(&w->low_inbox, &r->link);
	worker_published(w);
}

/* The worker: r was woken by a message.  Returns 0, so that a caller can end in a tail call. */
HEIST_HOT_INLINE int worker_wake(struct worker *w, struct runnable *r)
{
	void *displaced;
	uint32_t claim = lifo_swap(&w->slot, r, &displaced);
	if (HEIST_LIKELY(displaced == NULL && claim == LIFO_FREE && w->guarded))
		return 0;
	return heist_worker_displace(w, displaced, claim);
}

/* The worker: r was spawned.  Returns 0, so that a caller can end in a tail call. */
HEIST_HOT_INLINE int worker_spawned(struct worker *w, struct runnable *r)
{
	if (HEIST_UNLIKELY(!deque_try_push(&w->spawned, r)))
		return heist_worker_spawned_cold(w, r);
	heist_fence_light(); /* ID1 */
	if (HEIST_LIKELY(!idle_wants_wake(worker_idle_set(w))))
		return 0;
	return heist_worker_wake_thief(w);
}

#endif
