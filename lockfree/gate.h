/* SPDX-License-Identifier: BSD-2-Clause
 * gate.h - who is inside?  Short visits to something that its owner will take away (rundown protection).
 *
 * A visitor counts itself in, may be told that the gate is shut, and counts itself out.  The owner shuts the
 * gate and waits until nobody is left inside, or, without shutting it, asks whether a moment has come at
 * which nobody was.
 *
 * Who may call        enter, leave: any thread, a signal handler too.  open, shut, is_empty: the owner.
 *                     Zeroed memory is a gate that is shut.
 * Progress            wait-free, one read-modify-write each; who waits after shut does it by asking
 *                     is_empty, and waits only for visits that had begun.
 * May overlap         everything but the owner's calls with one another.
 * Linearizes at       the read-modify-writes GT1, all of one word: so a visit is before is_empty, which
 *                     then counts it, or after, and then sees what its owner did before.
 * Edges               GT1 acq_rel read-modify-write -> the same: visit -> the owner that found nobody;
 *                         the owner before open, or before is_empty -> later visits
 * Invariant           word = GATE_OPEN or 0, + visits under way (a refused one for a moment).
 *
 * Proof: lockfree/README.md, "Gate".  Model: tests/check/models/gate.c.  Rounds:
 * tests/stress/stress_gate.c. */
#ifndef HEIST_LOCKFREE_GATE_H
#define HEIST_LOCKFREE_GATE_H

#include "lockfree/seam.h"

#ifndef GATE_ORDER_ENTER
#define GATE_ORDER_ENTER memory_order_acq_rel
#endif
#ifndef GATE_ORDER_LEAVE
#define GATE_ORDER_LEAVE memory_order_acq_rel
#endif

struct gate {
	_Atomic uint32_t word;
};

#define GATE_OPEN ((uint32_t)1 << 31)

/* False: it is shut, and the caller is not inside. */
static inline bool gate_enter(struct gate *g)
{
#ifdef GATE_MUTANT_LOOK_FIRST
	if (!(atomic_load_explicit(&g->word, memory_order_acquire) & GATE_OPEN))
		return false;
	heist_relax(); /* hardware shall show it soon */
	atomic_fetch_add_explicit(&g->word, 1, GATE_ORDER_ENTER);
	return true;
#else
	if (atomic_fetch_add_explicit(&g->word, 1, GATE_ORDER_ENTER) & GATE_OPEN) /* GT1 */
		return true;
	atomic_fetch_sub_explicit(&g->word, 1, GATE_ORDER_LEAVE); /* GT1 */
	return false;
#endif
}

static inline void gate_leave(struct gate *g)
{
	atomic_fetch_sub_explicit(&g->word, 1, GATE_ORDER_LEAVE); /* GT1 */
}

static inline void gate_open(struct gate *g)
{
	atomic_fetch_or_explicit(&g->word, GATE_OPEN, memory_order_acq_rel); /* GT1 */
}

/* From now on enter is false. */
static inline void gate_shut(struct gate *g)
{
	atomic_fetch_and_explicit(&g->word, ~GATE_OPEN, memory_order_acq_rel); /* GT1 */
}

/* Is nobody inside now?  A write, so that later visits follow it. */
static inline bool gate_is_empty(struct gate *g)
{
	return !(atomic_fetch_add_explicit(&g->word, 0, memory_order_acq_rel) &
		 ~GATE_OPEN); /* GT1 */
}

#endif
