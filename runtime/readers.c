/* SPDX-License-Identifier: BSD-2-Clause
 * readers.c - make and destroy what readers.h describes. */
#include "runtime/readers.h"

#include <string.h>

#include "runtime/send.h"

static size_t readers_size(uint32_t records)
{
	return sizeof(struct readers) + records * sizeof(struct epoch_record);
}

struct readers *heist_readers_new(struct heist_system *s)
{
	uint32_t n = FOREIGN_LOCALS + system_crew_most(s) + 1;
	struct readers *r = heist_memory_get(&s->memory, readers_size(n), HEIST_CACHELINE);
	if (!r)
		return NULL;
	memset(r, 0, readers_size(n));
	r->system = s;
	r->records = n;
	heist_epoch_init(&r->epoch);
	for (uint32_t i = 0; i < n; i++)
		heist_epoch_join(&r->epoch, &r->record[i]);
	return r;
}

void heist_readers_destroy(struct readers *r)
{
	heist_epoch_reclaim(readers_writer(r));
	heist_memory_put(&r->system->memory, r, readers_size(r->records));
}

void heist_readers_trim(struct readers *r, struct spinlock *writing)
{
	if (!spin_try(writing))
		return; /* whoever holds it, or comes next, does so */
	readers_reclaim(r, 1);
	spin_unlock(writing);
}

struct epoch_record *heist_reader_record(struct readers *r, const struct sender *from)
{
	return &r->record[from->worker ? FOREIGN_LOCALS + from->worker->number
				       : (uint32_t)(from->local - r->system->foreign)];
}
