/* SPDX-License-Identifier: BSD-2-Clause
 * debt.h - replies that actors owe beyond their handlers (heist_reply_later): each is given once, by a token
 * from whatever thread, or by the end of the incarnation that owes it.
 *
 * A token is a plain value, so it can be used twice, late, or by somebody who does not know that the actor
 * has ended.  It names an entry of a table of the runtime, that is never unmapped, and the entry's
 * generation, which begins at random: a runtime before may have had the same number.  Whoever moves the
 * entry's word from OPEN gives the reply; the second finds it moved.  Only the owner uses entries again: it
 * keeps those it has had, and looks at two for each it adds, so there are about as many as are owed.  The
 * message that tells the asker that the owner has ended is made with the entry: an end needs no memory.
 *
 * Threads   claim: any that has entered (send.h), wait-free.  Everything else: the owner's runner.
 * Edges     DB1 release store of a chunk      -> acquire load in claim: its entries
 *           DB2 acq_rel CAS of debt.word      -> the same, or the acquire load by the owner: one of token
 *               and end gives the reply
 *           DB3 release store of word, OPEN   -> acquire CAS in claim
 * Invariants  a word of a generation is OPEN once, and PAID for ever after. */
#ifndef HEIST_RUNTIME_DEBT_H
#define HEIST_RUNTIME_DEBT_H

#include "runtime/message.h"
#include "runtime/spinlock.h"

struct actor_extra;
struct rt_worker;

struct debt {
	_Atomic uint64_t word; /* generation << 1 | open */
	/* the owner, or the lock's holder while it is in the table's free list */
	struct debt *next;
	uint32_t index;
	struct message *line; /* for the end of the owner */
	struct request_header request;
};

#define DEBT_CHUNKS 24
#ifndef DEBT_FIRST
#define DEBT_FIRST 64u /* entries of chunk 0; each has twice as many as the one before */
#endif

/* Of a runtime; all zero: empty. */
struct debt_table {
	_Atomic(struct debt *) chunk[DEBT_CHUNKS];
	struct spinlock lock;
	struct debt *free;
	uint32_t chunks;
};

/* Of an incarnation: a queue of what may be owed still, and entries for later. */
struct debts {
	struct debt *first, *last, *spare;
};

/* What a token says besides: the entry and its generation; 0: out of memory. */
uint64_t heist_debt_add(struct rt_worker *w, struct actor_extra *x,
			const struct request_header *request, const heist_type *type);
/* True: the reply is the caller's to give.  False: it has been given, or the owner has ended. */
bool heist_debt_claim(struct debt_table *t, uint64_t debt);
/* The incarnation ends: askers of what is owed still are told so. */
void heist_debts_end(struct rt_worker *w, struct actor_extra *x, heist_status status);

void heist_debts_destroy(struct heist_system *s);

#endif
