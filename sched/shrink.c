/* SPDX-License-Identifier: BSD-2-Clause
 * shrink.c - memory of run queues that were long once: given back when their worker parks; and a worker that
 * is asked to give back more.
 *
 * A thief may still be reading an array that its owner has replaced.  So a worker says when it reads
 * others' deques (worker_steal_begin), and the owner of an outgrown array frees it only if, after it has
 * been replaced, every worker was once seen not to steal; what it cannot free it keeps for its next
 * park, or for the pool's end.
 *
 * What others gave back to a worker that sleeps stays until it looks.  So they ask it to: `asked` is set
 * until it begins to trim, and a worker does not sleep while it is.  It need not be claimed (idle.h): like
 * one whose timer is due, it takes itself out of the set.
 *
 * Who may call   shrink, trim: the worker whose deques they are, between two runs, with nothing queued.
 *                ask_trim: any thread.
 * Progress       wait-free: a bounded number of looks.
 * Edges          SH1 the thief's light fence (stealing, then the array) <-> the owner's heavy fence (the
 *                    new array, then stealing): the owner sees the thief, or the thief the new array
 *                SH2 release store of stealing = 0 -> acquire load by the owner: its reads are over
 *                TR1 release RMW that sets asked -> acquire RMW that clears it: what was given back
 *                EC1 of eventcount.h: asked is set, or read, before the look at the other side
 *
 * Models: tests/check/models/shrink.c, sched.c (sched_trim, spare_trim). */
#include "sched/pool.h"

#define LOOKS 100 /* at a thief, before its victim goes to sleep with what it holds */

static void outgrow(struct worker *w, struct deque *d)
{
	struct deque_array *chain = heist_deque_shrink(d, SCHED_DEQUE_CAPACITY);
	if (!chain)
		return;
	struct deque_array *oldest = chain;
	while (oldest->older)
		oldest = oldest->older;
	oldest->older = w->outgrown;
	w->outgrown = chain;
}

static bool seen_not_stealing(struct worker *v)
{
	for (int i = 0; i < LOOKS; i++) {
		if (!atomic_load_explicit(&v->stealing, memory_order_acquire)) /* SH2 acquire */
			return true;
		heist_relax();
	}
	return false;
}

static bool thieves_are_gone(struct pool *p)
{
	heist_fence_heavy(); /* SH1 */
	for (uint32_t i = 0; i < pool_present(p); i++)
		if (!seen_not_stealing(pool_worker(p, i)))
			return false;
	return true;
}

void heist_worker_shrink(struct worker *w)
{
	if (deque_capacity(&w->spawned) > SCHED_DEQUE_KEPT)
		outgrow(w, &w->spawned);
	if (deque_capacity(&w->fifo) > SCHED_DEQUE_KEPT)
		outgrow(w, &w->fifo);
	if (deque_capacity(&w->low) > SCHED_DEQUE_KEPT)
		outgrow(w, &w->low);
	if (w->outgrown && thieves_are_gone(w->pool)) {
		heist_deque_free(w->pool->memory, w->outgrown);
		w->outgrown = NULL;
	}
}

void heist_worker_trim(struct worker *w)
{
	if (worker_is_asked(w))
		(void)atomic_exchange_explicit(&w->asked, 0,
					       memory_order_acquire); /* TR1 acquire */
	w->pool->ops->trim(w);
	heist_worker_shrink(w);
}

void heist_pool_ask_trim(struct pool *p, uint32_t i)
{
	struct worker *w = pool_worker(p, i);
	if (atomic_exchange_explicit(&w->asked, 1, memory_order_release) == 0) /* TR1 release */
		heist_pool_notify(p, i);
}
