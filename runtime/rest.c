/* SPDX-License-Identifier: BSD-2-Clause
 * rest.c - a child that rests (child.h): its incarnation is over, its mailbox waits for another; or a
 * parent that waits until its children have ended (family.h). */
#include "runtime/behaviour.h"
#include "runtime/run.h"

/* The incarnation is over, another may follow. */
void heist_incarnation_rest(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
#ifndef REST_MUTANT_NO_STOP
	heist_incarnation_end(w, a, end.status);
#endif
	heist_bonds_owner_rests(w, &x->bonds);
	heist_asks_forget(s, x);
	heist_debts_end(w, x, HEIST_ECRASH);
	heist_jobs_end(&w->local, x);
	heist_idle_end(s, x);
	heist_behaviour_end(s, x);
	heist_lanes_rest(a, x);
	heist_arena_end(w, x);
	a->config = (uint16_t)((a->config | CONFIG_HELD) & ~CONFIG_OVERLOADED);
	heist_child_rest(w, a, end);
}

/* The holder of the right to run of one that rests, with the mailbox suspended: start it, end it, or let
 * go. */
enum verdict heist_run_held(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *n = (struct mpsc_node *)a->mailbox.cur;
	struct ending end = { HEIST_EXIT_NORMAL, HEIST_OK };
	ctx_set_actor(&w->ctx, a);
	for (;;) {
		switch (heist_child_look(w, a, &end)) {
		case CHILD_END:
			heist_actor_end(w, a, end, false);
			return heist_run_drain(w, a, n, false, HEIST_LOST_STOPPED);
		case CHILD_START:
			if (heist_child_start(w, a))
				return heist_run_suspend(w, a, n);
			end = (struct ending){ HEIST_EXIT_INIT, HEIST_EINIT };
			if (!heist_family_closes(w, a, end))
				heist_incarnation_rest(w, a, end);
			break;
		case CHILD_ALONE:
			if (heist_child_rests(w, a, end)) {
				heist_incarnation_rest(w, a, end);
				break;
			}
			heist_actor_end(w, a, end, true);
			return heist_run_drain(w, a, n, false, HEIST_LOST_STOPPED);
		case CHILD_WAIT:
			if (hold_rest(&a->control))
				return RUN_DONE;
			break;
		}
	}
}

/* Rest at node n, which is done with or not.  The last node cannot be taken off without turning idle, so
 * the doorbell is put behind one that is done. */
enum verdict heist_run_rest(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done)
{
	struct mpsc_node *next = n;
	if (done) {
		heist_control_call(w->local.system, w, a);
		enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
		if (what == MPSC_LATE)
			return late(a);
		run_retire(w, a, (struct message *)n);
		if (what == MPSC_IDLE)
			return RUN_DONE; /* somebody else is about to ring */
	}
	mpsc_suspend(&a->mailbox, next);
	return heist_run_held(w, a);
}
