/* SPDX-License-Identifier: BSD-2-Clause
 * slot.h - the table of actor slots: address space for all, memory for those in use.
 *
 * Slots live in chunks of 1024.  A worker allocates from a free list of its own, filled from and
 * spilled to the table in batches under the table's lock.  A chunk whose slots are all free goes
 * back to the system after a grace period: every worker has since begun another activation or is
 * parked, and every foreign thread has left the send it was in, so nobody can still hold a handle
 * that it compared before the slots were freed.  Generations survive: the chunk remembers where its
 * slots must go on.
 *
 * Threads   slots_take, slots_give, slots_purge: any thread (lock).  slots_get: any thread.
 * Errors    slots_take returns 0 slots when memory or slots have run out. */
#ifndef HEIST_RUNTIME_SLOT_H
#define HEIST_RUNTIME_SLOT_H

#include "lockfree/memory.h"
#include "runtime/actor.h"
#include "runtime/spinlock.h"

#ifndef SLOT_CHUNK
#define SLOT_CHUNK 1024u
#endif
#ifndef SLOT_REGION
#define SLOT_REGION 32768u /* slots committed at once: 2 MiB */
#endif
#define SLOT_MAX       ((uint32_t)1 << REF_SLOT_BITS)
#define GENERATION_MAX ((uint32_t)REF_MASK)

struct entry;

/* Beside each slot, untouched until used: the doorbell node, requests, signals. */
struct control {
	struct mpsc_node bell;
	struct inject signals; /* signal.h */
	uint64_t tag;	       /* the doorbell poses as a struct message: KIND_BELL */
	_Atomic uint64_t request;
	struct bond *bonds;			   /* of those that watch this actor; the runner */
	_Atomic uint32_t queued, bound, high, low; /* bound.h */
	_Atomic uint64_t redirect;
	_Atomic uint32_t bounded; /* generation of the last actor with a bound */
	_Atomic uint64_t notify;  /* notify.h */
	struct inject urgent;	  /* lane.h */
	struct entry *named;	  /* its names: registry.c, under that lock */
};

struct slot_chunk {
	uint64_t free[SLOT_CHUNK / 64];	  /* in the table, not in use or in a free list */
	uint64_t virgin[SLOT_CHUNK / 64]; /* not used since commit or purge */
	uint32_t free_count;
	uint32_t base_generation; /* of its virgin slots; odd */
	uint32_t next;		  /* chunk + 1 in the list it is in */
	uint32_t state;		  /* enum chunk_state */
};

enum chunk_state { CHUNK_NEW, CHUNK_LISTED, CHUNK_UNLISTED, CHUNK_LIMBO };

struct slots {
	/* read by every send */
	struct actor *base;
	_Atomic uint32_t limit; /* slots committed */
	/* the lock's holder */
	_Alignas(HEIST_ISOLATE) struct spinlock lock;
	uint32_t max;
	uint32_t first_generation;
	uint32_t listed; /* chunk + 1 of the list of chunks with free slots */
	uint32_t whole;	 /* chunks all of whose slots are free and that hold memory */
	uint32_t limbo;	 /* chunk + 1 of the list that waits for its grace period */
	void *reservation;
	size_t reserved;
	/* side tables by slot */
	_Atomic(uintptr_t) *meta; /* const heist_class *, or struct actor_extra * | 1 */
	struct control *control;
	struct slot_chunk *chunks;
	size_t meta_reserved, control_reserved, chunks_reserved;
	_Atomic bool purgeable; /* there is something to retire or purge */
};

/* 0 or -1 (no address space).  Generations start at first_generation. */
int heist_slots_init(struct slots *s, uint32_t max, uint32_t first_generation);
void heist_slots_destroy(struct slots *s);

/* Up to n free slots, linked by u.next_free; *list is the first.  Returns how many. */
uint32_t heist_slots_take(struct slots *s, uint32_t n, struct actor **list);
/* Give n slots of the list back; returns the rest of the list. */
struct actor *heist_slots_give(struct slots *s, uint32_t n, struct actor *list);

/* Is there memory worth returning?  Any thread, advisory. */
bool heist_slots_purgeable(struct slots *s);
/* Put all wholly free chunks into limbo; true if there are any.  Then the caller waits for the grace
 * period, and calls heist_slots_purge. */
bool heist_slots_retire(struct slots *s);
void heist_slots_purge(struct slots *s);

static inline uint32_t slot_index(struct slots *s, struct actor *a)
{
	return (uint32_t)(a - s->base);
}

/* Who runs the slot, or is about to make an actor there.  Only others need an order: straggler.c. */
static inline uintptr_t slot_meta(struct slots *s, struct actor *a)
{
	return atomic_load_explicit(&s->meta[slot_index(s, a)], memory_order_relaxed);
}

static inline void slot_meta_set(struct slots *s, struct actor *a, uintptr_t meta)
{
	atomic_store_explicit(&s->meta[slot_index(s, a)], meta,
			      memory_order_release); /* SG1 release */
}

#endif
