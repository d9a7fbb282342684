/* SPDX-License-Identifier: BSD-2-Clause
 * tree.c - shutdown, when no worker runs any more: the actors that are left end, children before their
 * parent or supervisor, the youngest first.  Without recursion: a tree may be as deep as there are actors. */
#include "runtime/send.h"

/* The actor of a handle if it has begun and not ended, else NULL. */
static struct actor *living(struct heist_system *s, heist_ref r)
{
	struct actor *a = &s->slots.base[ref_slot(r)];
	return mpsc_ticket(&a->ticket, ref_generation(r)) == MPSC_TICKET_VALID &&
			       heist_actor_has_begun(a)
		       ? a
		       : NULL;
}

static struct child *record_of(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	return x ? x->child : NULL;
}

/* Its parent or supervisor, if that lives. */
static struct actor *above(struct heist_system *s, struct actor *a)
{
	struct child *c = record_of(s, a);
	if (c)
		return living(s, c->sup);
	struct bond *b = heist_family_bond(s, a);
	return b ? living(s, b->owner) : NULL;
}

/* The first that lives of c and those older; the same of b. */
static struct actor *child_from(struct heist_system *s, struct child *c)
{
	struct actor *a = NULL;
	for (; c && !a; c = c->older)
		a = living(s, c->ref);
	return a;
}

static struct actor *kin_from(struct heist_system *s, struct bond *b)
{
	struct actor *a = NULL;
	for (; b && !a; b = b->sibling.older)
		a = living(s, b->target);
	return a;
}

static struct actor *youngest_below(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	if (!x)
		return NULL;
	return x->supervisor ? child_from(s, heist_supervisor_last(x->supervisor))
			     : kin_from(s, x->family.youngest);
}

static struct actor *leaf_below(struct heist_system *s, struct actor *a)
{
	struct actor *below;
	while ((below = youngest_below(s, a)) != NULL)
		a = below;
	return a;
}

/* Who ends after a, which is not the root: the next older sibling's leaf, or the one above. */
static struct actor *next_after(struct heist_system *s, struct actor *a)
{
	struct child *c = record_of(s, a);
	struct actor *sibling = c ? (c->adopted ? child_from(s, c->older) : NULL)
				  : kin_from(s, heist_family_bond(s, a)->sibling.older);
	return sibling ? leaf_below(s, sibling) : above(s, a);
}

static void end_one(struct rt_worker *w, struct actor *a)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	bool held = a->config & CONFIG_HELD, closing = x && x->family.closing;
	bool ours = held && hold_take(&a->control); /* if not, it was called, and is in a queue */
	struct ending end = { HEIST_EXIT_CLOSED, HEIST_EKILLED };
	heist_actor_end(w, a, closing ? x->family.end : end, !held || closing);
	if (ours) {
		heist_count(&w->base.activations, 1);
		heist_actor_discard(&w->base, &a->run);
	}
}

bool heist_actor_end_left(struct rt_worker *w, struct actor *a, uint64_t last)
{
	struct heist_system *s = w->local.system;
	if (!heist_actor_has_begun(a))
		return true;
	for (struct actor *up; (up = above(s, a)) != NULL;)
		a = up;
	for (struct actor *root = a, *next = leaf_below(s, a); next;) {
		struct actor *ends = next;
		next = ends == root ? NULL : next_after(s, ends);
		end_one(w, ends);
		if (last && system_now(s) >= last)
			return false;
	}
	return true;
}
