/* SPDX-License-Identifier: BSD-2-Clause
 * block.h - pools of equal objects carved from 64 KiB blocks, with returns from other threads.
 *
 * An allocating thread owns a pool: a short LIFO stack of hot objects in front of a bump pointer, so
 * that a flood of messages lies in memory in the order it was sent.  An object finds its block by
 * masking its address.  The owner frees to the hot stack; everybody else (and the owner, beyond the
 * list) only counts: k frees are written to the block at once, and whoever brings the count to zero
 * hands the whole block back.
 * Based on: remote-free counting in the manner of mimalloc's thread-free lists and ponyc's returned
 * chains; blocks instead of lists because address order decides the cost across cores.
 *
 * Who may call        alloc: the owner.  free: any thread, through a pool of its own (`mine`).
 *                     flush: the owner of `mine`.
 * Progress            alloc, free: wait-free except for a new block; the return of a block: lock-free.
 * May overlap         operations through different pools: yes; through one pool: never.
 * Linearizes at       the last free of a block: the fetch_sub BK1 that reaches zero.
 * Edges               BK1 acq_rel fetch_sub of left -> the one that reaches zero: all uses of the
 *                         block's objects happen before its recycling
 *                     IJ1 of inject.h              -> the owner's take: the returned block
 * Invariants          I1 left = objects that may be in use + BLOCK_BIAS while the block is open.
 *                     I2 an object is freed once.  I3 a block is in exactly one state: open, closed
 *                     (counting), returned, spare.
 *
 * Proof: lockfree/README.md, "Blocks".  Model: tests/check/models/block.c.  Rounds:
 * tests/stress/stress_block.c. */
#ifndef HEIST_LOCKFREE_BLOCK_H
#define HEIST_LOCKFREE_BLOCK_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/inject.h"
#include "lockfree/memory.h"

#ifndef BLOCK_SIZE
#define BLOCK_SIZE ((size_t)64 * 1024)
#endif
#ifndef BLOCK_HOT
#define BLOCK_HOT 128 /* objects in the hot stack: a window of 100 stays in it */
#endif
#ifndef BLOCK_RETURNS
#define BLOCK_RETURNS 4 /* blocks whose frees a pool counts before it writes them */
#endif
#ifndef BLOCK_SPARES
#define BLOCK_SPARES 4 /* free blocks a pool keeps; the rest goes back to the system */
#endif
#define BLOCK_AHEAD (16 * HEIST_CACHELINE) /* how far ahead of the bump pointer lines are fetched */
#define BLOCK_BIAS  ((int64_t)1 << 30)

struct block_pool;

struct block {
	/* any thread */
	_Atomic int64_t left;
	struct inject_link link; /* in owner->returned */
	/* written by the owner while it holds the block */
	struct block_pool *owner;
	struct block *older, *newer; /* all blocks of the owner */
	uint32_t issued;	     /* objects handed out, set when the block is closed */
	uint32_t unused_;
};

struct block_pool {
	/* owner */
	void **top;	       /* of the hot stack; *top is NULL when it is empty */
	uint32_t unit;	       /* bytes per object, multiple of 8 */
	char *bump, *bump_end; /* fresh objects of the open block */
	struct block *open;
	int64_t open_freed;  /* frees of the open block beyond the hot stack */
	struct block *all;   /* newest first */
	struct block *spare; /* through link.next */
	uint32_t spare_count;
	_Atomic uint32_t block_count; /* in existence; a statistic others may read */
	const struct heist_memory *memory;
	struct {
		struct block *block;
		int64_t count;
	} returns[BLOCK_RETURNS]; /* the one in use now comes first */
	/* any thread */
	_Alignas(HEIST_ISOLATE) struct inject returned;
	/* owner: the hot objects, an array because it costs fewer stores than a list */
	_Alignas(HEIST_ISOLATE) void *hot[1 + BLOCK_HOT]; /* the first stays NULL */
};

/* Owner.  unit: object size, multiple of 8.  Allocates nothing. */
void heist_block_pool_init(struct block_pool *p, const struct heist_memory *memory, size_t unit);
/* Nobody may use an object any more: frees every block. */
void heist_block_pool_destroy(struct block_pool *p);
/* Owner, cold: a fresh block; NULL when out of memory. */
void *heist_block_refill(struct block_pool *p);
/* Owner, cold: count a free that the hot stack does not take. */
void heist_block_return(struct block_pool *mine, struct block *b);
/* Owner: write all counted frees, empty the hot stack, and give spare blocks back to the system. */
void heist_block_flush(struct block_pool *p);

static inline struct block *block_of(void *object)
{
	return (struct block *)((uintptr_t)object & ~(uintptr_t)(BLOCK_SIZE - 1));
}

/* Owner: will block_alloc_fast succeed? */
HEIST_HOT_INLINE bool block_can_alloc(struct block_pool *p)
{
	return HEIST_LIKELY(*p->top != NULL) || p->bump != p->bump_end;
}

/* Owner, after block_can_alloc: an object of `unit` bytes, not zeroed. */
HEIST_HOT_INLINE void *block_alloc_fast(struct block_pool *p)
{
	void *hot = *p->top;
	if (HEIST_LIKELY(hot != NULL)) {
		p->top--;
		HEIST_UNPOISON(hot, p->unit);
		return hot;
	}
	char *o = p->bump;
	p->bump = o + p->unit;
	/* A recycled line may be in another core's cache; an exchange would wait for it. */
	HEIST_PREFETCH_WRITE(o + BLOCK_AHEAD);
	HEIST_UNPOISON(o, p->unit);
	return o;
}

/* Owner.  An object of `unit` bytes, not zeroed; NULL: out of memory, nothing changed. */
HEIST_HOT_INLINE void *block_alloc(struct block_pool *p)
{
	return block_can_alloc(p) ? block_alloc_fast(p) : heist_block_refill(p);
}

/* Any thread; `mine` is a pool of the calling thread, of the same unit, wherever the object is from. */
HEIST_HOT_INLINE void block_free(struct block_pool *mine, void *object)
{
	struct block *b = block_of(object);
	if (HEIST_LIKELY(b->owner == mine) && HEIST_LIKELY(mine->top != &mine->hot[BLOCK_HOT])) {
		*++mine->top = object;
		HEIST_POISON(object, mine->unit);
		return;
	}
	HEIST_POISON(object, mine->unit);
	if (b == mine->open)
		mine->open_freed++;
	else if (b == mine->returns[0].block)
		mine->returns[0].count++;
	else
		heist_block_return(mine, b);
}

#endif
