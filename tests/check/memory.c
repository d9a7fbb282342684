/* SPDX-License-Identifier: BSD-2-Clause
 * memory.c - C11's weak memory by views.
 *
 * Each location has its stores in modification order.  A thread's view says, per location, which store
 * it must not read behind.  A release store carries the view of its thread, an acquire load joins it.  A
 * store may land anywhere in modification order after what its thread has seen, never between a
 * read-modify-write and its source.  A seq_cst access is ordered on its own location; a seq_cst fence
 * exchanges views with all earlier ones, but gives no happens-before.  Races are found by vector clocks. */
#include "tests/check/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clock {
	uint32_t view[MAX_LOCATIONS];
	uint32_t time[MAX_THREADS + 1];
};

struct store {
	uint64_t value;
	bool rmw;	      /* stays next to its predecessor */
	struct clock carried; /* what an acquiring reader learns */
};

struct location {
	uintptr_t address;
	int size, count, room;
	struct store *stores;
	uint32_t read_at[MAX_THREADS + 1], written_at[MAX_THREADS + 1]; /* plain accesses */
};

static struct location locations[MAX_LOCATIONS];
static int location_count;
static struct clock now[MAX_THREADS + 1]; /* what each thread knows */
static struct clock at_release[MAX_THREADS + 1], to_acquire[MAX_THREADS + 1]; /* for fences */
static struct clock fences;						      /* seq_cst */

static struct allocation {
	char *begin;
	size_t size;
	bool freed;
} allocations[512];
static int allocation_count;

/* ---- allocations ---- */

void *check_alloc(size_t size, size_t align)
{
	void *p = NULL;
	if (allocation_count == 512 || posix_memalign(&p, align < 16 ? 16 : align, size) != 0)
		fail(KIND_LIMIT, "too many allocations", NULL);
	memset(p, 0, size);
	allocations[allocation_count++] = (struct allocation){ p, size, false };
	return p;
}

void check_free(void *p)
{
	for (int i = 0; i < allocation_count; i++)
		if (allocations[i].begin == p) {
			if (allocations[i].freed)
				fail(KIND_DOUBLE_FREE, "freed twice", __builtin_return_address(0));
			allocations[i].freed = true;
		}
}

void memory_release_all(void)
{
	while (allocation_count)
		free(allocations[--allocation_count].begin);
}

static void check_alive(const void *p, void *where)
{
	for (int i = 0; i < allocation_count; i++)
		if (allocations[i].freed && (const char *)p >= allocations[i].begin &&
		    (const char *)p < allocations[i].begin + allocations[i].size)
			fail(KIND_FREED, "use after free", where);
}

/* ---- clocks ---- */

static void join_views(struct clock *a, const struct clock *b)
{
	for (int i = 0; i < location_count; i++)
		if (b->view[i] > a->view[i])
			a->view[i] = b->view[i];
}

static void join(struct clock *a, const struct clock *b)
{
	join_views(a, b);
	for (int i = 0; i <= MAX_THREADS; i++)
		if (b->time[i] > a->time[i])
			a->time[i] = b->time[i];
}

void memory_reset(void)
{
	location_count = 0;
	memset(now, 0, sizeof now);
	memset(at_release, 0, sizeof at_release);
	memset(to_acquire, 0, sizeof to_acquire);
	memset(&fences, 0, sizeof fences);
}

void memory_start_threads(void)
{
	for (int i = 0; i < threads; i++)
		now[i] = now[MAIN];
}

void memory_join_threads(void)
{
	for (int i = 0; i < threads; i++)
		join(&now[MAIN], &now[i]);
}

/* ---- locations ---- */

static struct store *append(struct location *l)
{
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->stores = realloc(l->stores, (size_t)l->room * sizeof *l->stores);
		if (!l->stores)
			abort();
	}
	struct store *s = &l->stores[l->count++];
	memset(s, 0, sizeof *s);
	return s;
}

static struct location *find(const void *p, int size)
{
	for (int i = 0; i < location_count; i++)
		if (locations[i].address == (uintptr_t)p)
			return &locations[i];
	if (location_count == MAX_LOCATIONS)
		fail(KIND_LIMIT, "too many locations", NULL);
	struct location *l = &locations[location_count++];
	int i = location_count - 1;
	l->address = (uintptr_t)p;
	l->size = size;
	l->count = 0;
	memset(l->read_at, 0, sizeof l->read_at);
	memset(l->written_at, 0, sizeof l->written_at);
	for (int t = 0; t <= MAX_THREADS; t++)
		now[t].view[i] = at_release[t].view[i] = to_acquire[t].view[i] = 0;
	fences.view[i] = 0;
	memcpy(&append(l)->value, p, (size_t)size);
	return l;
}

static int index_of(const struct location *l)
{
	return (int)(l - locations);
}

/* ---- stores ---- */

static void shift(struct clock *c, int i, int k)
{
	if (c->view[i] >= (uint32_t)k)
		c->view[i]++;
}

/* A store was inserted at k: whoever had seen it or later ones moves on by one. */
static void shift_all(struct location *l, int k)
{
	int i = index_of(l);
	for (int t = 0; t <= MAX_THREADS; t++) {
		shift(&now[t], i, k);
		shift(&at_release[t], i, k);
		shift(&to_acquire[t], i, k);
	}
	shift(&fences, i, k);
	for (int a = 0; a < location_count; a++)
		for (int b = 0; b < locations[a].count; b++)
			if (&locations[a].stores[b] != &l->stores[k])
				shift(&locations[a].stores[b].carried, i, k);
}

static int place(struct location *l, enum order o)
{
	int i = index_of(l), low = (int)now[self].view[i] + 1, places[64], n = 0;
	if (o == SEQ_CST && (int)fences.view[i] + 1 > low)
		low = (int)fences.view[i] + 1;
	if (self == MAIN || low >= l->count || !chance(4))
		return l->count;
	places[n++] = l->count;
	for (int k = l->count - 1; k >= low && n < 64; k--)
		if (!l->stores[k].rmw)
			places[n++] = k;
	return places[choose(n)];
}

static void order_on_location(int i, bool set)
{
	if (fences.view[i] > now[self].view[i])
		now[self].view[i] = fences.view[i];
	if (set)
		fences.view[i] = now[self].view[i];
}

static void put(struct location *l, uint64_t v, enum order o, const struct clock *source)
{
	int i = index_of(l), k = source ? l->count : place(l, o);
	append(l);
	bool last = k == l->count - 1;
	if (!last) {
		memmove(&l->stores[k + 1], &l->stores[k],
			(size_t)(l->count - 1 - k) * sizeof *l->stores);
		memset(&l->stores[k], 0, sizeof l->stores[k]);
		shift_all(l, k);
	}
	now[self].time[self]++;
	struct store *s = &l->stores[k];
	s->value = v;
	s->rmw = source != NULL;
	now[self].view[i] = (uint32_t)k;
	s->carried = o >= RELEASE ? now[self] : at_release[self];
	s->carried.view[i] = (uint32_t)k;
	if (source)
		join(&s->carried, source);
	if (o == SEQ_CST)
		order_on_location(i, true);
	if (last)
		memcpy((void *)l->address, &v, (size_t)l->size);
	stores_changed();
}

/* ---- loads ---- */

static bool acquires(enum order o)
{
	return o == ACQUIRE || o == ACQ_REL || o == SEQ_CST;
}

static void got(struct location *l, int k, enum order o)
{
	int i = index_of(l);
	if (now[self].view[i] < (uint32_t)k)
		now[self].view[i] = (uint32_t)k;
	join(acquires(o) ? &now[self] : &to_acquire[self], &l->stores[k].carried);
}

/* Which store a load may read: not behind its view; after a yield the newest. */
static int pick(struct location *l)
{
	int i = index_of(l), n = l->count - (int)now[self].view[i];
	if (self == MAIN || take_yield() || n == 1)
		return l->count - 1;
	return l->count - 1 - (chance(2) ? choose(n) : 0);
}

uint64_t memory_load(void *p, int size, enum order o, void *where)
{
	step();
	check_alive(p, where);
	struct location *l = find(p, size);
	if (o == SEQ_CST)
		order_on_location(index_of(l), false);
	int k = pick(l);
	got(l, k, o);
	if (o == SEQ_CST)
		order_on_location(index_of(l), true);
	trace("load ", p, l->stores[k].value, where);
	return l->stores[k].value;
}

void memory_store(void *p, int size, uint64_t v, enum order o, void *where)
{
	step();
	check_alive(p, where);
	put(find(p, size), v, o, NULL);
	trace("store", p, v, where);
}

uint64_t memory_rmw(void *p, int size, int op, uint64_t v, enum order o, void *where)
{
	step();
	check_alive(p, where);
	struct location *l = find(p, size);
	struct store *s = &l->stores[l->count - 1];
	uint64_t old = s->value, x = op == '+'	 ? old + v
				     : op == '-' ? old - v
				     : op == '|' ? old | v
				     : op == '&' ? old & v
						 : v;
	struct clock source = s->carried;
	if (size < 8)
		x &= ((uint64_t)1 << size * 8) - 1;
	got(l, l->count - 1, o == RELEASE ? RELAXED : o);
	put(l, x, o == ACQUIRE ? RELAXED : o, &source);
	trace("rmw  ", p, x, where);
	return old;
}

bool memory_cas(void *p, int size, uint64_t *expected, uint64_t v, enum order ok, enum order no,
		void *where)
{
	step();
	check_alive(p, where);
	struct location *l = find(p, size);
	int k = l->count - 1;
	if (l->stores[k].value == *expected) {
		struct clock source = l->stores[k].carried;
		got(l, k, ok == RELEASE ? RELAXED : ok);
		put(l, v, ok == ACQUIRE ? RELAXED : ok, &source);
		trace("cas  ", p, v, where);
		return true;
	}
	got(l, k, no);
	*expected = l->stores[k].value;
	trace("cas -", p, *expected, where);
	return false;
}

void memory_fence(enum order o, void *where)
{
	step();
	if (acquires(o))
		join(&now[self], &to_acquire[self]);
	if (o == SEQ_CST) {
		join_views(&now[self], &fences);
		join_views(&fences, &now[self]);
	}
	if (o >= RELEASE)
		at_release[self] = now[self];
	trace("fence", NULL, (uint64_t)o, where);
}

/* ---- plain accesses ---- */

void memory_plain(const void *p, int size, bool write, void *where)
{
	check_alive(p, where);
	if (self == MAIN)
		return;
	struct location *l = find(p, size);
	struct clock *c = &now[self];
	for (int t = 0; t < threads; t++)
		if (t != self &&
		    (l->written_at[t] > c->time[t] || (write && l->read_at[t] > c->time[t])))
			fail(KIND_RACE, "data race", where);
	c->time[self]++;
	if (write)
		l->written_at[self] = c->time[self];
	else
		l->read_at[self] = c->time[self];
}
