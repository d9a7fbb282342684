/* SPDX-License-Identifier: BSD-2-Clause
 * spsc.h - a queue between two threads as somebody may have it in a program without Heist: plain C11. */
#ifndef SPSC_H
#define SPSC_H

#include <stdatomic.h>
#include <stdbool.h>

#define SPSC_SIZE 2u

#ifndef PUBLISH
#define PUBLISH memory_order_release
#endif

struct spsc {
	_Atomic unsigned head, tail;
	int item[SPSC_SIZE];
};

/* The producer.  False: full. */
static inline bool spsc_put(struct spsc *q, int item)
{
	unsigned tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	if (tail - atomic_load_explicit(&q->head, memory_order_acquire) == SPSC_SIZE)
		return false;
	q->item[tail % SPSC_SIZE] = item;
	atomic_store_explicit(&q->tail, tail + 1, PUBLISH);
	return true;
}

/* The consumer.  False: empty. */
static inline bool spsc_get(struct spsc *q, int *item)
{
	unsigned head = atomic_load_explicit(&q->head, memory_order_relaxed);
	if (head == atomic_load_explicit(&q->tail, memory_order_acquire))
		return false;
	*item = q->item[head % SPSC_SIZE];
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}

#endif
