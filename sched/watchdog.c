/* SPDX-License-Identifier: BSD-2-Clause
 * watchdog.c - look at every worker, tell, sleep (watchdog.h). */
#include "sched/watchdog.h"

#include "sched/pool.h"

static bool is_parked(struct pool *p, uint32_t i)
{
	return idle_is_parked(&p->idle, i) || heist_spare_is_off(p, i);
}

static bool all_are_parked(struct pool *p)
{
	for (; p; p = pool_next_of_group(p))
		for (uint32_t i = 0; i < pool_present(p) && p->hog_ns; i++)
			if (!is_parked(p, i))
				return false;
	return true;
}

/* Is w in a handler, and has said nothing about waiting there? */
static bool is_running(struct pool *p, struct worker *w)
{
	return !is_parked(p, w->index) &&
	       !atomic_load_explicit(&w->resting, memory_order_relaxed) && /* advisory */
	       atomic_load_explicit(&w->away, memory_order_relaxed) != AWAY_BLOCKED;
}

static void look_at(struct pool *p, struct worker *w, uint64_t now)
{
	uint64_t n = atomic_load_explicit(&w->activations, memory_order_relaxed); /* advisory */
	if (n != w->seen || w->since == 0 || !is_running(p, w)) {
		w->seen = n;
		w->since = now;
		return;
	}
	if (now - w->since < p->hog_ns)
		return;
	if (p->crew > 1)
		heist_worker_hogged(w);
	p->ops->hog(w, n, now - w->since);
}

static void look_at_all(struct pool *p, uint64_t now)
{
	for (; p; p = pool_next_of_group(p))
		for (uint32_t i = 0; i < pool_present(p) && p->hog_ns; i++)
			look_at(p, pool_worker(p, i), now);
}

static void watch(void *arg)
{
	struct pool *p = arg;
	struct watchdog *d = &p->watchdog;
	for (;;) {
		uint32_t key = eventcount_prepare(&d->wakeup);
		uint64_t now = heist_clock_ns(), until = now + d->look_ns;
		if (atomic_load_explicit(&d->stop, memory_order_acquire)) { /* WD2 acquire */
			eventcount_cancel(&d->wakeup);
			return;
		}
		look_at_all(p, now);
		atomic_store_explicit(&d->asleep, 1, memory_order_relaxed); /* ordered by WD1 */
		heist_fence_heavy();					    /* WD1 */
		bool calm = all_are_parked(p);
		if (!calm)
			atomic_store_explicit(&d->asleep, 0, memory_order_relaxed);
		eventcount_wait(&d->wakeup, key, calm ? 0 : until);
		atomic_store_explicit(&d->asleep, 0, memory_order_relaxed);
	}
}

int heist_watchdog_start(struct pool *p)
{
	uint64_t shortest = 0;
	for (struct pool *q = p; q; q = pool_next_of_group(q))
		if (q->hog_ns && (!shortest || q->hog_ns < shortest))
			shortest = q->hog_ns;
	if (!shortest)
		return 0;
	p->watchdog.look_ns = shortest / 2;
	if (heist_thread_start(&p->watchdog.thread, watch, p, "heist-watchdog") != 0)
		return -1;
	p->watchdog.runs = true;
	return 0;
}

void heist_watchdog_stop(struct pool *p)
{
	struct watchdog *d = &p->watchdog;
	if (!d->runs)
		return;
	d->runs = false;
	atomic_store_explicit(&d->stop, 1, memory_order_release); /* WD2 release */
	eventcount_notify(&d->wakeup, 1);
	heist_thread_join(&d->thread);
}

void heist_watchdog_woke(struct pool *p)
{
	struct watchdog *d = &p->group->watchdog;
	heist_fence_light(); /* WD1; QU1: before this worker takes anything (pool.c) */
	if (HEIST_UNLIKELY(atomic_load_explicit(&d->asleep, memory_order_relaxed))) /* by WD1 */
		eventcount_notify(&d->wakeup, 1);
}
