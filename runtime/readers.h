/* SPDX-License-Identifier: BSD-2-Clause
 * readers.h - the epoch of a cold table that everybody reads and the holder of a lock writes: a record for
 * each worker and each local of foreign threads, and one for the writer.
 *
 * Threads   reader_record: the sender that has entered.  Everything else: the holder of the table's lock. */
#ifndef HEIST_RUNTIME_READERS_H
#define HEIST_RUNTIME_READERS_H

#include "lockfree/epoch.h"

struct heist_system;
struct sender;
struct spinlock;

struct readers {
	struct epoch epoch;
	struct heist_system *system;
	uint32_t records;
	uint32_t retired; /* since the last reclaim */
	struct epoch_record record[];
};

/* NULL: out of memory. */
struct readers *heist_readers_new(struct heist_system *s);
/* Nobody reads any more: frees what was retired, too. */
void heist_readers_destroy(struct readers *r);

/* Now and then: frees what was retired, under the lock of those who write, if nobody holds it. */
void heist_readers_trim(struct readers *r, struct spinlock *writing);

/* The record of whoever is calling. */
struct epoch_record *heist_reader_record(struct readers *r, const struct sender *from);

static inline struct epoch_record *readers_writer(struct readers *r)
{
	return &r->record[r->records - 1];
}

static inline void readers_retire(struct readers *r, struct epoch_entry *e,
				  epoch_reclaim_fn *reclaim)
{
#ifdef READERS_MUTANT_AT_ONCE
	(void)r;
	reclaim(e);
#else
	heist_epoch_retire(readers_writer(r), e, reclaim);
	r->retired++;
#endif
}

/* Retired entries after which a writer waits for readers to leave. */
#define READERS_RECLAIM 64

static inline void readers_reclaim(struct readers *r, uint32_t at)
{
	if (r->retired < at)
		return;
	r->retired = 0;
	heist_epoch_reclaim(readers_writer(r));
}

#endif
