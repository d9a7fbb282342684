/* SPDX-License-Identifier: BSD-2-Clause
 * bond.c - monitors and links (the protocol: bond.h). */
#include "runtime/bond.h"

#include <string.h>

#include "runtime/path.h"
#include "runtime/roster.h"
#include "runtime/run.h"

/* Memory of a bond: any worker may free what another allocated. */
static void bond_free(struct rt_worker *w, struct bond *b)
{
	heist_local_state_put(&w->local, b, sizeof *b);
}

static void bond_send(struct rt_worker *w, heist_ref to, struct signal *sig, enum signal_kind kind)
{
	struct heist_system *s = w->local.system;
	sig->kind = kind;
	sig->generation = ref_generation(to);
	heist_signal_send(s, w, &s->slots.base[ref_slot(to)], sig);
}

/* ---- the owner's table ---- */

static struct bond **bucket_of(struct bonds *t, heist_ref target)
{
	return &t->bucket[(target.v * 0x9E3779B97F4A7C15u >> 32) & (t->buckets - 1)];
}

struct bond *heist_bonds_find(struct bonds *t, heist_ref target, bool link)
{
	if (!t->buckets)
		return NULL;
	for (struct bond *b = *bucket_of(t, target); b; b = b->next)
		if (b->target.v == target.v && b->link == link)
			return b;
	return NULL;
}

void heist_bonds_add(struct bonds *t, struct bond *b)
{
	struct bond **at = bucket_of(t, b->target);
	b->next = *at;
	*at = b;
	t->count++;
}

void heist_bonds_remove(struct bonds *t, struct bond *b)
{
	struct bond **at = bucket_of(t, b->target);
	while (*at && *at != b)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = b->next;
	t->count--;
}

bool heist_bonds_grow(const struct heist_memory *memory, struct bonds *t)
{
	uint32_t n = t->buckets ? t->buckets * 2 : 4;
	if (t->count < t->buckets)
		return true;
	struct bond **bucket = heist_memory_get(memory, n * sizeof *bucket, HEIST_CACHELINE);
	if (!bucket)
		return t->buckets != 0;
	memset(bucket, 0, n * sizeof *bucket);
	struct bonds old = *t;
	*t = (struct bonds){ .bucket = bucket, .buckets = n };
	for (uint32_t i = 0; i < old.buckets; i++)
		for (struct bond *b = old.bucket[i], *next; b; b = next) {
			next = b->next;
			heist_bonds_add(t, b);
		}
	heist_bonds_free(memory, &old);
	return true;
}

void heist_bonds_free(const struct heist_memory *memory, struct bonds *t)
{
	heist_memory_put(memory, t->bucket, t->buckets * sizeof *t->bucket);
	*t = (struct bonds){ 0 };
}

static struct bonds *table_of(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	return x ? &x->bonds : NULL;
}

static struct bond *bond_new(struct rt_worker *w, struct actor *owner, heist_ref target, bool link)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = heist_extra_ensure(s, owner);
	if (!x || !heist_bonds_grow(&s->memory, &x->bonds))
		return NULL;
	struct bond *b = heist_local_state_get(&w->local, sizeof *b);
	if (!b)
		return NULL;
	b->owner = actor_ref(s, owner);
	b->target = target;
	b->link = link;
	heist_bonds_add(&x->bonds, b);
	return b;
}

/* ---- the target's list ---- */

static struct bond **list_of(struct heist_system *s, struct actor *a)
{
	return &s->slots.control[slot_index(&s->slots, a)].bonds;
}

static void list_add(struct bond **list, struct bond *b)
{
	b->listed = true;
	b->older = *list;
	b->newer = NULL;
	if (b->older)
		b->older->newer = b;
	*list = b;
}

static void list_remove(struct bond **list, struct bond *b)
{
	if (!b->listed)
		return;
	b->listed = false;
	if (b->older)
		b->older->newer = b->newer;
	if (b->newer)
		b->newer->older = b->older;
	else
		*list = b->older;
}

void heist_bond_attach(struct heist_system *s, struct actor *a, struct bond *b)
{
	list_add(list_of(s, a), b);
	atomic_fetch_or_explicit(&a->control, CONTROL_WATCHED, memory_order_relaxed); /* own bit */
}

/* ---- telling ---- */

/* To the signal hook of a, which lives.  True: it must end, like *end. */
static bool tell_hook(struct rt_worker *w, struct actor *a, heist_kind kind, heist_ref who,
		      struct ending how, struct ending *end)
{
	heist_signal sig = { .kind = kind, .how = how.how, .status = how.status, .who = who };
	return heist_signal_hook(w, a, &sig, end);
}

/* A linked actor has ended. */
static bool tell_link(struct rt_worker *w, struct actor *a, heist_ref who, struct ending how,
		      struct ending *end)
{
	const heist_hooks *hooks = actor_class(w->local.system, a)->hooks;
	if (hooks && hooks->signal && hooks->flags & HEIST_TRAP_LINKS)
		return tell_hook(w, a, HEIST_SIG_LINK, who, how, end);
	*end = (struct ending){ HEIST_EXIT_LINKED, how.status };
	return how.status != HEIST_OK;
}

/* ---- giving up ---- */

/* The owner gives the bond up; it is out of the table. */
static void owner_cut(struct rt_worker *w, struct bond *b, struct ending end, bool hush)
{
	if (bond_win(b, BOND_CUT)) {
		b->end = end;
		b->hush = hush;
		bond_send(w, b->target, &b->cut, SIGNAL_CUT);
	} else {
		b->quiet = true; /* DOWN is on its way */
	}
}

/* The target gives up a link. */
static void target_cut(struct rt_worker *w, struct actor *a, struct bond *b)
{
	if (bond_win(b, BOND_DOWN)) {
		list_remove(list_of(w->local.system, a), b);
		b->hush = true;
		bond_send(w, b->owner, &b->to_owner, SIGNAL_DOWN);
	} else {
		b->target_quiet = true; /* CUT is on its way */
	}
}

/* No link between this actor and `who` any more; false: there was none. */
static bool unlink_all(struct rt_worker *w, struct actor *a, heist_ref who)
{
	struct bonds *t = table_of(w->local.system, a);
	struct bond *own = t ? heist_bonds_find(t, who, true) : NULL, *next;
	bool any = own != NULL;
	if (own) {
		heist_bonds_remove(t, own);
		owner_cut(w, own, (struct ending){ 0 }, true);
	}
	for (struct bond *b = *list_of(w->local.system, a); b; b = next) {
		next = b->older;
		if (b->link && b->owner.v == who.v && !b->target_quiet) {
			target_cut(w, a, b);
			any = true;
		}
	}
	return any;
}

/* ---- signals ---- */

/* The target has ended like that, and its runner has won the bond. */
static void tell_owner(struct rt_worker *w, struct bond *b, struct ending end)
{
	b->end = end;
	switch ((enum bond_keeper)b->keeper) {
	case BOND_ACTOR:
		bond_send(w, b->owner, &b->to_owner, SIGNAL_DOWN);
		break;
	case BOND_ROSTER:
		heist_member_ended(w, b);
		break;
	case BOND_PATH:
		heist_path_ended(w, b);
		break;
	}
}

static void watch(struct rt_worker *w, struct actor *a, struct bond *b, enum signal_mode mode)
{
	if (mode != SIGNAL_STALE) {
		heist_bond_attach(w->local.system, a, b);
	} else if (bond_win(b, BOND_DOWN)) {
		tell_owner(w, b, (struct ending){ HEIST_EXIT_GONE, HEIST_EDEAD });
	}
}

static bool down(struct rt_worker *w, struct actor *a, struct bond *b, enum signal_mode mode,
		 struct ending *end)
{
	if (b->child)
		return heist_family_down(w, a, b, mode, end);
	struct bond copy = *b;
	if (mode != SIGNAL_STALE && !b->quiet)
		heist_bonds_remove(table_of(w->local.system, a), b);
	bond_free(w, b);
	if (mode != SIGNAL_TELL || copy.quiet || copy.hush)
		return false;
	if (!copy.link)
		return tell_hook(w, a, HEIST_SIG_DOWN, copy.target, copy.end, end);
	unlink_all(w, a, copy.target);
	return tell_link(w, a, copy.target, copy.end, end);
}

static bool cut(struct rt_worker *w, struct actor *a, struct bond *b, enum signal_mode mode,
		struct ending *end)
{
	struct bond copy = *b;
	list_remove(list_of(w->local.system, a), b); /* not in it, if the slot has a later actor */
	if (copy.keeper == BOND_ROSTER)
		heist_member_free(w->local.system, b);
	else
		bond_free(w, b);
	if (mode != SIGNAL_TELL || !copy.link || copy.target_quiet || copy.hush)
		return false;
	unlink_all(w, a, copy.owner);
	return tell_link(w, a, copy.owner, copy.end, end);
}

bool heist_bond_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
		       enum signal_mode mode, struct ending *end)
{
	switch ((enum signal_kind)sig->kind) {
	case SIGNAL_DOWN:
		return down(w, a, HEIST_CONTAINER(sig, struct bond, to_owner), mode, end);
	case SIGNAL_CUT:
		return cut(w, a, HEIST_CONTAINER(sig, struct bond, cut), mode, end);
	default:
		watch(w, a, HEIST_CONTAINER(sig, struct bond, to_target), mode);
		return false;
	}
}

/* ---- ends ---- */

void heist_bonds_owner_ended(struct rt_worker *w, struct bonds *t, struct ending end)
{
	for (uint32_t i = 0; i < t->buckets; i++)
		while (t->bucket[i]) {
			struct bond *b = t->bucket[i];
			t->bucket[i] = b->next;
			owner_cut(w, b, end, false);
		}
	heist_bonds_free(&w->local.system->memory, t);
}

void heist_bonds_owner_rests(struct rt_worker *w, struct bonds *t)
{
	for (uint32_t i = 0; i < t->buckets; i++)
		for (struct bond *b = t->bucket[i], *next; b; b = next) {
			next = b->next;
			if (b->link)
				continue;
			heist_bonds_remove(t, b);
			owner_cut(w, b, (struct ending){ 0 }, true);
		}
}

void heist_bonds_target_ended(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct bond **list = list_of(w->local.system, a);
	while (*list) {
		struct bond *b = *list;
		list_remove(list, b);
		if (bond_win(b, BOND_DOWN))
			tell_owner(w, b, end);
	}
}

/* ---- the public side ---- */

static const char *bond_bad_argument(heist_ctx *ctx, heist_ref to)
{
	if (!ctx)
		return "the context must not be NULL";
	if (to.v && ref_runtime(to) != ctx->system->id)
		return "the actor is of another runtime";
	if (to.v == heist_self(ctx).v)
		return "an actor does not watch itself";
	return NULL;
}

static bool has_signal_hook(heist_ctx *ctx)
{
	const heist_hooks *hooks = actor_class(ctx->system, ctx_actor(ctx))->hooks;
	return hooks && hooks->signal;
}

/* A bond to an actor that may have ended. */
static heist_status bond_make(heist_ctx *ctx, heist_ref to, bool link)
{
	struct heist_system *s = ctx->system;
	struct bonds *t = table_of(s, ctx_actor(ctx));
	if (t && heist_bonds_find(t, to, link))
		return HEIST_OK;
	struct bond *b = bond_new(ctx->worker, ctx_actor(ctx), to, link);
	if (!b)
		return HEIST_ENOMEM;
	struct actor *a = to.v ? system_actor(s, to) : NULL;
	if (a && mpsc_ticket(&a->ticket, ref_generation(to)) == MPSC_TICKET_VALID) {
		bond_send(ctx->worker, to, &b->to_target, SIGNAL_WATCH);
	} else {
		(void)bond_win(b, BOND_DOWN);
		b->end = (struct ending){ HEIST_EXIT_GONE, HEIST_EDEAD };
		bond_send(ctx->worker, b->owner, &b->to_owner, SIGNAL_DOWN);
		heist_batch_cut(ctx->worker,
				ctx_actor(ctx)); /* its own: told before the next message */
	}
	return HEIST_OK;
}

heist_status heist_monitor(heist_ctx *ctx, heist_ref to)
{
	const char *bad = bond_bad_argument(ctx, to);
	if (!bad && !has_signal_hook(ctx))
		bad = "the class has no signal hook that could be told";
	return bad ? HEIST_BAD_ARG(bad) : bond_make(ctx, to, false);
}

heist_status heist_demonitor(heist_ctx *ctx, heist_ref to)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	struct bonds *t = table_of(ctx->system, ctx_actor(ctx));
	struct bond *b = t ? heist_bonds_find(t, to, false) : NULL;
	if (!b)
		return HEIST_EDEAD;
	heist_bonds_remove(t, b);
	owner_cut(ctx->worker, b, (struct ending){ 0 }, true);
	return HEIST_OK;
}

heist_status heist_link(heist_ctx *ctx, heist_ref to)
{
	const char *bad = bond_bad_argument(ctx, to);
	return bad ? HEIST_BAD_ARG(bad) : bond_make(ctx, to, true);
}

heist_status heist_unlink(heist_ctx *ctx, heist_ref to)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	return unlink_all(ctx->worker, ctx_actor(ctx), to) ? HEIST_OK : HEIST_EDEAD;
}

heist_status heist_spawn_monitor(heist_ctx *ctx, const heist_class *cls, const heist_opts *opts,
				 const void *arg, heist_ref *out)
{
	if (!ctx || !has_signal_hook(ctx))
		return HEIST_BAD_ARG("only inside a handler of a class with a signal hook");
	struct bond *b = bond_new(ctx->worker, ctx_actor(ctx), (heist_ref){ 0 }, false);
	if (!b)
		return HEIST_ENOMEM;
	struct bonds *t = table_of(ctx->system, ctx_actor(ctx));
	const struct spawn_extra more = { .watch = b };
	heist_bonds_remove(t, b);
	heist_status r = heist_spawn_with(ctx->system, cls, opts, arg, &more, out);
	if (r == HEIST_OK) {
		b->target = *out; /* the target does not look at it */
		heist_bonds_add(t, b);
	} else {
		bond_free(ctx->worker, b);
	}
	return r;
}
