/* SPDX-License-Identifier: BSD-2-Clause
 * bound.c - into and out of a mailbox whose messages are counted, and who is told of overload (bound.h). */
#include "runtime/bound.h"

#include "runtime/send.h"
#include "runtime/sim.h"

#define REDIRECTS_MAX 4 /* from one full mailbox to the next */

static struct control *control_of(struct heist_system *s, heist_ref to)
{
	return &s->slots.control[ref_slot(to)];
}

/* ---- overload ---- */

/* The actor is told in a turn of its own, the user at once. */
static void overload_tell(struct heist_system *s, struct rt_worker *w, heist_ref to, bool on)
{
	struct actor *a = &s->slots.base[ref_slot(to)];
	if (mpsc_ticket(&a->ticket, ref_generation(to)) == MPSC_TICKET_CLOSED)
		return;
	heist_control_call(s, w, a);
	if (s->overload)
		s->overload(s->user, to, on);
	heist_keep_frame();
}

bool heist_overload_pending(struct heist_system *s, struct actor *a)
{
	struct control *c = &s->slots.control[slot_index(&s->slots, a)];
	return bound_generation(c) == mpsc_generation(&a->ticket) &&
	       bound_overloaded(c) != !!(a->config & CONFIG_OVERLOADED);
}

bool heist_overload_run(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct heist_system *s = w->local.system;
	if (!heist_overload_pending(s, a))
		return false;
	a->config ^= CONFIG_OVERLOADED;
	bool now = a->config & CONFIG_OVERLOADED;
	const heist_hooks *hooks = actor_class(s, a)->hooks;
	if (!hooks || !hooks->signal)
		return false;
	const heist_signal sig = { .kind = HEIST_SIG_OVERLOAD,
				   .who = actor_ref(s, a),
				   .bits = now };
	return heist_signal_hook(w, a, &sig, end);
}

/* ---- senders ---- */

/* Where a message that is one too many goes instead.  EFULL: nowhere. */
static heist_status redirect(struct sender *from, heist_ref *to, struct actor **a)
{
	heist_ref next = { atomic_load_explicit(&control_of(from->system, *to)->redirect,
						memory_order_relaxed) };
	if (sender_check(from, next, a) != HEIST_OK)
		return HEIST_EFULL;
	*to = next;
	heist_count(&from->local->redirected, 1);
	return HEIST_OK;
}

static heist_status enter(struct sender *from, bool request, heist_ref *to, struct actor **a)
{
	for (int hops = 0; ref_is_bounded(*to); hops++) {
		struct heist_system *s = from->system;
		struct control *c = control_of(s, *to);
		bool full = HEIST_UNLIKELY(s->sim != NULL) && bound_capacity(c) &&
			    heist_sim_full(s->sim, *to);
		switch (full ? bound_full(c, request) : bound_enter(c, request)) {
		case BOUND_ENTERED:
			return HEIST_OK;
		case BOUND_ENTERED_HIGH:
			overload_tell(s, from->worker, *to, true);
			return HEIST_OK;
		case BOUND_DROPPED:
			return HEIST_DROPPED;
		case BOUND_REFUSED:
			return HEIST_EFULL;
		case BOUND_REDIRECTED:
			if (hops == REDIRECTS_MAX || redirect(from, to, a) != HEIST_OK)
				return HEIST_EFULL;
			break;
		}
	}
	return HEIST_OK;
}

heist_status heist_bound_enter(struct sender *from, enum message_kind kind, heist_ref *to,
			       struct actor **a)
{
	heist_status r = enter(from, kind == KIND_REQUEST, to, a);
	if (r == HEIST_EFULL)
		heist_count(&from->local->refused, 1);
	return r;
}

/* One has left. */
static void leave(struct heist_system *s, struct rt_worker *w, heist_ref to)
{
	if (bound_leave(control_of(s, to)))
		overload_tell(s, w, to, false);
}

void heist_bound_undo(struct heist_system *s, struct rt_worker *w, heist_ref to)
{
	if (ref_is_bounded(to))
		leave(s, w, to);
}

void heist_bound_lose(struct sender *from, heist_ref to, const heist_type *type, void *payload)
{
	heist_count(&from->local->accepted, 1);
	heist_count_lost(from->system, from->local, to, type, payload, HEIST_LOST_NEW);
	payload_drop(type, payload);
}

/* ---- what leaves ---- */

void heist_bound_out(struct heist_system *s, heist_ref to, struct message *m)
{
	m->tag &= ~MESSAGE_KIND(MESSAGE_COUNTED);
	leave(s, system_self(s), to);
}

bool heist_bound_take(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct heist_system *s = w->local.system;
	heist_ref self = actor_ref(s, a);
	heist_bound_out(s, self, m);
	if (!bound_drops_old(control_of(s, self)))
		return false;
	heist_message_lost(s, &w->local, m, self, HEIST_LOST_OLD, HEIST_EFULL);
	return true;
}
