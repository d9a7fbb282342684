/* SPDX-License-Identifier: BSD-2-Clause
 * spawn.c - a new actor: everything that can fail first, then an INIT message.
 *
 * The slot may still have a late producer of the actor before; so behaviour and configuration are
 * installed by whoever runs INIT, and only what nobody else reads is written here. */
#include "runtime/bound.h"
#include "runtime/send.h"

#include <string.h>

struct birth {
	const heist_class *cls;
	const void *arg;
	uint32_t arg_size;
	uint16_t config;
	uint32_t batch;
	uint64_t budget_ns;
	uint32_t thread; /* hired for it; 0: none */
	uint64_t memory_max;
	struct bound_terms bound;
	uint32_t stash_cap;
	const heist_type *arg_type;
	struct spawn_extra more;
	struct actor *slot;
	struct message *init;
	void *state;
	struct actor_extra *extra;
};

/* A simulation has one place. */
heist_opts heist_opts_known(const heist_system *s, const heist_opts *opts)
{
	heist_opts o = heist_opts_default();
	if (opts)
		memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
	if (s->sim) {
		o.worker = 0;
		o.pool = NULL;
		o.own_thread = HEIST_DEFAULT;
	}
	return o;
}

static const char *where_bad(heist_system *s, const heist_opts *o)
{
	if (o->own_thread != HEIST_DEFAULT && o->own_thread != HEIST_ON &&
	    o->own_thread != HEIST_OFF)
		return "opts: own_thread is none of HEIST_DEFAULT, HEIST_ON, HEIST_OFF";
	if ((o->worker != 0) + (o->pool != NULL) + (o->own_thread == HEIST_ON) > 1)
		return "opts: an actor has a worker, a pool or a thread of its own, not two of "
		       "them";
	if (o->own_thread == HEIST_ON && s->polled)
		return "opts: a polled runtime has no threads, so none for an actor";
	if (o->priority != HEIST_NORMAL && o->priority != HEIST_BACKGROUND)
		return "opts: priority is none of HEIST_NORMAL, HEIST_BACKGROUND";
	if (o->priority != HEIST_NORMAL && (o->worker != 0 || o->own_thread == HEIST_ON))
		return "opts: a priority is one among the actors of a pool, not of a worker or a "
		       "thread";
	if (o->pool && heist_place_find(s, o->pool) == 0)
		return "opts: no pool of the runtime's config has this name";
	return NULL;
}

static const char *argument_bad(const heist_class *cls, const void *arg, const heist_type *type)
{
	const heist_hooks *h = cls->hooks;
	if (h && h->arg_size && !arg)
		return "the class expects a spawn argument";
	if (type && (!h || !h->init || h->arg_size != type->size))
		return "opts: arg_type must be as long as the spawn argument of a class with an "
		       "init hook";
	return NULL;
}

const char *heist_spawn_bad(heist_system *s, const heist_class *cls, const heist_opts *opts,
			    const void *arg)
{
	if (!s || !cls)
		return "system and class must not be NULL";
	if (cls->abi != HEIST_ABI || !cls->recv)
		return "the class must have abi HEIST_ABI and a behaviour";
	if (cls->hooks && cls->hooks->flags & ~(HEIST_TRAP_LINKS | HEIST_PURE))
		return "the class's hooks have a flag that this library does not know";
	if (opts && (opts->struct_size < sizeof(uint32_t) || opts->struct_size > 4096))
		return "opts: struct_size is wrong (use heist_opts_default)";
	heist_opts o = heist_opts_known(s, opts);
	if (o.batch > UINT16_MAX || o.worker > s->pool.workers)
		return "opts: batch or worker out of range";
	const char *bad = argument_bad(cls, arg, o.arg_type);
	if (!bad)
		bad = where_bad(s, &o);
	if (bad)
		return bad;
	if (o.mailbox_cap >= BOUND_MAX / 2 || o.overflow > HEIST_REDIRECT)
		return "opts: mailbox_cap must be less than 2^27, overflow one of heist_overflow";
	if ((o.overflow == HEIST_REDIRECT) != (o.redirect.v != 0) ||
	    (o.redirect.v && ref_runtime(o.redirect) != s->id))
		return "opts: HEIST_REDIRECT needs an actor of this runtime in redirect, others "
		       "none";
	if (o.overload_high >= BOUND_MAX / 2 || o.overload_low > o.overload_high ||
	    (o.overload_high && o.overload_low == o.overload_high))
		return "opts: overload_low must be less than overload_high, that less than 2^27";
	return NULL;
}

static void birth_undo(struct sender *from, struct birth *b)
{
	struct heist_system *s = from->system;
	if (b->thread)
		heist_place_retire(s, b->thread);
	if (b->extra)
		heist_memory_put(&s->memory, b->extra, sizeof *b->extra);
	if (b->state)
		heist_local_state_put(from->local, b->state, b->cls->state_size);
	if (b->init)
		block_free(&from->local->messages, b->init);
	if (b->slot)
		local_slot_put(from->local, b->slot);
}

/* Everything that needs memory. */
static bool birth_allocate(struct sender *from, struct birth *b)
{
	struct heist_system *s = from->system;
	b->slot = local_slot_get(from->local);
	if (!b->slot)
		return false;
	if (b->cls->state_size > STATE_INLINE) {
		b->config |= CONFIG_LARGE_STATE;
		b->state = heist_local_state_get(from->local, b->cls->state_size);
		if (!b->state)
			return false;
	}
	if (HEIST_UNLIKELY(b->batch != 0 || b->budget_ns != 0 || b->memory_max != 0 ||
			   b->stash_cap != 0 || b->config & CONFIG_BOUND || b->more.child ||
			   b->more.supervisor)) {
		b->config |= CONFIG_EXTRA;
		b->extra = heist_memory_get(&s->memory, sizeof *b->extra, HEIST_CACHELINE);
		if (!b->extra)
			return false;
		*b->extra = (struct actor_extra){ .cls = b->cls,
						  .batch = b->batch,
						  .budget_ns = b->budget_ns,
						  .thread = b->thread,
						  .arena.limit = b->memory_max,
						  .lanes.capacity = b->stash_cap,
						  .child = b->more.child,
						  .supervisor = b->more.supervisor };
	}
	b->init = message_build(from, KIND_INIT, b->arg_type, b->arg, b->arg_size);
	return b->init != NULL;
}

/* Where it runs.  ENOMEM, ECLOSED: there is no thread for it. */
static heist_status birth_place(struct heist_system *s, struct birth *b, const heist_opts *o)
{
	uint32_t place = 0;
	heist_status r = HEIST_OK;
	if (o->worker)
		b->config = (uint16_t)(CONFIG_BOUND | (o->worker - 1) << 8);
	else if (o->pool)
		place = heist_place_find(s, o->pool);
	else if (o->own_thread == HEIST_ON) {
		r = heist_place_hire(s, &b->thread);
		place = b->thread;
	}
	if (place || o->priority == HEIST_BACKGROUND)
		b->config = (uint16_t)(CONFIG_BOUND | CONFIG_PLACED | place << 8);
	if (o->priority == HEIST_BACKGROUND)
		b->config |= CONFIG_LOW;
	return r;
}

/* Nothing can fail any more. */
static heist_ref birth_publish(struct sender *from, struct birth *b)
{
	struct heist_system *s = from->system;
	struct actor *a = b->slot;
	uint32_t slot = slot_index(&s->slots, a);
	uint32_t generation = mpsc_generation(&a->ticket);
	slot_meta_set(&s->slots, a, b->extra ? (uintptr_t)b->extra | 1 : (uintptr_t)b->cls);
	if (b->state)
		a->u.state = b->state;
	else
		a->u.inline_state[0] = a->u.inline_state[1] = a->u.inline_state[2] = 0;
	heist_ref ref = ref_make(s->id, generation, slot);
	if (b->config & CONFIG_BOUNDED)
		ref.v |= REF_BOUNDED;
	if (HEIST_UNLIKELY(b->more.watch != NULL))
		heist_bond_attach(s, a, b->more.watch);
	if (HEIST_UNLIKELY(b->more.child != NULL))
		b->more.child->ref = ref;
	b->init->tag |= generation | (uint64_t)b->config << 48;
	heist_count(&from->local->spawned, 1);
	if (HEIST_UNLIKELY(b->config & CONFIG_BOUNDED))
		bound_set(&s->slots.control[slot], generation, &b->bound);
	mpsc_open(&a->ticket);
	if (mpsc_push(&a->mailbox, &b->init->node) == MPSC_WAS_IDLE) {
		if (HEIST_UNLIKELY(b->config & CONFIG_BOUND))
			heist_place_submit(s, from->worker, b->config, &a->run);
		else if (HEIST_LIKELY(from->worker != NULL && from->worker->home))
			worker_spawned(&from->worker->base, &a->run);
		else
			heist_pool_submit(&s->pool, &a->run);
	}
	return ref;
}

heist_status heist_spawn_from(struct sender *from, const heist_class *cls, const heist_opts *opts,
			      const void *arg, const struct spawn_extra *more, heist_ref *out)
{
	struct birth b = { .cls = cls, .arg = arg };
	if (more)
		b.more = *more;
	if (cls->hooks)
		b.arg_size = cls->hooks->arg_size;
	heist_opts o = heist_opts_known(from->system, opts);
	b.batch = o.batch;
	b.memory_max = o.memory_max;
	b.budget_ns = o.budget_us * (uint64_t)1000;
	heist_status r = birth_place(from->system, &b, &o);
	if (r != HEIST_OK)
		return r;
	if (o.mailbox_cap || o.overload_high)
		b.config |= CONFIG_BOUNDED;
	b.bound = (struct bound_terms){
		.capacity = o.mailbox_cap,
		.policy = o.overflow,
		.high = o.overload_high,
		.low = o.overload_low ? o.overload_low : o.overload_high / 2,
		.redirect = o.redirect,
	};
	b.stash_cap = o.stash_cap;
	b.arg_type = o.arg_type;
	if (b.more.child) { /* it has the argument */
		b.config |= b.more.supervisor ? CONFIG_CHILD : CONFIG_CHILD | CONFIG_HELD;
		b.arg_size = 0;
	}
	if (!birth_allocate(from, &b)) {
		birth_undo(from, &b);
		return HEIST_ENOMEM;
	}
	*out = birth_publish(from, &b);
	return HEIST_OK;
}

HEIST_COLD heist_status heist_spawn_with(heist_system *s, const heist_class *cls,
					 const heist_opts *opts, const void *arg,
					 const struct spawn_extra *more, heist_ref *out)
{
	struct sender from;
	const char *bad = out ? heist_spawn_bad(s, cls, opts, arg) : "out must not be NULL";
	if (HEIST_UNLIKELY(bad != NULL))
		return HEIST_BAD_ARG_OF("heist_spawn", bad);
	if (!heist_sender_enter(&from, s->id))
		return HEIST_ECLOSED;
	heist_status r = HEIST_ECLOSED;
	if (!from.foreign ||
	    atomic_load_explicit(&s->phase, memory_order_acquire) == PHASE_OPEN) /* PH1 acquire */
		r = heist_spawn_from(&from, cls, opts, arg, more, out);
	heist_sender_leave(&from);
	return r;
}

/* ---- the common case, spelled out ---- */

/* Small state, small argument, no options, from a worker with pools that are not empty. */
HEIST_HOT_INLINE bool spawn_is_usual(struct local *l, const heist_class *cls, uint32_t arg_size)
{
	return cls->state_size <= STATE_LINE && cls->abi == HEIST_ABI && cls->recv &&
	       (arg_size == 0 || copies_by_words(arg_size)) && l->free_slots &&
	       block_can_alloc(&l->messages) &&
	       (cls->state_size <= STATE_INLINE || block_can_alloc(&l->states[0]));
}

/* Returns HEIST_OK, by a tail call where there is more to do. */
HEIST_HOT_INLINE heist_status spawn_usual(struct rt_worker *w, const heist_class *cls,
					  const void *arg, uint32_t arg_size, heist_ref *out)
{
	struct local *l = &w->local;
	struct actor *a = local_slot_get(l);
	struct message *m = block_alloc_fast(&l->messages);
	uint32_t slot = (uint32_t)(a - l->slots), generation = mpsc_generation(&a->ticket);
	atomic_store_explicit(&l->meta[slot], (uintptr_t)cls,
			      memory_order_relaxed); /* a constant */
	m->type = NULL;
	m->tag = MESSAGE_KIND(KIND_INIT) | generation;
	if (cls->state_size <= STATE_INLINE) {
		a->u.inline_state[0] = a->u.inline_state[1] = a->u.inline_state[2] = 0;
	} else {
		a->u.state = local_state_line(l);
		m->tag |= (uint64_t)CONFIG_LARGE_STATE << 48;
	}
	if (arg_size)
		copy_words(m->u.word, arg, arg_size);
	heist_count(&l->spawned, 1);
	*out = ref_make(l->id, generation, slot);
	mpsc_open(&a->ticket);
	if (HEIST_UNLIKELY(mpsc_push(&a->mailbox, &m->node) != MPSC_WAS_IDLE))
		return HEIST_OK;
	return (heist_status)worker_spawned(&w->base, &a->run);
}

heist_status heist_spawn(heist_system *s, const heist_class *cls, const heist_opts *opts,
			 const void *arg, heist_ref *out)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	if (HEIST_LIKELY(w != NULL) && HEIST_LIKELY(w->home == s) && !opts && cls && out) {
		uint32_t arg_size = cls->hooks ? cls->hooks->arg_size : 0;
		if ((arg || !arg_size) && spawn_is_usual(&w->local, cls, arg_size))
			return spawn_usual(w, cls, arg, arg_size, out);
	}
	return heist_spawn_with(s, cls, opts, arg, NULL, out);
}
