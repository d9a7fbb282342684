/* SPDX-License-Identifier: BSD-2-Clause
 * postpone.c - heist_hold: messages wait until asks are answered (lane.h).
 *
 * What stands before the behaviour puts each message of the mailbox into a lane of its own, from where they go
 * before the mailbox when the last answer, or its deadline, has come.  Answers go past it; other lanes and a
 * stop wait. */
#include "runtime/behaviour.h"
#include "runtime/bound.h"
#include "runtime/send.h"

heist_next heist_postpone(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = ctx_actor(ctx);
	struct actor_extra *x = actor_extra(ctx->system, a);
	(void)state, (void)type;
	struct message *copy = heist_message_put_aside(ctx, message_handled(ctx, msg));
	if (!copy)
		return HEIST_AGAIN; /* it waits for memory, and what is behind it for it */
	heist_idle_over(ctx->worker, a, x);
	if (a->config & CONFIG_BOUNDED) { /* it still waits */
		bound_enter_anyway(&ctx->system->slots.control[slot_index(&ctx->system->slots, a)]);
		message_set(copy, MESSAGE_COUNTED);
	}
	lane_put(&x->lanes.postponed, copy);
	return HEIST_CONTINUE;
}

/* The alarm waits as an alarm: whoever cancels its timer meanwhile does not get the message. */
heist_next heist_postpone_alarm(struct rt_worker *w, struct actor *a, const struct message *alarm)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	struct message *copy = heist_message_copy(&w->local, alarm);
	if (!copy)
		return HEIST_AGAIN;
	heist_idle_over(w, a, x);
	lane_put(&x->lanes.postponed, copy);
	return HEIST_CONTINUE;
}

bool heist_holds(struct heist_system *s, struct actor *a)
{
	return *behaviour_place(s, a) == heist_postpone && actor_extra(s, a)->lanes.awaited;
}

void heist_postpone_over(struct rt_worker *w, struct actor *a, struct actor_extra *x)
{
	if (x->lanes.awaited || !x->lanes.holding)
		return;
	x->lanes.holding = false;
	lane_append(&x->lanes.ahead, &x->lanes.postponed); /* these came later */
	heist_behaviour_settle(&w->ctx, a, x);
	heist_lanes_wake(w, a);
	heist_control_call(w->local.system, w, a); /* a stop may have waited */
}
