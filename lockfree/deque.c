/* SPDX-License-Identifier: BSD-2-Clause
 * deque.c - cold half of the Chase-Lev deque: set-up, growth, shrinking, tear-down. */
#include "lockfree/deque.h"

static size_t array_size(uint64_t capacity)
{
	return sizeof(struct deque_array) + capacity * sizeof(_Atomic(void *));
}

static struct deque_array *array_new(struct deque *d, uint64_t capacity)
{
	struct deque_array *a = heist_memory_get(d->memory, array_size(capacity), HEIST_CACHELINE);
	if (!a)
		return NULL;
	a->mask = capacity - 1;
	a->older = NULL;
	for (uint64_t i = 0; i < capacity; i++)
		atomic_init(&a->cell[i], NULL);
	return a;
}

int heist_deque_init(struct deque *d, const struct heist_memory *memory, uint64_t capacity)
{
	d->memory = memory;
	atomic_init(&d->top, DEQUE_START);
	atomic_init(&d->bottom, DEQUE_START);
	atomic_init(&d->thieves, 0);
	struct deque_array *a = array_new(d, capacity);
	atomic_init(&d->array, a);
	return a ? 0 : -1;
}

void heist_deque_free(const struct heist_memory *memory, struct deque_array *chain)
{
	while (chain) {
		struct deque_array *older = chain->older;
		heist_memory_put(memory, chain, array_size(chain->mask + 1));
		chain = older;
	}
}

void heist_deque_destroy(struct deque *d)
{
	heist_deque_free(d->memory, atomic_load_explicit(&d->array, memory_order_relaxed));
	atomic_store_explicit(&d->array, NULL, memory_order_relaxed);
}

struct deque_array *heist_deque_shrink(struct deque *d, uint64_t capacity)
{
	struct deque_array *a = atomic_load_explicit(&d->array, memory_order_relaxed); /* own */
	if (a->mask < capacity || deque_size(d) != 0)
		return NULL;
	struct deque_array *n = array_new(d, capacity);
	if (n)
		atomic_store_explicit(&d->array, n, memory_order_release); /* DQ4 release */
	return n ? a : NULL;
}

HEIST_COLD bool heist_deque_grow(struct deque *d)
{
	struct deque_array *a = atomic_load_explicit(&d->array, memory_order_relaxed); /* own */
	uint64_t top = atomic_load_explicit(&d->top, memory_order_acquire);	  /* DQ3 acquire */
	uint64_t bottom = atomic_load_explicit(&d->bottom, memory_order_relaxed); /* own */
	struct deque_array *n = array_new(d, (a->mask + 1) * 2);
	if (!n)
		return false;
	for (uint64_t i = top; i != bottom; i++)
		atomic_store_explicit(deque_cell(n, i),
				      atomic_load_explicit(deque_cell(a, i), memory_order_relaxed),
				      memory_order_relaxed); /* published by DQ4 */
#ifdef DEQUE_MUTANT_GROW_FREES
	atomic_store_explicit(&d->array, n, memory_order_release);
	heist_memory_put(d->memory, a, array_size(a->mask + 1));
#else
	n->older = a; /* I4: thieves may still read it */
	atomic_store_explicit(&d->array, n, memory_order_release); /* DQ4 release */
#endif
	return true;
}
