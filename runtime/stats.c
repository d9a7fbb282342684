/* SPDX-License-Identifier: BSD-2-Clause
 * stats.c - what a runtime tells about itself: counters, clock, and what a handler asks about. */
#include "runtime/system.h"

#include <string.h>

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed); /* exact at quiescence */
}

static void add_local(const struct local *l, heist_stats *t)
{
	t->actors += get(&l->spawned) - get(&l->ended);
	t->accepted += get(&l->accepted);
	t->handled += get(&l->handled_more);
	t->arena_bytes += get(&l->arena_bytes);
	t->faults += get(&l->faults);
	t->quarantined += get(&l->quarantined);
	for (int i = 0; i < HEIST_CAUSES; i++)
		t->lost[i] += get(&l->lost[i]);
	t->refused += get(&l->refused);
	t->redirected += get(&l->redirected);
	t->timers_armed += get(&l->timers_armed);
	t->timers_fired += get(&l->timers_fired);
	t->timers_cancelled += get(&l->timers_cancelled);
	t->message_bytes +=
		(uint64_t)atomic_load_explicit(&l->messages.block_count, memory_order_relaxed) *
		BLOCK_SIZE;
}

heist_status heist_get_stats(const heist_system *s, heist_stats *out)
{
	if (!s || !out || out->struct_size < sizeof(uint32_t))
		return HEIST_BAD_ARG("system and out must not be NULL (use heist_stats_default)");
	heist_stats t = heist_stats_default();
	t.workers = s->pool.workers;
	for (uint32_t i = 0; i < system_locals(s); i++)
		add_local(system_local(s, i), &t);
	for (uint32_t i = 0; i < system_crew(s); i++) {
		const struct rt_worker *w = system_worker(s, i);
		t.activations += get(&w->base.activations);
		t.handled += get(&w->base.activations);
		t.steals += get(&w->base.stats.steals);
		t.parks += get(&w->base.stats.parks);
		t.wakes += get(&w->base.stats.wakes);
	}
	t.log_lines = atomic_load_explicit(&s->log.queue.tail, memory_order_relaxed);
	t.log_lost = get(&s->log.lost);
	t.slot_bytes = (uint64_t)atomic_load_explicit(&s->slots.limit, memory_order_relaxed) *
		       sizeof(struct actor);
	uint32_t size = out->struct_size < sizeof t ? out->struct_size : (uint32_t)sizeof t;
	t.struct_size = size;
	memcpy(out, &t, size);
	return HEIST_OK;
}

/* ---- one worker ---- */

static heist_worker_stats worker_look(const struct heist_system *s, const struct rt_worker *w)
{
	heist_worker_stats t = heist_worker_stats_default();
	const struct place *place =
		w->base.pool == &s->pool ? NULL : HEIST_CONTAINER(w->base.pool, struct place, pool);
	t.index = w->base.index;
	t.spare = w->base.index >= w->base.pool->workers;
	if (place)
		memcpy(t.pool, place->name, sizeof t.pool);
	t.own_thread = place && !*place->name;
	t.activations = get(&w->base.activations);
	t.handled = rt_worker_handled(w);
	t.steals = get(&w->base.stats.steals);
	t.parks = get(&w->base.stats.parks);
	t.wakes = get(&w->base.stats.wakes);
	t.spawned = get(&w->local.spawned);
	for (int c = 0; c < HEIST_CAUSES; c++)
		t.lost += get(&w->local.lost[c]);
	return t;
}

heist_status heist_get_worker_stats(const heist_system *s, uint32_t worker, heist_worker_stats *out)
{
	if (!s || !out || out->struct_size < sizeof(uint32_t))
		return HEIST_BAD_ARG(
			"system and out must not be NULL (use heist_worker_stats_default)");
	if (worker >= system_crew(s))
		return HEIST_EINVAL;
	heist_worker_stats t = worker_look(s, system_worker(s, worker));
	uint32_t size = out->struct_size < sizeof t ? out->struct_size : (uint32_t)sizeof t;
	t.struct_size = size;
	memcpy(out, &t, size);
	return HEIST_OK;
}

/* ---- the rest ---- */

uint64_t heist_lost_count(const heist_system *s, heist_cause cause)
{
	heist_stats t = heist_stats_default();
	if ((unsigned)cause >= HEIST_CAUSES || heist_get_stats(s, &t) != HEIST_OK)
		return 0;
	return t.lost[cause];
}

heist_time heist_now(const heist_system *s)
{
	heist_time now = s ? system_now(s) : heist_clock_ns();
	heist_keep_frame();
	return now;
}

heist_wall heist_wall_now(const heist_system *s)
{
	heist_wall now =
		s && s->clock ? s->clock(s->user, HEIST_CLOCK_WALL) : heist_clock_wall_ns();
	heist_keep_frame();
	return now;
}

heist_time heist_in_ms(const heist_system *s, uint32_t ms)
{
	return heist_now(s) + ms * (uint64_t)1000000;
}

heist_time heist_recent(const heist_ctx *ctx)
{
	return ctx ? ctx->worker->base.now : 0;
}

heist_ref heist_self(const heist_ctx *ctx)
{
	if (HEIST_UNLIKELY(!ctx))
		return (heist_ref){ 0 };
	struct heist_system *s = ctx->system;
	return actor_ref(s, ctx_actor(ctx));
}

heist_system *heist_system_of(const heist_ctx *ctx)
{
	return ctx ? ctx->system : NULL;
}

bool heist_out_of_budget(const heist_ctx *ctx)
{
	if (!ctx)
		return true;
	const struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	uint64_t budget = x && x->budget_ns ? x->budget_ns : ctx->worker->budget_ns;
	return system_now(ctx->system) - ctx->worker->base.now >= budget;
}

heist_next heist_unhandled(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	if (!ctx || !type)
		return HEIST_CONTINUE;
	struct local *l = &ctx->worker->local;
	(void)state;
	heist_count_lost(ctx->system, l, heist_self(ctx), type, msg, HEIST_LOST_UNHANDLED);
	heist_count(&l->handled_more, (uint64_t)-1); /* its run will count it as handled */
	payload_drop(type, msg);
	return HEIST_CONTINUE;
}
