/* SPDX-License-Identifier: BSD-2-Clause
 * bonds.c - see world.h. */
#include "tests/fuzz/world.h"

struct watch *watch_of(uint32_t life, uint8_t person)
{
	for (uint32_t i = 0; i < PLACES; i++)
		if (watches[i].life == life && watches[i].person == person)
			return &watches[i];
	return NULL;
}

void do_monitor(struct actor *me)
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

void do_demonitor(struct actor *me)
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

void do_link(struct actor *me)
{
	uint8_t p = some_person();
	if (!me->life || p == me->person)
		return;
	heist_status st = byte() % 4 ? heist_link(me->ctx, people[p].ref)
				     : heist_unlink(me->ctx, people[p].ref);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ENOMEM && denied));
}

void do_notify(void)
{
	uint8_t p = some_person();
	uint32_t bits = 1u << below(32);
	heist_status st = heist_notify(people[p].ref, bits);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ECLOSED && closed));
	if (st == HEIST_OK)
		people[p].notes |= bits;
}
