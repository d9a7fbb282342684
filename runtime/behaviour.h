/* SPDX-License-Identifier: BSD-2-Clause
 * behaviour.h - what handles an actor's messages: its behaviour, those below it, and what stands before it.
 *
 * a->recv is called for each message, so what must happen only at the next message, or instead of it, costs
 * others nothing if it takes that place for as long as it is wanted: the one that puts messages aside (lane.h),
 * the watch for the end of silence (idle.h), and, next to the actor's own, the one whose faults are contained
 * (fault.c).  The actor's own behaviour is then in its extra.  NULL there: nothing stands before it, and nothing that a
 * hold has put aside waits to go ahead.
 *
 * Threads   the holder of the right to run. */
#ifndef HEIST_RUNTIME_BEHAVIOUR_H
#define HEIST_RUNTIME_BEHAVIOUR_H

#include "runtime/sim.h"
#include "runtime/system.h"

#define BEHAVIOURS_MAX 16

/* Where it is: between the turns of a simulation the slot has the simulation's. */
static inline heist_recv_fn **behaviour_place(struct heist_system *s, struct actor *a)
{
	return HEIST_UNLIKELY(s->sim != NULL) ? heist_sim_behaviour(s->sim, a) : &a->recv;
}

/* Put before the behaviour what is wanted there now. */
void heist_behaviour_settle(struct heist_ctx *ctx, struct actor *a, struct actor_extra *x);
/* The incarnation ends: what is below its behaviour goes. */
void heist_behaviour_end(struct heist_system *s, struct actor_extra *x);

#endif
