/* SPDX-License-Identifier: BSD-2-Clause
 * requests.c - see world.h. */
#include <string.h>

#include "tests/fuzz/world.h"

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

void do_ask(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	uint32_t i = 0, ms = byte();
	while (i < PLACES && asks[i].number && alive[asks[i].life])
		i++;
	if (!me->life || i == PLACES || !write_letter(&l, some_type()))
		return;
	asks[i] = (struct ask){ me->life, l.number, l.type };
	ledger_sent(l.number, me->person, addressee(to), WAITS);
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
uint8_t asker(struct actor *me)
{
	uint8_t p = person_of(heist_sender(me->ctx));
	return p ? p : NOBODY;
}

void do_reply(struct actor *me)
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

void do_reply_later(struct actor *me)
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

void do_reply_to(struct actor *me)
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

void do_forward(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	if (!turn || !heist_sender(me->ctx).v || !write_letter(&l, some_type()))
		return;
	ledger_sent(l.number, me->person, addressee(to), WAITS);
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
void do_call(void)
{
	struct letter l;
	unsigned char reply[LARGE];
	const heist_type *type = byte() % 2 ? &types[0] : &types[3];
	uint8_t to = some_person();
	uint32_t ms = byte();
	if (!write_letter(&l, type))
		return;
	ledger_sent(l.number, NOBODY, addressee(to), TIMED);
	ticking = true;
	heist_status st = heist_call(sys, people[to].ref, type, l.bytes, now_ns + ms * MS, reply);
	ticking = false;
	MUST(st <= HEIST_OK && st != HEIST_EINVAL);
}

/* ---- one request to many ---- */

static void gathered(heist_ctx *ctx, void *state, const heist_answer *answers, uint32_t n,
		     uint64_t user)
{
	struct life *life = state;
	struct gather *g = &gathers[user % PLACES];
	struct actor me = { ctx, person_of(heist_self(ctx)), life->number };
	struct turn *outer = turn;
	MUST(g->number == user / PLACES && g->life == life->number && g->n == n);
	g->number = 0; /* once */
	for (uint32_t i = 0; i < n; i++) {
		MUST((answers[i].status == HEIST_OK) == (answers[i].reply != NULL));
		MUST(person_of(answers[i].who) != 0 || answers[i].who.v == 0);
	}
	turn = NULL;
	act(&me, 3);
	turn = outer;
}

/* By a type whose reply is a unit: values would come out of their order. */
void do_ask_all(struct actor *me)
{
	struct letter l;
	heist_ref to[5];
	uint32_t i = 0, n = 1 + below(5), ms = byte();
	for (uint32_t k = 0; k < n; k++)
		to[k] = people[some_person()].ref;
	while (i < PLACES && gathers[i].number && alive[gathers[i].life])
		i++;
	if (!me->life || i == PLACES || !write_letter(&l, &types[0]))
		return;
	gathers[i] = (struct gather){ me->life, l.number, n, below(n + 1) };
	ledger_sent(l.number, NOBODY, NOBODY, REPEATS);
	heist_status st =
		heist_ask_all(me->ctx, to, n, gathers[i].enough, l.type, l.bytes,
			      ms ? now_ns + ms * MS : 0, gathered, (uint64_t)l.number * PLACES + i);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied));
	if (st != HEIST_OK) {
		ledger_unsent(l.number);
		gathers[i].number = 0;
	}
}
