/* SPDX-License-Identifier: BSD-2-Clause
 * bond.h - monitors and links: one actor (the owner) is told when another (the target) ends; a link
 * also tells the target when its owner ends.
 *
 *   owner                                       target
 *   heist_monitor: into its table --WATCH-->    into the slot's list
 *   tells its hook, frees         <--DOWN--     ends: state UP -> DOWN
 *   demonitor, or ends: UP -> CUT --CUT-->      out of the list, frees (a link: and may end, too)
 *
 * Either side may be first: the one that moves `state` from UP has won, and only the winner sends.  The
 * loser leaves the bond to the signal that is on its way.  A bond is freed by whoever handles the last
 * signal: DOWN at the owner's slot or CUT at the target's, one of which is sent, once.
 *
 * Exact     After demonitor or unlink returned nothing is told: the bond is out of the owner's table, or
 *           marked quiet if DOWN is on its way; the hook runs on the same right to run.
 * At once   A watch that meets a slot whose actor has ended comes back as DOWN (HEIST_EXIT_GONE).
 * No purge  A slot is free only after its end, which tries to move every bond it knows.  A winner saw UP,
 *           so the other side's end had not come to this bond, and the slot stays until this activation
 *           is over (slot.h, grace period).
 *
 * Threads   owner_*: the runner of the owner; target_*: of the target, or of its slot afterwards.
 * Edges     BD1 acq_rel CAS of state -> acquire CAS that fails: what the winner wrote before it */
#ifndef HEIST_RUNTIME_BOND_H
#define HEIST_RUNTIME_BOND_H

#include "runtime/signal.h"

struct actor;
struct rt_worker;

enum bond_state { BOND_UP, BOND_DOWN, BOND_CUT };

/* Who is told that the target has ended. */
enum bond_keeper {
	BOND_ACTOR,  /* the owner, by DOWN         */
	BOND_ROSTER, /* no owner: roster.h, path.h */
	BOND_PATH
};

struct bond {
	struct signal to_target, to_owner;
	union {
		struct signal cut;
		struct {
			struct bond *older, *newer;
		} sibling; /* of a child's (family.h), which is never cut; the owner */
	};
	heist_ref owner, target;
	_Atomic uint32_t state;
	bool link;
	uint8_t keeper; /* enum bond_keeper */
	bool child;	/* the owner is the target's parent */
	/* the owner */
	bool quiet;	   /* do not tell the owner */
	struct bond *next; /* in its bucket */
	/* the target */
	bool listed;
	bool target_quiet; /* do not tell the target */
	struct bond *older, *newer;
	/* the winner */
	bool hush; /* only take it out */
	struct ending end;
};

/* Who moves it from UP has won: only he sends it, and he writes `end` and `hush` first. */
static inline bool bond_win(struct bond *b, enum bond_state to)
{
	uint32_t up = BOND_UP;
#ifdef MUTANT_BOTH_WIN
	up = atomic_load_explicit(&b->state, memory_order_relaxed);
	atomic_store_explicit(&b->state, to, memory_order_relaxed);
	return up == BOND_UP;
#else
	return atomic_compare_exchange_strong_explicit(&b->state, &up, to, memory_order_acq_rel,
						       memory_order_acquire); /* BD1 */
#endif
}

/* The bonds that an actor owns, by target and kind. */
struct bonds {
	struct bond **bucket;
	uint32_t buckets, count; /* buckets: 0 or a power of two */
};

struct heist_memory;
/* NULL: there is none. */
struct bond *heist_bonds_find(struct bonds *t, heist_ref target, bool link);
void heist_bonds_add(struct bonds *t, struct bond *b);
/* If it is there. */
void heist_bonds_remove(struct bonds *t, struct bond *b);
/* Room for one more.  Without memory a full table only gets slower; without a table, false. */
bool heist_bonds_grow(const struct heist_memory *memory, struct bonds *t);
/* The table, not what it holds. */
void heist_bonds_free(const struct heist_memory *memory, struct bonds *t);

/* The slot's actor, which nobody knows yet, is watched from its start. */
void heist_bond_attach(struct heist_system *s, struct actor *a, struct bond *b);

/* A slot's runner met a signal.  True: the actor must end, like *end. */
bool heist_bond_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
		       enum signal_mode mode, struct ending *end);

/* The actor has ended: tell those that watch it. */
void heist_bonds_target_ended(struct rt_worker *w, struct actor *a, struct ending end);
/* Its incarnation has ended: its monitors go with it, its links stay. */
void heist_bonds_owner_rests(struct rt_worker *w, struct bonds *table);
/* The actor has ended: give up what it watches, end what it is linked to. */
void heist_bonds_owner_ended(struct rt_worker *w, struct bonds *table, struct ending end);

#endif
