/* SPDX-License-Identifier: BSD-2-Clause
 * replicas.c - a pool: as many equal children of a supervisor, members of one group, as are wanted.
 *
 * Any thread may want another number.  The first one sees to it; others only write down theirs, which he
 * finds when he is done.  So nobody waits, and no child is made twice. */
#include "runtime/roster.h"

static heist_status grow(heist_system *s, heist_ref sup, const char *group, const heist_child *spec)
{
	heist_ref r;
	heist_status st = heist_add_child(s, sup, spec, &r);
	if (st != HEIST_OK)
		return st;
	st = heist_roster_join(s, ROSTER_GROUP, group, r);
	if (st == HEIST_EDEAD) /* so soon: not ours to judge */
		return HEIST_OK;
	if (st != HEIST_OK)
		(void)heist_kill(r, st);
	return st;
}

/* The youngest ones go: no more is sent to them, then they drain. */
static heist_status shrink(heist_system *s, const char *group, uint32_t from, uint32_t to)
{
	heist_ref *all = heist_memory_get(&s->memory, from * sizeof *all, HEIST_CACHELINE);
	if (!all)
		return HEIST_ENOMEM;
	size_t n = heist_roster_members(s, ROSTER_GROUP, group, all, from);
	for (size_t i = n < from ? n : from; i > to; i--)
		if (heist_roster_leave(s, ROSTER_GROUP, group, all[i - 1]) == HEIST_OK)
			(void)heist_stop(all[i - 1], HEIST_OK);
	heist_memory_put(&s->memory, all, from * sizeof *all);
	return HEIST_OK;
}

static heist_status resize(heist_system *s, heist_ref sup, const char *group,
			   const heist_child *spec)
{
	heist_status st = HEIST_OK;
	uint32_t there, wanted;
	do {
		heist_roster_wanted(s, ROSTER_GROUP, group, &there, &wanted);
		if (there > wanted)
			st = shrink(s, group, there, wanted);
		for (uint32_t i = there; st == HEIST_OK && i < wanted; i++)
			st = grow(s, sup, group, spec);
	} while (!heist_roster_done(s, ROSTER_GROUP, group, wanted, st != HEIST_OK));
	return st;
}

heist_status heist_resize(heist_system *s, heist_ref sup, const char *group,
			  const heist_child *spec, uint32_t count)
{
	bool mine;
	const char *bad = heist_roster_bad(s, group, sup);
	if (!bad && !spec)
		bad = "the child must not be NULL";
	if (bad)
		return HEIST_BAD_ARG(bad);
	if (!sup.v || !system_is_alive(s, sup))
		return HEIST_EDEAD;
	heist_status st = heist_roster_want(s, ROSTER_GROUP, group, count, &mine);
	return st == HEIST_OK && mine ? resize(s, sup, group, spec) : st;
}
