/* SPDX-License-Identifier: BSD-2-Clause
 * fork.c - see fork.h.
 *
 * Edges   FK1 acq_rel CAS of `watching`: one thread asks the system; nothing is published by it */
#include "runtime/fork.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/run.h"
#include "runtime/table.h"

/* ---- what an orphan does ---- */

HEIST_COLD void heist_fork_returned(void)
{
	fprintf(stderr,
		"heist: a handler returned in a forked child, where it may only exec or _exit\n");
	abort();
}

static enum verdict run_nothing(struct worker *w, struct runnable *r)
{
	(void)w, (void)r;
	heist_fork_returned();
}

static void *no_memory(void *user, size_t size, size_t align)
{
	(void)user, (void)size, (void)align;
	return NULL;
}

static void keep_memory(void *user, void *p, size_t size)
{
	(void)user, (void)p, (void)size;
}

/* The worker whose handler has forked: no message more, and it belongs to no runtime. */
static void orphan_self(struct rt_worker *w)
{
	struct actor *a = ctx_actor(&w->ctx);
	if (a)
		atomic_fetch_or_explicit(&a->control, CONTROL_CALL,
					 memory_order_relaxed); /* one thread */
	heist_batch_cut(w, a);
	w->local.id = UINT32_MAX;
	w->local.direct_limit = 0;
	w->home = NULL;
}

/* In the child; there is one thread. */
static void orphan(struct heist_system *s)
{
	struct rt_worker *self = system_self(s);
	if (self)
		orphan_self(self);
	for (uint32_t i = 0; i < system_crew(s); i++)
		atomic_store_explicit(&system_worker(s, i)->base.run, run_nothing,
				      memory_order_relaxed); /* one thread */
	heist_notify_orphan(s);
	atomic_store_explicit(&s->slots.limit, 0, memory_order_relaxed); /* one thread */
	s->memory = (struct heist_memory){ no_memory, keep_memory, NULL };
	atomic_store_explicit(&s->phase, PHASE_FORKED, memory_order_relaxed); /* one thread */
}

/* ---- around the fork ---- */

static void in_child(void)
{
	heist_table_orphan(orphan);
	heist_table_let_go();
}

int heist_fork_watch(void)
{
	static _Atomic uint32_t watching;
	uint32_t no = 0;
	if (!atomic_compare_exchange_strong_explicit(&watching, &no, 1,
						     memory_order_acq_rel, /* FK1 */
						     memory_order_relaxed))
		return 0;
	if (heist_at_fork(heist_table_hold, heist_table_let_go, in_child) == 0)
		return 0;
	atomic_store_explicit(&watching, 0, memory_order_relaxed); /* the next one tries */
	return -1;
}
