/* SPDX-License-Identifier: BSD-2-Clause
 * roster.h - lists of actors under a name: the members of a group, the subscribers of a topic.
 *
 * Made by the first join; a runtime without lists pays nothing, and a list goes with its last member and
 * watcher.  Whoever reads a list copies its handles in an epoch section, waiting for nobody and touching
 * no line that other readers write; writers hold one lock.  A list is an array that members are appended
 * to; who leaves becomes 0 there, and when an eighth is 0 the array is renewed.
 *
 * A membership is a bond (bond.h) whose owner is no actor but the list: the member tells when it ends,
 * by calling heist_member_ended instead of sending DOWN.  So the end of an actor leaves all its lists at
 * once, needs no memory, and one that is in none pays nothing.  A restart is no end.
 *
 * A watcher is told of joins and leaves by messages.  Those of a leave, which must not fail, are made
 * with the pair of member and watcher and wait in the member (its farewells).  All of one list are told
 * in the order of the lock.
 *
 * Threads   copy, look: any that has entered (send.h), wait-free.  Everything else: the lock.
 * Edges     RS1 release store of system.rosters -> acquire load by everybody
 *           RS2 release store of roster.table  -> acquire load by readers: its length and handles
 *           RS3 release store of table.used    -> acquire load by readers: the handles below it
 *           RS4 release store of roster.turns  -> acquire load by readers
 *           BD1 of bond.h: a leave and the member's end: one of them tells
 *           EP1, EP2 of epoch.h: a list and its old arrays outlive their readers
 * Invariants  a handle is in the newest array of a list at most once; one that is a member all the while
 *           somebody copies is copied once. */
#ifndef HEIST_RUNTIME_ROSTER_H
#define HEIST_RUNTIME_ROSTER_H

#include "runtime/send.h"

enum roster_kind { ROSTER_GROUP, ROSTER_TOPIC, ROSTER_KINDS };

struct rosters;

struct roster_table {
	struct epoch_entry retired; /* first */
	struct rosters *all;
	uint32_t room;
	_Atomic uint32_t used;
	_Atomic uint64_t ref[]; /* 0: has left */
};

/* How far one thread has gone round in a list, and its chance (pick.c). */
struct turn {
	_Alignas(HEIST_CACHELINE) uint64_t random;
	uint32_t next;
};

struct roster {
	struct name name; /* first */
	struct rosters *all;
	enum roster_kind kind;
	_Atomic(struct roster_table *) table;
	_Atomic(struct turn *) turns; /* one per reader; NULL: nobody ever picked */
	/* the lock's holder: bonds of members and of watchers, by handle */
	struct bonds members, watchers;
	uint32_t wanted; /* members (replicas.c), as long as somebody is at it */
	bool resizing;
};

/* NULL, or what is wrong with the arguments of join, leave and the like. */
const char *heist_roster_bad(heist_system *s, const char *name, heist_ref actor);

/* OK, EEXIST (it is a member), EDEAD, ENOMEM, ECLOSED. */
heist_status heist_roster_join(heist_system *s, enum roster_kind kind, const char *name,
			       heist_ref actor);
/* OK, EDEAD (it is none), ECLOSED. */
heist_status heist_roster_leave(heist_system *s, enum roster_kind kind, const char *name,
				heist_ref actor);
/* The same for watchers.  type->size is that of heist_member_event. */
heist_status heist_roster_watch(heist_system *s, enum roster_kind kind, const char *name,
				heist_ref actor, const heist_type *type, uint64_t user);
heist_status heist_roster_unwatch(heist_system *s, enum roster_kind kind, const char *name,
				  heist_ref actor);

/* Up to cap handles of the members that have not ended; returns how many there are. */
size_t heist_roster_copy(struct sender *from, enum roster_kind kind, const char *name,
			 heist_ref *out, size_t cap);
size_t heist_roster_members(heist_system *s, enum roster_kind kind, const char *name,
			    heist_ref *out, size_t cap);

/* Begin to read: enters a section of *record, to be left when the answer is not used any more.  NULL: there
 * is no such list, and no section. */
struct roster *heist_roster_enter(struct sender *from, enum roster_kind kind, const char *name,
				  struct epoch_record **record);

/* Inside a section: its array, NULL or *used long. */
static inline struct roster_table *roster_read(struct roster *r, uint32_t *used)
{
	struct roster_table *t =
		atomic_load_explicit(&r->table, memory_order_acquire);	      /* RS2 acquire */
	*used = t ? atomic_load_explicit(&t->used, memory_order_acquire) : 0; /* RS3 acquire */
	return t;
}

/* The member at i, {0} if it has left or ended. */
static inline heist_ref roster_at(struct heist_system *s, struct roster_table *t, uint32_t i)
{
	heist_ref r = { atomic_load_explicit(&t->ref[i], memory_order_relaxed) }; /* RS2, RS3 */
	return r.v && system_is_alive(s, r) ? r : (heist_ref){ 0 };
}

/* Which turn is the caller's. */
uint32_t heist_roster_reader(struct sender *from);
/* See that the list, if there is one, has turns, if there is memory. */
void heist_roster_turns(struct heist_system *s, enum roster_kind kind, const char *name);

/* ---- replicas.c ---- */
/* `wanted` members from now on.  OK and *mine: the caller sees to it; not *mine: somebody else does. */
heist_status heist_roster_want(struct heist_system *s, enum roster_kind kind, const char *name,
			       uint32_t wanted, bool *mine);
/* Whoever sees to it: how many there are, and shall be. */
void heist_roster_wanted(struct heist_system *s, enum roster_kind kind, const char *name,
			 uint32_t *there, uint32_t *wanted);
/* It is done, or has failed.  False: not what is wanted by now. */
bool heist_roster_done(struct heist_system *s, enum roster_kind kind, const char *name,
		       uint32_t wanted, bool failed);

/* ---- by bond.c: a bond without an owner ---- */
/* The actor has ended, and its runner has won the bond. */
void heist_member_ended(struct rt_worker *w, struct bond *b);
/* The bond was cut, and has left its target. */
void heist_member_free(struct heist_system *s, struct bond *b);

/* ---- by the runtime ---- */
/* A worker is about to sleep: give back what nobody reads any more. */
void heist_rosters_trim(struct heist_system *s);
/* Nobody calls into the runtime any more. */
void heist_rosters_destroy(struct heist_system *s);

#endif
