/* SPDX-License-Identifier: BSD-2-Clause
 * timer.h - a worker's timers: a hierarchical wheel with a resolution of one nanosecond.
 *
 * A timer says at what instant which actor is to be told what.  It is memory of its owner, linked in
 * place, so arming and disarming cost no allocation and cannot fail.  Level l has 64 slots of 64^l
 * nanoseconds.  A timer lies at the level of the highest bits in which its instant differs from the
 * wheel's own time, so every timer of a level is due before any of the next; when the wheel's time
 * comes to a slot of a higher level, that slot's timers are spread over the levels below.
 * Based on: Varghese and Lauck, Hashed and Hierarchical Timing Wheels, SOSP 1987, scheme 7.
 *
 * Who may call        arm: the worker whose wheel it is, for an actor it runs.  disarm: whoever runs
 *                     the actor that owns the timer.  pop: any worker, so that one that is stuck in
 *                     a handler does not hold up the timers of others.  next: any thread.
 * Progress            blocking: one lock per wheel, held for a bounded time but in pop, which
 *                     spreads a slot.
 * May overlap         everything.
 * Linearizes at       the lock.
 * Edges               LK1 of spinlock.h: the wheel and its timers
 * Invariants          I1 a timer is in at most one wheel, and only its owner puts it there.  I2 pop
 *                     copies what it tells and unlinks under the lock, and touches the timer no more:
 *                     after disarm the owner may free it.  I3 timers for one instant are popped in
 *                     the order in which they were armed.  I4 next is 0 when the wheel is empty, and
 *                     never later than the earliest timer.
 *
 * Model: tests/check/models/timer.c. */
#ifndef HEIST_RUNTIME_TIMER_H
#define HEIST_RUNTIME_TIMER_H

#include "lockfree/cacheline.h"
#include "lockfree/seam.h"
#include "runtime/spinlock.h"

#define WHEEL_BITS  6
#define WHEEL_SLOTS (1u << WHEEL_BITS)
#ifndef WHEEL_LEVELS
#define WHEEL_LEVELS 11 /* 64 bits of nanoseconds */
#endif

struct timer_link {
	struct timer_link *next, *prev; /* next NULL: in no wheel */
};

struct timer {
	struct timer_link link;
	uint64_t at; /* on the runtime's clock, not 0 */
	uint32_t slot, generation;
	uint64_t id;	/* what the actor is told */
	uint32_t wheel; /* number of the worker whose wheel it was put into last */
	uint32_t kind;	/* its owner's */
};

struct wheel {
	_Alignas(HEIST_ISOLATE) struct spinlock lock;
	_Atomic uint64_t next; /* no timer is due before; 0 = none; anybody reads it */
	uint64_t now;	       /* every timer before this has been popped */
	uint64_t count;
	uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that is not empty */
	struct timer_link slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* What a due timer says. */
struct timer_due {
	uint32_t slot, generation;
	uint64_t id;
};

void heist_wheel_init(struct wheel *w);
/* Put t, which is in no wheel, into w; `now` is the clock, t->at may be past. */
void heist_timer_arm(struct wheel *w, struct timer *t, uint64_t now);
/* True: t was in w, its wheel, and will not be popped.  False: it has been popped. */
bool heist_timer_disarm(struct wheel *w, struct timer *t);
/* Take one timer that is due.  False: there is none. */
bool heist_timer_pop(struct wheel *w, uint64_t now, struct timer_due *out);
/* Nobody could pop what is due: look again at `when`. */
void heist_wheel_defer(struct wheel *w, uint64_t when);

static inline uint64_t wheel_next(const struct wheel *w)
{
	return atomic_load_explicit(&w->next,
				    memory_order_relaxed); /* advisory, but for the owner */
}

static inline bool wheel_is_due(const struct wheel *w, uint64_t now)
{
	uint64_t next = wheel_next(w);
	return next != 0 && next <= now;
}

#endif
