/* SPDX-License-Identifier: BSD-2-Clause
 * pick.c - one member of a group, chosen by whoever sends: routing without an actor in between.
 *
 * Inside one epoch section, wait-free, and without a line that other senders write:
 *   round robin      each thread goes round by itself, from a place of its own
 *   random           each member is as likely
 *   least loaded     of up to LOOK members in a row from a random place, the one in whose mailbox least
 *                    waits (load_of)
 *   consistent hash  rendezvous hashing (Thaler, Ravishankar: Using name-based mappings to increase hit rates,
 *                    1998): the member with the highest hash of key and handle.  Looks at all members; who
 *                    comes takes its share from everybody, who goes leaves it to everybody */
#include "runtime/bound.h"
#include "runtime/roster.h"

#define LOOK  8	 /* mailboxes that least loaded looks at: each is a line that others write */
#define TRIES 64 /* random places before it takes the next member in a row */

struct picker {
	struct heist_system *system;
	struct roster_table *table;
	uint32_t used;
	uint64_t random;
};

/* The output function of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* A place by chance. */
static uint32_t chance(struct picker *p)
{
	p->random += 0x9E3779B97F4A7C15u;
	return (uint32_t)((mix(p->random) >> 32) * p->used >> 32);
}

/* The first member from place i on, round once. */
static heist_ref from_place(struct picker *p, uint32_t i)
{
	heist_ref r = { 0 };
	for (uint32_t n = 0; n < p->used && !r.v; n++, i = i + 1 < p->used ? i + 1 : 0)
		r = roster_at(p->system, p->table, i);
	return r;
}

/* Who has left is passed over by a turn more, not by his neighbour. */
static heist_ref round_robin(struct picker *p, struct turn *turn)
{
	heist_ref r = { 0 };
	for (uint32_t n = 0; n < p->used && !r.v; n++)
		r = roster_at(p->system, p->table, turn->next++ % p->used);
	return r;
}

static heist_ref at_random(struct picker *p)
{
	heist_ref r = { 0 };
	for (int n = 0; n < TRIES && !r.v; n++)
		r = roster_at(p->system, p->table, chance(p));
	return r.v ? r : from_place(p, chance(p));
}

/* An estimate, outdated at once: what waits in a mailbox with a bound is counted (bound.h); one without is
 * only known to be idle or not. */
static uint32_t load_of(struct heist_system *s, heist_ref r)
{
	uint32_t slot = ref_slot(r);
	uint32_t busy = atomic_load_explicit(&s->slots.base[slot].mailbox.head,
					     memory_order_relaxed) != NULL;
	if (!ref_is_bounded(r))
		return busy;
	return busy + bound_waiting(&s->slots.control[slot]);
}

static heist_ref least_loaded(struct picker *p)
{
	heist_ref best = { 0 };
	uint32_t least = UINT32_MAX, looked = 0, i = chance(p);
	for (uint32_t n = 0; n < p->used && looked < LOOK && least; n++) {
		heist_ref r = roster_at(p->system, p->table, i);
		i = i + 1 < p->used ? i + 1 : 0;
		if (!r.v)
			continue;
		looked++;
		uint32_t load = load_of(p->system, r);
		if (load < least) {
			least = load;
			best = r;
		}
	}
	return best;
}

static heist_ref by_hash(struct picker *p, uint64_t key)
{
	heist_ref best = { 0 };
	uint64_t highest = 0, salt = mix(key + 0x9E3779B97F4A7C15u);
	for (uint32_t i = 0; i < p->used; i++) {
		heist_ref r = roster_at(p->system, p->table, i);
		uint64_t score = mix(r.v ^ salt);
		if (r.v && score >= highest) {
			highest = score;
			best = r;
		}
	}
	return best;
}

static heist_ref pick(struct picker *p, heist_route how, uint64_t key, struct turn *turn)
{
	heist_ref r = { 0 };
	p->random = turn->random;
	switch (how) {
	case HEIST_ROUND_ROBIN:
		r = round_robin(p, turn);
		break;
	case HEIST_RANDOM:
		r = at_random(p);
		break;
	case HEIST_LEAST_LOADED:
		r = least_loaded(p);
		break;
	case HEIST_CONSISTENT_HASH:
		r = by_hash(p, key);
		break;
	}
	turn->random = p->random;
	return r;
}

/* False: the list has no turns, and there is no spare one. */
static bool pick_from(struct sender *from, const char *group, heist_route how, uint64_t key,
		      struct turn *spare, heist_ref *out)
{
	struct epoch_record *record;
	struct roster *roster = heist_roster_enter(from, ROSTER_GROUP, group, &record);
	if (!roster)
		return true;
	struct picker p = { .system = from->system };
	struct turn *turn = spare, *turns;
	turns = atomic_load_explicit(&roster->turns, memory_order_acquire); /* RS4 acquire */
	if (turns)
		turn = &turns[heist_roster_reader(from)];
	p.table = roster_read(roster, &p.used);
	if (turn && p.used) /* a list that is only watched has no array */
		*out = pick(&p, how, key, turn);
	epoch_leave(record);
	return turn != NULL;
}

heist_ref heist_pick(heist_system *s, const char *group, heist_route how, uint64_t key)
{
	struct sender from;
	heist_ref r = { 0 };
	struct turn spare = { 0 };
	if (!s || !group || (unsigned)how > HEIST_CONSISTENT_HASH) {
		(void)HEIST_BAD_ARG("system and group must not be NULL, how a heist_route");
		return r;
	}
	if (!heist_sender_enter(&from, s->id))
		return r;
	bool hash = how == HEIST_CONSISTENT_HASH;
	if (!pick_from(&from, group, how, key, hash ? &spare : NULL, &r)) {
		/* the first time: without memory for turns, by chance */
		spare.random = spare.next = (uint32_t)heist_system_random(s);
		heist_roster_turns(s, ROSTER_GROUP, group);
		(void)pick_from(&from, group, how, key, &spare, &r);
	}
	heist_sender_leave(&from);
	return r;
}
