/* SPDX-License-Identifier: BSD-2-Clause
 * local.h - what a thread needs to send and spawn without sharing: message and state pools, free
 * slots, counters.  Each worker owns one; foreign threads borrow one of a few per runtime.
 *
 * Threads   everything: the owner or borrower.  Counters: read by anybody. */
#ifndef HEIST_RUNTIME_LOCAL_H
#define HEIST_RUNTIME_LOCAL_H

#include "runtime/lost.h"
#include "runtime/message.h"
#include "runtime/slot.h"

#define STATE_CLASSES 5 /* 64, 128, 256, 512, 1024 bytes; larger ones come from the memory hooks */
#ifndef SLOTS_BATCH
#define SLOTS_BATCH 256 /* slots moved between a free list and the table at once */
#endif
#ifndef SLOTS_KEPT
#define SLOTS_KEPT 4096 /* free slots a thread keeps for itself */
#endif

struct local {
	struct block_pool messages;
	struct block_pool states[STATE_CLASSES];
	struct actor *slots;   /* the table; the first slots_limit of it may be touched */
	uint64_t first_place;  /* of the runtime's slot 0: actor.h */
	uint32_t direct_limit; /* slots_limit, or 0 while sends are deferred */
	uint32_t slots_limit;
	_Atomic(uintptr_t) *meta; /* beside the table: slot.h */
	uint32_t id;		  /* of the runtime */
	struct actor *free_slots;
	uint32_t free_count;
	uint32_t highest_generation; /* closed ticket of an actor that ended here */
	struct heist_system *system;
	_Atomic uint64_t accepted, spawned, ended, lost[HEIST_CAUSES];
	_Atomic uint64_t arena_bytes; /* gained here, or lost, modulo 2^64 */
	_Atomic uint64_t faults, quarantined;
	_Atomic uint64_t handled_more; /* messages handled beyond one per activation, modulo 2^64 */
	_Atomic uint64_t refused;      /* by a bound */
	_Atomic uint64_t redirected;   /* by the same */
	_Atomic uint64_t timers_armed, timers_fired, timers_cancelled;
	struct block_pool jobs;
	struct events *events; /* NULL: not recorded (events.h) */
	struct lost_types lost_types;
};

void heist_local_init(struct local *l, struct heist_system *system,
		      const struct heist_memory *memory);
void heist_local_destroy(struct local *l);
/* Give memory that others may want back: counted frees, surplus blocks, surplus slots. */
void heist_local_trim(struct local *l);

/* NULL: out of slots or memory. */
struct actor *heist_local_refill(struct local *l);
void heist_local_spill(struct local *l);

HEIST_HOT_INLINE struct actor *local_slot_get(struct local *l)
{
	struct actor *a = l->free_slots;
	if (HEIST_UNLIKELY(!a))
		return heist_local_refill(l);
	l->free_slots = a->u.next_free;
	l->free_count--;
	return a;
}

/* A slot whose generations are used up is never used again: its next handle would be an old one. */
HEIST_HOT_INLINE void local_slot_put(struct local *l, struct actor *a)
{
	if (HEIST_UNLIKELY(mpsc_generation(&a->ticket) >= GENERATION_MAX))
		return;
	a->u.next_free = l->free_slots;
	l->free_slots = a;
	if (HEIST_UNLIKELY(++l->free_count > SLOTS_KEPT))
		heist_local_spill(l);
}

/* State of `size` bytes, more than STATE_INLINE, zeroed; NULL: out of memory. */
void *heist_local_state_get(struct local *l, uint32_t size);
void heist_local_state_put(struct local *l, void *state, uint32_t size);

/* The smallest class, inline: one line. */
#define STATE_LINE 64

HEIST_HOT_INLINE void *local_state_line(struct local *l)
{
	return __builtin_memset(block_alloc_fast(&l->states[0]), 0, STATE_LINE);
}

#endif
