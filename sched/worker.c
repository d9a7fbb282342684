/* SPDX-License-Identifier: BSD-2-Clause
 * worker.c - the run loop of one worker (sched/README.md, "The loop").
 *
 *   1 next    LIFO slot, spawned, FIFO, bound inbox, inbox, background; now and then the other way round
 *   2 find    nothing of its own: flush, search, park (park.c)
 *   3 run     one batch of one runnable
 *   4 requeue what its verdict says */
#include "sched/pool.h"

_Thread_local struct worker *heist_worker_self __attribute__((tls_model("initial-exec")));

static struct runnable *runnable_of(struct inject_link *l)
{
	return l ? HEIST_CONTAINER(l, struct runnable, link) : NULL;
}

/* ---- 1 next ---- */

static struct runnable *next_bound(struct worker *w)
{
	if (!w->bound_ready)
		w->bound_ready = inject_take(&w->bound);
	struct inject_link *l = w->bound_ready;
	if (l)
		w->bound_ready = l->next;
	return runnable_of(l);
}

/* Everything from an inbox: the oldest runs, the rest queues in order. */
static struct runnable *next_inbox(struct worker *w)
{
	struct inject_link *l = inject_take(&w->inbox);
	if (!l)
		return NULL;
	struct inject_link *rest = l->next;
	while (rest) {
		struct inject_link *next = rest->next; /* the link is lost once it is queued */
		worker_queue(w, runnable_of(rest));
		rest = next;
	}
	return runnable_of(l);
}

static struct runnable *next_oldest_spawn(struct worker *w)
{
	void *item;
	return deque_steal(&w->spawned, &item) == STEAL_OK ? item : NULL;
}

/* The background: everything from its inbox joins its queue. */
static struct runnable *next_low(struct worker *w)
{
	struct inject_link *l = inject_take(&w->low_inbox);
	while (l) {
		struct inject_link *next = l->next;
		worker_queue_low(w, runnable_of(l));
		l = next;
	}
	return deque_take(&w->low);
}

/* What waits at the far end of one queue, a different one each time. */
static struct runnable *next_fair(struct worker *w, uint64_t turn)
{
	switch (turn / SCHED_FAIR_TURNS % 5) {
	case 0:
		return deque_take(&w->fifo);
	case 1:
		return next_inbox(w);
	case 2:
		return next_oldest_spawn(w);
	case 3:
		return next_low(w);
	default:
		return next_bound(w);
	}
}

static bool worker_alone(struct worker *w)
{
	return deque_size(&w->fifo) == 0 && deque_size(&w->spawned) == 0 && !w->bound_ready &&
	       inject_is_empty(&w->bound) && inject_is_empty(&w->inbox);
}

void heist_worker_look(struct worker *w)
{
	w->stale = false;
	w->now = pool_now(w->pool);
	if (w->timer_next && w->now >= w->timer_next)
		w->timer_next = w->pool->ops->timers(w, w->now);
}

void heist_worker_clock(struct worker *w)
{
	w->clock_left = SCHED_CLOCK_MESSAGES;
	heist_worker_look(w);
}

/* What is queued may be somebody who yielded. */
HEIST_HOT_INLINE void worker_refresh(struct worker *w)
{
	if (HEIST_UNLIKELY(w->stale))
		heist_worker_look(w);
}

static struct runnable *next_queued(struct worker *w)
{
	struct runnable *r;
	worker_refresh(w);
	if ((r = deque_pop(&w->spawned)) != NULL || (r = deque_take(&w->fifo)) != NULL)
		return r;
	if ((r = next_bound(w)) == NULL)
		r = next_inbox(w);
	w->fed = r != NULL && worker_alone(w);
	return r ? r : next_low(w);
}

/* The slot's turn is over: what it holds queues last, if anybody waits. */
static HEIST_COLD struct runnable *next_turn(struct worker *w, uint64_t turn)
{
	struct runnable *r, *slot;
	if (HEIST_UNLIKELY(turn * SCHED_SLOT_PICKS >= w->due))
		w->pool->ops->due(w);
	if ((turn + 1) % SCHED_CLOCK_TURNS != 0) {
		worker_refresh(w);
	} else {
		uint64_t before = w->now;
		heist_worker_clock(w);
		w->pool->ops->tick(w, w->now - before);
		if (heist_spares_look(w))
			return NULL;
	}
	if (turn % SCHED_FAIR_TURNS == 0 && (r = next_fair(w, turn)) != NULL)
		return r;
	slot = lifo_take(&w->slot);
	if (slot && worker_alone(w))
		return slot;
	/* Out before in: two that take turns are no surplus to wake a thief for. */
	r = deque_take(&w->fifo);
	if (slot)
		worker_queue(w, slot);
	return r ? r : next_queued(w);
}

HEIST_HOT_INLINE struct runnable *worker_next(struct worker *w)
{
	uint64_t n = atomic_load_explicit(&w->activations, memory_order_relaxed); /* own */
	if (HEIST_UNLIKELY(n % SCHED_SLOT_PICKS == 0))
		return next_turn(w, n / SCHED_SLOT_PICKS);
	struct runnable *r = lifo_take(&w->slot);
	return HEIST_LIKELY(r != NULL) ? r : next_queued(w);
}

struct runnable *heist_worker_next(struct worker *w)
{
	return worker_next(w);
}

/* ---- 4 requeue ---- */

HEIST_COLD void heist_worker_requeue(struct worker *w, struct runnable *r, enum verdict v)
{
	if (v == RUN_LATE || v == RUN_LATE_BOUND) {
		/* Retried once per round of the FIFO.  When there is nothing else to do, the producer
		 * that was preempted in mid-push needs the CPU more than we do. */
		if (++w->late_runs > 2 && worker_alone(w))
			heist_thread_yield();
	} else {
		w->late_runs = 0;
	}
	if (v == RUN_LATE_BOUND)
		heist_pool_submit_bound(w->pool, w->index, r);
	else if (v == RUN_LOW)
		worker_queue_low(w, r);
	else
		worker_queue(w, r);
}

/* ---- 3 run ---- */

HEIST_HOT_INLINE void worker_run(struct worker *w, struct runnable *r)
{
	heist_count(&w->activations, 1);
	run_fn *run = atomic_load_explicit(&w->run, memory_order_relaxed);
	enum verdict v = run(w, r);
	if (HEIST_UNLIKELY(v != RUN_DONE))
		heist_worker_requeue(w, r, v);
}

void heist_worker_run(struct worker *w, struct runnable *r)
{
	worker_run(w, r);
}

static void worker_loop(void *arg)
{
	struct worker *w = arg;
	for (;;) {
		struct runnable *r = worker_next(w);
		if (HEIST_UNLIKELY(!r) && !(r = heist_worker_find(w)))
			break;
		worker_run(w, r);
	}
}

void heist_worker_bind(struct worker *w)
{
	struct pool *p = w->pool;
	uint32_t place =
		w->index < p->workers
			? w->index
			: atomic_load_explicit(&w->place, memory_order_relaxed); /* advisory */
	if (p->pin && heist_topology_bind(&p->topology, place % p->workers) != 0 && p->ops->warn &&
	    heist_topology_first_refusal(&p->topology))
		p->ops->warn(p, "cannot bind a worker to its CPU: going on unbound");
}

void heist_worker_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	heist_worker_self = w;
	heist_worker_bind(w);
	w->now = heist_clock_ns();
	p->ops->guard(w, worker_loop, w);
	heist_worker_self = NULL;
	atomic_fetch_add_explicit(&p->exited, 1, memory_order_release); /* PL1 release */
	eventcount_notify(&p->quiet, INT32_MAX);
}
