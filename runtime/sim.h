/* SPDX-License-Identifier: BSD-2-Clause
 * sim.h - the inside of a simulation (heist/sim.h): one polled worker whose every choice is made here.
 *
 *   sim.c        begin, end; who runs next, and when
 *   sim_fault.c  crashes, slow handlers, no memory, full mailboxes
 *   sim_draw.c   decisions: a number from seed, kind, subject and count, whatever was drawn before
 *   sim_net.c    messages between send and mailbox
 *   sim_probe.c  probes
 *   sim_main.c   many seeds
 *   sim_trace.c  names of actors and messages; the lines
 *
 * The runtime asks in few places, all of them cold in ordinary runtimes: the scheduler's pick while it is
 * polled, sends of a worker that does not send at once, stops, and set-up.  One thread does everything, so
 * nothing here is atomic. */
#ifndef HEIST_RUNTIME_SIM_H
#define HEIST_RUNTIME_SIM_H

#include <heist/sim.h>

#include "runtime/system.h"

struct sender;

/* ---- names ---- */

/* What is known of the actor in a slot. */
struct sim_actor {
	uint32_t generation;			 /* 0: none yet */
	uint32_t number;			 /* of actors, from 1 */
	bool spared;				 /* no faults */
	uint64_t handled, sent, received, built; /* how often, for the names of decisions */
	heist_recv_fn *recv;			 /* its behaviour; the slot has the simulation's */
	const char *name;
};

/* Messages are looked up by address, and never listed by it. */
struct sim_mark {
	const struct message *m; /* NULL: empty */
	uint64_t number;
};

/* ---- messages under way ---- */

struct sim_entry {
	uint64_t due, number;
	uint32_t sender; /* number of an actor; 0: none */
	uint32_t slot, generation;
	struct message *m; /* NULL: a heist_stop */
	heist_status why;  /* of the stop */
};

struct sim_net {
	struct sim_entry *entry; /* by due, then number */
	size_t count, room;
	uint64_t latest; /* due of what was delayed longest */
};

/* ---- decisions ---- */

enum sim_kind { SIM_ORDER, SIM_DELAY, SIM_CRASH, SIM_SLOW, SIM_MEMORY, SIM_FULL, SIM_KINDS };

/* The n-th decision of a kind about a subject. */
struct sim_draw {
	enum sim_kind kind;
	uint64_t subject, n;
};

struct sim_draws {
	struct sim_draw *draw;
	size_t count, room;
};

struct heist_sim {
	heist_sim_opts opts;
	heist_system *system; /* NULL: not started, or shut down by others */
	struct rt_worker *worker;
	const void *thread; /* the only one that may call */
	uint64_t now, horizon;
	uint64_t turns, turns_left;
	bool closing; /* no timers, no delays */
	bool failed;
	struct runnable **ready; /* the one that has waited longest first */
	size_t ready_count, ready_room;
	struct actor *running; /* whose turn it is; NULL: nobody's */
	uint32_t running_generation, running_number;
	struct sim_actor *actors; /* by slot */
	size_t actors_room;
	uint32_t actors_seen;
	uint64_t messages_seen;
	struct sim_mark *marks; /* open addressing */
	size_t marks_count, marks_room;
	struct sim_net net;
	struct sim_probe *probes;
	struct runnable *chosen;  /* runs next, whatever is drawn */
	struct sim_actor outside; /* who sends when it is nobody's turn */
	struct sim_draws taken;	  /* deviations */
	struct sim_draws kept;	  /* sorted; keeps: others do not happen */
	bool keeps;
	heist_config inner; /* the user's hooks */
};

/* Memory of the simulation itself: grows by doubling, never fails (it aborts). */
void *heist_sim_grow(void *items, size_t *room, size_t need, size_t size);

/* ---- sim_draw.c ---- */
/* Chance in a million.  True: the decision deviates, and *value is a number for it. */
bool heist_sim_decide(struct heist_sim *sim, struct sim_draw draw, uint32_t chance,
		      uint64_t *value);
/* opts->vary: fewer chances, each by itself.  Based on: Groce, Zhang, Eide, Chen, Regehr, Swarm Testing,
 * ISSTA 2012. */
void heist_sim_vary(heist_sim_opts *opts);
/* NULL, or what is wrong with the list. */
const char *heist_sim_keep(struct heist_sim *sim, const char *list);
/* "kind:subject:count" */
#define SIM_DRAW 64
const char *heist_sim_draw_name(struct sim_draw draw, char text[SIM_DRAW]);

/* ---- sim_fault.c ---- */
/* Run a handler of the actor k, whose behaviour is k->recv, or fail. */
heist_next heist_sim_handle(struct heist_sim *sim, struct sim_actor *k, heist_ctx *ctx, void *state,
			    const heist_type *type, void *msg);
/* Is there no memory this time? */
bool heist_sim_no_memory(struct heist_sim *sim);
/* Is this mailbox full this time? */
bool heist_sim_full(struct heist_sim *sim, heist_ref to);

/* ---- sim_net.c ---- */
/* struct message is built and tagged: it is on its way.  Returns 0 (system.h, actor_deliver). */
int heist_sim_send(struct rt_worker *w, struct actor *a, struct message *m);
/* A stop, behind all that is on its way to the actor. */
void heist_sim_stop(struct heist_sim *sim, struct actor *a, uint32_t generation, heist_status why);
/* Put what is due into the mailboxes. */
void heist_sim_deliver(struct heist_sim *sim);
/* All that is under way is due now. */
void heist_sim_hurry(struct heist_sim *sim);
/* When the next message is due, after now; 0 = none. */
uint64_t heist_sim_next_due(const struct heist_sim *sim);

/* ---- sim_trace.c ---- */
/* Who runs, or the outside. */
struct sim_actor *heist_sim_running(struct heist_sim *sim);
/* What is known of this generation of a slot; NULL: it is an older one. */
struct sim_actor *heist_sim_actor(struct heist_sim *sim, uint32_t slot, uint32_t generation);
void heist_sim_mark(struct heist_sim *sim, const struct message *m, uint64_t number);
/* 0: it was not sent. */
uint64_t heist_sim_marked(const struct heist_sim *sim, const struct message *m);
/* A line, if anybody wants it. */
__attribute__((format(printf, 2, 3))) void heist_sim_say(struct heist_sim *sim, const char *format,
							 ...);
#define SIM_NAME 72
/* "class#number", into text, which is returned. */
const char *heist_sim_name(struct heist_sim *sim, uint32_t slot, uint32_t generation,
			   char text[SIM_NAME]);

/* ---- sim_probe.c ---- */
void heist_sim_probes_free(struct heist_sim *sim);

/* ---- sim.c ---- */
/* One turn, at most, not later than sim->horizon.  False: there is nothing to do. */
bool heist_sim_step(struct heist_sim *sim);

/* ---- sim.c: what the runtime asks ---- */
/* heist_start: replace hooks and options. */
void heist_sim_configure(struct heist_sim *sim, heist_config *c);
void heist_sim_attach(struct heist_sim *sim, heist_system *s);
/* pool_config.pick */
struct runnable *heist_sim_pick(struct worker *w);
/* A call from outside: it sends as the worker does.  False: from another thread. */
bool heist_sim_enter(struct sender *from);
/* Where the behaviour of an actor is: in its slot while its handler runs, else here. */
heist_recv_fn **heist_sim_behaviour(struct heist_sim *sim, struct actor *a);
/* heist_shutdown begins. */
void heist_sim_closing(struct heist_sim *sim);
/* No worker runs any more: hand over what is held here. */
void heist_sim_let_go(struct heist_sim *sim);
/* All is over but freeing: is each message accounted for? */
void heist_sim_account(struct heist_sim *sim);
/* Instead of the machine's random numbers. */
uint64_t heist_sim_random(struct heist_sim *sim);

#endif
