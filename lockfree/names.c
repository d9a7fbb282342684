/* SPDX-License-Identifier: BSD-2-Clause
 * names.c - the hash set of names: ck_hs, or linear probing in C11. */
#include "lockfree/names.h"

#include "lockfree/cacheline.h"

/* Plain loops: a checker sees every byte. */
static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* FNV-1a (public domain), its high half folded in: tables use the low bits. */
static unsigned long hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return (unsigned long)(h ^ h >> 32);
}

/* ---- tables: memory that is retired when readers may be in it ---- */

struct piece {
	struct epoch_entry retired;
	const struct heist_memory *memory;
	size_t size;
};
#define PIECE_HEADER ((size_t)HEIST_CACHELINE)
_Static_assert(sizeof(struct piece) <= PIECE_HEADER, "the header is one line");

static void *piece_new(const struct heist_memory *memory, size_t size)
{
	struct piece *p = heist_memory_get(memory, PIECE_HEADER + size, HEIST_CACHELINE);
	if (!p)
		return NULL;
	p->memory = memory;
	p->size = PIECE_HEADER + size;
	return (char *)p + PIECE_HEADER;
}

static struct piece *piece_of(void *p)
{
	return (struct piece *)(void *)((char *)p - PIECE_HEADER);
}

static void piece_free(struct epoch_entry *e)
{
	struct piece *p = HEIST_CONTAINER(e, struct piece, retired);
	heist_memory_put(p->memory, p, p->size);
}

#if HEIST_CK

/* libck's allocator has no cookie: the set that this thread is writing. */
static _Thread_local struct names *writing;

static void *table_new(size_t size)
{
	return piece_new(writing->memory, size);
}

static void table_free(void *table, size_t size, bool defer)
{
	(void)size;
	if (defer)
		heist_epoch_retire(writing->writer, &piece_of(table)->retired, piece_free);
	else
		piece_free(&piece_of(table)->retired);
}

static struct ck_malloc allocator = { .malloc = table_new, .free = table_free };

static unsigned long hash(const void *text, unsigned long seed)
{
	(void)seed;
	return hash_text(text);
}

static bool same(const void *a, const void *b)
{
	return same_text(a, b);
}

int heist_names_init(struct names *n, const struct heist_memory *memory,
		     struct epoch_record *writer)
{
	*n = (struct names){ .memory = memory, .writer = writer };
	writing = n;
	return ck_hs_init(&n->ck, CK_HS_MODE_SPMC | CK_HS_MODE_OBJECT | CK_HS_MODE_DELETE, hash,
			  same, &allocator, 8, 0)
		       ? 0
		       : -1;
}

void heist_names_destroy(struct names *n)
{
	writing = n;
	ck_hs_destroy(&n->ck);
}

bool heist_names_add(struct names *n, struct name *name)
{
	writing = n;
	return ck_hs_put(&n->ck, hash_text(name->text), name->text);
}

void heist_names_remove(struct names *n, struct name *name)
{
	writing = n;
	ck_hs_remove(&n->ck, hash_text(name->text), name->text);
	/* Tombstones make searches long; without memory for another table they stay for now. */
	if (++n->removed > ck_hs_count(&n->ck) + 64 && ck_hs_rebuild(&n->ck))
		n->removed = 0;
}

struct name *heist_names_find(struct names *n, const char *text)
{
	char *found = ck_hs_get(&n->ck, hash_text(text), text);
	return found ? HEIST_CONTAINER(found, struct name, text) : NULL;
}

#else

#ifndef NAMES_FIRST
#define NAMES_FIRST 16u /* slots of the first table; a power of two, like all */
#endif
#ifndef NAMES_ORDER_ADD
#define NAMES_ORDER_ADD memory_order_release
#endif
#ifndef NAMES_ORDER_TABLE
#define NAMES_ORDER_TABLE memory_order_release
#endif

struct names_table {
	size_t mask;
	size_t live, used; /* the writer: slots with a name; with a name or a tombstone */
	_Atomic(struct name *) slot[];
};

static struct name tombstone; /* what was here is gone; search on */

static struct names_table *table_new(const struct heist_memory *memory, size_t slots)
{
	struct names_table *t = piece_new(memory, sizeof *t + slots * sizeof *t->slot);
	if (!t)
		return NULL;
	t->mask = slots - 1;
	t->live = t->used = 0;
	for (size_t i = 0; i < slots; i++)
		atomic_init(&t->slot[i], NULL);
	return t;
}

/* The writer's view of the table. */
static struct names_table *table_of(struct names *n)
{
	return atomic_load_explicit(&n->table, memory_order_relaxed); /* own */
}

int heist_names_init(struct names *n, const struct heist_memory *memory,
		     struct epoch_record *writer)
{
	struct names_table *t = table_new(memory, NAMES_FIRST);
	n->memory = memory;
	n->writer = writer;
	atomic_init(&n->table, t);
	return t ? 0 : -1;
}

void heist_names_destroy(struct names *n)
{
	piece_free(&piece_of(table_of(n))->retired);
}

/* The slot of a text, or where it would go: the first tombstone on the way, or the end. */
static size_t table_slot(struct names_table *t, const char *text)
{
	size_t i = hash_text(text) & t->mask, place = SIZE_MAX;
	for (size_t probes = 0; probes <= t->mask; probes++, i = (i + 1) & t->mask) {
		struct name *x = atomic_load_explicit(&t->slot[i], memory_order_relaxed); /* own */
		if (x == NULL)
			return place == SIZE_MAX ? i : place;
		if (x == &tombstone)
			place = place == SIZE_MAX ? i : place;
		else if (same_text(x->text, text))
			return i;
	}
	return place;
}

static void table_put(struct names_table *t, size_t i, struct name *name)
{
	t->used += atomic_load_explicit(&t->slot[i], memory_order_relaxed) == NULL; /* own */
	t->live++;
	atomic_store_explicit(&t->slot[i], name, NAMES_ORDER_ADD); /* NM1 release */
}

/* A fresh table with room for as many again; false: out of memory, the old one stays. */
static bool names_renew(struct names *n)
{
	struct names_table *old = table_of(n);
	size_t slots = NAMES_FIRST;
	while (slots < 4 * (old->live + 1))
		slots *= 2;
	struct names_table *t = table_new(n->memory, slots);
	if (!t)
		return false;
	for (size_t i = 0; i <= old->mask; i++) {
		struct name *x =
			atomic_load_explicit(&old->slot[i], memory_order_relaxed); /* own */
		if (x && x != &tombstone)
			table_put(t, table_slot(t, x->text), x);
	}
	atomic_store_explicit(&n->table, t, NAMES_ORDER_TABLE); /* NM2 release */
	heist_epoch_retire(n->writer, &piece_of(old)->retired, piece_free);
	return true;
}

bool heist_names_add(struct names *n, struct name *name)
{
	struct names_table *t = table_of(n);
	if (2 * (t->used + 1) > t->mask + 1 && names_renew(n))
		t = table_of(n);
	size_t i = table_slot(t, name->text);
	if (i == SIZE_MAX)
		return false; /* every slot has a name, and there is no memory for more */
	table_put(t, i, name);
	return true;
}

void heist_names_remove(struct names *n, struct name *name)
{
	struct names_table *t = table_of(n);
	size_t i = table_slot(t, name->text);
	t->live--;
	atomic_store_explicit(&t->slot[i], &tombstone,
			      memory_order_relaxed); /* publishes nothing */
}

struct name *heist_names_find(struct names *n, const char *text)
{
	struct names_table *t =
		atomic_load_explicit(&n->table, memory_order_acquire); /* NM2 acquire */
	size_t i = hash_text(text) & t->mask;
	for (size_t probes = 0; probes <= t->mask; probes++, i = (i + 1) & t->mask) {
		struct name *x =
			atomic_load_explicit(&t->slot[i], memory_order_acquire); /* NM1 acquire */
		if (x == NULL)
			return NULL;
		if (x != &tombstone && same_text(x->text, text))
			return x;
	}
	return NULL;
}

#endif
