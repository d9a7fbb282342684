/* SPDX-License-Identifier: BSD-2-Clause
 * extra.c - the part of an actor that few actors have. */
#include "runtime/system.h"

struct actor_extra *heist_extra_ensure(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	if (x)
		return x;
	x = heist_memory_get(&s->memory, sizeof *x, HEIST_CACHELINE);
	if (!x)
		return NULL;
	*x = (struct actor_extra){ .cls = actor_class(s, a) };
	s->slots.meta[slot_index(&s->slots, a)] = (uintptr_t)x | 1;
	a->config |= CONFIG_EXTRA;
	return x;
}

void heist_extra_free(struct rt_worker *w, struct actor_extra *x)
{
	struct heist_system *s = w->local.system;
	local_count(&w->local.arena_bytes, -(uint64_t)x->arena.held);
	heist_arena_release(&x->arena, &s->memory);
	heist_asks_free(s, x);
	heist_memory_put(&s->memory, x, sizeof *x);
}
