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

static struct inject *signals_of(struct heist_system *s, struct actor *a)
{
	return &s->slots.control[slot_index(&s->slots, a)].signals;
}

static bool run_all(struct rt_worker *w, struct actor *a, struct inject_link *l, bool may_tell,
		    struct ending *end)
{
	bool over = false;
	for (struct inject_link *next; l; l = next) {
		next = l->next; /* the signal is gone when it has been handled */
		struct signal *sig = HEIST_CONTAINER(l, struct signal, link);
		over |= signal_run(w, a, sig, mode_of(a, sig, may_tell && !over), end);
	}
	return over;
}

bool heist_signals_run(struct rt_worker *w, struct actor *a, bool may_tell, struct ending *end)
{
	return run_all(w, a, inject_take(signals_of(w->local.system, a)), may_tell, end);
}

bool heist_signals_pending(struct heist_system *s, struct actor *a)
{
	return !inject_is_empty(signals_of(s, a));
}

void heist_signals_run_late(struct rt_worker *w, struct actor *a)
{
	struct inject *signals = signals_of(w->local.system, a);
	struct inject_link *late;
	struct ending ignored;
	while ((late = heist_late_take(a, signals)) != NULL)
		(void)run_all(w, a, late, false, &ignored);
}
