/* SPDX-License-Identifier: BSD-2-Clause
 * lists.c - see world.h. */
#include "tests/fuzz/world.h"

static const char *name_of(uint32_t i)
{
	static const char *const names[NAMES] = { "a", "b", "a.b", "x/y", "x:1", "name-2" };
	return names[i];
}

void do_register(void)
{
	uint32_t i = below(NAMES);
	uint8_t p = some_person();
	heist_status st = heist_register(sys, name_of(i), people[p].ref);
	MUST(st == HEIST_OK || st == HEIST_EDEAD || (st == HEIST_EEXIST && named[i]) ||
	     (st == HEIST_ENOMEM && denied) || (st == HEIST_ECLOSED && closed));
	if (st == HEIST_OK)
		named[i] = p + 1u;
}

void do_unregister(void)
{
	uint32_t i = below(NAMES);
	heist_status st = heist_unregister(sys, name_of(i));
	MUST(st == HEIST_EDEAD || (st == HEIST_OK && named[i]) || (st == HEIST_ECLOSED && closed));
	if (st == HEIST_OK)
		named[i] = 0;
}

void do_whereis(void)
{
	uint32_t i = below(NAMES);
	heist_ref r = heist_whereis(sys, name_of(i));
	MUST(r.v == 0 || (named[i] && r.v == people[named[i] - 1].ref.v));
}

/* ---- groups, topics ---- */

static void do_join(uint32_t what, const char *list)
{
	heist_ref r = people[some_person()].ref;
	heist_status st;
	switch (what) {
	case 0:
		st = heist_group_join(sys, list, r);
		break;
	case 1:
		st = heist_group_leave(sys, list, r);
		break;
	case 2:
		st = heist_subscribe(sys, list, r);
		break;
	case 3:
		st = heist_unsubscribe(sys, list, r);
		break;
	case 4:
		st = heist_group_watch(sys, list, r, &change, 1);
		break;
	default:
		st = heist_group_unwatch(sys, list, r);
	}
	MUST(st == HEIST_OK || st == HEIST_EDEAD || st == HEIST_EEXIST ||
	     (st == HEIST_ENOMEM && denied) || (st == HEIST_ECLOSED && closed));
}

/* Or what a tree left that could not be made whole. */
static void are_people(const heist_ref *some, size_t n)
{
	for (size_t i = 0; i < n && i < LEDGER_PEOPLE; i++)
		MUST(person_of(some[i]) != 0 || denied);
}

void do_list(void)
{
	uint32_t what = below(9);
	const char *list = name_of(below(NAMES));
	heist_ref some[LEDGER_PEOPLE];
	if (population == 0)
		return;
	if (what < 6)
		do_join(what, list);
	else if (what == 6)
		are_people(some, heist_group_members(sys, list, some, LEDGER_PEOPLE));
	else if (what == 7)
		are_people(some, heist_subscribers(sys, list, some, LEDGER_PEOPLE));
	else if ((some[0] = heist_pick(sys, list, (heist_route)below(4), byte())).v)
		are_people(some, 1);
}

/* ---- messages for many: each may get it, none need ---- */

static const char *some_pattern(void)
{
	static const char *const patterns[] = { "/**", "/a", "/*", "/**/b", "/*/c:1", "/**/a" };
	return patterns[below(6)];
}

static heist_status send_many(const heist_type *type, const void *msg, heist_tally *t)
{
	heist_ref to[4];
	uint32_t what = below(4);
	const char *list = name_of(below(NAMES));
	switch (what) {
	case 0:
		return heist_group_send(sys, list, type, msg, t);
	case 1:
		return heist_publish(sys, list, type, msg, t);
	case 2:
		return heist_send_path(sys, some_pattern(), type, msg, t);
	default:
		for (uint32_t i = 0; i < 4; i++)
			to[i] = people[some_person()].ref;
		return heist_send_all(sys, to, 4, type, msg, t);
	}
}

void do_send_many(void)
{
	struct letter l;
	heist_tally t = heist_tally_default();
	if (population == 0 || !write_letter(&l, byte() % 2 ? SHARED : &types[0]))
		return;
	ledger_sent(l.number, NOBODY, NOBODY, REPEATS);
	heist_status st = send_many(l.type, l.bytes, &t);
	MUST(st <= HEIST_OK && st != HEIST_EINVAL);
	MUST(t.tried == t.accepted + t.full + t.dead + t.closed + t.no_memory);
	MUST(!t.no_memory || denied);
	MUST(!t.closed || closed);
	if (t.accepted == 0)
		ledger_unsent(l.number);
}

/* ---- paths ---- */

void do_path(void)
{
	heist_ref some[LEDGER_PEOPLE];
	are_people(some, heist_select(sys, some_pattern(), some, LEDGER_PEOPLE));
}
