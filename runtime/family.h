/* SPDX-License-Identifier: BSD-2-Clause
 * family.h - actors that other actors have spawned as their children, without a supervisor.
 *
 * A child is tied to its parent by a bond (bond.h) from its birth, which the parent never cuts: so its end
 * comes as DOWN to the parent's slot, once.  Children do not outlive an incarnation of their parent: one
 * that is about to end, or to rest, first sees to it that they end, one by one, the youngest first, and
 * handles no message meanwhile.  It waits as a supervised child rests (child.h): CONTROL_HELD, and each
 * DOWN calls it.
 *
 *   running --ends--> closing [an order to the youngest] <--DOWN-- ... none left --> stop hook, ends or rests
 *
 * Orders    heist_stop if the parent ended normally or was stopped, so what children were sent is handled;
 *           else, a restart with others among it, heist_kill.  A kill of the parent meanwhile is one of the
 *           children.
 *
 * Threads   the parent's runner, or whoever ends the actors after the workers have left.
 * Edges     BD1, HO1, IJ1 */
#ifndef HEIST_RUNTIME_FAMILY_H
#define HEIST_RUNTIME_FAMILY_H

#include "runtime/signal.h"

struct bond;
struct heist_system;

/* The children of one actor. */
struct family {
	struct bond *youngest;
	bool closing;	   /* the parent only waits for them to end */
	bool kill;	   /* they are killed, not stopped          */
	struct ending end; /* of the parent, afterwards        */
};

/* The incarnation is about to end like that: has it children to wait for?  Then it holds still. */
bool heist_family_closes(struct rt_worker *w, struct actor *a, struct ending end);
/* It was called meanwhile.  True: they have ended, and it ends like *end. */
bool heist_family_closed(struct rt_worker *w, struct actor *a, struct ending *end);
/* The slot of a parent met DOWN of a child's bond, which is freed.  True: it must end, like *end. */
bool heist_family_down(struct rt_worker *w, struct actor *a, struct bond *b, enum signal_mode mode,
		       struct ending *end);
/* The bond that ties this actor to its parent; NULL: it has none. */
struct bond *heist_family_bond(struct heist_system *s, struct actor *a);

#endif
