/* SPDX-License-Identifier: BSD-2-Clause
 * stash.c - heist_stash, heist_unstash: messages that a handler keeps for later (lane.h). */
#include "runtime/send.h"

#define STASH_DEFAULT 1024u

heist_status heist_stash(heist_ctx *ctx, void *msg)
{
	if (!ctx || !msg)
		return HEIST_BAD_ARG("context and msg must not be NULL");
	struct message *m = message_handled(ctx, msg);
	if (!m)
		return HEIST_BAD_ARG("msg must be the message being handled, and not taken");
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	if (!x)
		return HEIST_ENOMEM;
	if (x->lanes.stash.count >= (x->lanes.capacity ? x->lanes.capacity : STASH_DEFAULT))
		return HEIST_EFULL;
	struct message *copy = heist_message_put_aside(ctx, m);
	if (!copy)
		return HEIST_ENOMEM;
	lane_put(&x->lanes.stash, copy);
	return HEIST_OK;
}

uint32_t heist_unstash(heist_ctx *ctx)
{
	struct actor_extra *x = ctx ? actor_extra(ctx->system, ctx_actor(ctx)) : NULL;
	uint32_t n = x ? x->lanes.stash.count : 0;
	if (n == 0)
		return 0;
	lane_prepend(&x->lanes.ahead, &x->lanes.stash);
	heist_lanes_wake(ctx->worker, ctx_actor(ctx));
	return n;
}

uint32_t heist_stashed(const heist_ctx *ctx)
{
	struct actor_extra *x = ctx ? actor_extra(ctx->system, ctx_actor(ctx)) : NULL;
	return x ? x->lanes.stash.count : 0;
}
