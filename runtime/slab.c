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

/* One empty slab more or less. */
static void slabs_count_empty(struct slabs *s, int n)
{
	s->empty += (uint32_t)n;
	s->used = true;
	atomic_store_explicit(&s->surplus, s->empty > 1, memory_order_relaxed); /* advisory */
}

static void *slab_take(struct slabs *s, struct slab *b)
{
	uint32_t i = (uint32_t)__builtin_ctz(b->free);
	if (b->free == ALL_FREE)
		slabs_count_empty(s, -1);
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
		s->told = false;
		if (b) {
			list_add(s, b);
			slabs_count_empty(s, 1);
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
	struct slab *b = *slab_entry(base);
	spin_lock(&s->lock);
	if (b->free == 0)
		list_add(s, b);
	b->free |= (uint32_t)1 << (((char *)block - base) / (ptrdiff_t)SLAB_BLOCK);
	if (b->free == ALL_FREE)
		slabs_count_empty(s, 1);
	spin_unlock(&s->lock);
}

/* The lock's holder: take all empty slabs but one out of the table. */
static struct slab *slabs_unlist_empty(struct slabs *s)
{
	struct slab *unlisted = NULL;
	for (struct slab *b = s->available, *next; b && s->empty > 1; b = next) {
		next = b->next;
		if (b->free != ALL_FREE)
			continue;
		list_remove(s, b);
		slabs_count_empty(s, -1);
		b->next = unlisted;
		unlisted = b;
	}
	return unlisted;
}

static void slabs_release(struct slab *unlisted)
{
	while (unlisted) {
		struct slab *next = unlisted->next;
		slab_delete(unlisted);
		unlisted = next;
	}
}

void heist_slabs_trim(struct slabs *s)
{
	spin_lock(&s->lock);
	s->told = true;
	struct slab *surplus = slabs_unlist_empty(s);
	spin_unlock(&s->lock);
	slabs_release(surplus);
}

uint64_t heist_slabs_decay(struct slabs *s, uint64_t now)
{
	struct slab *surplus = NULL;
	uint64_t again = 0;
	if (!atomic_load_explicit(&s->surplus, memory_order_relaxed)) /* advisory */
		return 0;
	spin_lock(&s->lock);
	if (s->used)
		s->used_at = now;
	s->used = false;
	if (s->told || /* another worker's clock may be ahead: used_at later than now */
	    now >= s->used_at + s->keep_ns)
		surplus = slabs_unlist_empty(s);
	else if (s->empty > 1)
		again = s->used_at + s->keep_ns;
	spin_unlock(&s->lock);
	slabs_release(surplus);
	return again;
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
