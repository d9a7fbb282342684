/* SPDX-License-Identifier: BSD-2-Clause
 * spare.h - workers that are away, and the spare workers that serve in their place.
 *
 * A worker is away while its thread is in a handler that waits for something (it says so) or runs for too
 * long (the watchdog says so).  Its deques, slot, wheel and pools stay its own: the thread may come back, or
 * send, at any moment.  So nothing changes hands.  A spare is a worker of the same pool with queues of its
 * own, which is on duty while somebody is away, and what an away worker holds is taken as from any worker
 * that is stuck (steal.c), but at once: by whoever searches, by whoever reads its clock, and new work
 * from outside goes elsewhere.  A spare that is not needed any more hands out what it has and sits on
 * the bench.
 *
 *     out      its thread does not exist    -> on duty: somebody called it (thread started)
 *     on duty  a worker like any other      -> benched: more on duty than away; it has nothing queued
 *     benched  in no set, woken to trim     -> on duty: called; the bit is cleared by the caller
 *
 * Who may call        leave, back: the worker, in or between handlers; hogged: the watchdog.  rest: the
 *                     spare, between activations.  The others: any thread.
 * Progress            leave, hogged: blocking: they may start a thread, and wait for a spare that is
 *                     about to sit down.  back: wait-free.  rest: sleeps.
 * Linearizes at       leave, hogged, back: the RMW of `away`.  call and rest: the CAS of counts.
 * Edges               SP1 acq_rel RMW of counts: away and on duty move together
 *                     SP2 release RMW that sets a bit of benched -> acquire RMW that clears it: what the
 *                         spare left, to its caller; and back: the caller's place, to the spare
 *                     SP3 release store of hired -> acquire load of it: the thread's handle
 *                     SP4 acquire CAS, release store of starting: hired, one caller at a time
 *                     ID1 of idle.h: a spare sits down, also after its timers, like a worker that parks, and
 *                         then looks again
 * Invariants          I1 counts.away is at least the number of workers with `away` set, and the
 *                     number but for changes under way.  I2 counts.duty <= spares: each is one spare that is on duty, called, or
 *                     whose caller looks for it.  I3 a spare whose bit is set holds nothing that is
 *                     runnable.  I4 hired only grows, and before the thread starts, so quiescence
 *                     counts a spare from before its first look.
 *
 * Models spare, spare_timed: tests/check/models/sched.c.  Rounds: tests/stress/stress_spare.c. */
#ifndef HEIST_SCHED_SPARE_H
#define HEIST_SCHED_SPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "lockfree/seam.h"

#define SPARES_MAX 64 /* bits of benched */

struct pool;
struct worker;

enum away { AWAY_NOT, AWAY_BLOCKED, AWAY_HOGGED };

struct spares {
	_Atomic uint64_t counts;   /* workers away, spares on duty << 32 */
	_Atomic uint64_t benched;  /* a bit each */
	_Atomic uint32_t hired;	   /* the first so many have threads */
	_Atomic uint32_t starting; /* somebody starts one */
	uint32_t most;
};

/* The worker, in a handler, with nothing deferred: it will wait; everything it holds goes to others. */
void heist_worker_leave(struct worker *w);
/* The worker: it goes on.  Not away: no change. */
void heist_worker_back(struct worker *w);
/* The watchdog: w has been in one activation for too long. */
void heist_worker_hogged(struct worker *w);

/* A worker between two activations, each time it reads the clock: help those that are away; a spare that
 * nobody needs hands out what it has.  True: w has nothing to run any more. */
bool heist_spares_look(struct worker *w);
/* A spare that found nothing to run: sit on the bench, if nobody needs it.  True: it did, and has been called,
 * or the pool stops. */
bool heist_spare_rest(struct worker *w);

/* Whether worker i, of all that there may be, is on the bench or not there at all. */
bool heist_spare_is_off(struct pool *p, uint32_t i);

static inline uint32_t spares_away(const struct spares *s)
{
	return (uint32_t)atomic_load_explicit(&s->counts, memory_order_relaxed); /* advisory */
}

static inline uint32_t spares_on_duty(const struct spares *s)
{
	return (uint32_t)(atomic_load_explicit(&s->counts, memory_order_relaxed) >> 32); /* same */
}

static inline uint32_t spares_hired(const struct spares *s)
{
	return atomic_load_explicit(&s->hired, memory_order_acquire); /* SP3 acquire */
}

#endif
