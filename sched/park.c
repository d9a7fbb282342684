/* SPDX-License-Identifier: BSD-2-Clause
 * park.c - what a worker does when it has nothing to run: search, spin, sleep, wake others.
 * Protocol and proof: sched/README.md, "Park". */
#include "sched/pool.h"

/* ---- waking others ---- */

void heist_worker_queue_fallback(struct worker *w, struct runnable *r)
{
	inject_push(&w->inbox, &r->link);
}

static void wake_any(struct worker *w)
{
	int i = idle_claim_any(&w->pool->idle, w->index);
	if (i >= 0) {
		heist_count(&w->stats.wakes, 1);
		heist_pool_notify(w->pool, (uint32_t)i);
	}
}

static void ask_sentinel(struct worker *w)
{
	struct pool *p = w->pool;
	w->guarded = true;
	if (p->crew > 1 && idle_wants_wake(&p->idle) &&
	    atomic_load_explicit(&p->sentinel, memory_order_relaxed) == 0) /* advisory */
		wake_any(w);
}

int heist_worker_wake_thief(struct worker *w)
{
	/* A lone item is left to its worker; the sentinel sees to it if that is stuck. */
	if (worker_surplus(w) >= 2)
		wake_any(w);
	else if (!w->guarded)
		ask_sentinel(w);
	return 0;
}

int heist_worker_spawned_cold(struct worker *w, struct runnable *r)
{
	if (!deque_push(&w->spawned, r))
		heist_worker_queue_fallback(w, r);
	worker_published(w);
	return 0;
}

void heist_pool_keep_watch(struct pool *p, uint32_t near)
{
	if (idle_parked(&p->idle) >= p->workers + spares_on_duty(&p->spares) ||
	    !idle_wants_wake(&p->idle) ||
	    atomic_load_explicit(&p->sentinel, memory_order_relaxed) != 0) /* advisory */
		return;
	int i = idle_claim_any(&p->idle, near);
	if (i >= 0)
		heist_pool_notify(p, (uint32_t)i);
}

int heist_worker_displace(struct worker *w, void *displaced, uint32_t claim)
{
	if (claim != LIFO_FREE)
		displaced = lifo_settle(&w->slot, claim, displaced);
	if (!w->guarded)
		ask_sentinel(w);
	if (displaced)
		worker_queue(w, displaced);
	return 0;
}

/* ---- looking ---- */

static bool pool_has_surplus(struct pool *p)
{
	for (uint32_t i = 0; i < pool_present(p); i++) {
		struct worker *v = pool_worker(p, i);
		if (worker_surplus(v) >= 2 || !inject_is_empty(&v->inbox) ||
		    !inject_is_empty(&v->low_inbox))
			return true;
	}
	return false;
}

/* After announcing sleep: is there anything this worker should stay awake for?  A lone item in the
 * deques of an awake worker is not: that worker runs it, and the sentinel watches that worker. */
static bool worker_must_stay(struct worker *w)
{
	struct pool *p = w->pool;
	return pool_stops(p) || worker_is_asked(w) || !inject_is_empty(&w->bound) ||
	       pool_has_surplus(p);
}

/* The same before a nap (pace.h), which is about surplus. */
static bool worker_must_not_nap(struct worker *w)
{
	return pool_stops(w->pool) || !inject_is_empty(&w->bound) || !inject_is_empty(&w->inbox) ||
	       !inject_is_empty(&w->low_inbox);
}

/* A lone item, too, if nobody would see that its worker is stuck. */
static bool pool_has_unguarded(struct pool *p)
{
	if (atomic_load_explicit(&p->sentinel, memory_order_relaxed) != 0) /* advisory */
		return false;
	for (uint32_t i = 0; i < pool_present(p); i++)
		if (worker_surplus(pool_worker(p, i)))
			return true;
	return false;
}

void heist_worker_pass_on(struct worker *w)
{
	struct pool *p = w->pool;
	if (idle_wants_wake(&p->idle) && (pool_has_surplus(p) || pool_has_unguarded(p)))
		wake_any(w);
}

/* A searching worker got work: it runs; if nobody else searches and there is more, wake the next. */
static struct runnable *worker_found(struct worker *w, struct runnable *r)
{
	atomic_store_explicit(&w->resting, 0, memory_order_relaxed); /* advisory */
	w->spin_failures = 0;
	if (w->searching) {
		w->searching = false;
		if (idle_search_end(&w->pool->idle)) {
			heist_fence_light(); /* ID1 */
			heist_worker_pass_on(w);
		}
	}
	return r;
}

/* An answer is often on its way: look at our own doors before we become a searcher, which moves a line
 * that all workers share. */
static struct runnable *worker_linger(struct worker *w)
{
	for (int i = 0; i < SCHED_LINGER; i++)
		if (!inject_is_empty(&w->bound) || !inject_is_empty(&w->inbox))
			return heist_worker_next(w);
	return NULL;
}

/* While this worker leaves spawn deques alone (throttle.h) it does not park beside them: whoever spawns would
 * have to wake it. */
static bool search_longer(struct worker *w, uint64_t *end)
{
	struct pool *p = w->pool;
	if (!throttle_holds(&w->throttle, w->now) || p->spin_ns == 0 || !pool_has_surplus(p) ||
	    (w->timer_next && w->now >= w->timer_next))
		return false;
	*end = w->now + p->spin_ns;
	return true;
}

/* Search for one spin window, then once more at what nobody has moved meanwhile. */
static struct runnable *worker_search(struct worker *w)
{
	struct pool *p = w->pool;
	uint64_t window = w->spin_failures < SCHED_SPIN_FAILURES ? p->spin_ns : 0;
	uint64_t end = heist_clock_ns() + window;
	struct runnable *r = window ? worker_linger(w) : NULL;
	if (r)
		return r;
	do {
		if (!w->searching)
			w->searching = idle_search_begin(&p->idle, p->search_limit);
		for (int i = 0; i < 8; i++)
			if ((r = heist_worker_next(w)) != NULL)
				return r;
		if (w->searching && (r = heist_worker_steal(w)) != NULL)
			return r;
		if (pool_stops(p))
			return NULL;
		w->now = heist_clock_ns();
	} while (w->now < end || search_longer(w, &end));
	w->spin_failures++;
	return p->crew > 1 && !lead_holds(&w->lead, w->now) ? heist_worker_steal_last(w) : NULL;
}

/* ---- sleeping ---- */

static bool sentinel_begin(struct worker *w)
{
	struct pool *p = w->pool;
	uint32_t nobody = 0;
	return p->crew > 1 && idle_parked(&p->idle) < p->workers + spares_on_duty(&p->spares) &&
	       atomic_compare_exchange_strong_explicit(&p->sentinel, &nobody, w->index + 1,
						       memory_order_relaxed,
						       memory_order_relaxed); /* advisory */
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void worker_sleep(struct worker *w, uint32_t key, uint64_t until)
{
	struct pool *p = w->pool;
	uint64_t deadline = earlier(w->timer_next, until);
	bool sentinel = sentinel_begin(w);
	if (sentinel)
		deadline = earlier(deadline, w->now + SCHED_SENTINEL_NS);
	if (lead_holds(&w->lead, w->now))
		deadline = earlier(deadline, w->lead.until);
	if (atomic_load_explicit(&p->group->watched, memory_order_relaxed)) /* ordered by ID1 */
		eventcount_notify(&p->group->quiet, INT32_MAX);
	uint64_t asleep = w->now;
	eventcount_wait(&w->wakeup, key, deadline);
	w->now = heist_clock_ns();
	if (sentinel)
		atomic_store_explicit(&p->sentinel, 0, memory_order_relaxed); /* advisory */
	if (w->now - asleep < 2 * SCHED_SPIN_NS)
		w->spin_failures = 0; /* spinning a little longer would have been cheaper */
}

/* Until `until`, if that is not 0: then there may be surplus. */
static void worker_park(struct worker *w, uint64_t until)
{
	struct pool *p = w->pool;
	heist_worker_trim(w);
	heist_worker_back(w);
	w->guarded = false;
	heist_count(&w->stats.parks, 1);
	uint32_t key = eventcount_prepare(&w->wakeup);
	if (!w->searching) /* idle_park moves a searcher */
		idle_search_join(&p->idle);
	idle_park(&p->idle, w->index);
	heist_fence_heavy(); /* ID1 */
	if (until ? worker_must_not_nap(w) : worker_must_stay(w))
		eventcount_cancel(&w->wakeup);
	else
		worker_sleep(w, key, until);
	/* Either we take ourselves out of the set or a waker has done so: searching in both cases. */
	idle_claim(&p->idle, w->index);
	w->searching = true;
	heist_watchdog_woke(p);
}

/* Stay away from the others' queues for a slice.  A searcher is counted meanwhile, lest they wake us. */
static struct runnable *worker_nap(struct worker *w, uint64_t until)
{
	struct idle *s = &w->pool->idle;
	idle_search_join(s);
	worker_park(w, until);
	idle_search_end(s);
	return heist_worker_next(w);
}

struct runnable *heist_worker_find(struct worker *w)
{
	struct pool *p = w->pool;
	struct runnable *r;
	atomic_store_explicit(&w->resting, 1, memory_order_relaxed); /* advisory */
	for (;;) {
		if (p->ops->flush(w) && (r = heist_worker_next(w)) != NULL)
			return worker_found(w, r);
		w->now = heist_clock_ns();
		throttle_judge(&w->throttle, w->now);
		if (w->lead.taken)
			lead_judge(&w->lead, w->now, worker_handled(w));
		if (w->timer_next && w->now >= w->timer_next) {
			w->timer_next = p->ops->timers(w, w->now);
			if ((r = heist_worker_next(w)) != NULL)
				return worker_found(w, r);
		}
		if (w->index >= p->workers && heist_spare_rest(w))
			continue;
		uint64_t nap = w->index < p->workers && p->workers > 1 ? heist_worker_pace(w) : 0;
		if (nap && !pool_stops(p)) {
			if ((r = worker_nap(w, nap)) != NULL)
				return worker_found(w, r);
			continue;
		}
		if ((r = worker_search(w)) != NULL)
			return worker_found(w, r);
		if (pool_stops(p))
			return NULL;
		worker_park(w, 0);
	}
}
