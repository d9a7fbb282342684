/* SPDX-License-Identifier: BSD-2-Clause
 * slab.c - 2 MiB pieces of 32 message blocks. */
#include "runtime/slab.h"

#include "lockfree/check.h"
#include "runtime/alloc.h"

struct slab {
	char *base;		      /* SLAB_SIZE, aligned to it */
	void *mapping;		      /* what was reserved */
	uint32_t free;		      /* bit per block */
	struct slab *next, *previous; /* in available */
};

#define ALL_FREE UINT32_MAX
_Static_assert(SLAB_BLOCKS == 32, "one bit per block");

/* The slab of a block: its address is kept in a table of one entry, just below the slab, so that no
 * block is spent on it. */
#define SLAB_MARGIN ((size_t)64 << 10)
#define SLAB_MAPPED (2 * SLAB_SIZE + SLAB_MARGIN)

static struct slab **slab_entry(char *base)
{
	return (struct slab **)(void *)(base - sizeof(struct slab *));
}

static void list_add(struct slabs *s, struct slab *b)
{
	b->previous = NULL;
	b->next = s->available;
	if (b->next)
		b->next->previous = b;
	s->available = b;
}

static void list_remove(struct slabs *s, struct slab *b)
{
	if (b->next)
		b->next->previous = b->previous;
	if (b->previous)
		b->previous->next = b->next;
	else
		s->available = b->next;
}

static void slab_delete(struct slab *b)
{
	heist_pages_release(b->mapping, SLAB_MAPPED);
	heist_default_dealloc(b, sizeof *b);
}

/* The first slab has ordinary pages, so that a small runtime stays small. */
static struct slab *slab_new(bool huge)
{
	struct slab *b = heist_default_alloc(sizeof *b, 64);
	if (!b)
		return NULL;
	char *mapping = b->mapping = heist_pages_reserve(SLAB_MAPPED);
	if (!mapping) {
		heist_default_dealloc(b, sizeof *b);
		return NULL;
	}
	b->base = (char *)(((uintptr_t)mapping + SLAB_MARGIN + SLAB_SIZE - 1) &
			   ~(uintptr_t)(SLAB_SIZE - 1));
	b->free = ALL_FREE;
	if (heist_pages_commit(b->base - SLAB_MARGIN, SLAB_SIZE + SLAB_MARGIN) != 0) {
		slab_delete(b);
		return NULL;
	}
	if (huge)
		heist_pages_huge(b->base, SLAB_SIZE);
	*slab_entry(b->base) = b;
	return b;
}

static void *slab_take(struct slabs *s, struct slab *b)
{
	uint32_t i = (uint32_t)__builtin_ctz(b->free);
	if (b->free == ALL_FREE)
		s->empty--;
	b->free &= b->free - 1;
	if (b->free == 0)
		list_remove(s, b);
	return b->base + i * SLAB_BLOCK;
}

void *heist_slabs_get(struct slabs *s)
{
	void *block = NULL;
	spin_lock(&s->lock);
	if (!s->available) {
		struct slab *b = slab_new(s->grown);
		s->grown = true;
		if (b) {
			list_add(s, b);
			s->empty++;
		}
	}
	if (s->available)
		block = slab_take(s, s->available);
	spin_unlock(&s->lock);
	return block;
}

void heist_slabs_put(struct slabs *s, void *block)
{
	char *base = (char *)((uintptr_t)block & ~(uintptr_t)(SLAB_SIZE - 1));
	struct slab *b = *slab_entry(base), *surplus = NULL;
	spin_lock(&s->lock);
	if (b->free == 0)
		list_add(s, b);
	b->free |= (uint32_t)1 << (((char *)block - base) / (ptrdiff_t)SLAB_BLOCK);
	if (b->free == ALL_FREE && s->empty++ > 0) {
		list_remove(s, b);
		s->empty--;
		surplus = b;
	}
	spin_unlock(&s->lock);
	if (surplus)
		slab_delete(surplus);
}

void heist_slabs_destroy(struct slabs *s)
{
	while (s->available) {
		struct slab *b = s->available;
		HEIST_ENSURE(b->free == ALL_FREE);
		list_remove(s, b);
		slab_delete(b);
	}
}
