/* SPDX-License-Identifier: BSD-2-Clause
 * actor.h - the actor slot: one cache line that is mailbox, scheduling state, behaviour and state.
 *
 * Slots are type-stable: their address is computed from the handle, and they stay mapped while the
 * runtime lives, so a send through a stale handle touches a mailbox that works and a generation that
 * does not match.  All zero is a valid free slot.
 *
 * Life of a slot (runtime/README.md, "Life of an actor"):
 *   free -> (INIT pushed) starting -> running/idle ... -> dying (ended, messages left) -> free */
#ifndef HEIST_RUNTIME_ACTOR_H
#define HEIST_RUNTIME_ACTOR_H

#include <heist/heist.h>

#include "lockfree/mpsc.h"
#include "runtime/arena.h"
#include "runtime/bond.h"
#include "runtime/debt.h"
#include "runtime/family.h"
#include "runtime/hold.h"
#include "runtime/idle.h"
#include "runtime/job.h"
#include "runtime/lane.h"
#include "sched/runnable.h"

struct actor {
	struct mpsc mailbox;
	struct runnable run;	  /* link: the holder of the right to run */
	heist_recv_fn *recv;	  /* the runner; actor_dying, NULL (free) or the behaviour */
	_Atomic uint32_t ticket;  /* generation while alive; the runner writes */
	_Atomic uint16_t control; /* enum control_bit; any thread */
	uint16_t config;	  /* enum config_bit; set by INIT */
	union {
		uint64_t inline_state[3];
		void *state;
		struct actor *next_free; /* while in a free list */
	} u;
};
_Static_assert(sizeof(struct actor) == HEIST_CACHELINE, "a slot is one cache line");

enum config_bit {
	CONFIG_LARGE_STATE = 1, /* u.state, else u.inline_state */
	CONFIG_BOUND = 2,	/* runs on one worker only: config >> 8 */
	CONFIG_EXTRA = 4,	/* struct actor_extra exists */
	CONFIG_BOUNDED = 8,	/* bound.h: its handle has REF_BOUNDED */
	CONFIG_HELD = 16,	/* it rests: no incarnation */
	CONFIG_CHILD = 32,	/* it has a supervisor      */
	CONFIG_LOW = 1 << 15,	/* with CONFIG_PLACED: in the background of its place */
	CONFIG_PLACED = 64, /* with CONFIG_BOUND: config >> 8 is a place, not a worker (place.h) */
	CONFIG_OVERLOADED = 128, /* as it was told last      */
};

#define STATE_INLINE sizeof(uint64_t[3])

struct child;
struct supervisor;

/* What few actors need; made by the first ask or timer, or by spawn options (extra.c). */
struct ask;
struct actor_extra {
	const heist_class *cls;
	/* what each ask needs: a line (ask.c, behaviour.h) */
	struct ask *asks;
	uint32_t asks_capacity, asks_free, ask_sequence;
	uint32_t batch;		/* 0: its worker's */
	uint64_t self;		/* its handle, once it has asked */
	uint64_t asks_deadline; /* what asks_timer was set for, 0 = nothing */
	heist_recv_fn *behind;	/* its own, if it may not be what is called (behaviour.h) */
	uint64_t budget_ns;	/* like batch */

	uint32_t thread;	/* the place that it alone has; 0: none */
	struct gather *gathers; /* gather.h */
	struct debts debts;
	struct arena arena;
	struct bonds bonds;
	struct timer asks_timer;
	struct agenda agenda;
	struct child *child;	       /* supervised: child.h     */
	struct supervisor *supervisor; /* it is one: supervisor.c */
	struct family family;	       /* its other children      */
	bool start_ordered;	       /* while it rests          */
	bool faulted;		       /* its last handler: fault.c */
	/* behaviour.h */
	bool contained;		    /* its faults: fault.c          */
	heist_recv_fn **behaviours; /* those below it */
	uint32_t behaviour_count;
	struct idle_watch idle;
	struct lanes lanes;
};

_Static_assert(offsetof(struct actor_extra, thread) == HEIST_CACHELINE, "an ask looks at one line");

static inline struct actor *actor_of(struct runnable *r)
{
	return HEIST_CONTAINER(r, struct actor, run);
}

static inline void *actor_state(struct actor *a)
{
	return a->config & CONFIG_LARGE_STATE ? a->u.state : a->u.inline_state;
}

/* ---- handles ---- */

#define REF_SLOT_BITS 28
#define REF_MASK      (((uint64_t)1 << REF_SLOT_BITS) - 1)

/* generation | runtime | slot: the lower two together are a place, so that one subtraction and one
 * comparison tell whether a handle is for a slot of this runtime, and one shift its generation. */
static inline heist_ref ref_make(uint32_t runtime, uint32_t generation, uint32_t slot)
{
	return (heist_ref){ (uint64_t)generation << 36 | (uint64_t)runtime << 28 | slot };
}

/* The receiver has a bound (bound.h): the place is then none that is sent to directly. */
#define REF_BOUNDED ((uint64_t)1 << 35)

static inline bool ref_is_bounded(heist_ref r)
{
	return r.v & REF_BOUNDED;
}

static inline uint64_t ref_place(heist_ref r)
{
	return r.v << 28 >> 28;
}

static inline uint32_t ref_slot(heist_ref r)
{
	return (uint32_t)(r.v & REF_MASK);
}

static inline uint32_t ref_generation(heist_ref r)
{
	return (uint32_t)(r.v >> 36);
}

static inline uint32_t ref_runtime(heist_ref r)
{
	return (uint32_t)(r.v >> 28) & 0x7f;
}

#endif
