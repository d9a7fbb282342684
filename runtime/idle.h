/* SPDX-License-Identifier: BSD-2-Clause
 * idle.h - a signal to an actor that has got no message for a while.
 *
 * What a busy actor pays is not per message: a timer looks four times in the period, and to find out
 * whether a message has come it puts a behaviour of its own before the actor's (behaviour.h), which the first
 * message removes.  So silence is told not before the period, and at most a quarter late; once told, nothing
 * looks until another message comes.
 *
 * Threads   the holder of the right to run. */
#ifndef HEIST_RUNTIME_IDLE_H
#define HEIST_RUNTIME_IDLE_H

#include <heist/heist.h>

#include "runtime/timer.h"

/* Part of struct actor_extra. */
struct idle_watch {
	struct timer timer;
	uint64_t period; /* 0: nobody wants to know */
	uint64_t since;	 /* it has been silent, as far as is known */
	bool watching;	 /* no message since the last look */
	bool told;	 /* and the timer is not set       */
};

struct actor;
struct actor_extra;
struct ending;
struct rt_worker;

/* The alarm.  True: the actor must end, like *end. */
bool heist_idle_look(struct rt_worker *w, struct actor *a, struct ending *end);
/* A message, or a reply, has come. */
void heist_idle_over(struct rt_worker *w, struct actor *a, struct actor_extra *x);
/* The incarnation ends. */
void heist_idle_end(struct heist_system *s, struct actor_extra *x);

#endif
