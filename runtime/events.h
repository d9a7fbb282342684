/* SPDX-License-Identifier: BSD-2-Clause
 * events.h - the last things that each thread of a runtime did, for debugging and crash reports.
 *
 * Off unless heist_config.events or HEIST_EVENTS says how many a thread keeps; then it costs a clock
 * read and a few stores per activation.  Off it costs nothing: activations are recorded by another run
 * function (heist_actor_run_recorded), which puts itself in front of the ordinary one; the rest is on
 * cold paths.  A worker that records does not defer its sends.
 *
 * Threads   event_put: who has the local.  dump: any, also a signal handler.
 * Life      of a ring: from start to shutdown, one per worker and per foreign local. */
#ifndef HEIST_RUNTIME_EVENTS_H
#define HEIST_RUNTIME_EVENTS_H

#include <heist/heist.h>

#include "runtime/local.h"
#include "sched/worker.h"

enum event {
	EVENT_START, /* an actor's first turn; what: its class          */
	EVENT_RUN,   /* an activation; what: the type of its first message; detail: its kind */
	EVENT_END,   /* an actor has ended                              */
	EVENT_LOST,  /* what: the type of the message; detail: cause    */
	EVENT_PARK,  /* the worker has nothing to do                    */
	EVENTS
};

/* Give every local a ring; 0, or -1: out of memory, nothing is left. */
int heist_events_init(struct heist_system *s, uint32_t events);
/* Of a worker that is hired now: the ring of local `local`; NULL: none are recorded. */
struct events *heist_events_of(struct heist_system *s, uint32_t local);
void heist_events_destroy(struct heist_system *s);

/* Instead of heist_actor_run. */
enum verdict heist_actor_run_recorded(struct worker *w, struct runnable *r);
/* Cold: write one down; l->events is not NULL. */
void heist_events_put(struct local *l, enum event event, heist_ref actor, const void *what,
		      uint32_t detail);

/* Who has the local. */
static inline void event_put(struct local *l, enum event event, heist_ref actor, const void *what,
			     uint32_t detail)
{
	if (HEIST_UNLIKELY(l->events != NULL))
		heist_events_put(l, event, actor, what, detail);
}

#endif
