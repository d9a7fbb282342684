/* SPDX-License-Identifier: BSD-2-Clause
 * timers.c - see world.h. */
#include "tests/fuzz/world.h"

void do_timer(struct actor *me)
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
	ledger_sent(l.number, NOBODY, addressee(to), kind == 3 ? REPEATS : TIMED);
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

void do_cancel(struct actor *me)
{
	struct job *j = &jobs[below(PLACES)];
	if (!me->life || j->life != me->life)
		return;
	heist_status st = heist_cancel(me->ctx, j->timer);
	MUST(st == HEIST_OK || st == HEIST_EDEAD);
	ledger_say("%u cancels %u: %s", me->person, j->number, heist_strstatus(st));
	enum fate *fate = &ledger.entry[j->number].fate;
	MUST(st == HEIST_EDEAD || *fate == TIMED || *fate == REPEATS);
	bool runs = turn && turn->number == j->number; /* AGAIN may bring it back */
	if (st == HEIST_OK && !runs)
		*fate = CANCELLED;
	j->life = 0;
}
