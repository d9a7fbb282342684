/* SPDX-License-Identifier: BSD-2-Clause
 * family.c - children of actors that are no supervisors (the protocol: family.h). */
#include "runtime/family.h"

#include "runtime/send.h"

/* ---- the list: the youngest first ---- */

static void list_add(struct family *f, struct bond *b)
{
	b->sibling.older = f->youngest;
	b->sibling.newer = NULL;
	if (f->youngest)
		f->youngest->sibling.newer = b;
	f->youngest = b;
}

static void list_remove(struct family *f, struct bond *b)
{
	if (b->sibling.newer)
		b->sibling.newer->sibling.older = b->sibling.older;
	else
		f->youngest = b->sibling.older;
	if (b->sibling.older)
		b->sibling.older->sibling.newer = b->sibling.newer;
}

struct bond *heist_family_bond(struct heist_system *s, struct actor *a)
{
	struct bond *b = s->slots.control[slot_index(&s->slots, a)].bonds;
	while (b && !b->child)
		b = b->older;
	return b;
}

/* ---- closing ---- */

/* To the youngest; if it has ended, its DOWN is on the way. */
static void order(struct family *f)
{
	if (f->kill)
		(void)heist_kill(f->youngest->target, HEIST_EKILLED);
	else
		(void)heist_stop(f->youngest->target, HEIST_OK);
}

/* Does a parent that ends like that let its children finish?  Not to rest with others. */
static bool stops(const struct actor_extra *x, struct ending end)
{
	bool ordered = x->child && x->child->hold_seen;
	return end.how == HEIST_EXIT_NORMAL || (end.how == HEIST_EXIT_STOPPED && !ordered);
}

bool heist_family_closes(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	if (!x || !x->family.youngest)
		return false;
	x->family.closing = true;
	x->family.kill = !stops(x, end);
	x->family.end = end;
	a->config |= CONFIG_HELD;
	order(&x->family);
	return true;
}

bool heist_family_closed(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct family *f = &actor_extra(w->local.system, a)->family;
	struct ending asked;
	bool any = heist_control_look(w, a, &asked);
	if (any && asked.how == HEIST_EXIT_KILLED && !f->kill && f->youngest) {
		f->kill = true;
		order(f);
	}
	if (f->youngest)
		return false;
	f->closing = false;
	a->config &= (uint16_t)~CONFIG_HELD;
	*end = f->end;
	return true;
}

bool heist_family_down(struct rt_worker *w, struct actor *a, struct bond *b, enum signal_mode mode,
		       struct ending *end)
{
	struct heist_system *s = w->local.system;
	struct bond child = *b;
	if (mode != SIGNAL_STALE) {
		struct family *f = &actor_extra(s, a)->family;
		bool next = f->closing && f->youngest == b;
		list_remove(f, b);
		if (next && f->youngest)
			order(f);
	}
	heist_local_state_put(&w->local, b, sizeof *b);
	const heist_hooks *hooks = mode == SIGNAL_TELL ? actor_class(s, a)->hooks : NULL;
	if (!hooks || !hooks->signal)
		return false;
	heist_signal sig = { HEIST_SIG_CHILD, child.end.how, child.end.status, child.target, 0 };
	return heist_signal_hook(w, a, &sig, end);
}

/* ---- the public side ---- */

heist_status heist_spawn_child(heist_ctx *ctx, const heist_class *cls, const heist_opts *opts,
			       const void *arg, heist_ref *out)
{
	if (!ctx || !out)
		return HEIST_BAD_ARG("context and out must not be NULL");
	struct heist_system *s = ctx->system;
	struct local *l = &ctx->worker->local;
	const char *bad = heist_spawn_bad(s, cls, opts, arg);
	if (bad)
		return HEIST_BAD_ARG(bad);
	if (ctx->stopping)
		return HEIST_EDEAD;
	struct actor_extra *x = heist_extra_ensure(s, ctx_actor(ctx));
	struct bond *b = x ? heist_local_state_get(l, sizeof *b) : NULL;
	if (!b)
		return HEIST_ENOMEM;
	const struct spawn_extra more = { .watch = b };
	b->owner = heist_self(ctx);
	b->child = true;
	heist_status r = heist_spawn_with(s, cls, opts, arg, &more, out);
	if (r != HEIST_OK) {
		heist_local_state_put(l, b, sizeof *b);
		return r;
	}
	b->target = *out; /* it does not look at it itself */
	list_add(&x->family, b);
	return HEIST_OK;
}
