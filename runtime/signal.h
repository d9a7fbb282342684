/* SPDX-License-Identifier: BSD-2-Clause
 * signal.h - the control lane beside a mailbox: a list of signals per slot that no backlog delays.
 *
 * A signal is a node of whatever it is about, so sending needs no memory.  It names the generation it is
 * for.  Whoever pushes one calls the actor (control.c, HO1), so the list is looked at before the next
 * message, or when the doorbell leaves the mailbox of an actor that has ended.
 *
 * Threads   send: any thread, if the slot cannot be purged meanwhile: the ticket was open in this
 *           activation, or the sender has won a race that the receiver's end takes part in (bond.h).
 *           run: the holder of the right to run; so all signals of a slot are handled one by one, whether
 *           its actor lives or not.
 * Order     first in, first out per sender; what an actor that is about to end has not seen is handled
 *           at once, without telling it, never put back.
 * Edges     IJ1 of inject.h: the sender's writes -> the handling */
#ifndef HEIST_RUNTIME_SIGNAL_H
#define HEIST_RUNTIME_SIGNAL_H

#include <heist/heist.h>

#include "lockfree/inject.h"

enum signal_kind {
	SIGNAL_WATCH, /* struct bond.to_target: its owner wants to know when this actor ends */
	SIGNAL_DOWN,  /* struct bond.to_owner: its target has ended                         */
	SIGNAL_CUT,   /* struct bond.cut: its owner has ended, or does not care any more    */
	/* struct child, to the supervisor */
	SIGNAL_ADOPT,	/* a new child, which rests     */
	SIGNAL_REST,	/* its incarnation has ended    */
	SIGNAL_STARTED, /* its incarnation runs         */
	SIGNAL_ENDED,	/* it has ended for good        */
	/* struct child, to the child */
	SIGNAL_START, /* rest no longer */
	SIGNAL_HOLD,  /* rest           */
	SIGNAL_GO,    /* by itself in memory, to a new supervisor: begin */
};

struct signal {
	struct inject_link link;
	uint32_t generation; /* of the receiver */
	uint32_t kind;	     /* enum signal_kind */
};

/* What the slot of a signal holds. */
enum signal_mode {
	SIGNAL_STALE, /* another actor than it is for, or none              */
	SIGNAL_QUIET, /* its actor, which rests or is about to end          */
	SIGNAL_TELL,  /* its actor, which may be told                       */
};

/* How an actor ended. */
struct ending {
	heist_exit how;
	heist_status status;
};

struct actor;
struct rt_worker;

void heist_signal_send(struct heist_system *s, struct rt_worker *w, struct actor *a,
		       struct signal *sig);
/* Handle what has come.  may_tell: the actor runs.  True: it must end, like *end. */
bool heist_signals_run(struct rt_worker *w, struct actor *a, bool may_tell, struct ending *end);
/* Those that came to an actor when it had ended (heist_late_take). */
void heist_signals_run_late(struct rt_worker *w, struct actor *a);
/* Are there any, for whomever? */
bool heist_signals_pending(struct heist_system *s, struct actor *a);

#endif
