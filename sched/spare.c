/* SPDX-License-Identifier: BSD-2-Clause
 * spare.c - leave, be covered, come back; the bench (spare.h). */
#include "sched/pool.h"

#define ONE_AWAY ((uint64_t)1)
#define ON_DUTY	 ((uint64_t)1 << 32)

static uint32_t away_of(uint64_t counts)
{
	return (uint32_t)counts;
}

static uint32_t duty_of(uint64_t counts)
{
	return (uint32_t)(counts >> 32);
}

bool heist_spare_is_off(struct pool *p, uint32_t i)
{
	if (i < p->workers)
		return false;
	uint32_t k = i - p->workers;
	return k >= spares_hired(&p->spares) ||
	       (atomic_load_explicit(&p->spares.benched, memory_order_acquire) >> k & 1); /* SP2 */
}

/* ---- calling a spare ---- */

static bool call_benched(struct pool *p, uint32_t place)
{
	struct spares *s = &p->spares;
	uint64_t bits;
	while ((bits = atomic_load_explicit(&s->benched, memory_order_relaxed)) != 0) { /* SP2 */
		uint32_t k = (uint32_t)__builtin_ctzll(bits);
		uint64_t bit = (uint64_t)1 << k;
		struct worker *w = pool_worker(p, p->workers + k);
		if (!(atomic_fetch_and_explicit(&s->benched, ~bit, memory_order_acq_rel) & bit))
			continue; /* SP2: somebody else called it */
		atomic_store_explicit(&w->place, place, memory_order_relaxed); /* advisory */
#ifndef SPARE_MUTANT_SILENT
		eventcount_notify(&w->wakeup, 1);
#endif
		return true;
	}
	return false;
}

/* The next thread.  False: there are no more, or somebody else is at it; *refused: by the system. */
static bool call_new(struct pool *p, uint32_t place, bool *refused)
{
	struct spares *s = &p->spares;
	uint32_t nobody = 0, k;
	bool started = false;
	if (!atomic_compare_exchange_strong_explicit(&s->starting, &nobody, 1, memory_order_acquire,
						     memory_order_relaxed)) /* SP4 acquire */
		return false;
	k = atomic_load_explicit(&s->hired, memory_order_relaxed); /* SP4 */
	if (k < s->most) {
		struct worker *w = pool_worker(p, p->workers + k);
		atomic_store_explicit(&w->place, place, memory_order_relaxed); /* advisory */
		atomic_store_explicit(&s->hired, k + 1, memory_order_release); /* SP3 release */
		started = heist_thread_start(&w->thread, heist_worker_main, w, "heist-spare") == 0;
		*refused = !started;
		if (!started) {
			atomic_store_explicit(&s->hired, k, memory_order_release); /* SP3 */
			eventcount_notify(&p->group->quiet, INT32_MAX); /* who saw one too many */
		}
	}
	atomic_store_explicit(&s->starting, 0, memory_order_release); /* SP4 release */
	return started;
}

/* One more is away: put a spare on duty, if there is one.  place: whose CPU it gets. */
static void cover(struct pool *p, uint32_t place)
{
	struct spares *s = &p->spares;
	bool refused = false;
	uint64_t c = atomic_load_explicit(&s->counts, memory_order_relaxed);
	do {
		if (duty_of(c) >= s->most || duty_of(c) >= away_of(c))
			return;
	} while (!atomic_compare_exchange_weak_explicit(&s->counts, &c, c + ON_DUTY,
							memory_order_acq_rel, /* SP1 */
							memory_order_relaxed));
	while (!call_benched(p, place) && !call_new(p, place, &refused)) {
		if (refused) { /* I2: nobody is on duty for this */
			atomic_fetch_sub_explicit(&s->counts, ON_DUTY,
						  memory_order_acq_rel); /* SP1 */
			return;
		}
		heist_thread_yield(); /* one is about to sit down, or being started */
	}
}

/* ---- away and back ---- */

/* Everything w holds but what is bound to it, to the inboxes of others. */
static void hand_out(struct worker *w)
{
	struct runnable *r;
	while ((r = lifo_take(&w->slot)) != NULL || (r = deque_take(&w->fifo)) != NULL ||
	       (r = deque_pop(&w->spawned)) != NULL)
		heist_pool_submit(w->pool, r);
	for (struct inject_link *l = inject_take(&w->inbox); l;) {
		struct inject_link *next = l->next;
		heist_pool_submit(w->pool, HEIST_CONTAINER(l, struct runnable, link));
		l = next;
	}
	while ((r = deque_take(&w->low)) != NULL)
		heist_pool_submit_low(w->pool, r);
	for (struct inject_link *l = inject_take(&w->low_inbox); l;) {
		struct inject_link *next = l->next;
		heist_pool_submit_low(w->pool, HEIST_CONTAINER(l, struct runnable, link));
		l = next;
	}
}

/* Counted first, so that there are never fewer than have it set (I1). */
static void go_away(struct worker *w, uint32_t why)
{
	_Atomic uint64_t *counts = &w->pool->spares.counts;
	atomic_fetch_add_explicit(counts, ONE_AWAY, memory_order_acq_rel); /* SP1 */
	uint32_t was = AWAY_NOT;
	if (why == AWAY_BLOCKED)
		was = atomic_exchange_explicit(&w->away, why, memory_order_relaxed); /* by SP1 */
	else
		(void)atomic_compare_exchange_strong_explicit(&w->away, &was, why,
							      memory_order_relaxed,
							      memory_order_relaxed); /* by SP1 */
	if (was != AWAY_NOT)
		atomic_fetch_sub_explicit(counts, ONE_AWAY, memory_order_acq_rel); /* SP1 */
}

void heist_worker_leave(struct worker *w)
{
	struct pool *p = w->pool;
	if (p->polled || p->crew == 1 || pool_stops(p)) /* then nobody would stop a new thread */
		return;
	go_away(w, AWAY_BLOCKED);
	cover(p, w->index);
	hand_out(w);
	heist_pool_keep_watch(p, w->index);
}

void heist_worker_hogged(struct worker *w)
{
	go_away(w, AWAY_HOGGED);
	cover(w->pool, w->index);
	heist_pool_keep_watch(w->pool, w->index);
}

void heist_worker_back(struct worker *w)
{
	if (atomic_load_explicit(&w->away, memory_order_relaxed) == AWAY_NOT)
		return;
	if (atomic_exchange_explicit(&w->away, AWAY_NOT, memory_order_relaxed) != AWAY_NOT)
		atomic_fetch_sub_explicit(&w->pool->spares.counts, ONE_AWAY,
					  memory_order_acq_rel); /* SP1 */
}

/* ---- the bench ---- */

static bool is_spare(const struct worker *w)
{
	return w->index >= w->pool->workers;
}

static bool too_many(uint64_t c)
{
	return duty_of(c) > away_of(c);
}

bool heist_spares_look(struct worker *w)
{
	struct pool *p = w->pool;
	uint64_t c = atomic_load_explicit(&p->spares.counts, memory_order_relaxed); /* advisory */
	heist_worker_back(w); /* it is in no handler now */
	if (HEIST_LIKELY(c == 0))
		return false;
	if (is_spare(w) && too_many(c)) {
		p->ops->flush(w);
		hand_out(w);
		return true;
	}
	if (away_of(c))
		heist_worker_relieve(w);
	return false;
}

static bool off_duty(struct pool *p)
{
	uint64_t c = atomic_load_explicit(&p->spares.counts, memory_order_relaxed);
	do {
		if (!too_many(c))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&p->spares.counts, &c, c - ON_DUTY,
							memory_order_acq_rel, /* SP1 */
							memory_order_relaxed));
	return true;
}

/* I3: the bit is set last, and what was published before that for a searcher is looked for once more.  Whoever
 * waits for quiescence may have seen it unset. */
static void sit_down(struct worker *w, uint64_t bit)
{
	struct pool *p = w->pool;
	heist_worker_trim(w);
	heist_count(&w->stats.parks, 1);
	w->guarded = false;
	atomic_fetch_or_explicit(&p->spares.benched, bit, memory_order_acq_rel); /* SP2 release */
	if (w->searching) {
		w->searching = false;
		idle_search_end(&p->idle);
	}
	heist_fence_heavy(); /* ID1 */
	heist_worker_pass_on(w);
	heist_pool_keep_watch(p, w->index); /* it may have been the sentinel */
	if (atomic_load_explicit(&p->group->watched, memory_order_relaxed)) /* ordered by ID1 */
		eventcount_notify(&p->group->quiet, INT32_MAX);
}

/* Timers that were set on w's wheel while it was on duty are still its business, and so is the memory that
 * comes back to it.  It is off the bench meanwhile (I3), unless it has been called. */
static void bench_chores(struct worker *w, uint64_t bit)
{
	struct pool *p = w->pool;
	w->now = heist_clock_ns();
	bool due = w->timer_next && w->now >= w->timer_next;
	if ((!due && !worker_is_asked(w)) ||
	    !(atomic_fetch_and_explicit(&p->spares.benched, ~bit, memory_order_acq_rel) &
	      bit)) /* SP2 */
		return;
	if (due)
		w->timer_next = p->ops->timers(w, w->now);
	p->ops->flush(w);
	hand_out(w);
	sit_down(w, bit);
}

static bool called(struct worker *w, uint64_t bit)
{
	struct pool *p = w->pool;
	return !(atomic_load_explicit(&p->spares.benched, memory_order_acquire) & bit) || /* SP2 */
	       pool_stops(p);
}

bool heist_spare_rest(struct worker *w)
{
	struct pool *p = w->pool;
	uint64_t bit = (uint64_t)1 << (w->index - p->workers);
	if (pool_stops(p) || !off_duty(p))
		return false;
	sit_down(w, bit);
	for (;;) {
		uint32_t key = eventcount_prepare(&w->wakeup);
		if (called(w, bit)) {
			eventcount_cancel(&w->wakeup);
			break;
		}
		if (worker_is_asked(w))
			eventcount_cancel(&w->wakeup);
		else
			eventcount_wait(&w->wakeup, key, w->timer_next);
		bench_chores(w, bit);
	}
	heist_watchdog_woke(p);
	heist_worker_bind(w);
	w->now = heist_clock_ns();
	return true;
}
