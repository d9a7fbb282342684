/* SPDX-License-Identifier: BSD-2-Clause
 * sample.h - what actors do, by class, measured in one activation of many.
 *
 * Off unless heist_config.sample or HEIST_SAMPLE says one of how many.  Whoever samples seldom pays next to
 * nothing, and who does not pays nothing: shortly before a worker's activation that is to be measured its
 * scheduler calls (worker.due), and another run function (heist_actor_run_sampled) puts itself in front of the
 * ordinary one, or the recorder's (events.h), until that activation.  Sends are not deferred meanwhile.
 *
 * Of a sampled activation are known: its class; how many messages wait when it begins, by walking the mailbox,
 * which its runner may; how long it takes, and how many messages it handles; and how long a message waits
 * that comes when it begins: that is a probe behind all others, an alarm, so no code of the user's sees it and
 * nothing counts it, which says when it was sent and is met in this activation or a later one.
 *
 * The first SAMPLE_CLASSES classes that are met get an index, the same one on every worker.  What others do, and
 * what a worker has no memory for, is kept together.
 *
 * Threads   a worker's table: the worker writes, anybody reads.  The list of classes: anybody.
 * Progress  wait-free; taking an index looks at most SAMPLE_CLASSES times.
 * Edges     SM1 release CAS of an empty entry of classes -> acquire load by readers: what the class is.  Workers
 *               compare the pointer only
 *           SM2 release store of a worker's entry -> acquire load by readers: its memory is zeroed
 * Linearizes at  the CAS: the class has its index; the store: what the worker measures of it is told
 * Life      of all of it: the runtime's.  Entries only appear, classes in the order of their indices.
 *
 * Model: tests/check/models/sample.c.  Rounds: tests/stress/stress_sample.c. */
#ifndef HEIST_RUNTIME_SAMPLE_H
#define HEIST_RUNTIME_SAMPLE_H

#include <heist/heist.h>

#include "runtime/histogram.h"
#include "sched/worker.h"

#ifndef SAMPLE_CLASSES
#define SAMPLE_CLASSES 64
#endif
#define SAMPLE_DEPTH_MOST 1024 /* messages that are counted; "or more" */

struct class_samples {
	_Atomic uint64_t messages, failures;
	struct sample_histogram run, wait, depth;
};

/* A worker's. */
struct samples {
	_Atomic(struct class_samples *) of[SAMPLE_CLASSES];
	struct class_samples others;
	uint64_t at;	 /* the activation that is sampled next */
	uint64_t random; /* xorshift state */
	/* the sampled activation that runs; NULL: none */
	struct class_samples *open;
	uint64_t since, handled;
};

struct sampling {
	uint32_t period; /* one activation in so many */
	uint32_t workers;
	_Atomic(const heist_class *) classes[SAMPLE_CLASSES];
	struct samples worker[]; /* by their numbers */
};

struct actor;
struct message;
struct rt_worker;

/* Sample from now on; 0, or -1: out of memory, nothing is left.  No worker runs. */
int heist_sampling_init(struct heist_system *s, uint32_t period);
/* w, which may be hired now, is worker `number`: if anything is sampled it gets its table, and an activation to
 * measure. */
void heist_sample_join(struct heist_system *s, struct rt_worker *w, uint32_t number);
void heist_sampling_destroy(struct heist_system *s);

/* The scheduler's `due`: it comes soon. */
void heist_sample_arm(struct worker *w);
/* Instead of heist_actor_run, until it has come. */
enum verdict heist_actor_run_sampled(struct worker *w, struct runnable *r);
/* After a jump out of an activation, when it is settled. */
void heist_sample_settle(struct rt_worker *w);
/* The runner has met a probe, for its actor. */
void heist_probe_met(struct rt_worker *w, struct actor *a, struct message *m);
/* A handler of a has failed; whether or not this activation is a sample. */
void heist_sample_failed(struct rt_worker *w, struct actor *a);

#endif
