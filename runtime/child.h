/* SPDX-License-Identifier: BSD-2-Clause
 * child.h - a supervised actor and its supervisor: the record that they share, and the child's side.
 *
 * A child's slot, handle, mailbox and watchers outlive its incarnation.  When the incarnation ends the
 * child rests: nobody runs it, its mailbox fills up.  To rest is to hold the right to run by a bit:
 *
 *   running --ends, or HOLD--> [stop hook; REST to the supervisor] --> resting --START--> [init] running
 *      |                                                                  |
 *      +-------------- stop, kill: ends for good, ENDED <-----------------+
 *
 * Resting   The mailbox is suspended before a node, so no producer schedules it (mpsc.h), and the runner
 *           sets CONTROL_HELD.  Whoever calls the actor (control.c) and is the one to clear that bit
 *           has the right to run and schedules it; a runner that sees a call as it sets the bit takes
 *           it back.  Bit and call are in one word, so no call is missed, and one party wins.
 *           The message that failed is off the mailbox at once: the doorbell keeps its place.
 * Signals   Each node is in flight once: REST and STARTED answer a START or HOLD, ENDED and ADOPT are
 *           sent once.  START and HOLD hold a reference, for they can be overtaken by the end.
 * Freed     By the last of: the supervisor's list (ADOPT), the child (ENDED), orders in flight.
 * Orphans   What reaches the slot of a supervisor that has ended kills the child.
 *
 * Threads   child_*: the child's runner.  The supervisor's part: its runner.  Edges HO1, IJ1; CH1 acq_rel
 *           refs: all uses -> the free. */
#ifndef HEIST_RUNTIME_CHILD_H
#define HEIST_RUNTIME_CHILD_H

#include "runtime/signal.h"

struct heist_system;
struct message;
struct supervisor;

enum child_state { CHILD_RESTING, CHILD_STARTING, CHILD_RUNNING, CHILD_HOLDING, CHILD_ENDING };

struct child {
	struct signal adopt, rest, started, ended; /* to the supervisor */
	struct signal start, hold;		   /* to the child      */
	_Atomic uint32_t refs;
	heist_ref ref, sup;
	const heist_class *cls;
	size_t size;	  /* of this piece of memory */
	heist_child spec; /* its pointers but class, functions and user: NULL */
	/* the child */
	struct ending end; /* of its last incarnation            */
	bool hold_seen;	   /* the end under way was ordered      */
	/* the supervisor */
	struct child *older, *newer;
	enum child_state state;
	bool adopted, gone;
	bool end_wanted; /* it shall end for good                 */
	bool bounce;	 /* it shall rest before it runs again    */
	/* It is killed as it rests: how its incarnation ended is how it did.  Relaxed: what it is read with is the
	 * child's own, and the supervisor's kill (CT2) comes after it; who is killed by another reads either. */
	_Atomic bool final;
	uint32_t failures;
	uint64_t start_at, started_at, kill_at;
	_Alignas(16) unsigned char arg[]; /* of every init */
};

/* How a child ends that was asked to end like `end`: `final` counts more. */
static inline struct ending child_ending(const struct child *c, struct ending end)
{
	return atomic_load_explicit(&c->final, memory_order_relaxed) ? c->end : end;
}

/* What the runner of a resting child finds; or of a parent, whose children have all ended (ALONE). */
enum child_order { CHILD_WAIT, CHILD_START, CHILD_END, CHILD_ALONE };

/* A record with two references; NULL: out of memory. */
struct child *heist_child_new(struct heist_system *s, const heist_child *spec, heist_ref sup);
void heist_child_unref(struct heist_system *s, struct child *c);

/* Does the incarnation's end leave the child resting? */
bool heist_child_rests(struct rt_worker *w, struct actor *a, struct ending end);
/* May the message that failed be tried again?  Counts the try. */
bool heist_child_retries(struct rt_worker *w, struct actor *a, struct message *m);
/* Its incarnation has ended: tell the supervisor. */
void heist_child_rest(struct rt_worker *w, struct actor *a, struct ending end);
/* The runner of one that rests looks at what it was called for. */
enum child_order heist_child_look(struct rt_worker *w, struct actor *a, struct ending *end);
/* A new incarnation: its init, with state zeroed and mailbox sifted.  False: it did not succeed. */
bool heist_child_start(struct rt_worker *w, struct actor *a);
/* A child that is a supervisor has no incarnation to start: it is told. */
void heist_child_started(struct rt_worker *w, struct actor *a);
/* The child has ended for good. */
void heist_child_ended(struct rt_worker *w, struct child *c);
/* An order met the child's slot.  True: the incarnation must end, like *end. */
bool heist_child_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
			enum signal_mode mode, struct ending *end);

/* ---- supervisor.c ---- */
/* A report met the supervisor's slot.  True: it must end, like *end. */
bool heist_supervisor_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
			     enum signal_mode mode, struct ending *end);
/* An order of its own supervisor. */
void heist_supervisor_order(struct rt_worker *w, struct actor *a, enum signal_kind kind);
void heist_supervisor_go(struct rt_worker *w, struct actor *a, struct signal *sig,
			 enum signal_mode mode);
/* It shall end: false as long as it has children. */
bool heist_supervisor_may_end(struct rt_worker *w, struct actor *a, struct ending *end);
/* An alarm of a supervisor. */
void heist_supervisor_alarm(struct rt_worker *w, struct actor *a);
void heist_supervisor_free(struct rt_worker *w, struct supervisor *sup);
/* The youngest child that is left; NULL: none. */
struct child *heist_supervisor_last(struct supervisor *sup);

#endif
