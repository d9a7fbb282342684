/* SPDX-License-Identifier: BSD-2-Clause
 * lifo.h - a worker's LIFO slot: one item that its owner puts and takes without a locked operation
 * and that a thief can still get when the owner is stuck.
 *
 * The owner's put and take are plain loads and stores followed by heist_fence_owner() and a look at
 * `claim`; a thief announces itself in `claim`, runs heist_fence_thief(), and only then looks at the
 * item.  So an owner that removes an item too late for the thief to notice sees the claim, and the
 * two settle by CAS on it: the thief commits (CLAIMED -> STOLEN) or the owner denies (-> DENIED).
 * A committed claim stays STOLEN until the owner has seen it.
 *
 * Who may call        put, take: the owner.  steal: any thread.
 * Progress            put, take: wait-free.  steal: wait-free; one thief at a time, others get NULL.
 * May overlap         put, take with steal: yes.  put with take: no (one owner).
 * Linearizes at       put: the store LS1.  take: the store of NULL, or CAS LS3 when a claim was seen.
 *                     steal: CAS LS3 (CLAIMED -> STOLEN).
 * Edges               LS1 release store of item -> acquire load of item in steal: what item points to
 *                     LS2 light fence (owner: item, then claim) <-> heavy fence (thief: claim, then
 *                         item): not both miss the other
 *                     LS3 CAS of claim, owner's against thief's: exactly one wins
 *                     LS4 release store claim = FREE -> acquire CAS FREE -> CLAIMED of the next thief
 *                     LS5 release CAS item -> GONE by a thief -> acquire load of item by the owner:
 *                         an owner that finds the slot emptied sees STOLEN, from an earlier put
 * Invariants          I1 an item is in at most one slot and is put again only by somebody to whom it
 *                     was given.  I2 claim leaves STOLEN only by the owner, CLAIMED and DENIED
 *                     otherwise only by that thief.  I3 while claim is STOLEN, `stolen` is what the
 *                     thief has; the owner empties the slot of it before it frees the claim.  I4 a
 *                     thief empties the slot to GONE, the owner to NULL: what is put on top of GONE was
 *                     not what the thief took, even if it is the same item, come back.
 *
 * Proof: lockfree/README.md, "LIFO slot".  Model: tests/check/models/lifo.c.  Rounds:
 * tests/stress/stress_lifo.c. */
#ifndef HEIST_LOCKFREE_LIFO_H
#define HEIST_LOCKFREE_LIFO_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/seam.h"

struct lifo_slot {
	_Atomic(void *) item;	/* owner and thief write */
	_Atomic uint32_t claim; /* enum lifo_claim */
	_Atomic(void *) stolen; /* the thief writes, before it commits */
};

enum lifo_claim { LIFO_FREE, LIFO_CLAIMED, LIFO_STOLEN, LIFO_DENIED };

#ifndef LIFO_GONE
#define LIFO_GONE ((void *)1) /* item: emptied by a thief, and the owner has not seen it yet */
#endif

/* Is there an item? */
HEIST_HOT_INLINE bool lifo_holds(const void *item)
{
	return (uintptr_t)item > (uintptr_t)LIFO_GONE;
}

#ifndef LIFO_ORDER_PUT
#define LIFO_ORDER_PUT memory_order_release
#endif
#ifndef LIFO_FENCE_OWNER
#define LIFO_FENCE_OWNER() heist_fence_owner()
#endif
#ifndef LIFO_FENCE_THIEF
#define LIFO_FENCE_THIEF() heist_fence_thief()
#endif

static inline void lifo_init(struct lifo_slot *s)
{
	atomic_init(&s->item, NULL);
	atomic_init(&s->claim, LIFO_FREE);
	atomic_init(&s->stolen, NULL);
}

/* Owner, slow path: it removed `old` (or put into an empty slot: NULL, GONE) and saw claim `c`.
 * Returns `old` if it is still the owner's. */
static inline void *lifo_settle(struct lifo_slot *s, uint32_t c, void *old)
{
	if (c == LIFO_CLAIMED &&
	    (old == NULL || atomic_compare_exchange_strong_explicit(&s->claim, &c, LIFO_DENIED,
								    memory_order_acq_rel, /* LS3 */
								    memory_order_acquire)))
		return old;
	if (c != LIFO_STOLEN)
		return old; /* denied before, or that thief has left without it */
	(void)atomic_load_explicit(&s->claim, memory_order_acquire); /* LS3: stolen */
	void *stolen = atomic_load_explicit(&s->stolen, memory_order_relaxed);
	bool before = old == stolen || old == LIFO_GONE;
	if (!before) /* the thief took what we have just put, and may not have emptied the slot yet */
		atomic_store_explicit(&s->item, NULL, memory_order_relaxed);
	atomic_store_explicit(&s->claim, LIFO_FREE, memory_order_release); /* LS4 release */
	return before ? NULL : old;
}

/* Owner, wait-free: first half of a put.  Leaves `item` in the slot and what was there in *old;
 * unless *old is NULL and the answer LIFO_FREE, lifo_settle must follow. */
HEIST_HOT_INLINE uint32_t lifo_swap(struct lifo_slot *s, void *item, void **old)
{
	*old = atomic_load_explicit(&s->item, memory_order_acquire);  /* LS5 acquire */
	atomic_store_explicit(&s->item, item, LIFO_ORDER_PUT);	      /* LS1 release */
	LIFO_FENCE_OWNER();					      /* LS2 */
	return atomic_load_explicit(&s->claim, memory_order_relaxed); /* ordered by LS2 */
}

/* Owner, wait-free.  Leaves `item` in the slot; returns what it displaced, or NULL. */
HEIST_HOT_INLINE void *lifo_put(struct lifo_slot *s, void *item)
{
	void *old;
	uint32_t c = lifo_swap(s, item, &old);
	return HEIST_LIKELY(c == LIFO_FREE) ? old : lifo_settle(s, c, old);
}

/* Owner, wait-free.  The item, or NULL. */
HEIST_HOT_INLINE void *lifo_take(struct lifo_slot *s)
{
	void *item = atomic_load_explicit(&s->item, memory_order_relaxed); /* own store, or NULL */
	if (!lifo_holds(item))
		return NULL;
	atomic_store_explicit(&s->item, NULL, memory_order_relaxed);	    /* validated by LS2 */
	LIFO_FENCE_OWNER();						    /* LS2 */
	uint32_t c = atomic_load_explicit(&s->claim, memory_order_relaxed); /* ordered by LS2 */
	return HEIST_LIKELY(c == LIFO_FREE) ? item : lifo_settle(s, c, item);
}

/* Any thread; advisory. */
HEIST_HOT_INLINE void *lifo_peek(struct lifo_slot *s)
{
	void *item = atomic_load_explicit(&s->item, memory_order_relaxed);
	return lifo_holds(item) ? item : NULL;
}

/* Any thread but the owner, wait-free, expensive (heavy fence).  The item, or NULL. */
static inline void *lifo_steal(struct lifo_slot *s)
{
	uint32_t c = LIFO_FREE;
	if (lifo_peek(s) == NULL ||
	    !atomic_compare_exchange_strong_explicit(&s->claim, &c, LIFO_CLAIMED,
						     memory_order_acquire, /* LS4 acquire */
						     memory_order_relaxed))
		return NULL;
	void *item = NULL;
	if (LIFO_FENCE_THIEF()) /* LS2; without it nothing may be taken */
		item = atomic_load_explicit(&s->item, memory_order_acquire); /* LS1 acquire */
	c = LIFO_CLAIMED;
	atomic_store_explicit(&s->stolen, item, memory_order_relaxed); /* published by LS3 */
	if (!lifo_holds(item) || !atomic_compare_exchange_strong_explicit(
					 &s->claim, &c, LIFO_STOLEN, memory_order_acq_rel, /* LS3 */
					 memory_order_relaxed)) {
		atomic_store_explicit(&s->claim, LIFO_FREE, memory_order_release); /* LS4 release */
		return NULL; /* nothing there, or denied: the owner took it */
	}
	void *expected = item; /* fails if the owner has overwritten it; I1: no ABA */
	atomic_compare_exchange_strong_explicit(&s->item, &expected, LIFO_GONE,
						memory_order_release, /* LS5 release */
						memory_order_relaxed);
	return item;
}

#endif
