/* SPDX-License-Identifier: BSD-2-Clause
 * idle.c - when has an actor been silent for long enough (idle.h)? */
#include "runtime/behaviour.h"

#define LOOKS 4 /* in a period */

static void look_later(struct rt_worker *w, struct actor *a, struct idle_watch *i)
{
	uint64_t at = time_after(w->base.now, i->period / LOOKS + 1);
	heist_timer_stop(w->local.system, &i->timer);
	i->timer.id = ALARM_IDLE;
	heist_timer_start(w, a, &i->timer, at);
}

static void watch(struct rt_worker *w, struct actor *a, struct actor_extra *x)
{
	x->idle.since = w->base.now;
	x->idle.watching = true;
	x->idle.told = false;
	heist_behaviour_settle(&w->ctx, a, x);
	look_later(w, a, &x->idle);
}

void heist_idle_over(struct rt_worker *w, struct actor *a, struct actor_extra *x)
{
	if (!x->idle.watching)
		return;
	x->idle.watching = false;
	heist_behaviour_settle(&w->ctx, a, x);
	if (!x->idle.told)
		return;
	x->idle.told = false;
	w->base.now = system_now(w->local.system);
	look_later(w, a, &x->idle);
}

bool heist_idle_look(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
	if (!x || x->idle.period == 0 || x->idle.told) /* an alarm from before */
		return false;
	w->base.now = system_now(s);
	if (!x->idle.watching) {
		watch(w, a, x);
		return false;
	}
	if (w->base.now - x->idle.since < x->idle.period) {
		look_later(w, a, &x->idle);
		return false;
	}
	heist_timer_stop(s, &x->idle.timer);
	x->idle.told = true;
	const heist_signal sig = { .kind = HEIST_SIG_IDLE, .who = actor_ref(s, a) };
	return heist_signal_hook(w, a, &sig, end);
}

void heist_idle_end(struct heist_system *s, struct actor_extra *x)
{
	if (x->idle.period)
		heist_timer_stop(s, &x->idle.timer);
	x->idle = (struct idle_watch){ .period = 0 };
}

heist_status heist_idle_after(heist_ctx *ctx, uint64_t ns)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	struct rt_worker *w = ctx->worker;
	struct actor *a = ctx_actor(ctx);
	const heist_hooks *hooks = actor_class(ctx->system, a)->hooks;
	if (!hooks || !hooks->signal)
		return HEIST_BAD_ARG("the class must have a signal hook, which is told");
	struct actor_extra *x =
		ns ? heist_extra_ensure(ctx->system, a) : actor_extra(ctx->system, a);
	if (!x)
		return ns ? HEIST_ENOMEM : HEIST_OK;
	heist_idle_end(ctx->system, x);
	heist_behaviour_settle(ctx, a, x);
	x->idle.period = ns;
	w->base.now = system_now(ctx->system);
	if (ns)
		watch(w, a, x);
	return HEIST_OK;
}
