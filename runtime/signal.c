/* SPDX-License-Identifier: BSD-2-Clause
 * signal.c - the control lane: send, and handle what has come (signal.h). */
#include "runtime/signal.h"

#include "runtime/bond.h"
#include "runtime/system.h"

void heist_signal_send(struct heist_system *s, struct rt_worker *w, struct actor *a,
		       struct signal *sig)
{
	inject_push(&s->slots.control[slot_index(&s->slots, a)].signals, &sig->link);
	heist_control_call(s, w, a);
}

static enum signal_mode mode_of(struct actor *a, struct signal *sig, bool may_tell)
{
	if (mpsc_ticket(&a->ticket, sig->generation) == MPSC_TICKET_CLOSED)
		return SIGNAL_STALE;
	return may_tell ? SIGNAL_TELL : SIGNAL_QUIET;
}

static bool signal_run(struct rt_worker *w, struct actor *a, struct signal *sig,
		       enum signal_mode mode, struct ending *end)
{
	switch ((enum signal_kind)sig->kind) {
	case SIGNAL_WATCH:
	case SIGNAL_DOWN:
	case SIGNAL_CUT:
		return heist_bond_signal(w, a, sig, mode, end);
	case SIGNAL_ADOPT:
	case SIGNAL_REST:
	case SIGNAL_STARTED:
	case SIGNAL_ENDED:
		return heist_supervisor_signal(w, a, sig, mode, end);
	case SIGNAL_START:
	case SIGNAL_HOLD:
		return heist_child_signal(w, a, sig, mode, end);
	case SIGNAL_GO:
		heist_supervisor_go(w, a, sig, mode);
		return false;
	}
	return false;
}

bool heist_signals_run(struct rt_worker *w, struct actor *a, bool may_tell, struct ending *end)
{
	struct heist_system *s = w->local.system;
	struct inject_link *l, *next;
	bool over = false;
	for (l = inject_take(&s->slots.control[slot_index(&s->slots, a)].signals); l; l = next) {
		next = l->next; /* the signal is gone when it has been handled */
		struct signal *sig = HEIST_CONTAINER(l, struct signal, link);
		over |= signal_run(w, a, sig, mode_of(a, sig, may_tell && !over), end);
	}
	return over;
}
