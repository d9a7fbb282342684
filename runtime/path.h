/* SPDX-License-Identifier: BSD-2-Clause
 * path.h - where an actor stands in the supervision trees, a path of names in the specs of supervisors and
 * children; and which actors a pattern means.
 *
 * Made by the first supervisor with a name and no parent; actors that nobody named cost nothing.  A node
 * watches its actor as a bond without an owner (bond.h), attached at its birth, so it goes when the actor
 * ends; one whose children are still there stays, unseen, until they have gone.  A search walks the tree in
 * one epoch section, waiting for nobody; writers hold a lock.
 *
 * Edges     PA1 release store of system.paths         -> acquire load by everybody
 *           PA2 release store of node.child, .next    -> acquire load by a search: the node
 *           EP1, EP2 of epoch.h: a node outlives who may be looking at it
 * Invariants  a node that has left keeps its `next`, so a search on it finds its way back. */
#ifndef HEIST_RUNTIME_PATH_H
#define HEIST_RUNTIME_PATH_H

#include "runtime/send.h"

struct path_node;

/* NULL, or what is wrong with the name of a child or supervisor. */
const char *heist_path_bad_name(const char *name);

/* Before a spawn: *out is a node for an actor of that name below `parent`, NULL if it will have no path,
 * because it, or one above it, has no name.  parent {0}: at the top.  OK, ENOMEM, or EINVAL: too deep. */
heist_status heist_path_prepare(struct heist_system *s, heist_ref parent, const char *name,
				struct path_node **out);
/* For the spawn: what watches the actor; node may be NULL. */
struct bond *heist_path_bond(struct path_node *node);
/* After it: the node is in the tree, or gone if the actor has ended already. */
void heist_path_add(struct heist_system *s, struct path_node *node, heist_ref parent,
		    heist_ref actor);
/* There was no spawn. */
void heist_path_drop(struct heist_system *s, struct path_node *node);

/* Up to cap of those that a pattern means; returns how many.  0 if it is no pattern. */
size_t heist_path_find(heist_system *s, const char *pattern, heist_ref *out, size_t cap);
/* NULL, or what is wrong with it. */
const char *heist_path_bad(const char *pattern);

/* ---- by bond.c: the actor has ended ---- */
void heist_path_ended(struct rt_worker *w, struct bond *b);

/* ---- by the runtime ---- */
void heist_paths_trim(struct heist_system *s);
void heist_paths_destroy(struct heist_system *s);

#endif
