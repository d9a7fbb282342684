/* SPDX-License-Identifier: BSD-2-Clause
 * timer.c - the timer wheel: place, spread, pop. */
#include "runtime/timer.h"

#include "lockfree/check.h"

void heist_wheel_init(struct wheel *w)
{
	atomic_init(&w->lock.held, 0);
	atomic_init(&w->next, 0);
	w->now = w->count = 0;
	for (int l = 0; l < WHEEL_LEVELS; l++) {
		w->used[l] = 0;
		for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
			w->slot[l][i] = (struct timer_link){ &w->slot[l][i], &w->slot[l][i] };
	}
}

/* ---- links ---- */

static struct timer *timer_of(struct timer_link *l)
{
	return HEIST_CONTAINER(l, struct timer, link);
}

static void append(struct timer_link *head, struct timer_link *l)
{
	l->next = head;
	l->prev = head->prev;
	head->prev->next = l;
	head->prev = l;
}

/* A timer that is due before the wheel's time is due now. */
static void place(struct wheel *w, struct timer *t)
{
	uint64_t at = t->at > w->now ? t->at : w->now;
	uint64_t differs = (at ^ w->now) | 1;
	uint32_t level = (63 - (uint32_t)__builtin_clzll(differs)) / WHEEL_BITS;
	HEIST_ASSERT(level < WHEEL_LEVELS);
	uint32_t i = (uint32_t)(at >> level * WHEEL_BITS) % WHEEL_SLOTS;
	append(&w->slot[level][i], &t->link);
	w->used[level] |= (uint64_t)1 << i;
}

static void unlink(struct wheel *w, struct timer *t)
{
	struct timer_link *next = t->link.next, *prev = t->link.prev;
	prev->next = next;
	next->prev = prev;
	t->link.next = NULL;
	w->count--;
	if (next == prev) { /* the head of a slot that is empty now */
		size_t i = (size_t)(next - &w->slot[0][0]);
		w->used[i / WHEEL_SLOTS] &= ~((uint64_t)1 << i % WHEEL_SLOTS);
	}
}

/* ---- the earliest slot ---- */

struct place {
	uint32_t level, slot;
	uint64_t begin; /* of the slot */
};

/* The wheel is not empty.  The lowest level that has timers has the earliest. */
static struct place earliest(const struct wheel *w)
{
	struct place p = { 0, 0, 0 };
	while (p.level + 1 < WHEEL_LEVELS && w->used[p.level] == 0)
		p.level++;
	p.slot = (uint32_t)__builtin_ctzll(w->used[p.level]);
	uint32_t shift = p.level * WHEEL_BITS;
	uint64_t above = shift + WHEEL_BITS < 64
				 ? w->now >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS)
				 : 0;
	p.begin = above | (uint64_t)p.slot << shift;
	return p;
}

/* When to look at the wheel next: exactly, if that takes a few looks, else at the slot's begin. */
static uint64_t when_next(const struct wheel *w)
{
	if (w->count == 0)
		return 0;
	struct place p = earliest(w);
	const struct timer_link *head = &w->slot[p.level][p.slot], *l = head->next;
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < 8 && l != head; i++, l = l->next) {
		uint64_t at = timer_of((struct timer_link *)(uintptr_t)l)->at;
		least = at < least ? at : least;
	}
	uint64_t next = l == head ? least : p.begin;
	return next ? next : 1;
}

static void set_next(struct wheel *w, uint64_t next)
{
	atomic_store_explicit(&w->next, next, memory_order_relaxed); /* advisory for others */
}

/* ---- operations ---- */

void heist_timer_arm(struct wheel *w, struct timer *t, uint64_t now)
{
	HEIST_ASSERT(t->link.next == NULL && t->at != 0);
	spin_lock(&w->lock);
	if (w->count++ == 0)
		w->now = now > w->now ? now : w->now;
	place(w, t);
	uint64_t next = wheel_next(w);
	if (next == 0 || t->at < next)
		set_next(w, t->at);
	spin_unlock(&w->lock);
}

bool heist_timer_disarm(struct wheel *w, struct timer *t)
{
#ifdef WHEEL_MUTANT_LOOK_FIRST
	if (t->link.next == NULL)
		return false;
#endif
	spin_lock(&w->lock);
	bool armed = t->link.next != NULL;
	if (armed) {
		unlink(w, t);
		if (w->count == 0)
			set_next(w, 0);
	}
	spin_unlock(&w->lock);
	return armed;
}

/* The wheel's time comes to p: its timers go to the levels below. */
static void spread(struct wheel *w, struct place p)
{
	struct timer_link *head = &w->slot[p.level][p.slot], *l = head->next;
	w->now = p.begin > w->now ? p.begin : w->now;
	w->used[p.level] &= ~((uint64_t)1 << p.slot);
	*head = (struct timer_link){ head, head };
	while (l != head) {
		struct timer_link *next = l->next;
		place(w, timer_of(l));
		l = next;
	}
}

/* The earliest timer, if it is due; the wheel's time goes on as far as it can. */
static struct timer *find_due(struct wheel *w, uint64_t now)
{
	while (w->count != 0) {
		struct place p = earliest(w);
		if (p.begin > now)
			break;
		if (p.level == 0) {
			w->now = p.begin > w->now ? p.begin : w->now;
			return timer_of(w->slot[0][p.slot].next);
		}
		spread(w, p);
	}
	if (now > w->now)
		w->now = now;
	return NULL;
}

bool heist_timer_pop(struct wheel *w, uint64_t now, struct timer_due *out)
{
	if (!wheel_is_due(w, now))
		return false;
	spin_lock(&w->lock);
	struct timer *t = find_due(w, now);
	if (t) {
#ifndef WHEEL_MUTANT_COPY_LATE
		*out = (struct timer_due){ t->slot, t->generation, t->id };
#endif
		unlink(w, t);
	}
	if (!t || w->count == 0)
		set_next(w, when_next(w));
	spin_unlock(&w->lock);
#ifdef WHEEL_MUTANT_COPY_LATE
	if (t)
		*out = (struct timer_due){ t->slot, t->generation, t->id };
#endif
	return t != NULL;
}

void heist_wheel_defer(struct wheel *w, uint64_t when)
{
	spin_lock(&w->lock);
	if (w->count)
		set_next(w, when);
	spin_unlock(&w->lock);
}
