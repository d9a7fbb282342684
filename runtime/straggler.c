/* SPDX-License-Identifier: BSD-2-Clause
 * straggler.c - whom a shutdown waits for in vain: actors whose handler runs on, told by handle, class and
 * name while it runs.
 *
 * Who looks, and who runs what is looked at, are different threads.  What the runner writes meanwhile is
 * atomic: ctx.actor, the ticket, the slot's meta word.  The class of an actor with an extra is in the
 * extra, which the runner frees at the actor's end; so when it has closed the ticket it waits for who may
 * have seen it open.
 *
 * Edges   SG1 release store of meta -> acquire load: the extra's class
 *         SG2 runner: close the ticket, light fence, load of looking; looker: looking, heavy fence, load
 *             of the ticket.  One of them sees the other's store
 *         SG3 release store of looking 0 -> acquire load: the look is over before the free */
#include "runtime/straggler.h"

#include <string.h>

#include "runtime/bound.h"
#include "runtime/fork.h"

void heist_straggler_await(struct heist_system *s)
{
	heist_fence_light();						/* SG2 */
	while (atomic_load_explicit(&s->looking, memory_order_acquire)) /* SG3 acquire */
		heist_thread_yield();
}

/* The actor that worker i is in a handler of; false: none, or not any more. */
static bool look(struct heist_system *s, uint32_t i, heist_straggler *out)
{
	struct rt_worker *w = system_worker(s, i);
	struct actor *a = atomic_load_explicit(&w->ctx.actor, memory_order_relaxed);
	if (!a || idle_is_parked(&w->base.pool->idle, w->base.index))
		return false;
	uint32_t slot = slot_index(&s->slots, a);
	uint32_t ticket = atomic_load_explicit(&a->ticket, memory_order_acquire); /* MQ5 acquire */
	uintptr_t meta =
		atomic_load_explicit(&s->slots.meta[slot], memory_order_acquire); /* SG1 acquire */
	if (!(ticket & MPSC_OPEN) || !meta)
		return false;
	out->actor = ref_make(s->id, ticket, slot);
	if (bound_generation(&s->slots.control[slot]) == ticket)
		out->actor.v |= REF_BOUNDED;
	out->cls = meta & 1 ? ((struct actor_extra *)(meta & ~(uintptr_t)1))->cls
			    : (const heist_class *)meta;
	out->worker = (int32_t)i;
	return atomic_load_explicit(&a->ticket, memory_order_relaxed) == ticket &&
	       atomic_load_explicit(&w->ctx.actor, memory_order_relaxed) == a;
}

static bool look_safely(struct heist_system *s, uint32_t i, heist_straggler *out)
{
	spin_lock(&s->look_lock);
	atomic_store_explicit(&s->looking, 1, memory_order_relaxed);
	heist_fence_heavy(); /* SG2 */
	bool any = look(s, i, out);
	atomic_store_explicit(&s->looking, 0, memory_order_release); /* SG3 release */
	spin_unlock(&s->look_lock);
	return any;
}

/* ---- those that are left when no worker runs any more ---- */

static size_t left_over(struct heist_system *s, heist_straggler *out, size_t cap)
{
	uint32_t limit =
		atomic_load_explicit(&s->slots.limit, memory_order_acquire); /* SL2 acquire */
	size_t n = 0;
	for (uint32_t i = 0; i < limit; i++) {
		struct actor *a = &s->slots.base[i];
		if (heist_actor_has_begun(a) && n++ < cap)
			out[n - 1] = (heist_straggler){ .actor = actor_ref(s, a),
							.cls = actor_class(s, a),
							.worker = -1 };
	}
	return n;
}

/* ---- the public side ---- */

size_t heist_stragglers(heist_system *s, heist_straggler *out, size_t cap)
{
	size_t n = 0;
	if (!s || (!out && cap)) {
		(void)HEIST_BAD_ARG("system and out must not be NULL");
		return 0;
	}
	uint32_t phase = atomic_load_explicit(&s->phase, memory_order_acquire); /* PH1 acquire */
	if (phase == PHASE_OPEN || heist_forked(s))
		return 0;
	if (phase == PHASE_ENDING) {
		n = left_over(s, out, cap);
	} else {
		for (uint32_t i = 0; i < system_crew(s); i++) {
			heist_straggler one = { .worker = 0 };
			if (look_safely(s, i, &one) && n++ < cap)
				out[n - 1] = one;
		}
	}
	for (size_t i = 0; i < n && i < cap; i++)
		heist_registry_name(s, out[i].actor, out[i].name);
	return n;
}

#define LINES 8

void heist_stragglers_log(struct heist_system *s)
{
	heist_straggler who[LINES];
	size_t n = heist_stragglers(s, who, LINES);
	for (size_t i = 0; i < n && i < LINES; i++)
		heist_system_log(s, HEIST_LOG_WARN,
				 "heist_shutdown: at the deadline actor %llx (class %s%s%s) %s",
				 (unsigned long long)who[i].actor.v, who[i].cls->name,
				 *who[i].name ? ", name " : "", who[i].name,
				 who[i].worker < 0 ? "is still to be stopped"
						   : "is still in its handler");
	if (n > LINES)
		heist_system_log(s, HEIST_LOG_WARN, "heist_shutdown: and %llu more actors",
				 (unsigned long long)(n - LINES));
}
