/* SPDX-License-Identifier: BSD-2-Clause
 * alarm.h - a worker's deadlines: a binary heap of (time, actor), earliest first.
 *
 * The owner adds; anybody may fire what is overdue, so that a worker stuck in a handler does not hold
 * up the deadlines of others.  Guarded by a lock that is never contended in the common case.  An
 * entry does not own its actor: it carries the generation, and a late alarm finds nothing to do. */
#ifndef HEIST_RUNTIME_ALARM_H
#define HEIST_RUNTIME_ALARM_H

#include "lockfree/memory.h"
#include "runtime/spinlock.h"

struct alarm {
	uint64_t at;
	uint32_t slot, generation;
};

struct alarms {
	struct spinlock lock;
	_Atomic uint64_t next; /* earliest deadline, 0 = none; readable by anybody */
	struct alarm *heap;
	uint32_t count, capacity;
};

/* Owner.  0, or -1: out of memory, nothing changed. */
int heist_alarm_add(struct alarms *a, const struct heist_memory *memory, struct alarm alarm);
/* Any thread: take one alarm due at `now`.  False: none. */
bool heist_alarm_pop(struct alarms *a, uint64_t now, struct alarm *out);
void heist_alarms_destroy(struct alarms *a, const struct heist_memory *memory);

#endif
