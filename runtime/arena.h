/* SPDX-License-Identifier: BSD-2-Clause
 * arena.h - memory of one incarnation of an actor: a bump pointer through chunks, given back wholesale.
 *
 * Threads   the holder of the right to run.  counted: its local. */
#ifndef HEIST_RUNTIME_ARENA_H
#define HEIST_RUNTIME_ARENA_H

#include "lockfree/memory.h"

#define ARENA_ALIGN 16u

struct actor_extra;
struct arena_chunk;
struct rt_worker;

/* All zero but for the limit: empty. */
struct arena {
	char *bump, *end; /* free in the newest chunk */
	struct arena_chunk *chunks;
	uint64_t used;	/* bytes handed out, in whole units of ARENA_ALIGN */
	uint64_t limit; /* for used; 0 = none */
	size_t held;	/* bytes of the chunks */
};

/* n zeroed bytes; NULL: over the limit, or out of memory; nothing changed. */
void *heist_arena_get(struct arena *a, const struct heist_memory *memory, size_t n);
/* The incarnation is over. */
void heist_arena_end(struct rt_worker *w, struct actor_extra *x);
/* Empty again; the limit stays. */
void heist_arena_release(struct arena *a, const struct heist_memory *memory);

#endif
