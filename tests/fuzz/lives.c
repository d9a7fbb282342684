/* SPDX-License-Identifier: BSD-2-Clause
 * lives.c - see world.h. */
#include "tests/fuzz/world.h"

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
	MUST(lives.begun + 1 < LEDGER_MESSAGES && heist_allocated(ctx) == 0);
	l->number = (uint32_t)oracle_begins(&lives);
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
	oracle_ends(&lives, l->number);
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
	if (sig->kind == HEIST_SIG_NOTIFY)
		MUST(sig->bits && !(sig->bits & ~(uint64_t)people[me.person].notes));
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
	if (type == &change)
		return HEIST_CONTINUE;
	uint32_t number = ((struct note *)msg)->number;
	struct turn mine = { .type = type, .msg = msg, .number = number };
	MUST(!me.life || alive[me.life]);
	ledger_arrived(msg, type->size, me.person);
	check_due(number);
	turn = &mine;
	act(&me, 4);
	if (mine.stashed) { /* it comes again */
		turn = NULL;
		return HEIST_CONTINUE;
	}
	heist_next v = said(&me);
	turn = NULL;
	if (v == HEIST_AGAIN && !mine.took) {
		ledger_say("%u again", number);
		return v;
	}
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

heist_recv_fn *some_behaviour(void)
{
	return byte() % 4 ? on_message_too : on_message;
}

static const heist_hooks hooks = { 0, 8, on_init, on_stop, on_signal };
static const heist_hooks trapping = { HEIST_TRAP_LINKS, 8, on_init, on_stop, on_signal };

struct roomy {
	struct life life;
	char room[300];
};

const heist_class classes[] = {
	{ "small", HEIST_ABI, sizeof(struct life), on_message, &hooks },
	{ "roomy", HEIST_ABI, sizeof(struct roomy), on_message, &hooks },
	{ "trapping", HEIST_ABI, sizeof(struct life), on_message, &trapping },
	{ "bare", HEIST_ABI, sizeof(struct life), on_message, NULL }, /* number stays 0 */
};
const uint64_t spawn_arg = 42;

static void more_opts(heist_opts *o)
{
	uint32_t x = byte();
	o->priority = x & 1 && !o->worker ? HEIST_BACKGROUND : HEIST_NORMAL;
	o->overload_high = x & 2 ? 1 + (x >> 6) : 0;
	o->stash_cap = x & 4 ? 1 : 0;
	if (x & 8 && o->mailbox_cap && population) {
		o->overflow = HEIST_REDIRECT;
		o->redirect = people[some_person()].ref;
	}
}

heist_opts some_opts(void)
{
	heist_opts o = heist_opts_default();
	uint32_t x = byte();
	o.batch = x & 1 ? 1 + (x >> 6) : 0;
	o.memory_max = x & 2 ? 100 : 0;
	o.mailbox_cap = x & 4 ? 1 + (x >> 6) : 0;
	o.overflow = (heist_overflow)((x >> 3) % 3);
	o.worker = x & 32 ? 1 : 0;
	if ((x & 35) == 35)
		more_opts(&o);
	return o;
}

void do_spawn(struct actor *me)
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

void do_end(struct actor *me)
{
	uint8_t p = some_person();
	heist_status why = byte() % 2 ? HEIST_OK : HEIST_EUSER;
	heist_ref r = people[p].ref;
	bool stop = byte() % 2;
	ledger_say("%s %u", stop ? "stop" : "kill", p);
	heist_status st = stop ? heist_stop(r, why) : heist_kill(r, why);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ECLOSED && closed && !me->ctx));
}
