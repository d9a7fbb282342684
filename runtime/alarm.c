/* SPDX-License-Identifier: BSD-2-Clause
 * alarm.c - the heap of deadlines of one worker. */
#include "runtime/alarm.h"

#include <string.h>

static void alarms_unlock(struct alarms *a)
{
	uint64_t next = a->count ? a->heap[0].at : 0;
	atomic_store_explicit(&a->next, next, memory_order_relaxed); /* advisory for readers */
	spin_unlock(&a->lock);
}

static int alarms_grow(struct alarms *a, const struct heist_memory *memory)
{
	uint32_t n = a->capacity ? a->capacity * 2 : 16;
	struct alarm *heap = heist_memory_get(memory, n * sizeof *heap, 64);
	if (!heap)
		return -1;
	if (a->count)
		memcpy(heap, a->heap, a->count * sizeof *heap);
	heist_memory_put(memory, a->heap, a->capacity * sizeof *heap);
	a->heap = heap;
	a->capacity = n;
	return 0;
}

static void sift_up(struct alarm *h, uint32_t i)
{
	struct alarm x = h[i];
	for (; i > 0 && h[(i - 1) / 2].at > x.at; i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = x;
}

static void sift_down(struct alarm *h, uint32_t n)
{
	struct alarm x = h[0];
	uint32_t i = 0, c;
	while ((c = 2 * i + 1) < n) {
		if (c + 1 < n && h[c + 1].at < h[c].at)
			c++;
		if (h[c].at >= x.at)
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = x;
}

int heist_alarm_add(struct alarms *a, const struct heist_memory *memory, struct alarm alarm)
{
	int r = 0;
	spin_lock(&a->lock);
	if (a->count == a->capacity)
		r = alarms_grow(a, memory);
	if (r == 0) {
		a->heap[a->count] = alarm;
		sift_up(a->heap, a->count++);
	}
	alarms_unlock(a);
	return r;
}

bool heist_alarm_pop(struct alarms *a, uint64_t now, struct alarm *out)
{
	uint64_t next = atomic_load_explicit(&a->next, memory_order_relaxed); /* advisory */
	if (next == 0 || next > now)
		return false;
	spin_lock(&a->lock);
	bool due = a->count && a->heap[0].at <= now;
	if (due) {
		*out = a->heap[0];
		a->heap[0] = a->heap[--a->count];
		if (a->count)
			sift_down(a->heap, a->count);
	}
	alarms_unlock(a);
	return due;
}

void heist_alarms_destroy(struct alarms *a, const struct heist_memory *memory)
{
	heist_memory_put(memory, a->heap, a->capacity * sizeof *a->heap);
	a->heap = NULL;
	a->count = a->capacity = 0;
}
