/* SPDX-License-Identifier: BSD-2-Clause
 * epoch.c - the writer's half of the epochs. */
#include "lockfree/epoch.h"

#include "lockfree/backoff.h"

#if HEIST_CK

void heist_epoch_init(struct epoch *e)
{
	ck_epoch_init(&e->ck);
}

void heist_epoch_join(struct epoch *e, struct epoch_record *r)
{
	ck_epoch_register(&e->ck, &r->ck, NULL);
}

static void call_reclaim(ck_epoch_entry_t *ck)
{
	struct epoch_entry *entry = (struct epoch_entry *)ck;
	entry->reclaim(entry);
}

void heist_epoch_retire(struct epoch_record *r, struct epoch_entry *entry,
			epoch_reclaim_fn *reclaim)
{
	entry->reclaim = reclaim;
	ck_epoch_call(&r->ck, &entry->ck, call_reclaim);
}

/* Somebody is in a section: perhaps preempted there. */
static void wait_for_reader(ck_epoch_t *e, ck_epoch_record_t *r, void *backoff)
{
	(void)e, (void)r;
	if (backoff_wait(backoff))
		heist_thread_yield();
}

void heist_epoch_reclaim(struct epoch_record *r)
{
	struct backoff b = BACKOFF_FIRST;
	ck_epoch_barrier_wait(&r->ck, wait_for_reader, &b);
}

#else

void heist_epoch_init(struct epoch *e)
{
	e->records = NULL;
}

void heist_epoch_join(struct epoch *e, struct epoch_record *r)
{
	atomic_init(&r->turn, 0);
	r->epoch = e;
	r->retired = NULL;
	r->next = e->records;
	e->records = r;
}

void heist_epoch_retire(struct epoch_record *r, struct epoch_entry *entry,
			epoch_reclaim_fn *reclaim)
{
	entry->reclaim = reclaim;
	entry->next = r->retired;
	r->retired = entry;
}

/* Until the owner of the record has been outside once. */
static void wait_for_reader(struct epoch_record *r)
{
	struct backoff b = BACKOFF_FIRST;
	uint64_t turn = atomic_load_explicit(&r->turn, memory_order_acquire); /* EP2 acquire */
	if (turn % 2 == 0)
		return;
	while (atomic_load_explicit(&r->turn, memory_order_acquire) == turn) /* EP2 acquire */
		if (backoff_wait(&b))
			heist_thread_yield();
}

void heist_epoch_reclaim(struct epoch_record *r)
{
	struct epoch_entry *entry = r->retired, *next;
	r->retired = NULL;
	EPOCH_FENCE(); /* EP1 */
	for (struct epoch_record *reader = r->epoch->records; reader; reader = reader->next)
		wait_for_reader(reader);
	for (; entry; entry = next) {
		next = entry->next;
		entry->reclaim(entry);
	}
}

#endif
