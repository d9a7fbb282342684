/* SPDX-License-Identifier: BSD-2-Clause
 * program.c - see program.h. */
#include "tests/fuzz/program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/ledger.h"
#include "tests/support/memory.h"

#define MS     ((uint64_t)1000000)
#define SECOND (1000 * MS)
#define NOBODY LEDGER_NOBODY
#define PLACES 64 /* incarnations that are alive, timers, watches, tokens, messages held */
#define NAMES  6

/* ---- the bytes ---- */

static const uint8_t *cursor, *cursor_end;

static bool more(void)
{
	return cursor < cursor_end;
}

static uint32_t byte(void)
{
	return more() ? *cursor++ : 0;
}

static uint32_t below(uint32_t n)
{
	return byte() % n;
}

/* ---- the world ---- */

static heist_system *sys;
static struct counted_memory memory;
static uint64_t now_ns, wall_ns;
static bool ticking; /* each look at the clock takes a millisecond */
static bool denied;  /* an allocation has been, or will be, refused */
static bool closed;
static bool supervised; /* there is, or was, a supervisor */
static bool ending;	/* nothing is held any more */

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
};

struct ask {
	uint32_t life, number; /* who asks; the request */
	const heist_type *type;
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

static struct person people[LEDGER_PEOPLE];
static uint32_t population, births, deaths;
static bool alive[LEDGER_MESSAGES]; /* by number of the life */
static struct ask asks[PLACES];
static struct watch watches[PLACES];
static struct job jobs[PLACES];
static struct owed tokens[PLACES];
static void *held[PLACES];
static uint32_t named[NAMES]; /* whose name it is, + 1 */

/* Who acts. */
struct actor {
	heist_ctx *ctx; /* NULL: outside */
	uint8_t person;
	uint32_t life; /* 0: has no number (outside, or a class without hooks) */
};

static void act(struct actor *me, uint32_t most);

/* ---- types ---- */

static void drop(void *payload)
{
	const struct note *n = payload;
	ledger_release(n->number);
}

#define LARGE 200
static const heist_drops dropping = { drop, NULL }, dropping_both = { drop, drop };
static const heist_type types[] = {
	{ types, "note", 0, 8, 1, 0, NULL, NULL },
	{ types, "owned", 1, 16, 1, 0, &dropping, NULL },
	{ types, "large", 2, LARGE, 1, 0, &dropping, NULL },
	{ types, "ask", 3, 24, 8, 0, NULL, NULL },
	{ types, "query", 4, LARGE, LARGE, 0, &dropping_both, NULL },
};
#define TYPES ((uint32_t)(sizeof types / sizeof *types))

static bool owns(const heist_type *t)
{
	return t->drops != NULL;
}

static const heist_type *some_type(void)
{
	return &types[below(TYPES)];
}

/* ---- people ---- */

static uint8_t some_person(void)
{
	return population ? (uint8_t)(1 + below(population)) : 0;
}

static uint8_t person_of(heist_ref r)
{
	for (uint32_t i = population; i > 0; i--)
		if (people[i].ref.v == r.v)
			return (uint8_t)i;
	return 0;
}

static bool room_for(uint32_t n)
{
	return population + n < LEDGER_PEOPLE;
}

static void born(heist_ref r, const heist_opts *o)
{
	struct person *p = &people[++population];
	*p = (struct person){ .ref = r };
	ledger_say("%u is born", population);
	if (o && o->mailbox_cap) {
		p->bounded = true;
		p->capacity = o->mailbox_cap;
		p->overflow = o->overflow;
	}
}

/* What a call that takes something over may answer. */
static bool taken(struct actor *me, heist_status st, uint8_t to)
{
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ENOMEM && denied) ||
	     (st == HEIST_EFULL && people[to].bounded) ||
	     (st == HEIST_ECLOSED && closed && !me->ctx));
	return st == HEIST_OK;
}

/* ---- messages ---- */

struct letter {
	_Alignas(16) unsigned char bytes[LARGE];
	const heist_type *type;
	uint32_t number;
};

static bool write_letter(struct letter *l, const heist_type *type)
{
	l->type = type;
	l->number = ledger_new(l->bytes, type->size, owns(type), false);
	return l->number != 0;
}

static void letter_kept(const struct letter *l)
{
	if (owns(l->type))
		ledger_release(l->number);
}

static void do_send(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	if (!write_letter(&l, some_type()))
		return;
	/* before the call: it may be lost in it */
	ledger_sent(l.number, me->person, to, WAITS);
	if (!taken(me, heist_send(people[to].ref, l.type, l.bytes), to)) {
		ledger_unsent(l.number);
		letter_kept(&l);
	}
}

static uint32_t free_place(void *const *table)
{
	uint32_t i = 0;
	while (i < PLACES && table[i])
		i++;
	return i;
}

static void do_new(void)
{
	struct letter l;
	uint32_t i = free_place(held);
	const heist_type *type = some_type();
	if (ending || i == PLACES || !write_letter(&l, type))
		return;
	held[i] = heist_new(sys, type, byte());
	MUST(held[i] || denied);
	if (held[i])
		memcpy(held[i], l.bytes, type->size);
	else
		letter_kept(&l);
}

static void do_post(struct actor *me)
{
	uint32_t i = below(PLACES);
	uint8_t to = some_person();
	if (!held[i])
		return;
	uint32_t number = ((struct note *)held[i])->number;
	ledger_sent(number, me->person, to, WAITS);
	if (!taken(me, heist_post(people[to].ref, &held[i]), to)) {
		MUST(held[i] != NULL);
		ledger_unsent(number);
	} else {
		MUST(held[i] == NULL);
	}
}

static void do_discard(uint32_t i)
{
	if (held[i])
		heist_discard(&held[i]);
	MUST(held[i] == NULL);
}

/* The payload that is being handled; what becomes of it at the end of the handler. */
struct turn {
	const heist_type *type;
	void *msg;
	uint32_t number;
	bool took, answered;
};
static struct turn *turn;

static void do_take(struct actor *me)
{
	uint32_t i = free_place(held);
	struct letter l;
	if (ending || !turn || turn->took || i == PLACES || ledger.count + 2 >= LEDGER_MESSAGES)
		return;
	uint32_t old = ((struct note *)turn->msg)->number;
	void *mine = heist_take(me->ctx, turn->msg);
	MUST(mine || denied);
	if (!mine)
		return;
	turn->took = true;
	ledger_say("%u is taken", old);
	MUST(((struct note *)mine)->number == old);
	if (owns(turn->type))
		ledger_release(old);
	write_letter(&l, turn->type); /* it is another message from now on */
	memcpy(mine, l.bytes, turn->type->size);
	held[i] = mine;
}

/* ---- requests ---- */

static void answered(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	struct life *life = state;
	struct ask *a = &asks[user % PLACES];
	struct actor me = { ctx, person_of(heist_self(ctx)), life->number };
	struct turn *outer = turn;
	MUST(a->number == user / PLACES && a->life == life->number);
	MUST((status == HEIST_OK) == (reply != NULL));
	const heist_type *type = a->type;
	a->number = 0; /* once */
	uint32_t number = 0;
	if (reply && type->reply_size >= sizeof(struct note)) {
		number = ((const struct note *)reply)->number;
		ledger_arrived(reply, type->reply_size, me.person);
	}
	turn = NULL;
	act(&me, 3);
	turn = outer;
	if (number) {
		ledger_done(number);
		if (owns(type))
			ledger_release(number);
	}
}

static void do_ask(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	uint32_t i = 0, ms = byte();
	while (i < PLACES && asks[i].number && alive[asks[i].life])
		i++;
	if (!me->life || i == PLACES || !write_letter(&l, some_type()))
		return;
	asks[i] = (struct ask){ me->life, l.number, l.type };
	ledger_sent(l.number, me->person, to, WAITS);
	heist_status st =
		heist_ask(me->ctx, people[to].ref, l.type, l.bytes, ms ? now_ns + ms * MS : 0,
			  answered, (uint64_t)l.number * PLACES + i);
	if (st == HEIST_ETIMEOUT || !taken(me, st, to)) {
		ledger_unsent(l.number);
		letter_kept(&l);
		asks[i].number = 0;
	}
}

/* A reply value of this type from `from` to `to`; not for units. */
static uint32_t write_reply(struct letter *l, const heist_type *type, uint8_t from, uint8_t to)
{
	l->type = type;
	l->number = 0;
	memset(l->bytes, 0, sizeof l->bytes);
	if (type->reply_size < sizeof(struct note))
		return 0;
	l->number = ledger_new(l->bytes, type->reply_size, owns(type), true);
	if (l->number)
		ledger_sent(l->number, from, to, to == NOBODY ? TIMED : WAITS);
	return l->number;
}

static void reply_kept(struct letter *l)
{
	if (!l->number)
		return;
	ledger_unsent(l->number);
	letter_kept(l);
}

/* The person that asked; calls from outside have actors of their own. */
static uint8_t asker(struct actor *me)
{
	uint8_t p = person_of(heist_sender(me->ctx));
	return p ? p : NOBODY;
}

static void do_reply(struct actor *me)
{
	struct letter l;
	if (!turn || !heist_sender(me->ctx).v || ledger.count + 2 >= LEDGER_MESSAGES)
		return;
	heist_status how = byte() % 4 ? HEIST_OK : HEIST_EUSER;
	l.number = 0;
	l.type = turn->type;
	memset(l.bytes, 0, sizeof l.bytes);
	if (how == HEIST_OK)
		write_reply(&l, turn->type, me->person, asker(me));
	heist_status st = heist_reply(me->ctx, how, turn->type, l.bytes);
	MUST(st == HEIST_OK || st == HEIST_EINVAL || (st == HEIST_ENOMEM && denied));
	MUST(st != HEIST_OK || !turn->answered);
	if (st == HEIST_OK)
		turn->answered = true;
	else
		reply_kept(&l);
}

static void do_reply_later(struct actor *me)
{
	if (!turn || !heist_sender(me->ctx).v)
		return;
	uint32_t i = below(PLACES);
	uint8_t to = asker(me);
	heist_token t = heist_reply_later(me->ctx, turn->type);
	MUST(t.v[0] == 0 || !turn->answered);
	if (t.v[0] == 0)
		return;
	turn->answered = true;
	tokens[i] = (struct owed){ t, turn->type, me->person, to };
}

static void do_reply_to(struct actor *me)
{
	struct letter l;
	struct owed *o = &tokens[below(PLACES)];
	if (!o->type || ledger.count + 2 >= LEDGER_MESSAGES)
		return;
	/* tokens may be used by anybody, and twice */
	write_reply(&l, o->type, me->person, o->to);
	heist_status st = heist_reply_to(o->token, HEIST_OK, o->type, l.bytes);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied) ||
	     (st == HEIST_ECLOSED && closed && !me->ctx));
	if (st != HEIST_OK)
		reply_kept(&l);
}

static void do_forward(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	if (!turn || !heist_sender(me->ctx).v || !write_letter(&l, some_type()))
		return;
	ledger_sent(l.number, me->person, to, WAITS);
	heist_status st = heist_forward(me->ctx, people[to].ref, l.type, l.bytes);
	if (st == HEIST_EINVAL || /* other replies, or nothing is owed */
	    !taken(me, st, to)) {
		ledger_unsent(l.number);
		letter_kept(&l);
	} else {
		MUST(!turn->answered);
		turn->answered = true;
	}
}

/* With a type that owns nothing: who would own it if the time is over is not ours to know. */
static void do_call(void)
{
	struct letter l;
	unsigned char reply[LARGE];
	const heist_type *type = byte() % 2 ? &types[0] : &types[3];
	uint8_t to = some_person();
	uint32_t ms = byte();
	if (!write_letter(&l, type))
		return;
	ledger_sent(l.number, NOBODY, to, TIMED);
	ticking = true;
	heist_status st = heist_call(sys, people[to].ref, type, l.bytes, now_ns + ms * MS, reply);
	ticking = false;
	MUST(st <= HEIST_OK && st != HEIST_EINVAL);
}

/* ---- timers ---- */

static void do_timer(struct actor *me)
{
	struct letter l;
	heist_status st;
	heist_timer timer = 0;
	uint32_t kind = below(4), i = below(PLACES), delay = byte();
	uint8_t to = kind % 2 ? me->person : some_person();
	const heist_type *type = kind < 3 ? some_type() : &types[0];
	uint64_t due = kind == 2 ? 0 : now_ns + delay * MS / 4; /* a wall clock jumps */
	if (!me->life || !write_letter(&l, type))
		return;
	ledger_sent(l.number, NOBODY, to, kind == 3 ? REPEATS : TIMED);
	if (kind == 3)
		st = heist_send_every(me->ctx, to ? people[to].ref : heist_self(me->ctx), type,
				      l.bytes, delay * MS, MS * (1 + below(20)),
				      (heist_pace)below(2), &timer);
	else if (kind == 2)
		st = heist_send_at(me->ctx, people[to].ref, type, l.bytes, wall_ns + delay * MS / 4,
				   &timer);
	else
		st = heist_send_after(me->ctx, people[to].ref, type, l.bytes, delay * MS / 4,
				      &timer);
	if (!taken(me, st, to)) {
		ledger_unsent(l.number);
		letter_kept(&l);
		return;
	}
	MUST(timer != 0);
	jobs[i] = (struct job){ me->life, l.number, timer, due };
}

static void do_cancel(struct actor *me)
{
	struct job *j = &jobs[below(PLACES)];
	if (!me->life || j->life != me->life)
		return;
	heist_status st = heist_cancel(me->ctx, j->timer);
	MUST(st == HEIST_OK || st == HEIST_EDEAD);
	enum fate *fate = &ledger.entry[j->number].fate;
	MUST(st == HEIST_EDEAD || *fate == TIMED || *fate == REPEATS);
	bool runs = turn && turn->number == j->number; /* AGAIN may bring it back */
	if (st == HEIST_OK && !runs)
		*fate = CANCELLED;
	j->life = 0;
}

/* ---- monitors, links ---- */

static struct watch *watch_of(uint32_t life, uint8_t person)
{
	for (uint32_t i = 0; i < PLACES; i++)
		if (watches[i].life == life && watches[i].person == person)
			return &watches[i];
	return NULL;
}

static void do_monitor(struct actor *me)
{
	uint8_t p = some_person();
	if (!me->life || p == me->person)
		return;
	struct watch *old = watch_of(me->life, p), *w = old ? old : watch_of(0, 0);
	if (!w)
		return;
	heist_status st = heist_monitor(me->ctx, people[p].ref);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied));
	if (st == HEIST_OK)
		*w = (struct watch){ me->life, p };
}

static void do_demonitor(struct actor *me)
{
	uint8_t p = some_person();
	struct watch *w = watch_of(me->life, p);
	if (!me->life || p == me->person)
		return;
	heist_status st = heist_demonitor(me->ctx, people[p].ref);
	MUST(st == HEIST_OK ||
	     st == HEIST_EDEAD); /* it may have ended; and nothing is told then, too */
	if (w)
		*w = (struct watch){ 0 };
}

static void do_link(struct actor *me)
{
	uint8_t p = some_person();
	if (!me->life || p == me->person)
		return;
	heist_status st = byte() % 4 ? heist_link(me->ctx, people[p].ref)
				     : heist_unlink(me->ctx, people[p].ref);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ENOMEM && denied));
}

/* ---- lives ---- */

static heist_next said(struct actor *me)
{
	uint32_t what = byte() % 16;
	if (what >= 1 && what <= 4)
		ledger_say("%u says %u", me->person, what);
	switch (what) {
	case 1:
		return HEIST_STOP;
	case 2:
		return HEIST_FAIL;
	case 3:
		return HEIST_AGAIN;
	case 4:
		if (turn && turn->took)
			ledger_done(turn->number);
		turn = NULL;
		heist_panic(me->ctx, HEIST_EUSER);
	default:
		return HEIST_CONTINUE;
	}
}

static struct actor actor_of(heist_ctx *ctx, const struct life *l)
{
	return (struct actor){ ctx, person_of(heist_self(ctx)), l ? l->number : 0 };
}

static heist_next on_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct life *l = state;
	MUST(l->number == 0 && l->turns == 0 && *(const uint64_t *)arg == 42);
	MUST(births + 1 < LEDGER_MESSAGES && heist_allocated(ctx) == 0);
	l->number = ++births;
	alive[l->number] = true;
	struct actor me = actor_of(ctx, l);
	ledger_say("%u begins life %u", me.person, me.life);
	turn = NULL;
	act(&me, 2);
	heist_next v = said(&me);
	return v == HEIST_AGAIN ? HEIST_CONTINUE : v;
}

static void on_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct life *l = state;
	struct actor me = actor_of(ctx, l);
	(void)why;
	MUST(l->number && alive[l->number]);
	ledger_say("%u ends life %u", me.person, me.life);
	deaths++;
	turn = NULL;
	act(&me, 2);
	alive[l->number] = false;
	for (uint32_t i = 0; i < PLACES; i++)
		if (watches[i].life == l->number)
			watches[i] = (struct watch){ 0 };
	if (byte() % 8 == 1)
		heist_panic(ctx, HEIST_EUSER);
}

static heist_next on_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	struct life *l = state;
	struct actor me = actor_of(ctx, l);
	MUST(alive[l->number]);
	if (sig->kind == HEIST_SIG_DOWN) {
		struct watch *w = watch_of(l->number, person_of(sig->who));
		MUST(w != NULL); /* once, and not after heist_demonitor */
		*w = (struct watch){ 0 };
	}
	turn = NULL;
	act(&me, 2);
	heist_next v = said(&me);
	return v == HEIST_AGAIN ? HEIST_CONTINUE : v;
}

/* Is it time for what a timer has sent? */
static void check_due(uint32_t number)
{
	for (uint32_t i = 0; i < PLACES; i++)
		if (jobs[i].life && jobs[i].number == number)
			MUST(now_ns >= jobs[i].due);
}

static heist_next on_message(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct life *l = state;
	struct actor me = actor_of(ctx, l);
	uint32_t number = ((struct note *)msg)->number;
	struct turn mine = { .type = type, .msg = msg, .number = number };
	MUST(!me.life || alive[me.life]);
	ledger_arrived(msg, type->size, me.person);
	check_due(number);
	turn = &mine;
	act(&me, 4);
	heist_next v = said(&me);
	turn = NULL;
	if (v == HEIST_AGAIN && !mine.took)
		return v;
	if (v == HEIST_FAIL && !mine.took)
		return v; /* lost, or tried again */
	ledger_done(number);
	if (owns(type) && !mine.took)
		ledger_release(number);
	return v;
}

static heist_next on_message_too(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	return on_message(ctx, state, type, msg);
}

static const heist_hooks hooks = { 0, 8, on_init, on_stop, on_signal };
static const heist_hooks trapping = { HEIST_TRAP_LINKS, 8, on_init, on_stop, on_signal };

struct roomy {
	struct life life;
	char room[300];
};

static const heist_class classes[] = {
	{ "small", HEIST_ABI, sizeof(struct life), on_message, &hooks },
	{ "roomy", HEIST_ABI, sizeof(struct roomy), on_message, &hooks },
	{ "trapping", HEIST_ABI, sizeof(struct life), on_message, &trapping },
	{ "bare", HEIST_ABI, sizeof(struct life), on_message, NULL }, /* number stays 0 */
};
static const uint64_t spawn_arg = 42;

static heist_opts some_opts(void)
{
	heist_opts o = heist_opts_default();
	uint32_t x = byte();
	o.batch = x & 1 ? 1 + (x >> 6) : 0;
	o.memory_max = x & 2 ? 100 : 0;
	o.mailbox_cap = x & 4 ? 1 + (x >> 6) : 0;
	o.overflow = (heist_overflow)((x >> 3) % 3);
	o.worker = x & 32 ? 1 : 0;
	return o;
}

static void do_spawn(struct actor *me)
{
	uint32_t x = byte();
	heist_opts o = some_opts();
	const heist_opts *opts = x & 4 ? &o : NULL;
	const heist_class *cls = &classes[x % 4];
	heist_ref r;
	heist_status st;
	if (!room_for(1))
		return;
	if (me->life && x & 8)
		st = heist_spawn_monitor(me->ctx, cls, opts, &spawn_arg, &r);
	else
		st = heist_spawn(sys, cls, opts, &spawn_arg, &r);
	if (!taken(me, st, 0))
		return;
	born(r, opts);
	struct watch *w = watch_of(0, 0);
	if (me->life && x & 8) {
		if (w)
			*w = (struct watch){ me->life, (uint8_t)population };
		else
			MUST(heist_demonitor(me->ctx, r) == HEIST_OK);
	}
}

static void do_end(struct actor *me)
{
	uint8_t p = some_person();
	heist_status why = byte() % 2 ? HEIST_OK : HEIST_EUSER;
	heist_ref r = people[p].ref;
	bool stop = byte() % 2;
	ledger_say("%s %u", stop ? "stop" : "kill", p);
	heist_status st = stop ? heist_stop(r, why) : heist_kill(r, why);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ECLOSED && closed && !me->ctx));
}

/* ---- supervision ---- */

static bool keep(void *user, const heist_type *type, const void *msg)
{
	(void)user, (void)msg;
	return type->tag % 2;
}

static heist_decision decide(void *user, heist_exit how, heist_status status)
{
	(void)user, (void)how, (void)status;
	return (heist_decision)below(4);
}

static heist_child some_child(const heist_opts *o)
{
	heist_child c = heist_child_default();
	uint32_t x = byte(), y = byte();
	c.cls = &classes[x % 4];
	c.opts = y & 1 ? o : NULL;
	c.arg = &spawn_arg;
	c.restart = (heist_restart)((x >> 2) % 3);
	c.leftover = (heist_leftover)((x >> 4) % 3);
	c.keep = keep;
	c.decide = y & 2 ? decide : NULL;
	c.poison_retries = (y >> 2) % 3;
	c.backoff_min_ms = (y >> 4) % 3;
	c.jitter_percent = (y >> 6) * 20;
	c.stop_ms = x >> 6;
	return c;
}

static heist_ref some_supervisor(void)
{
	uint8_t p = some_person();
	return people[p].supervisor ? people[p].ref : (heist_ref){ 0 };
}

static void do_supervise(struct actor *me)
{
	heist_sup sup = heist_sup_default();
	heist_opts o[3];
	heist_child specs[3];
	heist_ref r, refs[3];
	uint32_t x = byte(), n = x % 4;
	if (!room_for(n + 1))
		return;
	for (uint32_t i = 0; i < n; i++) {
		o[i] = some_opts();
		specs[i] = some_child(&o[i]);
	}
	heist_child as = some_child(NULL);
	sup.strategy = (heist_strategy)((x >> 2) % 3);
	sup.intensity = 1 + (x >> 4) % 4;
	sup.period_ms = 1000;
	sup.children = specs;
	sup.child_count = n;
	sup.parent = x & 64 ? some_supervisor() : (heist_ref){ 0 };
	sup.as_child = sup.parent.v && x & 128 ? &as : NULL;
	if (!taken(me, heist_supervise(sys, &sup, &r, refs), 0))
		return;
	born(r, NULL);
	people[population].supervisor = supervised = true;
	for (uint32_t i = 0; i < n; i++)
		born(refs[i], specs[i].opts);
}

static void do_add_child(struct actor *me)
{
	heist_opts o = some_opts();
	heist_child spec = some_child(&o);
	heist_ref sup = some_supervisor(), r;
	if (!sup.v || !room_for(1))
		return;
	if (taken(me, heist_add_child(sys, sup, &spec, &r), 0))
		born(r, spec.opts);
}

/* ---- names ---- */

static const char *name_of(uint32_t i)
{
	static const char *const names[NAMES] = { "a", "b", "a.b", "x/y", "x:1", "name-2" };
	return names[i];
}

static void do_register(void)
{
	uint32_t i = below(NAMES);
	uint8_t p = some_person();
	heist_status st = heist_register(sys, name_of(i), people[p].ref);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_EEXIST && named[i]) ||
	     (st == HEIST_ENOMEM && denied) || (st == HEIST_ECLOSED && closed));
	if (st == HEIST_OK)
		named[i] = p + 1u;
}

static void do_unregister(void)
{
	uint32_t i = below(NAMES);
	heist_status st = heist_unregister(sys, name_of(i));
	MUST(st == HEIST_EDEAD || (st == HEIST_OK && named[i]) || (st == HEIST_ECLOSED && closed));
	if (st == HEIST_OK)
		named[i] = 0;
}

static void do_whereis(void)
{
	uint32_t i = below(NAMES);
	heist_ref r = heist_whereis(sys, name_of(i));
	MUST(r.v == 0 || (named[i] && r.v == people[named[i] - 1].ref.v));
}

/* ---- the rest ---- */

static void do_alloc(struct actor *me)
{
	uint32_t n = byte();
	if (!me->ctx)
		return;
	unsigned char *p = heist_alloc(me->ctx, n);
	for (uint32_t i = 0; p && i < n; i++) {
		MUST(p[i] == 0);
		p[i] = 1;
	}
}

static void look(void)
{
	heist_stats t = heist_stats_default();
	heist_lost_type by_type[8];
	uint64_t lost = 0;
	MUST(heist_get_stats(sys, &t) == HEIST_OK);
	for (int c = 0; c < HEIST_CAUSES; c++)
		lost += t.lost[c];
	MUST(t.timers_armed >= t.timers_fired + t.timers_cancelled);
	MUST(heist_lost_types(sys, by_type, 8) <= TYPES + 2);
	(void)lost;
}

static void do_dump(void)
{
	static int nowhere = -1;
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	heist_status st = heist_dump_events(sys, nowhere);
	MUST(st == HEIST_OK);
}

/* One allocation from here fails, or all for a while. */
static void do_deny(void)
{
	uint32_t x = byte();
	denied = true;
	if (x & 1)
		memory.fail_at = x & 2 ? memory.calls + 1 : 0;
	else
		memory.fail_once = memory.calls + 1 + x / 2;
}

static void do_become(struct actor *me)
{
	if (me->ctx && turn)
		heist_become(me->ctx, byte() % 4 ? on_message_too : on_message);
}

/* What anybody can do. */
static void step(struct actor *me)
{
	switch (below(30)) {
	default:
		do_send(me);
		break;
	case 6:
		do_new();
		break;
	case 7:
		do_post(me);
		break;
	case 8:
		do_discard(below(PLACES));
		break;
	case 9:
	case 10:
		do_spawn(me);
		break;
	case 11:
		do_end(me);
		break;
	case 12:
		do_register();
		break;
	case 13:
		do_unregister();
		break;
	case 14:
		do_whereis();
		break;
	case 15:
		do_reply_to(me);
		break;
	case 16:
		do_supervise(me);
		break;
	case 17:
		do_add_child(me);
		break;
	case 18:
		do_deny();
		break;
	case 19:
		look();
		break;
	case 20:
		do_dump();
		break;
	}
}

/* What only an actor can do. */
static void inner_step(struct actor *me)
{
	switch (below(24)) {
	default:
		step(me);
		break;
	case 0:
	case 1:
		do_ask(me);
		break;
	case 2:
	case 3:
		do_reply(me);
		break;
	case 4:
		do_reply_later(me);
		break;
	case 5:
		do_forward(me);
		break;
	case 6:
		do_take(me);
		break;
	case 7:
	case 8:
		do_timer(me);
		break;
	case 9:
		do_cancel(me);
		break;
	case 10:
		do_monitor(me);
		break;
	case 11:
		do_demonitor(me);
		break;
	case 12:
		do_link(me);
		break;
	case 13:
		do_alloc(me);
		break;
	case 14:
		do_become(me);
		break;
	case 15:
		(void)heist_out_of_budget(me->ctx);
		(void)heist_deadline(me->ctx);
		break;
	}
}

/* Up to `most` steps. */
static void act(struct actor *me, uint32_t most)
{
	if (!more())
		return;
	for (uint32_t n = below(most + 1); n > 0; n--)
		inner_step(me);
}

/* ---- outside ---- */

static uint64_t clock_of_program(void *user, heist_clock which)
{
	(void)user;
	if (ticking) {
		now_ns += MS;
		wall_ns += MS;
	}
	return which == HEIST_CLOCK_WALL ? wall_ns : now_ns;
}

static void no_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line;
}

static void on_lost(void *user, const heist_lost *l)
{
	const struct note *n = l->msg;
	(void)user;
	MUST((unsigned)l->cause < HEIST_CAUSES);
	ledger_say("lost: %s of %u", heist_strcause(l->cause), person_of(l->to));
	if (!n || !l->type || l->type->base != types)
		return;
	if (l->cause == HEIST_LOST_LATE && l->type->reply_size < sizeof *n)
		return; /* a unit */
	if (n->number)	/* 0: the runtime's own unit, whose asker failed */
		ledger_lost(n->number);
}

static heist_system *world_begin(void)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	uint32_t x = byte();
	c.mode = HEIST_POLLED;
	c.clock = clock_of_program;
	c.log = no_log;
	c.dead_letter = on_lost;
	c.alloc = counted_get;
	c.dealloc = counted_put;
	c.user = &memory.hook;
	c.max_actors = 1000;
	c.events = x & 1 ? 16 : 0;
	c.batch = x & 2 ? 1 + (x >> 6) : 0;
	if (x & 4) {
		denied = true;
		memory.fail_once = 1 + (x >> 3);
	}
	heist_status st = heist_start(&c, &s);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied && !s));
	return s;
}

static void pass(uint64_t ns)
{
	now_ns += ns;
	wall_ns += ns;
}

/* What can run now, at most a little of it. */
static void poll(void)
{
	ledger_say("poll");
	MUST(heist_poll(sys, 0, (int)(1 + below(32))) >= 0);
}

static void outer_step(struct actor *me)
{
	switch (below(16)) {
	default:
		step(me);
		break;
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		poll();
		break;
	case 5:
		pass(byte() * MS);
		break;
	case 6:
		wall_ns = (1 + byte()) * SECOND; /* a jump, back or forth */
		break;
	case 7:
		do_call();
		break;
	case 8:
		if (byte() % 16 == 0) {
			closed = true;
			MUST(heist_close(sys) == HEIST_OK);
		}
		break;
	}
}

/* Nothing is left that can run; timers may wait. */
static void quiesce(void)
{
	heist_stats t = heist_stats_default();
	uint64_t lost = 0;
	int polls = 0;
	while (heist_poll(sys, 0, 1000) > 0)
		MUST(++polls < 10000);
	MUST(heist_get_stats(sys, &t) == HEIST_OK);
	for (int c = 0; c < HEIST_CAUSES; c++)
		lost += t.lost[c];
	if (!supervised) /* else something may wait for a child that rests */
		MUST(t.accepted == t.handled + lost);
}

static void world_end(void)
{
	memory.fail_at = 0; /* for a while is over */
	ending = true;
	for (uint32_t i = 0; i < PLACES; i++)
		do_discard(i);
	MUST(heist_shutdown(sys, 0) == HEIST_OK);
	ledger_end();
	MUST(births == deaths);
	MUST(counted_balanced(&memory));
}

static void forget(void)
{
	memset(people, 0, sizeof people);
	memset(alive, 0, (births + 1) * sizeof *alive);
	memset(asks, 0, sizeof asks);
	memset(watches, 0, sizeof watches);
	memset(jobs, 0, sizeof jobs);
	memset(tokens, 0, sizeof tokens);
	memset(held, 0, sizeof held);
	memset(named, 0, sizeof named);
	population = births = deaths = 0;
	denied = closed = supervised = ending = ticking = false;
	now_ns = SECOND;
	wall_ns = 1000000 * SECOND;
	turn = NULL;
	counted_init(&memory);
	memory.hook.user = &memory;
}

void program_run(const uint8_t *bytes, size_t size)
{
	struct actor outside = { NULL, 0, 0 };
	cursor = bytes;
	cursor_end = bytes + size;
	ledger_begin();
	forget();
	sys = world_begin();
	if (!sys) {
		MUST(counted_balanced(&memory));
		return;
	}
	bool at_once = more() && *cursor % 4 == 0; /* end in the middle of it */
	while (more() && (!at_once || cursor_end - cursor > 64))
		outer_step(&outside);
	if (!at_once)
		quiesce();
	world_end();
}

/* Seeds (--wrap): the runtime's choices by chance are the same every time. */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags)
{
	(void)flags;
	memset(to, 1, size);
	return (ssize_t)size;
}
