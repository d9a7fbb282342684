/* SPDX-License-Identifier: BSD-2-Clause
 * debt.c - replies that actors owe beyond their handlers (debt.h). */
#include "runtime/debt.h"

#include <string.h>

#include "runtime/system.h"

#define OPEN	 1u
#define LOOKS_AT 2 /* for each entry that is added: more than one, so garbage is bounded */

static uint32_t chunk_entries(uint32_t chunk)
{
	return DEBT_FIRST << chunk;
}

/* ---- the table ---- */

static struct debt *entry_at(struct debt_table *t, uint32_t index)
{
	uint32_t chunk = 0;
	while (chunk < DEBT_CHUNKS && index >= chunk_entries(chunk))
		index -= chunk_entries(chunk++);
	struct debt *entries =
		chunk < DEBT_CHUNKS ? atomic_load_explicit(&t->chunk[chunk],
							   memory_order_acquire) /* DB1 acquire */
				    : NULL;
	return entries ? &entries[index] : NULL;
}

/* The lock's holder. */
static bool table_grow(struct heist_system *s, struct debt_table *t)
{
	uint32_t first = 0, n = chunk_entries(t->chunks);
	struct debt *entries =
		t->chunks < DEBT_CHUNKS
			? heist_memory_get(&s->memory, n * sizeof *entries, HEIST_CACHELINE)
			: NULL;
	if (!entries)
		return false;
	memset(entries, 0, n * sizeof *entries);
	uint64_t word = (heist_random_seed() & UINT32_MAX) << 1;
	for (uint32_t i = 0; i < t->chunks; i++)
		first += chunk_entries(i);
	for (uint32_t i = n; i-- > 0;) {
		atomic_init(&entries[i].word, word);
		entries[i].index = first + i;
		entries[i].next = t->free;
		t->free = &entries[i];
	}
	atomic_store_explicit(&t->chunk[t->chunks++], entries,
			      memory_order_release); /* DB1 release */
	return true;
}

static struct debt *table_take(struct heist_system *s)
{
	struct debt_table *t = &s->debts;
	struct debt *d = NULL;
	spin_lock(&t->lock);
	if (t->free || table_grow(s, t)) {
		d = t->free;
		t->free = d->next;
	}
	spin_unlock(&t->lock);
	return d;
}

static void table_give(struct heist_system *s, struct debt *list)
{
	spin_lock(&s->debts.lock);
	for (struct debt *next; list; list = next) {
		next = list->next;
		list->next = s->debts.free;
		s->debts.free = list;
	}
	spin_unlock(&s->debts.lock);
}

/* ---- either side ---- */

static bool win(struct debt *d, uint64_t word)
{
	return atomic_compare_exchange_strong_explicit(&d->word, &word, word & ~(uint64_t)OPEN,
						       memory_order_acq_rel, /* DB2, DB3 */
						       memory_order_acquire);
}

bool heist_debt_claim(struct debt_table *t, uint64_t debt)
{
	struct debt *d = entry_at(t, (uint32_t)(debt >> 32) - 1);
	return d && win(d, (uint64_t)(uint32_t)debt << 1 | OPEN);
}

/* ---- the owner ---- */

static void queue_add(struct debts *q, struct debt *d)
{
	d->next = NULL;
	if (q->last)
		q->last->next = d;
	else
		q->first = d;
	q->last = d;
}

static struct debt *queue_take(struct debts *q)
{
	struct debt *d = q->first;
	q->first = d->next;
	if (!q->first)
		q->last = NULL;
	return d;
}

/* It is paid: for the next one. */
static void retire(struct rt_worker *w, struct debts *q, struct debt *d)
{
	if (d->line)
		block_free(&w->local.messages, d->line);
	d->line = NULL;
	d->next = q->spare;
	q->spare = d;
}

static void sweep(struct rt_worker *w, struct debts *q)
{
	for (int i = 0; i < LOOKS_AT && q->first; i++) {
		struct debt *d = queue_take(q);
		if (atomic_load_explicit(&d->word, memory_order_acquire) & OPEN) /* DB2 acquire */
			queue_add(q, d);
		else
			retire(w, q, d);
	}
}

uint64_t heist_debt_add(struct rt_worker *w, struct actor_extra *x,
			const struct request_header *request, const heist_type *type)
{
	struct debts *q = &x->debts;
	sweep(w, q);
	struct debt *d = q->spare ? q->spare : table_take(w->local.system);
	if (!d)
		return 0;
	if (d == q->spare)
		q->spare = d->next;
	d->line = block_alloc(&w->local.messages);
	if (!d->line) {
		retire(w, q, d);
		return 0;
	}
	d->line->type = type;
	d->request = *request;
	uint64_t word = atomic_load_explicit(&d->word, memory_order_relaxed); /* own */
	uint32_t generation = (uint32_t)(word >> 1) + 1;
	atomic_store_explicit(&d->word, (uint64_t)generation << 1 | OPEN,
			      memory_order_release); /* DB3 release */
	queue_add(q, d);
	return (uint64_t)(d->index + 1) << 32 | generation;
}

/* Whoever waits still is told. */
static void settle(struct rt_worker *w, struct debt *d, heist_status status)
{
	struct heist_system *s = w->local.system;
	uint64_t word = atomic_load_explicit(&d->word, memory_order_acquire); /* DB2 acquire */
	if (!(word & OPEN) || !win(d, word))
		return;
	if (d->request.deadline && d->request.deadline <= system_now(s))
		return;
	heist_reply_bare(s, w, &w->local, d->line, &d->request, status);
	d->line = NULL;
}

void heist_debts_end(struct rt_worker *w, struct actor_extra *x, heist_status status)
{
	struct debts *q = &x->debts;
	while (q->first) {
		struct debt *d = queue_take(q);
		settle(w, d, status);
		retire(w, q, d);
	}
	if (q->spare)
		table_give(w->local.system, q->spare);
	q->spare = NULL;
}

void heist_debts_destroy(struct heist_system *s)
{
	for (uint32_t i = 0; i < s->debts.chunks; i++)
		heist_memory_put(&s->memory,
				 atomic_load_explicit(&s->debts.chunk[i],
						      memory_order_relaxed), /* the last */
				 chunk_entries(i) * sizeof(struct debt));
}
