/* SPDX-License-Identifier: BSD-2-Clause
 * lost.h - losses by type: a small table per local, written by whoever has the local, read by anybody.
 *
 * Edges   LT1 release store of a bucket -> acquire load by readers: an entry is whole when it is seen */
#ifndef HEIST_RUNTIME_LOST_H
#define HEIST_RUNTIME_LOST_H

#include <heist/heist.h>

#include "lockfree/memory.h"
#include "runtime/spinlock.h"

#define LOST_BUCKETS 16

struct lost_type {
	const heist_type *type; /* NULL: those for which there was no memory */
	struct lost_type *next;
	_Atomic uint64_t lost[HEIST_CAUSES];
};

struct lost_types {
	_Atomic(struct lost_type *) bucket[LOST_BUCKETS];
	struct lost_type others;
};

void heist_lost_types_destroy(struct lost_types *t, const struct heist_memory *memory);

/* What the last line of the log said (lost.c). */
struct lost_log {
	struct spinlock lock;
	uint64_t next; /* no line before this */
	uint64_t said[HEIST_CAUSES];
};

#endif
