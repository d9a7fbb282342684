/* SPDX-License-Identifier: BSD-2-Clause
 * slot.c - chunks of actor slots: commit, hand out, collect, purge. */
#include "runtime/slot.h"

#define CHUNKS_PER_REGION (SLOT_REGION / SLOT_CHUNK)
#define PAGE_ROUND	  ((size_t)64 * 1024)
#define HUGE_PAGE	  ((size_t)2 << 20)

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static void slots_unlock(struct slots *s)
{
	bool purgeable = s->whole > 4 || s->limbo;
	atomic_store_explicit(&s->purgeable, purgeable, memory_order_relaxed); /* advisory */
	spin_unlock(&s->lock);
}

/* ---- address space ---- */

int heist_slots_init(struct slots *s, uint32_t max, uint32_t first_generation)
{
	*s = (struct slots){ 0 };
	s->max = (uint32_t)round_up(max, SLOT_REGION);
	s->first_generation = first_generation;
	s->reserved = (size_t)s->max * sizeof(struct actor) + HUGE_PAGE;
	s->meta_reserved = round_up((size_t)s->max * sizeof *s->meta, PAGE_ROUND);
	s->control_reserved = round_up((size_t)s->max * sizeof *s->control, PAGE_ROUND);
	s->chunks_reserved = round_up(s->max / SLOT_CHUNK * sizeof *s->chunks, PAGE_ROUND);
	s->reservation = heist_pages_reserve(s->reserved);
	s->meta = heist_pages_reserve(s->meta_reserved);
	s->control = heist_pages_reserve(s->control_reserved);
	s->chunks = heist_pages_reserve(s->chunks_reserved);
	if (!s->reservation || !s->meta || !s->control || !s->chunks) {
		heist_slots_destroy(s);
		return -1;
	}
	s->base = (struct actor *)round_up((uintptr_t)s->reservation, HUGE_PAGE);
	return 0;
}

void heist_slots_destroy(struct slots *s)
{
	if (s->reservation)
		heist_pages_release(s->reservation, s->reserved);
	if (s->meta)
		heist_pages_release(s->meta, s->meta_reserved);
	if (s->control)
		heist_pages_release(s->control, s->control_reserved);
	if (s->chunks)
		heist_pages_release(s->chunks, s->chunks_reserved);
	*s = (struct slots){ 0 };
}

/* Commit [from, from + size) of a table, widened to whole units of 64 KiB. */
static int commit_range(char *table, size_t from, size_t size)
{
	size_t begin = from & ~(PAGE_ROUND - 1), end = round_up(from + size, PAGE_ROUND);
	return heist_pages_commit(table + begin, end - begin);
}

static void chunk_list(struct slots *s, uint32_t c)
{
	s->chunks[c].state = CHUNK_LISTED;
	s->chunks[c].next = s->listed;
	s->listed = c + 1;
}

static void chunk_reset(struct slots *s, uint32_t c, uint32_t base_generation)
{
	struct slot_chunk *k = &s->chunks[c];
	for (uint32_t i = 0; i < SLOT_CHUNK / 64; i++)
		k->free[i] = k->virgin[i] = UINT64_MAX;
	k->free_count = SLOT_CHUNK;
	k->base_generation = base_generation | MPSC_OPEN;
}

/* One more region; the first has ordinary pages only, so that a small runtime stays small. */
static bool slots_grow(struct slots *s)
{
	uint32_t limit = atomic_load_explicit(&s->limit, memory_order_relaxed); /* under the lock */
	size_t n = SLOT_REGION;
	if (limit == s->max)
		return false;
	uint32_t chunk = limit / SLOT_CHUNK;
	if (commit_range((char *)s->meta, limit * sizeof *s->meta, n * sizeof *s->meta) != 0 ||
	    commit_range((char *)s->control, limit * sizeof *s->control, n * sizeof *s->control) !=
		    0 ||
	    commit_range((char *)s->chunks, chunk * sizeof *s->chunks,
			 CHUNKS_PER_REGION * sizeof *s->chunks) != 0 ||
	    heist_pages_commit(s->base + limit, n * sizeof *s->base) != 0)
		return false;
	if (limit > 0)
		heist_pages_huge(s->base + limit, n * sizeof *s->base);
	for (uint32_t c = CHUNKS_PER_REGION; c-- > 0;) { /* lowest first in the list */
		chunk_reset(s, chunk + c, s->first_generation);
		chunk_list(s, chunk + c);
	}
	atomic_store_explicit(&s->limit, limit + SLOT_REGION,
			      memory_order_release); /* SL2 release */
	return true;
}

/* ---- hand out ---- */

/* Take up to n slots of chunk c, lowest first, and push them onto *list. */
static uint32_t chunk_take(struct slots *s, uint32_t c, uint32_t n, struct actor **list)
{
	struct slot_chunk *k = &s->chunks[c];
	uint32_t got = 0;
	if (k->free_count == SLOT_CHUNK && k->virgin[0] != UINT64_MAX)
		s->whole--;
	for (uint32_t i = 0; i < SLOT_CHUNK / 64 && got < n; i++)
		while (k->free[i] && got < n) {
			uint64_t bit = k->free[i] & -k->free[i];
			struct actor *a =
				&s->base[c * SLOT_CHUNK + i * 64 + (uint32_t)__builtin_ctzll(bit)];
			k->free[i] ^= bit;
			if (k->virgin[i] & bit) {
				k->virgin[i] ^= bit;
				atomic_store_explicit(&a->ticket, k->base_generation & ~MPSC_OPEN,
						      memory_order_relaxed); /* no handle yet */
			}
			a->u.next_free = *list;
			*list = a;
			got++;
		}
	k->free_count -= got;
	return got;
}

uint32_t heist_slots_take(struct slots *s, uint32_t n, struct actor **list)
{
	uint32_t got = 0;
	*list = NULL;
	spin_lock(&s->lock);
	while (got == 0) {
		if (!s->listed && !slots_grow(s))
			break;
		uint32_t c = s->listed - 1;
		got = chunk_take(s, c, n, list);
		if (s->chunks[c].free_count == 0) {
			s->listed = s->chunks[c].next;
			s->chunks[c].state = CHUNK_UNLISTED;
		}
	}
	slots_unlock(s);
	return got;
}

/* ---- collect ---- */

static void slot_give(struct slots *s, struct actor *a)
{
	uint32_t i = slot_index(s, a), c = i / SLOT_CHUNK;
	struct slot_chunk *k = &s->chunks[c];
	if (HEIST_UNLIKELY(mpsc_generation(&a->ticket) >= GENERATION_MAX))
		return; /* its generations are used up: retired for good */
	k->free[i % SLOT_CHUNK / 64] |= (uint64_t)1 << (i % 64);
	if (++k->free_count == SLOT_CHUNK)
		s->whole++;
	if (k->state == CHUNK_UNLISTED)
		chunk_list(s, c);
}

struct actor *heist_slots_give(struct slots *s, uint32_t n, struct actor *list)
{
	spin_lock(&s->lock);
	while (n-- > 0 && list) {
		struct actor *next = list->u.next_free;
		slot_give(s, list);
		list = next;
	}
	slots_unlock(s);
	return list;
}

/* ---- purge ---- */

bool heist_slots_purgeable(struct slots *s)
{
	return atomic_load_explicit(&s->purgeable, memory_order_relaxed); /* advisory */
}

static bool chunk_is_used_whole(struct slot_chunk *k)
{
	return k->free_count == SLOT_CHUNK && k->virgin[0] != UINT64_MAX;
}

bool heist_slots_retire(struct slots *s)
{
	spin_lock(&s->lock);
	uint32_t *link = &s->listed;
	while (*link && s->whole > 4) {
		uint32_t c = *link - 1;
		struct slot_chunk *k = &s->chunks[c];
		if (!chunk_is_used_whole(k)) {
			link = &k->next;
			continue;
		}
		*link = k->next;
		k->next = s->limbo;
		k->state = CHUNK_LIMBO;
		s->limbo = c + 1;
		s->whole--;
	}
	bool any = s->limbo != 0;
	slots_unlock(s);
	return any;
}

/* The highest generation of a chunk's slots; false: one of them still has a stale message. */
static bool chunk_is_idle(struct slots *s, uint32_t c, uint32_t *highest)
{
	struct actor *a = &s->base[c * SLOT_CHUNK];
	*highest = s->chunks[c].base_generation;
	for (uint32_t i = 0; i < SLOT_CHUNK; i++) {
		uint32_t g = mpsc_generation(&a[i].ticket);
		if (!mpsc_is_idle(&a[i].mailbox))
			return false;
		if (g > *highest)
			*highest = g;
	}
	return true;
}

static void chunk_purge(struct slots *s, uint32_t c)
{
	uint32_t highest;
	if (!chunk_is_idle(s, c, &highest)) {
		s->whole++; /* another time */
		return;
	}
	heist_pages_purge(&s->base[c * SLOT_CHUNK], SLOT_CHUNK * sizeof *s->base);
	heist_pages_purge(&s->meta[c * SLOT_CHUNK], SLOT_CHUNK * sizeof *s->meta);
	heist_pages_purge(&s->control[c * SLOT_CHUNK], SLOT_CHUNK * sizeof *s->control);
	chunk_reset(s, c, highest);
}

void heist_slots_purge(struct slots *s)
{
	spin_lock(&s->lock);
	while (s->limbo) {
		uint32_t c = s->limbo - 1;
		s->limbo = s->chunks[c].next;
		chunk_purge(s, c);
		chunk_list(s, c);
	}
	slots_unlock(s);
}
