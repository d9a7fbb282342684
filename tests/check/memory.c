/* SPDX-License-Identifier: BSD-2-Clause
 * memory.c - C11's weak memory by views.
 *
 * Each location has its stores in modification order.  A thread's view says, per location, which store
 * it must not read behind.  A release store carries the view of its thread, an acquire load joins it.  A
 * store may land anywhere in modification order after what its thread has seen, never between a
 * read-modify-write and its source.  A seq_cst access is ordered on its own location; a seq_cst fence
 * exchanges views with all earlier ones, but gives no happens-before. */
#include <stdlib.h>
#include <string.h>

#include "tests/check/engine.h"

#define INDEX 4096 /* slots of the hash table of locations; power of two */

/* What somebody knows: entries of `view` from `known` on are 0. */
struct clock {
	uint32_t known;
	uint32_t time[MAX_THREADS + 1];
	uint32_t view[MAX_LOCATIONS];
};

/* The same, as long as needed. */
struct message {
	uint32_t known;
	uint32_t time[MAX_THREADS + 1];
	uint32_t view[];
};

struct store {
	uint64_t value;
	bool rmw;		 /* stays next to its predecessor */
	struct message *carried; /* what an acquiring reader learns */
};

struct location {
	uintptr_t address;
	int size, count, room;
	struct store *stores;
};

static struct location locations[MAX_LOCATIONS];
static int location_count;
static struct {
	uint32_t stamp;
	int location;
} table[INDEX];
static uint32_t execution;
static struct clock now[MAX_THREADS + 1]; /* what each thread knows */
static struct clock at_release[MAX_THREADS + 1], to_acquire[MAX_THREADS + 1]; /* for fences */
static struct clock fences;						      /* seq_cst */

/* ---- clocks ---- */

static void clock_clear(struct clock *c)
{
	memset(c, 0, offsetof(struct clock, view) + c->known * sizeof *c->view);
}

static void see(struct clock *c, int i, uint32_t k)
{
	c->view[i] = k;
	if (c->known <= (uint32_t)i)
		c->known = (uint32_t)i + 1;
}

static void join_views(struct clock *a, const uint32_t *view, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		a->view[i] = view[i] > a->view[i] ? view[i] : a->view[i];
	if (a->known < n)
		a->known = n;
}

static void join_times(struct clock *a, const uint32_t *time)
{
	for (int i = 0; i <= MAX_THREADS; i++)
		a->time[i] = time[i] > a->time[i] ? time[i] : a->time[i];
}

static void learn(struct clock *a, const struct message *m)
{
	join_views(a, m->view, m->known);
	join_times(a, m->time);
}

uint32_t *memory_times(int thread)
{
	return now[thread].time;
}

/* ---- messages: from pieces of memory that the next execution uses again ---- */

#define PIECE ((size_t)1 << 20)

static struct piece {
	struct piece *next;
	char bytes[PIECE];
} * pieces, *piece;
static size_t piece_used;

static struct piece *piece_next(void)
{
	struct piece **link = piece ? &piece->next : &pieces;
	if (!*link && !(*link = calloc(1, sizeof **link)))
		abort();
	piece_used = 0;
	return *link;
}

static struct message *message_new(uint32_t known)
{
	size_t size = (sizeof(struct message) + known * sizeof(uint32_t) + 7) & ~(size_t)7;
	if (!piece || piece_used + size > PIECE)
		piece = piece_next();
	struct message *m = (struct message *)(void *)(piece->bytes + piece_used);
	piece_used += size;
	m->known = known;
	return m;
}

/* What `a` knows and, if b is not NULL, what b carries; with room for location i. */
static struct message *message_of(const struct clock *a, const struct message *b, int i)
{
	uint32_t n = (uint32_t)i + 1;
	n = a->known > n ? a->known : n;
	n = b && b->known > n ? b->known : n;
	struct message *m = message_new(n);
	memcpy(m->time, a->time, sizeof m->time);
	memcpy(m->view, a->view, n * sizeof *m->view); /* zero from a->known on */
	for (uint32_t k = 0; b && k < b->known; k++)
		m->view[k] = b->view[k] > m->view[k] ? b->view[k] : m->view[k];
	for (int t = 0; b && t <= MAX_THREADS; t++)
		m->time[t] = b->time[t] > m->time[t] ? b->time[t] : m->time[t];
	return m;
}

/* ---- executions and threads ---- */

void memory_reset(void)
{
	execution++;
	location_count = 0;
	piece = NULL;
	piece_used = PIECE;
	for (int t = 0; t <= MAX_THREADS; t++) {
		clock_clear(&now[t]);
		clock_clear(&at_release[t]);
		clock_clear(&to_acquire[t]);
	}
	clock_clear(&fences);
}

void memory_start_thread(int thread)
{
	join_views(&now[thread], now[self].view, now[self].known);
	join_times(&now[thread], now[self].time);
}

void memory_join_thread(int thread)
{
	join_views(&now[self], now[thread].view, now[thread].known);
	join_times(&now[self], now[thread].time);
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
	return &l->stores[l->count++];
}

static uint32_t table_slot(uintptr_t address)
{
	uint32_t i = (uint32_t)((address >> 1) * 0x9E3779B1u >> 9) % INDEX;
	while (table[i].stamp == execution && locations[table[i].location].address != address)
		i = (i + 1) % INDEX;
	return i;
}

static struct location *find(const void *p, int size)
{
	static struct message nothing;
	uint32_t slot = table_slot((uintptr_t)p);
	if (table[slot].stamp == execution)
		return &locations[table[slot].location];
	if (location_count == MAX_LOCATIONS)
		fail(KIND_LIMIT, "too many locations", NULL);
	table[slot].stamp = execution;
	table[slot].location = location_count;
	struct location *l = &locations[location_count++];
	l->address = (uintptr_t)p;
	l->size = size;
	l->count = 0;
	struct store *first = append(l);
	*first = (struct store){ 0, false, &nothing };
	memcpy(&first->value, p, (size_t)size);
	return l;
}

static int index_of(const struct location *l)
{
	return (int)(l - locations);
}

/* ---- stores ---- */

static void shift(uint32_t *view, int i, int k)
{
	if (view[i] >= (uint32_t)k)
		view[i]++;
}

/* A store was inserted at k: whoever had seen it or later ones moves on by one. */
static void shift_all(struct location *l, int k)
{
	int i = index_of(l);
	for (int t = 0; t <= MAX_THREADS; t++) {
		shift(now[t].view, i, k);
		shift(at_release[t].view, i, k);
		shift(to_acquire[t].view, i, k);
	}
	shift(fences.view, i, k);
	for (int a = 0; a < location_count; a++)
		for (int b = 0; b < locations[a].count; b++) {
			struct store *s = &locations[a].stores[b];
			if (s != &l->stores[k] && s->carried->known > (uint32_t)i)
				shift(s->carried->view, i, k);
		}
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
		see(&now[self], i, fences.view[i]);
	if (set)
		see(&fences, i, now[self].view[i]);
}

static void put(struct location *l, uint64_t v, enum order o, const struct message *source)
{
	int i = index_of(l), k = source ? l->count : place(l, o);
	append(l);
	bool last = k == l->count - 1;
	if (!last) {
		memmove(&l->stores[k + 1], &l->stores[k],
			(size_t)(l->count - 1 - k) * sizeof *l->stores);
		shift_all(l, k);
	}
	now[self].time[self]++;
	struct store *s = &l->stores[k];
	s->value = v;
	s->rmw = source != NULL;
	see(&now[self], i, (uint32_t)k);
	s->carried = message_of(o >= RELEASE ? &now[self] : &at_release[self], source, i);
	s->carried->view[i] = (uint32_t)k;
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
		see(&now[self], i, (uint32_t)k);
	learn(acquires(o) ? &now[self] : &to_acquire[self], l->stores[k].carried);
}

/* Which store a load may read: not behind its view; after a yield the newest. */
static int pick(struct location *l)
{
	int i = index_of(l), n = l->count - (int)now[self].view[i];
	if (self == MAIN || take_yield() || n == 1)
		return l->count - 1;
	return l->count - 1 - (chance(2) ? choose(n) : 0);
}

static struct access access(enum act act, const void *p, enum order o)
{
	return (struct access){ act, o == SEQ_CST, p };
}

uint64_t memory_load(void *p, int size, enum order o, void *where)
{
	step(access(ACT_LOAD, p, o));
	heap_check(p, where);
	race_atomic(p, false, where);
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
	step(access(ACT_STORE, p, o));
	heap_check(p, where);
	race_atomic(p, true, where);
	put(find(p, size), v, o, NULL);
	trace("store", p, v, where);
}

uint64_t memory_rmw(void *p, int size, int op, uint64_t v, enum order o, void *where)
{
	step(access(ACT_STORE, p, o));
	heap_check(p, where);
	race_atomic(p, true, where);
	struct location *l = find(p, size);
	struct store *s = &l->stores[l->count - 1];
	uint64_t old = s->value, x = op == '+'	 ? old + v
				     : op == '-' ? old - v
				     : op == '|' ? old | v
				     : op == '&' ? old & v
						 : v;
	struct message *source = s->carried;
	if (size < 8)
		x &= ((uint64_t)1 << size * 8) - 1;
	got(l, l->count - 1, o == RELEASE ? RELAXED : o);
	put(l, x, o == ACQUIRE ? RELAXED : o, source);
	trace("rmw  ", p, x, where);
	return old;
}

bool memory_cas(void *p, int size, uint64_t *expected, uint64_t v, enum order ok, enum order no,
		void *where)
{
	step(access(ACT_STORE, p, ok));
	heap_check(p, where);
	race_atomic(p, true, where);
	struct location *l = find(p, size);
	int k = l->count - 1;
	if (l->stores[k].value == *expected) {
		struct message *source = l->stores[k].carried;
		got(l, k, ok == RELEASE ? RELAXED : ok);
		put(l, v, ok == ACQUIRE ? RELAXED : ok, source);
		trace("cas  ", p, v, where);
		return true;
	}
	got(l, k, no);
	*expected = l->stores[k].value;
	trace("cas -", p, *expected, where);
	return false;
}

static void fence_of(int thread, enum order o)
{
	if (acquires(o)) {
		join_views(&now[thread], to_acquire[thread].view, to_acquire[thread].known);
		join_times(&now[thread], to_acquire[thread].time);
	}
	if (o == SEQ_CST) {
		join_views(&now[thread], fences.view, fences.known);
		join_views(&fences, now[thread].view, now[thread].known);
	}
	if (o >= RELEASE)
		at_release[thread] = now[thread];
}

void memory_fence(enum order o, void *where)
{
	step(access(ACT_FENCE, NULL, o));
	fence_of(self, o);
	trace("fence", NULL, (uint64_t)o, where);
}

/* Twice round, so that the first threads also see what the last ones have stored. */
void memory_fence_everywhere(void *where)
{
	step((struct access){ ACT_UNKNOWN, true, NULL });
	for (int i = 0; i < 2 * threads; i++)
		fence_of(i % threads, SEQ_CST);
	fence_of(self, SEQ_CST);
	trace("fence everywhere", NULL, (uint64_t)SEQ_CST, where);
}
