/* SPDX-License-Identifier: BSD-2-Clause
 * pace.c - the comparisons of pace.h, and what they are made with. */
#include "sched/pace.h"

#include "sched/pool.h"

/* ---- the rule ---- */

static void begin(struct pace *p, enum pace_phase phase, uint64_t now, uint64_t handled)
{
	p->phase = phase;
	p->since = now;
	p->handled = handled;
}

static void steal(struct pace *p, uint64_t now)
{
	begin(p, PACE_STEALING, now, 0);
	p->thefts = p->wins = 0;
}

static void lost(struct pace *p, uint64_t now)
{
	p->hold = 0;
	p->pause = policy_doubled(p->pause, PACE_PAUSE_MIN_NS, PACE_PAUSE_MAX_NS);
	p->until = now + p->pause;
	steal(p, now);
}

void heist_pace_forget(struct pace *p, uint64_t now)
{
	p->hold = p->pause = 0;
	p->until = now + PACE_PAUSE_MIN_NS;
	steal(p, now);
}

void heist_pace_rest(struct pace *p, uint64_t now)
{
	bool decided = p->phase == PACE_AWAY;
	heist_pace_forget(p, now);
	if (decided)
		p->until = now;
}

static bool steals_often(struct pace *p, uint64_t now)
{
	if (p->thefts < PACE_THEFTS)
		return false;
	if (now >= p->until && now - p->since <= PACE_THEFTS_NS)
		return true;
	p->since = now;
	p->thefts = 0;
	return false;
}

bool heist_pace_due(struct pace *p, uint64_t now)
{
	if (p->phase == PACE_STEALING)
		return steals_often(p, now);
	return now - p->since >= (p->phase == PACE_AWAY ? PACE_SLICE_NS : PACE_WINDOW_NS);
}

/* A comparison is over. */
static void compare(struct pace *p, uint64_t now, uint64_t handled)
{
	if (p->without * 100 < p->with * PACE_BETTER) {
		lost(p, now);
	} else if (++p->wins < PACE_WINS) {
		begin(p, PACE_WITH, now, handled);
	} else {
		p->pause = 0;
		p->hold = policy_doubled(p->hold, PACE_HOLD_MIN_NS, PACE_HOLD_MAX_NS);
		p->until = now + p->hold;
		begin(p, PACE_AWAY, now, handled);
	}
}

/* A slice is over. */
static void stay(struct pace *p, uint64_t now, uint64_t handled, uint64_t rate)
{
	bool less = rate * 100 < p->without * PACE_LESS;
	if (!less && now < p->until) {
		begin(p, PACE_AWAY, now, handled);
		return;
	}
	p->wins = less ? 0 : PACE_WINS - 1;
	begin(p, PACE_WITH, now, handled);
}

void heist_pace_step(struct pace *p, uint64_t now, uint64_t handled, uint32_t others)
{
	if (p->phase == PACE_STEALING) {
		begin(p, PACE_WITH, now, handled);
		return;
	}
	uint64_t elapsed = now - p->since; /* > 0: it was due */
	uint64_t rate = handled > p->handled ? (handled - p->handled) * 1000000 / elapsed : 0;
	if (rate * SCHED_COARSE_NS < (uint64_t)1000000 * others || elapsed >= 4 * PACE_SLICE_NS) {
		heist_pace_forget(p, now);
	} else if (p->phase == PACE_AWAY) {
		stay(p, now, handled, rate);
	} else if (p->phase == PACE_WITH) {
		p->with = rate;
		begin(p, PACE_WITHOUT, now, handled);
	} else {
		p->without = rate;
		compare(p, now, handled);
	}
}

/* ---- what a worker sees ---- */

static uint64_t handled_by_all(struct pool *p)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < pool_present(p); i++)
		sum += worker_handled(pool_worker(p, i));
	return sum;
}

/* Somebody has begun no activation since the last look, or is away: who works may not be left alone. */
static bool others_need_help(struct worker *w)
{
	struct pool *p = w->pool;
	bool stuck = spares_away(&p->spares) != 0;
	for (uint32_t i = 0; i < p->workers; i++) {
		struct worker *v = pool_worker(p, i);
		uint64_t n = atomic_load_explicit(&v->activations, memory_order_relaxed);
		stuck |= v != w && n == v->paced;
		v->paced = n;
	}
	return stuck;
}

static bool take_turn(struct worker *w)
{
	uint32_t nobody = 0;
	return atomic_compare_exchange_strong_explicit(&w->pool->pacer, &nobody, w->index + 1,
						       memory_order_acq_rel,
						       memory_order_relaxed); /* PA1 */
}

static void look(struct worker *w)
{
	struct pool *p = w->pool;
	bool help = others_need_help(w);
	if (pace_naps(&w->pace) && idle_parked(&p->idle) != 0)
		heist_pace_rest(&w->pace, w->now);
	else if (pace_naps(&w->pace) && help)
		heist_pace_forget(&w->pace, w->now);
	else
		heist_pace_step(&w->pace, w->now, handled_by_all(p), p->workers - 1);
	if (w->pace.phase == PACE_STEALING)
		atomic_store_explicit(&p->pacer, 0, memory_order_release); /* PA1 release */
}

uint64_t heist_worker_pace(struct worker *w)
{
	struct pace *c = &w->pace;
#ifdef PACE_MUTANT_BLIND /* stress_pace must notice */
	if (c->phase == PACE_AWAY)
		return w->now + PACE_SLICE_NS;
#endif
	if (heist_pace_due(c, w->now) && (c->phase != PACE_STEALING || take_turn(w)))
		look(w);
	if (!pace_naps(c))
		return 0;
	return c->since + (c->phase == PACE_AWAY ? PACE_SLICE_NS : PACE_WINDOW_NS);
}
