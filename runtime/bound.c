/* SPDX-License-Identifier: BSD-2-Clause
 * bound.c - into and out of a mailbox with a bound (bound.h). */
#include "runtime/bound.h"

#include "runtime/send.h"
#include "runtime/sim.h"

static struct control *control_of(struct heist_system *s, heist_ref to)
{
	return &s->slots.control[ref_slot(to)];
}

heist_status heist_bound_enter(struct sender *from, heist_ref to)
{
	if (HEIST_LIKELY(!ref_is_bounded(to)))
		return HEIST_OK;
	bool full =
		HEIST_UNLIKELY(from->system->sim != NULL) && heist_sim_full(from->system->sim, to);
	switch (full ? bound_full(control_of(from->system, to))
		     : bound_enter(control_of(from->system, to))) {
	case BOUND_ENTERED:
		return HEIST_OK;
	case BOUND_DROPPED:
		return HEIST_DROPPED;
	case BOUND_REFUSED:
		break;
	}
	heist_count(&from->local->refused, 1);
	return HEIST_EFULL;
}

void heist_bound_undo(struct sender *from, heist_ref to)
{
	if (ref_is_bounded(to))
		bound_leave(control_of(from->system, to));
}

void heist_bound_lose(struct sender *from, heist_ref to, const heist_type *type, void *payload)
{
	heist_count(&from->local->accepted, 1);
	heist_count_lost(from->system, from->local, to, type, payload, HEIST_LOST_NEW);
	if (type->drops && type->drops->msg)
		type->drops->msg(payload);
}

static void leave(struct heist_system *s, heist_ref to, struct message *m)
{
	m->tag &= ~MESSAGE_KIND(MESSAGE_COUNTED);
	bound_leave(control_of(s, to));
}

bool heist_bound_take(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct heist_system *s = w->local.system;
	heist_ref self = actor_ref(s, a);
	leave(s, self, m);
	if (!bound_drops_old(control_of(s, self)))
		return false;
	heist_message_lost(s, &w->local, m, self, HEIST_LOST_OLD, HEIST_EFULL);
	return true;
}

void heist_bound_out(struct heist_system *s, heist_ref to, struct message *m)
{
	leave(s, to, m);
}
