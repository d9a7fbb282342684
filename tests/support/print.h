/* SPDX-License-Identifier: BSD-2-Clause
 * print.h - the state of a runtime that hangs, for people: who is parked, what is queued where.
 *
 * Reads what it may not, since the workers run or hang: only for the last words of a process. */
#ifndef HEIST_TESTS_PRINT_H
#define HEIST_TESTS_PRINT_H

#include <stdio.h>

#include "runtime/system.h"

static inline void print_worker(struct pool *p, uint32_t i)
{
	struct worker *w = pool_worker(p, i);
	printf("  worker %u: %s, %llu activations, slot %s, fifo %llu, spawned %llu, inbox %s, "
	       "bound %s\n",
	       i, idle_is_parked(&p->idle, i) ? "parked" : "awake",
	       (unsigned long long)w->activations, lifo_peek(&w->slot) ? "full" : "empty",
	       (unsigned long long)deque_size(&w->fifo),
	       (unsigned long long)deque_size(&w->spawned),
	       inject_is_empty(&w->inbox) ? "empty" : "not empty",
	       inject_is_empty(&w->bound) ? "empty" : "not empty");
}

static inline void print_runtime(struct heist_system *s)
{
	heist_stats t = heist_stats_default();
	if (!s || heist_get_stats(s, &t) != HEIST_OK)
		return;
	printf("runtime %u: phase %u, %u parked, %u searching, %llu actors, accepted %llu, handled "
	       "%llu, lost",
	       s->id, s->phase, idle_parked(&s->pool.idle), idle_searching(&s->pool.idle),
	       (unsigned long long)t.actors, (unsigned long long)t.accepted,
	       (unsigned long long)t.handled);
	for (int i = 0; i < HEIST_CAUSES; i++)
		printf(" %llu", (unsigned long long)t.lost[i]);
	puts("");
	for (uint32_t i = 0; i < s->pool.workers; i++)
		print_worker(&s->pool, i);
}

#endif
