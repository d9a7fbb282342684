/* SPDX-License-Identifier: BSD-2-Clause
 * people.c - see world.h. */
#include "tests/fuzz/world.h"

/* ---- types ---- */
static void drop(void *payload)
{
	const struct note *n = payload;
	ledger_release(n->number);
}

static const heist_drops dropping = { drop, NULL }, dropping_both = { drop, drop };
const heist_type types[] = {
	{ types, "note", 0, 8, 1, 0, NULL, NULL },
	{ types, "owned", 1, 16, 1, 0, &dropping, NULL },
	{ types, "large", 2, LARGE, 1, 0, &dropping, NULL },
	{ types, "ask", 3, 24, 8, 0, NULL, NULL },
	{ types, "query", 4, LARGE, LARGE, 0, &dropping_both, NULL },
	{ types, "shared", 5, LARGE, 1, 0, NULL, NULL },
};
const heist_type change = {
	.base = &change, .name = "change", .size = sizeof(heist_member_event), .reply_size = 1
};

bool owns(const heist_type *t)
{
	return t->drops != NULL;
}

const heist_type *some_type(void)
{
	return &types[below(TYPES)];
}

/* ---- people ---- */
uint8_t some_person(void)
{
	return population ? (uint8_t)(1 + below(population)) : 0;
}

uint8_t person_of(heist_ref r)
{
	for (uint32_t i = population; i > 0; i--)
		if (people[i].ref.v == r.v)
			return (uint8_t)i;
	return 0;
}

bool room_for(uint32_t n)
{
	return population + n < LEDGER_PEOPLE;
}

void born(heist_ref r, const heist_opts *o)
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

bool taken(struct actor *me, heist_status st, uint8_t to)
{
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_ENOMEM && denied) ||
	     (st == HEIST_EFULL && people[to].bounded) ||
	     (st == HEIST_ECLOSED && closed && !me->ctx));
	return st == HEIST_OK;
}

/* A mailbox that is full may send it on. */
uint8_t addressee(uint8_t to)
{
	return people[to].bounded && people[to].overflow == HEIST_REDIRECT ? NOBODY : to;
}
