/* SPDX-License-Identifier: BSD-2-Clause
 * letters.c - see world.h. */
#include <string.h>

#include "tests/fuzz/world.h"

bool write_letter(struct letter *l, const heist_type *type)
{
	l->type = type;
	l->number = ledger_new(l->bytes, type->size, owns(type), false);
	return l->number != 0;
}

void letter_kept(const struct letter *l)
{
	if (owns(l->type))
		ledger_release(l->number);
}

void do_send(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	if (!write_letter(&l, some_type()))
		return;
	/* before the call: it may be lost in it */
	ledger_sent(l.number, me->person, addressee(to), WAITS);
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

void do_new(void)
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

void do_post(struct actor *me)
{
	uint32_t i = below(PLACES);
	uint8_t to = some_person();
	if (!held[i])
		return;
	uint32_t number = ((struct note *)held[i])->number;
	ledger_sent(number, me->person, addressee(to), WAITS);
	if (!taken(me, heist_post(people[to].ref, &held[i]), to)) {
		MUST(held[i] != NULL);
		ledger_unsent(number);
	} else {
		MUST(held[i] == NULL);
	}
}

void do_discard(uint32_t i)
{
	if (held[i])
		heist_discard(&held[i]);
	MUST(held[i] == NULL);
}

void do_take(struct actor *me)
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

/* It overtakes what waits, so it has no order among the others. */
void do_urgent(struct actor *me)
{
	struct letter l;
	uint8_t to = some_person();
	if (!write_letter(&l, some_type()))
		return;
	ledger_sent(l.number, NOBODY, addressee(to), WAITS);
	if (!taken(me, heist_send_urgent(people[to].ref, l.type, l.bytes), to)) {
		ledger_unsent(l.number);
		letter_kept(&l);
	}
}
