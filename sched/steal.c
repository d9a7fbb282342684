/* SPDX-License-Identifier: BSD-2-Clause
 * steal.c - taking work from other workers, nearest first.
 *
 * A pass looks at each victim's FIFO (oldest first, up to half with one CAS), its inbox, and its
 * spawn deque (one CAS each).  A lone item is left alone.  The last pass before parking also takes
 * lone items and LIFO slots, if they and their worker have not moved for SCHED_LONE_NS: then the
 * worker is stuck in a handler. */
#include "lockfree/backoff.h"
#include "lockfree/xorshift.h"
#include "sched/pool.h"

/* What a thief took beyond the first item goes to its own FIFO. */
static struct runnable *keep_rest(struct worker *w, void **items, uint64_t n)
{
	for (uint64_t i = 1; i < n; i++)
		worker_queue(w, items[i]);
	heist_count(&w->stats.steals, n);
	return items[0];
}

static struct runnable *steal_fifo(struct worker *w, struct worker *v)
{
	void *items[SCHED_STEAL_MAX];
	bool lost;
	do {
		uint64_t n = deque_steal_some(&v->fifo, items, SCHED_STEAL_MAX, &lost);
		if (n)
			return keep_rest(w, items, n);
	} while (lost);
	return NULL;
}

static struct runnable *steal_spawned(struct worker *w, struct worker *v)
{
	void *items[SCHED_STEAL_MAX];
	uint64_t want = (deque_size(&v->spawned) + 1) / 2, n = 0;
	struct backoff lost = BACKOFF_FIRST;
	if (want == 0)
		return NULL;
	deque_thief_enter(&v->spawned);
	while (n < want && n < SCHED_STEAL_MAX) {
		enum deque_steal s = deque_steal(&v->spawned, &items[n]);
		if (s == STEAL_EMPTY)
			break;
		if (s == STEAL_OK)
			n++;
		else
			backoff_wait(&lost);
	}
	deque_thief_leave(&v->spawned);
	return n ? keep_rest(w, items, n) : NULL;
}

/* The same, to be judged. */
static struct runnable *try_spawned(struct worker *w, struct worker *v)
{
	uint64_t begun = heist_clock_ns();
	struct runnable *r = steal_spawned(w, v);
	if (r)
		throttle_took(&w->throttle, begun, heist_clock_ns());
	return r;
}

static struct runnable *steal_inbox(struct worker *w, struct worker *v)
{
	struct inject_link *l = inject_take(&v->inbox);
	struct runnable *first = NULL;
	while (l) {
		struct inject_link *next = l->next;
		struct runnable *r = HEIST_CONTAINER(l, struct runnable, link);
		heist_count(&w->stats.steals, 1);
		if (first)
			worker_queue(w, r);
		else
			first = r;
		l = next;
	}
	return first;
}

/* The background of v, a lone item only if it is `stuck`; the rest goes to our own background. */
static struct runnable *steal_low(struct worker *w, struct worker *v, bool is_stuck)
{
	void *items[SCHED_STEAL_MAX];
	bool lost;
	struct inject_link *l = inject_take(&v->low_inbox);
	while (l) {
		struct inject_link *next = l->next;
		worker_queue_low(w, HEIST_CONTAINER(l, struct runnable, link));
		l = next;
	}
	while (deque_size(&v->low) > (is_stuck ? 0 : 1)) {
		uint64_t n = deque_steal_some(&v->low, items, SCHED_STEAL_MAX, &lost);
		for (uint64_t i = 0; i < n; i++)
			worker_queue_low(w, items[i]);
		heist_count(&w->stats.steals, n);
		if (n || !lost)
			break;
	}
	return deque_take(&w->low);
}

static struct runnable *steal_from(struct worker *w, struct worker *v)
{
	struct runnable *r = steal_inbox(w, v);
	if (r)
		return r;
	/* While it holds, not even a look: the victim's next push would miss. */
	uint64_t fifo = deque_size(&v->fifo);
	uint64_t spawned = throttle_holds(&w->throttle, w->now) ? 0 : deque_size(&v->spawned);
	if (fifo + spawned < 2)
		return NULL;
	if (fifo && (r = steal_fifo(w, v)) != NULL) {
		pace_theft(&w->pace);
		return r;
	}
	return spawned ? try_spawned(w, v) : NULL;
}

/* Spares have no rings: they are nobody's neighbours.  A spare takes the place of the worker whose ring it
 * looks at, so that one is left, too. */
static HEIST_COLD struct runnable *steal_from_spares(struct worker *w)
{
	struct pool *p = w->pool;
	struct runnable *r = NULL;
	if (w->index >= p->workers)
		r = steal_from(w, pool_worker(p, w->index % p->workers));
	for (uint32_t i = p->workers; i < pool_present(p) && !r; i++)
		if (i != w->index)
			r = steal_from(w, pool_worker(p, i));
	return r;
}

/* Victim k of w: nearest ring first, from a random start within each ring. */
static struct runnable *steal_pass(struct worker *w)
{
	struct pool *p = w->pool;
	struct heist_victims it;
	uint32_t v;
	heist_victims_begin(&it, &p->topology, w->index % p->workers, xorshift(&w->random));
	while (heist_victims_next(&it, &v)) {
		struct runnable *r = steal_from(w, pool_worker(p, v));
		if (r)
			return r;
	}
	struct runnable *r = NULL;
	if (HEIST_UNLIKELY(spares_on_duty(&p->spares) != 0))
		r = steal_from_spares(w);
	for (uint32_t i = 0, n = pool_present(p); i < n && !r; i++)
		if (i != w->index)
			r = steal_low(w, pool_worker(p, i), false);
	return r;
}

struct runnable *heist_worker_steal(struct worker *w)
{
	worker_steal_begin(w);
	struct runnable *r = steal_pass(w);
	worker_steal_end(w);
	return r;
}

/* ---- the last pass ---- */

struct standstill {
	uint64_t activations, fifo_top, spawned_top, low_top;
	void *slot;
};

static struct standstill look(struct worker *v)
{
	return (struct standstill){
		.activations = atomic_load_explicit(&v->activations, memory_order_relaxed),
		.fifo_top = atomic_load_explicit(&v->fifo.top, memory_order_relaxed),
		.spawned_top = atomic_load_explicit(&v->spawned.top, memory_order_relaxed),
		.low_top = atomic_load_explicit(&v->low.top, memory_order_relaxed),
		.slot = lifo_peek(&v->slot),
	};
}

static bool stuck(const struct standstill *a, const struct standstill *b)
{
	return a->activations == b->activations && a->fifo_top == b->fifo_top &&
	       a->spawned_top == b->spawned_top && a->low_top == b->low_top && a->slot == b->slot;
}

/* A parked worker holds nothing back, nor does a spare on its bench. */
static bool worth_waiting(struct pool *p, struct worker *v)
{
	return !idle_is_parked(&p->idle, v->index) && !heist_spare_is_off(p, v->index);
}

static bool is_away(struct worker *v)
{
	return atomic_load_explicit(&v->away, memory_order_relaxed) != AWAY_NOT; /* advisory */
}

/* Has v not moved for a while?  Who says that it is away needs no watching. */
static bool stands_still(struct worker *v)
{
	if (is_away(v))
		return true;
	struct standstill before = look(v);
	uint64_t until = heist_clock_ns() + SCHED_LONE_NS;
	while (heist_clock_ns() < until)
		heist_relax();
	struct standstill after = look(v);
	return stuck(&before, &after);
}

static struct runnable *steal_stuck(struct worker *w, struct worker *v)
{
	worker_steal_begin(w);
	struct runnable *r = steal_fifo(w, v);
	if (!r)
		r = steal_spawned(w, v);
	if (!r)
		r = steal_low(w, v, true);
	worker_steal_end(w);
	if (!r && (r = lifo_steal(&v->slot)) != NULL) {
		heist_count(&w->stats.steals, 1);
		lead_took(&w->lead, heist_clock_ns(), worker_handled(w));
	}
	if (!r && w->pool->ops->stuck(w, v))
		r = heist_worker_next(w);
	return r;
}

struct runnable *heist_worker_steal_last(struct worker *w)
{
	struct pool *p = w->pool;
	uint32_t n = pool_present(p);
	for (uint32_t k = 1; k < n; k++) {
		struct worker *v = pool_worker(p, (w->index + k) % n);
		if (v == w || !worth_waiting(p, v))
			continue;
		struct runnable *r = stands_still(v) ? steal_stuck(w, v) : NULL;
		if (r)
			return r;
	}
	return NULL;
}

/* ---- for those that are away (spare.h) ---- */

static struct runnable *steal_away(struct worker *w, struct worker *v, bool slot)
{
	struct runnable *r = steal_inbox(w, v);
	worker_steal_begin(w);
	if (!r)
		r = steal_fifo(w, v);
	if (!r)
		r = steal_spawned(w, v);
	if (!r)
		r = steal_low(w, v, true);
	worker_steal_end(w);
	if (!r && slot && (r = lifo_steal(&v->slot)) != NULL)
		heist_count(&w->stats.steals, 1);
	return r;
}

/* Slots and deferred sends cost the fences of all threads, so they are looked at once in a while. */
void heist_worker_relieve(struct worker *w)
{
	struct pool *p = w->pool;
	bool all = w->now - w->relieved >= SCHED_RELIEVE_NS;
	if (all)
		w->relieved = w->now;
	for (uint32_t i = 0; i < pool_present(p); i++) {
		struct worker *v = pool_worker(p, i);
		if (v == w || !is_away(v))
			continue;
		struct runnable *r = steal_away(w, v, all);
		if (r)
			worker_queue(w, r);
		if (all)
			(void)p->ops->stuck(w, v);
	}
}
