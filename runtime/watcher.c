/* SPDX-License-Identifier: BSD-2-Clause
 * watcher.c - what watchers of a list are told (watcher.h). */
#include "runtime/watcher.h"

#include "runtime/sim.h"

/* The payload of a farewell as it waits. */
struct farewell {
	heist_member_event event;
	struct member *watcher;
	struct message *next;
};
_Static_assert(sizeof(struct farewell) <= MESSAGE_ROOM, "a farewell is one message");

static struct farewell *farewell_of(struct message *m)
{
	return (void *)m->u.bytes;
}

static struct message *event_new(struct local *l, struct member *watcher, struct member *m,
				 heist_member_change change)
{
	struct message *event = block_alloc(&l->messages);
	if (!event)
		return NULL;
	event->type = watcher->type;
	event->tag = MESSAGE_KIND(KIND_USER);
	*farewell_of(event) = (struct farewell){
		.event = { .who = m->bond.target, .user = watcher->user, .change = change },
		.watcher = watcher
	};
	return event;
}

/* To a watcher that may have ended.  It was not asked for by a sender, so no bound applies. */
static void event_send(struct heist_system *s, struct rt_worker *w, struct local *l,
		       struct message *event)
{
	heist_ref to = farewell_of(event)->watcher->bond.target;
	if (!system_is_alive(s, to)) {
		block_free(&l->messages, event);
		return;
	}
	event->tag |= ref_generation(to);
	heist_count(&l->accepted, 1);
	if (w && w->deferring == SEND_SIMULATED)
		heist_sim_send(w, system_actor(s, to), event);
	else
		actor_push(s, w, system_actor(s, to), event);
}

/* What one watcher is told of one member: that it is there, *joined, and that it leaves, kept in the
 * member.  False: out of memory. */
static bool pair_make(struct local *l, struct member *watcher, struct member *m,
		      struct message **joined)
{
	struct message *hello = event_new(l, watcher, m, HEIST_MEMBER_JOINED);
	struct message *bye = hello ? event_new(l, watcher, m, HEIST_MEMBER_LEFT) : NULL;
	if (!bye) {
		if (hello)
			block_free(&l->messages, hello);
		return false;
	}
	farewell_of(hello)->next = *joined;
	*joined = hello;
	farewell_of(bye)->next = m->farewells;
	m->farewells = bye;
	return true;
}

void heist_farewells_drop(struct local *l, struct member *m, struct member *watcher)
{
	struct message **at = &m->farewells;
	while (*at) {
		struct message *bye = *at;
		if (watcher && farewell_of(bye)->watcher != watcher) {
			at = &farewell_of(bye)->next;
			continue;
		}
		*at = farewell_of(bye)->next;
		block_free(&l->messages, bye);
	}
}

void heist_events_send(struct sender *from, struct message *list)
{
	for (struct message *next; list; list = next) {
		next = farewell_of(list)->next;
		event_send(from->system, from->worker, from->local, list);
	}
}

void heist_farewells_send(struct sender *from, struct member *m, heist_member_change change)
{
	for (struct message *bye = m->farewells; bye; bye = farewell_of(bye)->next)
		farewell_of(bye)->event.change = change;
	heist_events_send(from, m->farewells);
	m->farewells = NULL;
}

static void events_drop(struct local *l, struct message *list)
{
	for (struct message *next; list; list = next) {
		next = farewell_of(list)->next;
		block_free(&l->messages, list);
	}
}

bool heist_pairs_make(struct local *l, struct roster *r, struct member *m, struct message **joined)
{
	struct walk k = { m->watches ? &r->members : &r->watchers, 0, NULL };
	struct member *other;
	while ((other = walk_next(&k)) != NULL) {
		struct member *watcher = m->watches ? m : other, *member = m->watches ? other : m;
		if (pair_make(l, watcher, member, joined))
			continue;
		events_drop(l, *joined);
		k = (struct walk){ &r->members, 0, NULL };
		heist_farewells_drop(l, m, NULL);
		while (m->watches && (other = walk_next(&k)) != NULL)
			heist_farewells_drop(l, other, m);
		return false;
	}
	return true;
}
