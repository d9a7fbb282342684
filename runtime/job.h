/* SPDX-License-Identifier: BSD-2-Clause
 * job.h - what an actor wants sent later: a timer, a receiver and a payload.
 *
 * The actor keeps a table of its jobs; only its runner touches it.  When a timer is due, its actor is
 * told by an ALARM message with the id of the job, and sends then, in a turn of its own.  So a job is
 * sent if it is still in the table at that moment and never else: cancelling needs no more than taking
 * it out, whether or not the alarm is already in the mailbox, and what ends with the actor is the
 * table.  A job for the actor itself turns the alarm into the message. */
#ifndef HEIST_RUNTIME_JOB_H
#define HEIST_RUNTIME_JOB_H

#include <heist/heist.h>

#include "runtime/timer.h"

#define JOB_ROOM     24
#define JOB_RETRY_NS 1000000u /* when there was no memory to send what was due */

enum job_kind { JOB_ONCE, JOB_RATE, JOB_DELAY, JOB_WALL };

struct job {
	/* kind: enum job_kind | how many JOB_RETRY_NS `at` is behind when it was due << 2; id: sequence << 32 |
	 * index in the table */
	struct timer timer;
	uint64_t every; /* JOB_WALL: when, on the wall clock */
	heist_ref to;
	const heist_type *type;
	union {
		unsigned char bytes[JOB_ROOM];
		void *large; /* payloads above JOB_ROOM */
	} u;
};
_Static_assert(sizeof(struct job) == 96, "ten million jobs take a gigabyte");

/* Part of struct actor_extra.  A free entry: index + 1 of the next free one << 1 | 1. */
struct agenda {
	struct job **jobs;
	uint32_t capacity, count;
	uint32_t free; /* index + 1 */
	uint32_t sequence;
};

/* Ids of other timers; no job has them. */
#define ALARM_ASKS	 ((uint64_t)0) /* deadlines of asks */
#define ALARM_SUPERVISOR ((uint64_t)1) /* supervisor.c      */
#define ALARM_IDLE	 ((uint64_t)2) /* idle.c            */
#define ALARM_PROBE	 ((uint64_t)3) /* sample.c          */

#endif
