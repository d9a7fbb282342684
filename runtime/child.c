/* SPDX-License-Identifier: BSD-2-Clause
 * child.c - the child's side of supervision: rest, be called, start again (child.h). */
#include "runtime/child.h"

#include <string.h>

#include "runtime/system.h"

struct child *heist_child_new(struct heist_system *s, const heist_child *spec, heist_ref sup)
{
	uint32_t arg_size = spec->cls->hooks ? spec->cls->hooks->arg_size : 0;
	size_t size = sizeof(struct child) + arg_size;
	struct child *c = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!c)
		return NULL;
	*c = (struct child){ .sup = sup, .cls = spec->cls, .size = size, .spec = *spec };
	c->spec.opts = NULL; /* the caller's */
	c->spec.arg = NULL;
	c->spec.name = NULL;
	atomic_init(&c->refs, 2); /* the supervisor's list, the child */
	if (arg_size)
		memcpy(c->arg, spec->arg, arg_size);
	return c;
}

void heist_child_unref(struct heist_system *s, struct child *c)
{
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) /* CH1 */
		heist_memory_put(&s->memory, c, c->size);
}

static struct child *child_of(struct heist_system *s, struct actor *a)
{
	return a->config & CONFIG_CHILD ? actor_extra(s, a)->child : NULL;
}

/* To the supervisor's slot; if that has ended, as if it were met there. */
static void report(struct rt_worker *w, struct child *c, struct signal *sig, enum signal_kind kind)
{
	struct heist_system *s = w->local.system;
	struct actor *sup = &s->slots.base[ref_slot(c->sup)];
	struct ending ignored;
	sig->kind = kind;
	sig->generation = ref_generation(c->sup);
	if (mpsc_ticket(&sup->ticket, sig->generation) == MPSC_TICKET_VALID)
		heist_signal_send(s, w, sup, sig);
	else
		(void)heist_supervisor_signal(w, sup, sig, SIGNAL_STALE, &ignored);
}

/* ---- the end of an incarnation ---- */

bool heist_child_rests(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct child *c = child_of(w->local.system, a);
	if (!c || actor_extra(w->local.system, a)->supervisor)
		return false;
#ifdef CHILD_MUTANT_CRASH_ENDS
	if (end.how == HEIST_EXIT_CRASHED && end.status == HEIST_ECRASH)
		return false;
#endif
	return c->hold_seen || end.how == HEIST_EXIT_NORMAL || end.how == HEIST_EXIT_CRASHED ||
	       end.how == HEIST_EXIT_INIT || end.how == HEIST_EXIT_LINKED;
}

bool heist_child_retries(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct child *c = child_of(w->local.system, a);
	uint32_t kind = message_kind(m);
	if (!c || kind != KIND_USER || message_tries(m) >= c->spec.poison_retries)
		return false;
	message_count_try(m);
	return true;
}

void heist_child_rest(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct child *c = child_of(w->local.system, a);
	c->end = end;
	report(w, c, &c->rest, SIGNAL_REST);
}

void heist_child_started(struct rt_worker *w, struct actor *a)
{
	struct child *c = child_of(w->local.system, a);
	report(w, c, &c->started, SIGNAL_STARTED);
}

void heist_child_ended(struct rt_worker *w, struct child *c)
{
	report(w, c, &c->ended, SIGNAL_ENDED);
}

/* ---- orders ---- */

bool heist_child_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
			enum signal_mode mode, struct ending *end)
{
	struct heist_system *s = w->local.system;
	bool start = sig->kind == SIGNAL_START;
	struct child *c = start ? HEIST_CONTAINER(sig, struct child, start)
				: HEIST_CONTAINER(sig, struct child, hold);
	struct actor_extra *x = mode == SIGNAL_STALE ? NULL : actor_extra(s, a);
	bool ends = false;
	if (x && x->supervisor) {
		heist_supervisor_order(w, a, (enum signal_kind)sig->kind);
	} else if (x && start) {
		x->start_ordered = true; /* it rests, or is about to */
	} else if (x && !(a->config & CONFIG_HELD) && mode == SIGNAL_TELL) {
		c->hold_seen = ends = true;
		*end = (struct ending){ HEIST_EXIT_STOPPED, HEIST_OK };
	}
	heist_child_unref(s, c);
	return ends;
}

enum child_order heist_child_look(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	if (x->family.closing)
		return heist_family_closed(w, a, end) ? CHILD_ALONE : CHILD_WAIT;
	if (heist_control_look(w, a, end)) {
		*end = child_ending(x->child, *end);
		return CHILD_END;
	}
	if (!x->start_ordered)
		return CHILD_WAIT;
	x->start_ordered = false;
	return CHILD_START;
}

/* ---- the next incarnation ---- */

static bool keeps(struct child *c, struct message *m)
{
	switch (c->spec.leftover) {
	case HEIST_KEEP:
		return true;
	case HEIST_DROP:
		return false;
	case HEIST_FILTER:
		break;
	}
	return message_kind(m) != KIND_REPLY &&
	       c->spec.keep(c->spec.user, m->type, message_payload(m));
}

static void sift_one(struct rt_worker *w, struct actor *a, struct child *c, struct message *m)
{
	uint32_t kind = message_kind(m);
	if ((kind != KIND_USER && kind != KIND_REQUEST) ||
	    message_dropped(m) || /* at the restart before */
	    message_generation(m) != mpsc_generation(&a->ticket) || keeps(c, m))
		return;
	heist_message_lost(w->local.system, &w->local, m, c->ref, HEIST_LOST_RESTART, HEIST_ECRASH);
	message_set(m, MESSAGE_DROPPED);
}

/* Messages of the mailbox up to its present end, and those put aside, that are not kept are lost here and
 * passed over later: they stay linked.  Replies and alarms were for the last incarnation; they look after
 * themselves. */
static void sift(struct rt_worker *w, struct actor *a, struct child *c)
{
	struct mpsc_node *n = (struct mpsc_node *)a->mailbox.cur;
	struct mpsc_node *last = atomic_load_explicit(&a->mailbox.head, memory_order_relaxed);
	for (; n;
	     n = n == last ? NULL : atomic_load_explicit(&n->next, memory_order_acquire)) /* MQ2 */
		sift_one(w, a, c, (struct message *)n);
	heist_lanes_look(w, a);
	struct lanes *l = &actor_extra(w->local.system, a)->lanes;
	for (struct message *m = l->urgent.first; m; m = lane_after(m))
		sift_one(w, a, c, m);
	for (struct message *m = l->ahead.first; m; m = lane_after(m))
		sift_one(w, a, c, m);
}

bool heist_child_start(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct child *c = child_of(s, a);
	c->hold_seen = false;
	memset(actor_state(a), 0, c->cls->state_size);
	a->recv = c->cls->recv;
	a->config &= (uint16_t)~CONFIG_HELD;
	if (c->cls->hooks && c->cls->hooks->flags & HEIST_PURE)
		(void)heist_fault_enter(w, a); /* a child has its extra */
	if (c->spec.leftover != HEIST_KEEP && c->started_at != 0)
		sift(w, a, c);
	if (heist_init_hook(w, a, c->arg) != HEIST_CONTINUE)
		return false;
	report(w, c, &c->started, SIGNAL_STARTED);
	heist_lanes_wake(w, a);
	if (heist_notify_pending(s, a) || heist_overload_pending(s, a))
		heist_control_call(s, w, a); /* that call is over, what it was about is not */
	return true;
}
