/* SPDX-License-Identifier: BSD-2-Clause
 * local.c - a thread's own pools: set-up, refill, spill, trim. */
#include "runtime/local.h"

#include <string.h>

#include "runtime/system.h"

void heist_local_init(struct local *l, struct heist_system *system,
		      const struct heist_memory *memory)
{
	memset(l, 0, sizeof *l);
	l->system = system;
	l->slots = system->slots.base;
	l->meta = system->slots.meta;
	heist_block_pool_init(&l->messages, memory, sizeof(struct message));
	for (int i = 0; i < STATE_CLASSES; i++)
		heist_block_pool_init(&l->states[i], memory, (size_t)64 << i);
	heist_block_pool_init(&l->jobs, memory, sizeof(struct job));
}

void heist_local_destroy(struct local *l)
{
	heist_block_pool_destroy(&l->messages);
	for (int i = 0; i < STATE_CLASSES; i++)
		heist_block_pool_destroy(&l->states[i]);
	heist_block_pool_destroy(&l->jobs);
	heist_lost_types_destroy(&l->lost_types, &l->system->memory);
}

void heist_local_trim(struct local *l)
{
	heist_block_flush(&l->messages);
	for (int i = 0; i < STATE_CLASSES; i++)
		if (l->states[i].all)
			heist_block_flush(&l->states[i]);
	if (l->jobs.all)
		heist_block_flush(&l->jobs);
	if (l->free_count > SLOTS_BATCH) {
		l->free_slots = heist_slots_give(&l->system->slots, l->free_count - SLOTS_BATCH,
						 l->free_slots);
		l->free_count = SLOTS_BATCH;
	}
}

HEIST_COLD struct actor *heist_local_refill(struct local *l)
{
	uint32_t n = heist_slots_take(&l->system->slots, SLOTS_BATCH, &l->free_slots);
	if (n == 0)
		return NULL;
	l->free_count = n;
	return local_slot_get(l);
}

HEIST_COLD void heist_local_spill(struct local *l)
{
	l->free_slots = heist_slots_give(&l->system->slots, SLOTS_KEPT / 2, l->free_slots);
	l->free_count -= SLOTS_KEPT / 2;
}

static int state_class(uint32_t size)
{
	for (int i = 0; i < STATE_CLASSES; i++)
		if (size <= (uint32_t)64 << i)
			return i;
	return -1;
}

void *heist_local_state_get(struct local *l, uint32_t size)
{
	int c = state_class(size);
	void *p = c >= 0 ? block_alloc(&l->states[c])
			 : heist_memory_get(&l->system->memory, size, HEIST_CACHELINE);
	if (p)
		memset(p, 0, size);
	return p;
}

void heist_local_state_put(struct local *l, void *state, uint32_t size)
{
	int c = state_class(size);
	if (c >= 0)
		block_free(&l->states[c], state);
	else
		heist_memory_put(&l->system->memory, state, size);
}
