/* SPDX-License-Identifier: BSD-2-Clause
 * extra.c - what few actors need beside their slot: made on first use, freed with the incarnation. */
#include "runtime/behaviour.h"

struct actor_extra *heist_extra_ensure(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	if (x)
		return x;
	x = heist_memory_get(&s->memory, sizeof *x, HEIST_CACHELINE);
	if (!x)
		return NULL;
	*x = (struct actor_extra){ .cls = actor_class(s, a) };
	slot_meta_set(&s->slots, a, (uintptr_t)x | 1);
	a->config |= CONFIG_EXTRA;
	return x;
}

void heist_extra_free(struct rt_worker *w, struct actor_extra *x)
{
	struct heist_system *s = w->local.system;
	heist_straggler_await(s);
	heist_jobs_end(&w->local, x);
	heist_asks_free(s, x);
	heist_debts_end(w, x, HEIST_EDEAD);
	heist_idle_end(s, x);
	heist_behaviour_end(s, x);
	heist_arena_end(w, x);
	if (x->thread)
		heist_place_retire(s, x->thread);
	if (x->supervisor)
		heist_supervisor_free(w, x->supervisor);
	heist_memory_put(&s->memory, x, sizeof *x);
}
