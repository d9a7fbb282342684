/* SPDX-License-Identifier: BSD-2-Clause
 * behaviour.c - become, push, pop; and what stands before a behaviour (behaviour.h). */
#include "runtime/behaviour.h"

#include "runtime/run.h"

static heist_next recv_watched(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = ctx_actor(ctx);
	heist_idle_over(ctx->worker, a, actor_extra(ctx->system, a));
	return a->recv(ctx, state, type, msg);
}

static bool stands_before(heist_recv_fn *recv)
{
	return recv == recv_watched || recv == heist_postpone || recv == heist_fault_recv;
}

static heist_recv_fn *wanted(const struct actor_extra *x)
{
	return x->lanes.awaited	  ? heist_postpone
	       : x->idle.watching ? recv_watched
	       : x->contained	  ? heist_fault_recv
				  : x->behind;
}

void heist_behaviour_settle(struct heist_ctx *ctx, struct actor *a, struct actor_extra *x)
{
	heist_recv_fn **recv = behaviour_place(ctx->system, a);
	if (!stands_before(*recv))
		x->behind = *recv;
	*recv = wanted(x);
	if (!stands_before(*recv) && !x->lanes.holding)
		x->behind = NULL;
	heist_behaviour_changed(ctx, a);
}

static heist_recv_fn *behaviour_get(struct heist_system *s, struct actor *a)
{
	heist_recv_fn *recv = *behaviour_place(s, a);
	return stands_before(recv) ? actor_extra(s, a)->behind : recv;
}

static void behaviour_set(struct heist_ctx *ctx, heist_recv_fn *recv)
{
	struct actor *a = ctx_actor(ctx);
	heist_recv_fn **place = behaviour_place(ctx->system, a);
	if (stands_before(*place)) {
		actor_extra(ctx->system, a)->behind = recv;
		return;
	}
	*place = recv;
	heist_behaviour_changed(ctx, a);
}

void heist_become(heist_ctx *ctx, heist_recv_fn *recv)
{
	if (ctx && recv)
		behaviour_set(ctx, recv);
}

/* ---- those below ---- */

#define STACK_BYTES (BEHAVIOURS_MAX * sizeof(heist_recv_fn *))

heist_status heist_push_behaviour(heist_ctx *ctx, heist_recv_fn *recv)
{
	if (!ctx || !recv)
		return HEIST_BAD_ARG("context and behaviour must not be NULL");
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	if (!x)
		return HEIST_ENOMEM;
	if (x->behaviour_count == BEHAVIOURS_MAX)
		return HEIST_EFULL;
	if (!x->behaviours)
		x->behaviours =
			heist_memory_get(&ctx->system->memory, STACK_BYTES, HEIST_CACHELINE);
	if (!x->behaviours)
		return HEIST_ENOMEM;
	x->behaviours[x->behaviour_count++] = behaviour_get(ctx->system, ctx_actor(ctx));
	behaviour_set(ctx, recv);
	return HEIST_OK;
}

heist_status heist_pop_behaviour(heist_ctx *ctx)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	if (!x || x->behaviour_count == 0)
		return HEIST_EDEAD;
	behaviour_set(ctx, x->behaviours[--x->behaviour_count]);
	return HEIST_OK;
}

void heist_behaviour_end(struct heist_system *s, struct actor_extra *x)
{
	heist_memory_put(&s->memory, x->behaviours, x->behaviours ? STACK_BYTES : 0);
	x->behaviours = NULL;
	x->behaviour_count = 0;
}
