/* SPDX-License-Identifier: BSD-2-Clause
 * outbox.h - a worker's deferred sends: prefetch the receiver now, touch it a few sends later.
 *
 * With many runnable actors the next receiver is cold, and an exchange on a cold line stalls the
 * sender for the whole miss.  So a worker whose run queue is long puts its sends into a ring of 32,
 * asks for the receiver's line, and delivers the oldest entry when the ring is full.
 *
 * Order    Per-pair FIFO needs that no deferred send outlives its sender's right to run: else the
 *          sender, woken on another worker, overtakes itself.  So a sender that has entries in the
 *          ring is not released when its handler returns.  Its end of turn is an entry itself
 *          (OUTBOX_FINISH), behind its sends: when it is reached they have been delivered, and only
 *          then does the mailbox turn idle or the actor queue again.
 *
 * Liveness Entries wait at most for 32 sends or until the worker has nothing else to run.  A worker
 *          that is stuck in a handler cannot deliver; a thief takes over its ring through a claim:
 *          the owner brackets its operations by `busy`, looks at `claim` after setting it (owner
 *          fence), and the thief sets `claim` before it looks at `busy` (thief fence).
 *
 * Hooks    A message whose receiver has ended is lost when the ring is closed: hooks of the user's may send.
 *
 * Edges    OB1 release store busy = 0 -> acquire load of busy by the thief: the ring
 *          OB2 owner fence (busy, then claim) <-> thief fence (claim, then busy): not both go on
 *          OB3 release store claim = 0 -> acquire load of claim by the owner: the emptied ring
 *
 * Proof: runtime/README.md, "Outbox".  Model: tests/check/models/outbox.c. */
#ifndef HEIST_RUNTIME_OUTBOX_H
#define HEIST_RUNTIME_OUTBOX_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/seam.h"

#ifndef OUTBOX_SIZE
#define OUTBOX_SIZE 32u /* covers a memory latency of 100 ns at 3 to 4 ns a send; power of two */
#endif

#define OUTBOX_FINISH ((uintptr_t)1) /* what: the node the sender has handled | OUTBOX_FINISH */

struct outbox_entry {
	void *actor;
	uintptr_t what; /* a message to deliver, or the end of the actor's turn */
};

struct outbox {
	/* the owner; a thief while it holds the claim and the owner is not busy */
	struct outbox_entry entry[OUTBOX_SIZE];
	uint32_t head, tail;
	/* the owner writes */
	_Atomic uint32_t busy;
	/* thieves write */
	_Atomic uint32_t claim;
};

/* Owner: bracket around whatever touches the ring.  Brackets do not nest. */
HEIST_HOT_INLINE void outbox_enter(struct outbox *o)
{
	HEIST_ASSERT(!atomic_load_explicit(&o->busy, memory_order_relaxed)); /* own */
	for (;;) {
		atomic_store_explicit(&o->busy, 1, memory_order_relaxed);
		heist_fence_owner();							  /* OB2 */
		if (HEIST_LIKELY(!atomic_load_explicit(&o->claim, memory_order_acquire))) /* OB3 */
			return;
		atomic_store_explicit(&o->busy, 0, memory_order_release); /* OB1 release */
		heist_relax();
	}
}

HEIST_HOT_INLINE void outbox_leave(struct outbox *o)
{
	atomic_store_explicit(&o->busy, 0, memory_order_release); /* OB1 release */
}

/* A thief: take over the ring of a worker that is in a handler.  False: not now. */
static inline bool outbox_claim(struct outbox *o)
{
	uint32_t free = 0;
	if (!atomic_compare_exchange_strong_explicit(&o->claim, &free, 1, memory_order_acquire,
						     memory_order_relaxed)) /* OB3 acquire */
		return false;
	if (heist_fence_thief() &&				   /* OB2 */
	    !atomic_load_explicit(&o->busy, memory_order_acquire)) /* OB1 acquire */
		return true;
	atomic_store_explicit(&o->claim, 0, memory_order_release); /* OB3 release */
	return false;
}

/* The thief: all entries are delivered. */
static inline void outbox_release(struct outbox *o)
{
	atomic_store_explicit(&o->claim, 0, memory_order_release); /* OB3 release */
}

/* Whoever may touch the ring. */
HEIST_HOT_INLINE uint32_t outbox_count(const struct outbox *o)
{
	return o->tail - o->head;
}

HEIST_HOT_INLINE void outbox_put(struct outbox *o, void *actor, uintptr_t what)
{
	HEIST_ASSERT(outbox_count(o) < OUTBOX_SIZE);
	o->entry[o->tail++ % OUTBOX_SIZE] = (struct outbox_entry){ actor, what };
}

HEIST_HOT_INLINE struct outbox_entry outbox_get(struct outbox *o)
{
	return o->entry[o->head++ % OUTBOX_SIZE];
}

#endif
