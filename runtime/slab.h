/* SPDX-License-Identifier: BSD-2-Clause
 * slab.h - where message blocks come from by default: 2 MiB pieces with huge pages, given back whole.
 *
 * Blocks are page-like: freed in floods, wanted in floods.  A general allocator takes a fault per 4 KiB;
 * a slab takes one per 2 MiB.  Even so half the time of a message in a flood is the kernel clearing
 * fresh memory, and on a virtual machine, where it may be new to the host, a slab takes milliseconds.  So
 * empty slabs are kept for the next flood until none was needed for keep_ns, ten seconds by default, as
 * jemalloc keeps what is dirty.
 *
 * Threads   any (a lock, held over nothing that waits but the system call for a new slab). */
#ifndef HEIST_RUNTIME_SLAB_H
#define HEIST_RUNTIME_SLAB_H

#include "lockfree/memory.h"
#include "runtime/spinlock.h"

#define SLAB_SIZE   ((size_t)2 << 20)
#define SLAB_BLOCK  ((size_t)64 << 10)
#define SLAB_BLOCKS (SLAB_SIZE / SLAB_BLOCK)

struct slab;

struct slabs {
	struct spinlock lock;
	uint32_t empty;		/* wholly free slabs: one is kept for good */
	bool grown;		/* there has been a slab before */
	bool used;		/* an empty slab came or went since the last heist_slabs_decay */
	bool told;		/* heist_slabs_trim was called, and no new slab was needed since */
	uint64_t used_at;	/* when that was last seen to be so */
	uint64_t keep_ns;	/* empty slabs are kept this long after the last use of one */
	_Atomic bool surplus;	/* empty > 1, for those without the lock */
	struct slab *available; /* slabs with free blocks */
};

/* A block of SLAB_BLOCK bytes, aligned to its size; NULL: out of memory. */
void *heist_slabs_get(struct slabs *s);
void heist_slabs_put(struct slabs *s, void *block);
/* Now and then: give back the empty slabs but one if none was used for keep_ns.  Returns when to
 * come again, 0: there is nothing to wait for. */
uint64_t heist_slabs_decay(struct slabs *s, uint64_t now);
/* The same at once, whenever one was used; and so for each decay until a new slab is needed: the flood is over. */
void heist_slabs_trim(struct slabs *s);
/* Every block has been put back. */
void heist_slabs_destroy(struct slabs *s);

#endif
