/* SPDX-License-Identifier: BSD-2-Clause
 * block.c - cold half of the block pools: new blocks, counted returns, recycling. */
#include "lockfree/block.h"

#define BLOCK_HEADER HEIST_CACHELINE
_Static_assert(sizeof(struct block) <= BLOCK_HEADER, "the header fits the first line");

static uint32_t block_capacity(const struct block_pool *p)
{
	return (uint32_t)((BLOCK_SIZE - BLOCK_HEADER) / p->unit);
}

void heist_block_pool_init(struct block_pool *p, const struct heist_memory *memory, size_t unit)
{
	*p = (struct block_pool){ .top = p->hot, .unit = (uint32_t)unit, .memory = memory };
	inject_init(&p->returned);
}

static void block_count_add(struct block_pool *p, int n)
{
	uint32_t count = atomic_load_explicit(&p->block_count, memory_order_relaxed); /* own */
	atomic_store_explicit(&p->block_count, count + (uint32_t)n, memory_order_relaxed);
}

static void block_delete(struct block_pool *p, struct block *b)
{
	if (b->newer)
		b->newer->older = b->older;
	else
		p->all = b->older;
	if (b->older)
		b->older->newer = b->newer;
	block_count_add(p, -1);
	HEIST_UNPOISON(b, BLOCK_SIZE);
	heist_memory_put(p->memory, b, BLOCK_SIZE);
}

void heist_block_pool_destroy(struct block_pool *p)
{
	while (p->all)
		block_delete(p, p->all);
}

static struct block *block_new(struct block_pool *p)
{
	struct block *b = heist_memory_get(p->memory, BLOCK_SIZE, BLOCK_SIZE);
	if (!b)
		return NULL;
	b->owner = p;
	b->newer = NULL;
	b->older = p->all;
	if (p->all)
		p->all->newer = b;
	p->all = b;
	block_count_add(p, 1);
	HEIST_POISON((char *)b + BLOCK_HEADER, BLOCK_SIZE - BLOCK_HEADER);
	return b;
}

/* Owner: the block is empty and ours again. */
static void block_recycle(struct block_pool *p, struct block *b)
{
	if (p->spare_count >= BLOCK_SPARES) {
		block_delete(p, b);
		return;
	}
	b->link.next = p->spare ? &p->spare->link : NULL;
	p->spare = b;
	p->spare_count++;
}

static struct block *block_of_link(struct inject_link *l)
{
	return l ? HEIST_CONTAINER(l, struct block, link) : NULL;
}

static void block_collect(struct block_pool *p)
{
	struct inject_link *l = inject_take(&p->returned);
	while (l) {
		struct inject_link *next = l->next;
		block_recycle(p, block_of_link(l));
		l = next;
	}
}

static struct block *block_take_spare(struct block_pool *p)
{
	struct block *b = p->spare;
	if (b) {
		p->spare = block_of_link(b->link.next);
		p->spare_count--;
	}
	return b;
}

/* Subtract k from what is left of a block; true: it is empty now and the caller's. */
static bool block_subtract(struct block *b, int64_t k)
{
#if defined(BLOCK_MUTANT_RELAXED)
	return atomic_fetch_sub_explicit(&b->left, k, memory_order_relaxed) == k;
#elif defined(BLOCK_MUTANT_TORN)
	int64_t left = atomic_load_explicit(&b->left, memory_order_acquire) - k;
	atomic_store_explicit(&b->left, left, memory_order_release);
	return left == 0;
#else
	return atomic_fetch_sub_explicit(&b->left, k, memory_order_acq_rel) == k; /* BK1 */
#endif
}

static void block_hand_back(struct block_pool *mine, struct block *b)
{
	if (b->owner == mine)
		block_recycle(mine, b);
	else
		inject_push(&b->owner->returned, &b->link); /* IJ1 */
}

/* Owner: all objects of the open block are handed out (or given up): only count from now on. */
static void block_close(struct block_pool *p)
{
	struct block *b = p->open;
	int64_t unissued = (p->bump_end - p->bump) / (ptrdiff_t)p->unit;
	int64_t issued = (int64_t)block_capacity(p) - unissued;
	b->issued = (uint32_t)issued;
	p->open = NULL;
	p->bump = p->bump_end = NULL;
	if (block_subtract(b, BLOCK_BIAS - issued + p->open_freed))
		block_recycle(p, b);
}

static void block_open(struct block_pool *p, struct block *b)
{
	atomic_store_explicit(&b->left, BLOCK_BIAS,
			      memory_order_relaxed); /* published with objects */
	p->open = b;
	p->open_freed = 0;
	p->bump = (char *)b + BLOCK_HEADER;
	p->bump_end = p->bump + (size_t)block_capacity(p) * p->unit;
}

HEIST_COLD void *heist_block_refill(struct block_pool *p)
{
	struct block *b = block_take_spare(p);
	if (!b) {
		block_collect(p);
		b = block_take_spare(p);
	}
	if (!b)
		b = block_new(p);
	if (!b)
		return NULL;
	if (p->open)
		block_close(p);
	block_open(p, b);
	void *o = p->bump;
	p->bump += p->unit;
	HEIST_UNPOISON(o, p->unit);
	return o;
}

static void block_write_return(struct block_pool *mine, struct block *b, int64_t k)
{
	if (block_subtract(b, k))
		block_hand_back(mine, b);
}

/* Move entry i of the returns to the front. */
static void returns_to_front(struct block_pool *p, int i, struct block *b, int64_t count)
{
	for (; i > 0; i--)
		p->returns[i] = p->returns[i - 1];
	p->returns[0].block = b;
	p->returns[0].count = count;
}

void heist_block_return(struct block_pool *mine, struct block *b)
{
	if (b == mine->open) {
		mine->open_freed++;
		return;
	}
	for (int i = 0; i < BLOCK_RETURNS; i++)
		if (mine->returns[i].block == b) {
			returns_to_front(mine, i, b, mine->returns[i].count + 1);
			return;
		}
	struct block *evicted = mine->returns[BLOCK_RETURNS - 1].block;
	int64_t count = mine->returns[BLOCK_RETURNS - 1].count;
	returns_to_front(mine, BLOCK_RETURNS - 1, b, 1);
	if (evicted)
		block_write_return(mine, evicted, count);
}

static void block_flush_returns(struct block_pool *p)
{
	for (int i = 0; i < BLOCK_RETURNS; i++) {
		struct block *b = p->returns[i].block;
		p->returns[i].block = NULL;
		if (b)
			block_write_return(p, b, p->returns[i].count);
	}
}

void heist_block_flush(struct block_pool *p)
{
	while (*p->top)
		heist_block_return(p, block_of(*p->top--));
	block_flush_returns(p);
	/* An open block none of whose objects is in use starts again from its first one. */
	if (p->open &&
	    (p->bump - ((char *)p->open + BLOCK_HEADER)) / (ptrdiff_t)p->unit == p->open_freed)
		block_open(p, p->open);
	block_collect(p);
	while (p->spare)
		block_delete(p, block_take_spare(p));
}
