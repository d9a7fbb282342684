/* SPDX-License-Identifier: BSD-2-Clause
 * names.h - a hash set of things that have a name: one writer, many readers.  Adapter of ck_hs.
 *
 * A name is embedded in what it names.  Readers look up inside an epoch section and may use what they
 * find until they leave it; what the writer removes, it retires before it frees it.
 *
 * Who may call        find: a reader in a section of the epoch, or the writer.  Everything else: the
 *                     writer, one thread at a time.
 * Progress            find: wait-free but for a table that is full of removed names (bounded by its
 *                     size); libck's looks again if the writer moved the name meanwhile.
 * Linearizes at       add: the store NM1 of the slot.  remove: the store of its tombstone.
 * Edges               NM1 release store of a slot  -> acquire load in find: the thing's contents
 *                     NM2 release store of table   -> acquire load in find: its slots
 *                     EP1, EP2 of epoch.h: an old table, and what was removed, outlive their readers
 * Invariants          no two names in the set have the same text.  Half of the slots are never used, as
 *                     long as there is memory: so every search ends.
 *
 * Proof: lockfree/README.md, "Adapters".  Model: tests/check/models/names.c. */
#ifndef HEIST_LOCKFREE_NAMES_H
#define HEIST_LOCKFREE_NAMES_H

#include "lockfree/epoch.h"
#include "lockfree/memory.h"

#define NAMES_TEXT 48 /* longest text, with its 0 */

struct name {
	struct epoch_entry retired;
	char text[NAMES_TEXT]; /* constant while in a set */
};

#if HEIST_CK
#include <ck_hs.h>
#endif

struct names {
#if HEIST_CK
	ck_hs_t ck;
	uint64_t removed; /* since the table was made: tombstones, at most */
#else
	_Atomic(struct names_table *) table;
#endif
	const struct heist_memory *memory;
	struct epoch_record *writer; /* old tables are retired through it */
};

/* 0, or -1: out of memory. */
int heist_names_init(struct names *n, const struct heist_memory *memory,
		     struct epoch_record *writer);
/* Nobody reads any more.  What was in the set, and what was retired, is the caller's. */
void heist_names_destroy(struct names *n);
/* The set has no such text.  False: out of memory, nothing changed. */
bool heist_names_add(struct names *n, struct name *name);
/* It is in the set. */
void heist_names_remove(struct names *n, struct name *name);
/* NULL: nothing has this name. */
struct name *heist_names_find(struct names *n, const char *text);

#endif
