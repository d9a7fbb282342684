/* SPDX-License-Identifier: BSD-2-Clause
 * hold.h - the control word of an actor: calls, and the right to run of one that rests.
 *
 * An actor that rests is in no queue although its mailbox is not idle; the right to run it is held by a
 * bit of the word that calls go through.
 *
 * Who may call        call, unhold: any thread.  hold, look: the holder of the right to run.
 * Progress            wait-free, one or two read-modify-writes.
 * May overlap         everything but hold and look with one another.
 * Linearizes at       the read-modify-writes HO1, all of one word: a call is either before a hold,
 *                     which then sees CALL, or after, and then sees HELD.
 * Edges               HO1 acq_rel read-modify-write -> the same: what was asked for before the call, and
 *                         what the last runner did before its hold
 * Invariants          I1 HELD is set only by the holder of the right to run, who gives it up with it.
 *                     I2 who clears HELD holds the right to run.  I3 HELD and CALL are never both set
 *                     without somebody who is about to clear HELD.
 *
 * Proof: runtime/README.md, "Supervision".  Model: tests/check/models/hold.c. */
#ifndef HEIST_RUNTIME_HOLD_H
#define HEIST_RUNTIME_HOLD_H

#include "lockfree/seam.h"

#ifndef HOLD_ORDER_WORD
#define HOLD_ORDER_WORD memory_order_acq_rel
#endif

enum control_bit {
	CONTROL_CALL = 1,    /* there is something to look at */
	CONTROL_BELL = 2,    /* the doorbell node is in the mailbox */
	CONTROL_ARMED = 4,   /* a stop was seen: end at the next bell */
	CONTROL_WATCHED = 8, /* the runner: somebody watches this actor */
	CONTROL_HELD = 16,   /* it rests: who clears it has the right to run */
	CONTROL_LANE = 32,   /* the runner: messages wait that go before the mailbox's (lane.h) */
	CONTROL_STOP = 64,   /* a stop was asked for, or seen once: the bell must come (again) */
};

/* Call the actor; the answer has CONTROL_BELL if the bell need not be rung, and CONTROL_HELD if
 * hold_take() may give the right to run. */
static inline uint16_t hold_call(_Atomic uint16_t *control)
{
	return atomic_fetch_or_explicit(control, CONTROL_CALL | CONTROL_BELL,
					HOLD_ORDER_WORD); /* HO1 */
}

/* Before the call for a stop: no look takes this away, only a bell that is met. */
static inline void hold_stop(_Atomic uint16_t *control)
{
	atomic_fetch_or_explicit(control, CONTROL_STOP, HOLD_ORDER_WORD); /* HO1 */
}

/* A bell is met. */
static inline void hold_stop_met(_Atomic uint16_t *control)
{
	if (atomic_load_explicit(control, memory_order_relaxed) &
	    CONTROL_STOP) /* or it is rung again */
		atomic_fetch_and_explicit(control, (uint16_t)~CONTROL_STOP,
					  HOLD_ORDER_WORD); /* HO1 */
}

/* True: the right to run is the caller's.  False: somebody else has it. */
static inline bool hold_take(_Atomic uint16_t *control)
{
	return atomic_fetch_and_explicit(control, (uint16_t)~CONTROL_HELD,
					 HOLD_ORDER_WORD) & /* HO1 */
	       CONTROL_HELD;
}

/* Rest.  False: there was a call meanwhile, and the right to run is still the caller's. */
static inline bool hold_rest(_Atomic uint16_t *control)
{
	uint16_t old = atomic_fetch_or_explicit(control, CONTROL_HELD, HOLD_ORDER_WORD); /* HO1 */
#ifdef MUTANT_NO_RECHECK
	(void)old;
	return true;
#else
	return !(old & CONTROL_CALL) || !hold_take(control);
#endif
}

/* Before looking at what one was called for. */
static inline void hold_look(_Atomic uint16_t *control)
{
	atomic_fetch_and_explicit(control, (uint16_t)~CONTROL_CALL, HOLD_ORDER_WORD); /* HO1 */
}

#endif
