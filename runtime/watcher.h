/* SPDX-License-Identifier: BSD-2-Clause
 * watcher.h - members and watchers of lists (roster.h), and what watchers are told of members.
 *
 * Threads   everything: the holder of the lock of lists. */
#ifndef HEIST_RUNTIME_WATCHER_H
#define HEIST_RUNTIME_WATCHER_H

#include "runtime/roster.h"

struct member {
	struct bond bond; /* first */
	struct roster *roster;
	bool watches; /* else it is a member */
	/* a member: its place in the table, and what its watchers are told when it leaves */
	uint32_t index;
	struct message *farewells;
	/* a watcher */
	const heist_type *type;
	uint64_t user;
};

/* What m, which is about to join or to watch, and those on the other side will be told: that they are there,
 * a list *joined, and that they leave, kept in the members.  False: out of memory, nothing is left. */
bool heist_pairs_make(struct local *l, struct roster *r, struct member *m, struct message **joined);
void heist_events_send(struct sender *from, struct message *list);
/* m has left: its watchers are told. */
void heist_farewells_send(struct sender *from, struct member *m, heist_member_change change);
/* Drop the farewells of m for this watcher; NULL: for all. */
void heist_farewells_drop(struct local *l, struct member *m, struct member *watcher);

/* Each bond of a table.  The one that was answered may be taken out. */
struct walk {
	struct bonds *table;
	uint32_t bucket;
	struct bond *next;
};

static inline struct member *walk_next(struct walk *k)
{
	while (!k->next) {
		if (k->bucket >= k->table->buckets)
			return NULL;
		k->next = k->table->bucket[k->bucket++];
	}
	struct bond *b = k->next;
	k->next = b->next;
	return (struct member *)b;
}

#endif
