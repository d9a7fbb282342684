/* SPDX-License-Identifier: BSD-2-Clause
 * multicast.c - one message for many actors (multicast.h). */
#include "runtime/multicast.h"

#include <string.h>

/* Receivers between two moments in which others get the local of a foreign thread. */
#define CHUNK 64

struct multicast {
	const heist_type *type;
	const void *msg;
	void *shared;	/* the payload of all; NULL: each gets a copy */
	uint32_t users; /* messages that point to it */
	heist_tally tally;
	heist_status first; /* why somebody has not taken it */
};

static struct message *message_make(struct sender *from, struct multicast *c)
{
	if (!c->shared)
		return message_build(from, KIND_USER, c->type, c->msg, c->type->size);
	struct message *m = block_alloc(&from->local->messages);
	if (m) {
		m->type = c->type;
		m->tag = MESSAGE_KIND(MESSAGE_LARGE);
		m->u.large = c->shared;
		c->users++;
	}
	return m;
}

static heist_status send_one(struct sender *from, struct multicast *c, heist_ref to)
{
	struct actor *a;
	heist_status r = sender_check(from, to, &a);
	if (r == HEIST_OK)
		r = receiver_enter(from, KIND_USER, &to, &a);
	if (r == HEIST_DROPPED) {
		heist_bound_lose(from, to, c->type, (void *)(uintptr_t)c->msg);
		return HEIST_OK;
	}
	if (r != HEIST_OK)
		return r;
	struct message *m = message_make(from, c);
	if (!m) {
		heist_bound_undo(from->system, from->worker, to);
		return HEIST_ENOMEM;
	}
	message_push_to(from, a, to, m);
	return HEIST_OK;
}

static void count(struct multicast *c, heist_status r)
{
	c->tally.tried++;
	c->tally.accepted += r == HEIST_OK;
	c->tally.full += r == HEIST_EFULL;
	c->tally.dead += r == HEIST_EDEAD;
	c->tally.closed += r == HEIST_ECLOSED;
	c->tally.no_memory += r == HEIST_ENOMEM;
	if (r != HEIST_OK && c->first == HEIST_OK)
		c->first = r;
}

static void send_chunk(heist_system *s, struct multicast *c, const heist_ref *to, size_t n)
{
	struct sender from;
	bool there = heist_sender_enter(&from, s->id);
	for (size_t i = 0; i < n; i++)
		count(c, there ? send_one(&from, c, to[i]) : HEIST_ECLOSED);
	if (there)
		heist_sender_leave(&from);
}

heist_status heist_multicast(heist_system *s, const heist_ref *to, size_t n, const heist_type *type,
			     const void *msg, heist_tally *tally)
{
	struct multicast c = { .type = type, .msg = msg };
	c.tally.struct_size = sizeof c.tally;
	if (n && type->size > MESSAGE_ROOM) {
		c.shared = heist_large_new(s, type, type->size);
		if (!c.shared)
			return HEIST_ENOMEM;
		memcpy(c.shared, msg, type->size);
		heist_large_share(c.shared, (uint32_t)n);
	}
	for (size_t i = 0; i < n; i += CHUNK)
		send_chunk(s, &c, to + i, n - i < CHUNK ? n - i : CHUNK);
	if (c.shared)
		heist_large_leave(c.shared, (uint32_t)n - c.users);
	if (tally)
		*tally = c.tally;
	return c.tally.accepted ? HEIST_OK : c.first;
}

const char *heist_multicast_bad(heist_system *s, const heist_type *type, const void *msg,
				const heist_tally *tally)
{
	if (!s || !type || (!msg && type->size))
		return "system, type and msg must not be NULL";
	if (type_owns(type))
		return "the type must own nothing (no drops->msg): many get the message";
	if (tally && tally->struct_size < sizeof *tally)
		return "tally: struct_size missing (use heist_tally_default)";
	return NULL;
}

heist_status heist_send_all(heist_system *s, const heist_ref *to, size_t n, const heist_type *type,
			    const void *msg, heist_tally *tally)
{
	const char *bad = heist_multicast_bad(s, type, msg, tally);
	if (!bad && (n > UINT32_MAX || (n && !to)))
		bad = "to must not be NULL, and n less than 2^32";
	for (size_t i = 0; !bad && i < n; i++)
		if (to[i].v && ref_runtime(to[i]) != s->id)
			bad = "an actor is of another runtime";
	return bad ? HEIST_BAD_ARG(bad) : heist_multicast(s, to, n, type, msg, tally);
}
