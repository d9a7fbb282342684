/* SPDX-License-Identifier: BSD-2-Clause
 * epoch.h - when may what readers might still look at be freed?  Adapter of ck_epoch.
 *
 *     reader                          writer (one at a time)
 *       epoch_enter(record)             unlink x
 *       look things up, use them        epoch_retire(record, &x->entry, free_x)
 *       epoch_leave(record)             now and then: epoch_reclaim(record)
 *
 * For tables, never per message: entering costs a full fence.
 *
 * Who may call        join: before anybody enters.  enter, leave: whoever has the record to itself, not
 *                     nested.  retire, reclaim: whoever has the record to itself, outside a section;
 *                     one thread at a time may reclaim.
 * Progress            enter, leave, retire: wait-free.  reclaim: waits until those that are in a
 *                     section have left it; so sections neither wait nor call what is not ours.
 * Edges               EP1 seq_cst fence in enter <-> in reclaim: not both "the reader found x" and "the
 *                         writer saw nobody inside"
 *                     EP2 release stores of turn by the reader -> acquire loads by reclaim: the uses of
 *                         x happen before its end
 * Invariants          a retired entry is in one list, until its function was called.  turn is odd while
 *                     the record's owner is in a section.
 *
 * Proof: lockfree/README.md, "Adapters".  Model: tests/check/models/epoch.c. */
#ifndef HEIST_LOCKFREE_EPOCH_H
#define HEIST_LOCKFREE_EPOCH_H

#include "lockfree/adapter.h"

struct epoch_entry;
typedef void epoch_reclaim_fn(struct epoch_entry *);

#if HEIST_CK
#include <ck_epoch.h>

struct epoch {
	ck_epoch_t ck;
};

struct epoch_record {
	ck_epoch_record_t ck;
};

struct epoch_entry {
	ck_epoch_entry_t ck;
	epoch_reclaim_fn *reclaim;
};

static inline void epoch_enter(struct epoch_record *r)
{
	ck_epoch_begin(&r->ck, NULL);
}

static inline void epoch_leave(struct epoch_record *r)
{
	ck_epoch_end(&r->ck, NULL);
}

#else

#include "lockfree/cacheline.h"

#ifndef EPOCH_FENCE
#define EPOCH_FENCE() heist_fence_full()
#endif
#ifndef EPOCH_ORDER_TURN
#define EPOCH_ORDER_TURN memory_order_release
#endif

struct epoch {
	struct epoch_record *records;
};

struct epoch_record {
	_Alignas(HEIST_CACHELINE) _Atomic uint64_t turn; /* odd: in a section */
	struct epoch *epoch;
	struct epoch_record *next; /* in epoch->records */
	struct epoch_entry *retired;
};

struct epoch_entry {
	epoch_reclaim_fn *reclaim;
	struct epoch_entry *next;
};

static inline void epoch_turn(struct epoch_record *r)
{
	uint64_t turn = atomic_load_explicit(&r->turn, memory_order_relaxed); /* own */
	atomic_store_explicit(&r->turn, turn + 1, EPOCH_ORDER_TURN);	      /* EP2 release */
}

static inline void epoch_enter(struct epoch_record *r)
{
	epoch_turn(r);
	EPOCH_FENCE(); /* EP1 */
}

static inline void epoch_leave(struct epoch_record *r)
{
	epoch_turn(r);
}

#endif

void heist_epoch_init(struct epoch *e);
void heist_epoch_join(struct epoch *e, struct epoch_record *r);
/* The entry is unlinked: call reclaim(entry) when nobody can be looking at it any more. */
void heist_epoch_retire(struct epoch_record *r, struct epoch_entry *entry,
			epoch_reclaim_fn *reclaim);
/* Wait for such a moment, and free what was retired through this record. */
void heist_epoch_reclaim(struct epoch_record *r);

#endif
