/* SPDX-License-Identifier: BSD-2-Clause
 * world.h - what a program of the fuzzer is about: the bytes that are left, who there is, and what anybody can
 * do.  One thread; a step takes the bytes that it needs, and does nothing if it makes no sense. */
#ifndef HEIST_TESTS_WORLD_H
#define HEIST_TESTS_WORLD_H

#include "tests/fuzz/ledger.h"
#include "tests/support/memory.h"
#include "tests/support/oracle.h"

#define MS     ((uint64_t)1000000)
#define SECOND (1000 * MS)
#define NOBODY LEDGER_NOBODY
#define PLACES 64 /* incarnations that are alive, timers, watches, tokens, messages held */
#define NAMES  6

extern heist_system *sys;
extern struct counted_memory memory;
extern uint64_t now_ns, wall_ns;
extern bool ticking; /* each look at the clock takes a millisecond */
extern bool denied;  /* an allocation has been, or will be, refused */
extern bool closed;
extern bool
	waiting; /* something may wait though nothing can run: for a child, in a stash, for a reply */
extern bool ending; /* nothing is held any more */

/* A life from init hook to stop hook; the actor's state. */
struct life {
	uint32_t number; /* 1 .. */
	uint32_t turns;
};

struct person {
	heist_ref ref;
	bool bounded, supervisor;
	heist_overflow overflow;
	uint32_t capacity;
	uint32_t notes; /* bits that it was sent */
};

struct ask {
	uint32_t life, number; /* who asks; the request */
	const heist_type *type;
};

struct gather {
	uint32_t life, number; /* who asks; the request that all got */
	uint32_t n, enough;
};

struct watch {
	uint32_t life;
	uint8_t person;
};

struct job {
	uint32_t life, number;
	heist_timer timer;
	uint64_t due;
};

struct owed {
	heist_token token;
	const heist_type *type;
	uint8_t from, to;
};

extern struct person people[LEDGER_PEOPLE];
extern uint32_t population;
extern struct oracle lives;
extern bool alive[LEDGER_MESSAGES]; /* by number of the life */
extern struct ask asks[PLACES];
extern struct watch watches[PLACES];
extern struct job jobs[PLACES];
extern struct owed tokens[PLACES];
extern void *held[PLACES];
extern struct gather gathers[PLACES];
extern uint32_t named[NAMES]; /* whose name it is, + 1 */

/* Who acts. */
struct actor {
	heist_ctx *ctx; /* NULL: outside */
	uint8_t person;
	uint32_t life; /* 0: has no number (outside, or a class without hooks) */
};

#define LARGE 200
extern const heist_type types[];
#define TYPES  5u		/* for messages to one */
#define SHARED (&types[TYPES])	/* large, and owns nothing: for messages to many */
extern const heist_type change; /* what watchers of groups are told by; not in the ledger */

struct letter {
	_Alignas(16) unsigned char bytes[LARGE];
	const heist_type *type;
	uint32_t number;
};

/* The payload that is being handled; what becomes of it at the end of the handler. */
struct turn {
	const heist_type *type;
	void *msg;
	uint32_t number;
	bool took, answered, stashed;
};
extern struct turn *turn; /* NULL: no message is handled */

/* ---- the bytes: program.c ---- */

bool more(void);
uint32_t byte(void);
uint32_t below(uint32_t n);

/* ---- who there is: people.c ---- */

bool owns(const heist_type *t);
const heist_type *some_type(void);
uint8_t some_person(void);
uint8_t person_of(heist_ref r);
bool room_for(uint32_t n);
void born(heist_ref r, const heist_opts *o);
/* Who gets what is sent to this one, as far as that is known. */
uint8_t addressee(uint8_t to);
/* What a call that takes something over may answer. */
bool taken(struct actor *me, heist_status st, uint8_t to);

/* ---- messages: letters.c ---- */

bool write_letter(struct letter *l, const heist_type *type);
void letter_kept(const struct letter *l);
void do_send(struct actor *me);
void do_new(void);
void do_post(struct actor *me);
void do_discard(uint32_t i);
void do_take(struct actor *me);
void do_urgent(struct actor *me);

/* ---- requests: requests.c ---- */

void do_ask(struct actor *me);
uint8_t asker(struct actor *me);
void do_reply(struct actor *me);
void do_reply_later(struct actor *me);
void do_reply_to(struct actor *me);
void do_forward(struct actor *me);
void do_call(void);
void do_ask_all(struct actor *me);

/* ---- timers: timers.c ---- */

void do_timer(struct actor *me);
void do_cancel(struct actor *me);

/* ---- monitors, links, notes: bonds.c ---- */

/* The watch that this life has on a person; (0, 0): room for one; NULL: none. */
struct watch *watch_of(uint32_t life, uint8_t person);
void do_monitor(struct actor *me);
void do_demonitor(struct actor *me);
void do_link(struct actor *me);
void do_notify(void);

/* ---- classes, starts and ends: lives.c ---- */

heist_opts some_opts(void);
void do_spawn(struct actor *me);
void do_end(struct actor *me);
extern const heist_class classes[];
extern const uint64_t spawn_arg;
/* One of those that actors have. */
heist_recv_fn *some_behaviour(void);

/* ---- supervisors and families: trees.c ---- */

void do_supervise(struct actor *me);
void do_add_child(struct actor *me);
void do_spawn_child(struct actor *me);

/* ---- names, groups, topics, paths: lists.c ---- */

void do_register(void);
void do_unregister(void);
void do_whereis(void);
void do_list(void);
void do_send_many(void);
void do_path(void);

/* ---- stash, behaviours, hold, silence: keeping.c ---- */

void do_stash(struct actor *me);
void do_unstash(struct actor *me);
void do_push(struct actor *me);
void do_pop(struct actor *me);
void do_hold(struct actor *me);
void do_idle(struct actor *me);

/* ---- what is done next: steps.c ---- */

/* What anybody can do. */
void step(struct actor *me);
/* Up to `most` steps of an actor. */
void act(struct actor *me, uint32_t most);

#endif
