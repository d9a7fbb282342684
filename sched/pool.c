/* SPDX-License-Identifier: BSD-2-Clause
 * pool.c - create, start, submit to, watch and stop a set of workers. */
#include "sched/pool.h"

#include <string.h>

_Static_assert(offsetof(struct pool, idle) == 0, "worker_idle_set() relies on it");

/* ---- create and destroy ---- */

static int worker_init(struct pool *p, uint32_t i, uint64_t seed)
{
	struct worker *w = pool_worker(p, i);
	lifo_init(&w->slot);
	w->pool = p;
	atomic_init(&w->run, p->ops->run);
	w->index = i;
	w->clock_left = SCHED_CLOCK_MESSAGES;
	w->due = UINT64_MAX;
	w->random = (seed + i + 1) * 0x9E3779B97F4A7C15u | 1;
	inject_init(&w->inbox);
	inject_init(&w->bound);
	inject_init(&w->low_inbox);
	eventcount_init(&w->wakeup);
	if (heist_deque_init(&w->spawned, p->memory, SCHED_DEQUE_CAPACITY) != 0)
		return -1;
	if (heist_deque_init(&w->fifo, p->memory, SCHED_DEQUE_CAPACITY) != 0)
		goto no_fifo;
	if (heist_deque_init(&w->low, p->memory, SCHED_DEQUE_CAPACITY) == 0)
		return 0;
	heist_deque_destroy(&w->fifo);
no_fifo:
	heist_deque_destroy(&w->spawned);
	return -1;
}

static void workers_destroy(struct pool *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		heist_deque_destroy(&pool_worker(p, i)->spawned);
		heist_deque_destroy(&pool_worker(p, i)->fifo);
		heist_deque_destroy(&pool_worker(p, i)->low);
		heist_deque_free(p->memory, pool_worker(p, i)->outgrown);
	}
	heist_memory_put(p->memory, p->base, p->worker_size * p->crew);
	heist_topology_destroy(&p->topology);
}

int heist_pool_init(struct pool *p, const struct pool_config *c)
{
	memset(p, 0, sizeof *p);
	idle_init(&p->idle);
	eventcount_init(&p->quiet);
	eventcount_init(&p->watchdog.wakeup);
	p->ops = c->ops;
	p->memory = c->memory;
	p->workers = c->workers;
	p->crew = c->workers + c->spares;
	p->spares.most = c->spares;
	p->hog_ns = c->hog_ns;
	p->pin = c->pin;
	p->polled = c->polled;
	p->clock = c->clock;
	p->clock_user = c->clock_user;
	p->group = c->group ? c->group : p;
	p->pick = c->pick;
	p->spin_ns = c->spin ? SCHED_SPIN_NS : 0;
	p->search_limit = c->workers > 4 ? c->workers / 2 : 2;
	p->worker_size = (c->worker_size + HEIST_ISOLATE - 1) & ~(size_t)(HEIST_ISOLATE - 1);
	if (heist_topology_init(&p->topology, c->workers, c->pin, c->synthetic, c->memory) != 0)
		return -1;
	p->base = heist_memory_get(c->memory, p->worker_size * p->crew, HEIST_ISOLATE);
	if (!p->base) {
		heist_topology_destroy(&p->topology);
		return -1;
	}
	memset(p->base, 0, p->worker_size * p->crew);
	for (uint32_t i = 0; i < p->crew; i++)
		if (worker_init(p, i, c->seed) != 0) {
			workers_destroy(p, i);
			return -1;
		}
	return 0;
}

void heist_pool_destroy(struct pool *p)
{
	workers_destroy(p, p->crew);
}

/* ---- start and stop ---- */

void heist_pool_notify(struct pool *p, uint32_t i)
{
	struct worker *w = pool_worker(p, i);
	eventcount_notify(&w->wakeup, 1);
	if (p->polled)
		p->ops->signal_host(w);
}

static void wake_worker(struct pool *p, uint32_t i)
{
	if (idle_claim(&p->idle, i))
		heist_pool_notify(p, i);
}

/* All of the first n, and of the spares.  Only a worker that has not left starts a spare, so none comes
 * after this was true. */
static bool all_left(struct pool *p, uint32_t n)
{
	uint32_t left = atomic_load_explicit(&p->exited, memory_order_acquire); /* PL1 acquire */
	return left == n + spares_hired(&p->spares);
}

/* Stop the first n workers, which are those whose threads run, and the spares. */
static bool stop_threads(struct pool *p, uint32_t n, uint64_t deadline)
{
	atomic_store_explicit(&p->stop, 1, memory_order_release); /* PL2 release */
	heist_fence_full();					  /* ID1 */
	for (uint32_t i = 0; i < n; i++)
		wake_worker(p, i);
	for (uint32_t i = p->workers; i < pool_present(p); i++) { /* parked, or on the bench */
		wake_worker(p, i);
		heist_pool_notify(p, i);
	}
	for (;;) {
		uint32_t key = eventcount_prepare(&p->quiet);
		if (all_left(p, n)) {
			eventcount_cancel(&p->quiet);
			break;
		}
		if (eventcount_wait(&p->quiet, key, deadline) == HEIST_WAIT_TIMEOUT)
			return false;
	}
	for (uint32_t i = 0; i < n; i++)
		heist_thread_join(&pool_worker(p, i)->thread);
	for (uint32_t i = p->workers; i < pool_present(p); i++)
		heist_thread_join(&pool_worker(p, i)->thread);
	return true;
}

int heist_pool_start(struct pool *p)
{
	if (p->polled) { /* parked until somebody polls */
		idle_search_join(&p->idle);
		idle_park(&p->idle, 0);
		return 0;
	}
	for (uint32_t i = 0; i < p->workers; i++) {
		struct worker *w = pool_worker(p, i);
		if (heist_thread_start(&w->thread, heist_worker_main, w, "heist-worker") != 0) {
			stop_threads(p, i, 0);
			return -1;
		}
	}
	return 0;
}

void heist_pool_join(struct pool *p)
{
	struct pool *others =
		atomic_load_explicit(&p->group->next, memory_order_relaxed); /* one thread writes */
	atomic_store_explicit(&p->next, others, memory_order_relaxed);	     /* published by PL3 */
	atomic_store_explicit(&p->group->next, p, memory_order_release);     /* PL3 release */
}

bool heist_pool_stop(struct pool *p, uint64_t deadline)
{
	heist_watchdog_stop(p);
	p->stopped = p->stopped || p->polled || stop_threads(p, p->workers, deadline);
	return p->stopped;
}

void heist_pool_run_with(struct pool *p, run_fn *run)
{
	for (uint32_t i = 0; i < p->crew; i++)
		atomic_store_explicit(&pool_worker(p, i)->run, run,
				      memory_order_relaxed); /* code: nothing else to publish */
}

/* ---- submit ---- */

void heist_pool_submit_bound(struct pool *p, uint32_t i, struct runnable *r)
{
	struct worker *w = pool_worker(p, i);
	inject_push(&w->bound, &r->link);
	heist_fence_light(); /* ID1; also by w itself, in a handler of a signal that came while it slept */
	if (idle_is_parked(&p->idle, i))
		wake_worker(p, i);
}

/* Worker i, or the next one that is not away (spare.h). */
static HEIST_COLD uint32_t somebody_here(struct pool *p, uint32_t i)
{
	for (uint32_t k = 0; k < p->workers; k++) {
		uint32_t j = (i + k) % p->workers;
		if (atomic_load_explicit(&pool_worker(p, j)->away, memory_order_relaxed) ==
		    AWAY_NOT) /* advisory */
			return j;
	}
	return i;
}

/* Whose inbox is next? */
static uint32_t choose_inbox(struct pool *p)
{
	uint32_t i = atomic_load_explicit(&p->next_inbox, memory_order_relaxed);
	if (p->workers == 1)
		return i;
	/* a hint: lost updates only change who is asked */
	atomic_store_explicit(&p->next_inbox, (i + 1) % p->workers, memory_order_relaxed);
	i %= p->workers;
	return HEIST_UNLIKELY(spares_away(&p->spares)) ? somebody_here(p, i) : i;
}

/* Worker i got something into an inbox, and ID1 is passed. */
static void wake_for(struct pool *p, uint32_t i)
{
	if (idle_is_parked(&p->idle, i)) {
		wake_worker(p, i);
	} else if (idle_must_wake(&p->idle)) {
		/* its worker is awake but may be in a long handler: somebody else can take it */
		int other = idle_claim_any(&p->idle, i);
		if (other >= 0)
			heist_pool_notify(p, (uint32_t)other);
	}
}

void heist_pool_submit(struct pool *p, struct runnable *r)
{
	uint32_t i = choose_inbox(p);
	inject_push(&pool_worker(p, i)->inbox, &r->link);
	heist_fence_light(); /* ID1 */
	wake_for(p, i);
}

void heist_pool_submit_low(struct pool *p, struct runnable *r)
{
	uint32_t i = choose_inbox(p);
	inject_push(&pool_worker(p, i)->low_inbox, &r->link);
	heist_fence_light(); /* ID1 */
	wake_for(p, i);
}

/* ---- quiescence ---- */

static bool queues_empty(struct pool *p)
{
	for (uint32_t i = 0; i < pool_present(p); i++) {
		struct worker *w = pool_worker(p, i);
		if (lifo_peek(&w->slot) || worker_surplus(w) || !inject_is_empty(&w->inbox) ||
		    !inject_is_empty(&w->bound) || !inject_is_empty(&w->low_inbox))
			return false;
	}
	return true;
}

/* All parked, or on the bench; adds how often they have parked to *parks. */
static bool all_parked(struct pool *p, uint64_t *parks)
{
	for (uint32_t i = 0; i < pool_present(p); i++) {
		if (!(atomic_load_explicit(&p->idle.mask[i / 64], memory_order_acquire) >>
			      (i % 64) &
		      1) && /* ID2 acquire */
		    !heist_spare_is_off(p, i))
			return false;
		*parks +=
			atomic_load_explicit(&pool_worker(p, i)->stats.parks, memory_order_relaxed);
	}
	return true;
}

/* The same of p and those behind it.  A pool that joins meanwhile adds its own parks. */
static bool group_parked(struct pool *p, uint64_t *parks)
{
	*parks = 0;
	for (; p; p = pool_next_of_group(p))
		if (!all_parked(p, parks))
			return false;
	return true;
}

static bool group_empty(struct pool *p)
{
	for (; p; p = pool_next_of_group(p))
		if (!queues_empty(p))
			return false;
	return true;
}

/* Double collect: parked before and after, not unparked in between, and nothing queued meanwhile. */
static bool group_is_quiet(struct pool *p)
{
	uint64_t before, after;
	if (!group_parked(p, &before))
		return false;
	heist_fence_heavy(); /* ID1 */
	if (!group_empty(p))
		return false;
	heist_fence_heavy(); /* QU1: whoever has emptied a queue has no bit */
	return group_parked(p, &after) && before == after;
}

bool heist_pool_wait_quiet(struct pool *p, uint64_t deadline)
{
	bool quiet = atomic_load_explicit(&p->stop,
					  memory_order_relaxed); /* own, or of who called before */
	bool late = false;
	atomic_store_explicit(&p->watched, 1, memory_order_relaxed);
	while (!quiet && !late) {
		uint32_t key = eventcount_prepare(&p->quiet);
		heist_fence_heavy(); /* ID1: a worker that parks from now on sees `watched` */
		quiet = group_is_quiet(p);
		if (quiet)
			eventcount_cancel(&p->quiet);
		else
			late = eventcount_wait(&p->quiet, key, deadline) == HEIST_WAIT_TIMEOUT;
	}
	atomic_store_explicit(&p->watched, 0, memory_order_relaxed);
	return quiet;
}

/* ---- polling ---- */

static bool poll_wait(struct worker *w, uint64_t until)
{
	struct pool *p = w->pool;
	if (p->clock || heist_clock_ns() >= until)
		return false;
	uint32_t key = eventcount_prepare(&w->wakeup);
	idle_search_join(&p->idle);
	idle_park(&p->idle, 0);
	heist_fence_heavy(); /* ID1 */
	if (!inject_is_empty(&w->inbox) || !inject_is_empty(&w->bound) ||
	    !inject_is_empty(&w->low_inbox)) {
		eventcount_cancel(&w->wakeup);
	} else {
		uint64_t deadline = until;
		if (w->timer_next && w->timer_next < until)
			deadline = w->timer_next;
		eventcount_wait(&w->wakeup, key, deadline);
	}
	idle_claim(&p->idle, 0);
	idle_search_end(&p->idle);
	return true;
}

static struct runnable *poll_next(struct worker *w)
{
	if (w->pool->pick)
		return w->pool->pick(w);
	struct runnable *r = heist_worker_next(w);
	if (r)
		return r;
	heist_worker_look(w);
	w->pool->ops->flush(w);
	return heist_worker_next(w);
}

struct poll {
	struct worker *worker;
	uint64_t until;
	int left; /* turns */
};

static void poll_loop(void *arg)
{
	struct poll *p = arg;
	struct worker *w = p->worker;
	if (!w->pool->pick)
		heist_worker_look(w); /* nobody has while the host was elsewhere ... */
	while (p->left > 0) {
		struct runnable *r = poll_next(w);
		if (r) {
			p->left--; /* before the run: it may be abandoned */
			heist_worker_run(w, r);
		} else if (poll_wait(w, p->until)) {
			heist_worker_look(w); /* ... or asleep */
		} else {
			break;
		}
	}
}

int heist_pool_poll(struct pool *p, uint64_t until, int max_turns)
{
	struct worker *w = pool_worker(p, 0), *outer = heist_worker_self;
	struct poll poll = { .worker = w, .until = until, .left = max_turns };
	if (idle_claim(&p->idle, 0)) /* nobody polled: the host may have been signalled already */
		idle_search_end(&p->idle);
	heist_worker_self = w;
	p->ops->guard(w, poll_loop, &poll);
	heist_worker_trim(w);
	heist_worker_self = outer;
	idle_search_join(&p->idle);
	idle_park(&p->idle, 0);
	heist_fence_heavy(); /* ID1 */
	if (w->bound_ready || !queues_empty(p))
		p->ops->signal_host(w); /* come back: there is more */
	return max_turns - poll.left;
}
