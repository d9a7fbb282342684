/* SPDX-License-Identifier: BSD-2-Clause
 * Epochs: what is retired is freed when nobody is inside, and not before. */
#include "lockfree/epoch.h"
#include "tests/support/unit.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static struct epoch e;
static struct epoch_record writer, reader, other;
static struct epoch_entry entries[100];
static _Atomic int freed;

static void set_up(void)
{
	memset(&writer, 0, sizeof writer);
	memset(&reader, 0, sizeof reader);
	memset(&other, 0, sizeof other);
	heist_epoch_init(&e);
	heist_epoch_join(&e, &writer);
	heist_epoch_join(&e, &reader);
	heist_epoch_join(&e, &other);
	atomic_store(&freed, 0);
}

static void count(struct epoch_entry *entry)
{
	EXPECT(entry >= entries && entry < entries + 100);
	atomic_fetch_add(&freed, 1);
}

TEST(epoch, nothing_is_freed_before_reclaim)
{
	set_up();
	heist_epoch_retire(&writer, &entries[0], count);
	EXPECT(freed == 0);
	heist_epoch_reclaim(&writer);
	EXPECT(freed == 1);
	heist_epoch_reclaim(&writer);
	EXPECT(freed == 1);
}

TEST(epoch, everything_retired_is_freed_once_over_many_epochs)
{
	set_up();
	for (int round = 1; round <= 50; round++) {
		for (int i = 0; i < 100; i++)
			heist_epoch_retire(&writer, &entries[i], count);
		epoch_enter(&reader); /* sections that are over do not matter */
		epoch_leave(&reader);
		heist_epoch_reclaim(&writer);
		EXPECT(freed == round * 100);
	}
}

static void *reclaim(void *unused)
{
	heist_epoch_reclaim(&writer);
	return unused;
}

TEST(epoch, reclaim_waits_for_sections_under_way_only)
{
	pthread_t t;
	set_up();
	epoch_enter(&reader);
	heist_epoch_retire(&writer, &entries[0], count);
	EXPECT(pthread_create(&t, NULL, reclaim, NULL) == 0);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	EXPECT(freed == 0);
	epoch_enter(&other); /* begins later, and goes on */
	epoch_leave(&reader);
	epoch_leave(&other);
	pthread_join(t, NULL);
	EXPECT(freed == 1);
}
