/* SPDX-License-Identifier: BSD-2-Clause
 * keeping.c - see world.h. */
#include "tests/fuzz/world.h"

/* ---- messages that are kept for later ---- */

void do_stash(struct actor *me)
{
	if (!turn || turn->took)
		return;
	heist_status st = heist_stash(me->ctx, turn->msg);
	MUST(st == HEIST_OK || st == HEIST_EFULL || (st == HEIST_ENOMEM && denied));
	if (st != HEIST_OK)
		return;
	ledger_say("%u is stashed", turn->number);
	ledger.entry[turn->number].order = 0; /* later ones pass it */
	waiting = turn->stashed = true;
	turn = NULL;
}

void do_unstash(struct actor *me)
{
	if (!turn)
		return;
	uint32_t kept = heist_stashed(me->ctx);
	MUST(heist_unstash(me->ctx) == kept);
}

/* ---- behaviours ---- */

void do_push(struct actor *me)
{
	if (!turn)
		return;
	heist_status st = heist_push_behaviour(me->ctx, some_behaviour());
	MUST(st == HEIST_OK || st == HEIST_EFULL || (st == HEIST_ENOMEM && denied));
}

void do_pop(struct actor *me)
{
	if (!turn)
		return;
	heist_status st = heist_pop_behaviour(me->ctx);
	MUST(st == HEIST_OK || st == HEIST_EDEAD);
}

/* ---- nothing, for a while ---- */

void do_hold(struct actor *me)
{
	if (!turn)
		return;
	heist_status st = heist_hold(me->ctx);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ENOMEM && denied));
	if (st == HEIST_OK)
		waiting = ledger.holds[me->person] = true;
}

void do_idle(struct actor *me)
{
	uint32_t ms = byte();
	if (!turn || !me->life)
		return;
	heist_status st = heist_idle_after(me->ctx, ms * MS / 4);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied));
}
