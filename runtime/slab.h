/* SPDX-License-Identifier: BSD-2-Clause
 * slab.h - where message blocks come from by default: 2 MiB pieces with huge pages, given back whole.
 *
 * Blocks are page-like: freed in floods, wanted in floods.  A general allocator keeps such memory for
 * seconds and takes a fault per 4 KiB; a slab takes one per 2 MiB and goes back when its last block
 * does.
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
	uint32_t empty;		/* wholly free slabs: at most one is kept */
	bool grown;		/* there has been a slab before */
	struct slab *available; /* slabs with free blocks */
};

/* A block of SLAB_BLOCK bytes, aligned to its size; NULL: out of memory. */
void *heist_slabs_get(struct slabs *s);
void heist_slabs_put(struct slabs *s, void *block);
/* Every block has been put back. */
void heist_slabs_destroy(struct slabs *s);

#endif
