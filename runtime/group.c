/* SPDX-License-Identifier: BSD-2-Clause
 * group.c - groups and topics: two kinds of lists of actors under a name (roster.h), and sends to them and to
 * what a path means (path.h). */
#include "runtime/multicast.h"
#include "runtime/path.h"
#include "runtime/roster.h"

#define FEW 64 /* handles on the stack */

/* ---- members ---- */

heist_status heist_group_join(heist_system *s, const char *group, heist_ref actor)
{
	const char *bad = heist_roster_bad(s, group, actor);
	return bad ? HEIST_BAD_ARG(bad) : heist_roster_join(s, ROSTER_GROUP, group, actor);
}

heist_status heist_group_leave(heist_system *s, const char *group, heist_ref actor)
{
	const char *bad = heist_roster_bad(s, group, actor);
	return bad ? HEIST_BAD_ARG(bad) : heist_roster_leave(s, ROSTER_GROUP, group, actor);
}

heist_status heist_subscribe(heist_system *s, const char *topic, heist_ref actor)
{
	const char *bad = heist_roster_bad(s, topic, actor);
	return bad ? HEIST_BAD_ARG(bad) : heist_roster_join(s, ROSTER_TOPIC, topic, actor);
}

heist_status heist_unsubscribe(heist_system *s, const char *topic, heist_ref actor)
{
	const char *bad = heist_roster_bad(s, topic, actor);
	return bad ? HEIST_BAD_ARG(bad) : heist_roster_leave(s, ROSTER_TOPIC, topic, actor);
}

static const char *members_bad(heist_system *s, const char *name, heist_ref *out, size_t cap)
{
	return s && name && (out || !cap) ? NULL : "system, name and out must not be NULL";
}

size_t heist_group_members(heist_system *s, const char *group, heist_ref *out, size_t cap)
{
	const char *bad = members_bad(s, group, out, cap);
	if (bad)
		(void)HEIST_BAD_ARG(bad);
	return bad ? 0 : heist_roster_members(s, ROSTER_GROUP, group, out, cap);
}

size_t heist_subscribers(heist_system *s, const char *topic, heist_ref *out, size_t cap)
{
	const char *bad = members_bad(s, topic, out, cap);
	if (bad)
		(void)HEIST_BAD_ARG(bad);
	return bad ? 0 : heist_roster_members(s, ROSTER_TOPIC, topic, out, cap);
}

/* ---- watchers ---- */

heist_status heist_group_watch(heist_system *s, const char *group, heist_ref watcher,
			       const heist_type *type, uint64_t user)
{
	const char *bad = heist_roster_bad(s, group, watcher);
	if (!bad && !type)
		bad = "the type must not be NULL";
	if (!bad && (type->size != sizeof(heist_member_event) || type_owns(type)))
		bad = "the type must be one of a heist_member_event that owns nothing";
	return bad ? HEIST_BAD_ARG(bad)
		   : heist_roster_watch(s, ROSTER_GROUP, group, watcher, type, user);
}

heist_status heist_group_unwatch(heist_system *s, const char *group, heist_ref watcher)
{
	const char *bad = heist_roster_bad(s, group, watcher);
	return bad ? HEIST_BAD_ARG(bad) : heist_roster_unwatch(s, ROSTER_GROUP, group, watcher);
}

/* ---- sends ---- */

#define PATHS ROSTER_KINDS /* beside the kinds of lists: the name is a pattern */

static size_t find(heist_system *s, enum roster_kind kind, const char *name, heist_ref *out,
		   size_t cap)
{
	return kind == PATHS ? heist_path_find(s, name, out, cap)
			     : heist_roster_members(s, kind, name, out, cap);
}

/* To whom it is sent is copied, so that nobody waits for a section while messages are made. */
static heist_status send_members(heist_system *s, enum roster_kind kind, const char *name,
				 const heist_type *type, const void *msg, heist_tally *tally)
{
	heist_ref few[FEW], *to = few;
	size_t cap = FEW, n;
	while ((n = find(s, kind, name, to, cap)) > cap) {
		if (to != few)
			heist_memory_put(&s->memory, to, cap * sizeof *to);
		cap = n + n / 8;
		to = heist_memory_get(&s->memory, cap * sizeof *to, HEIST_CACHELINE);
		if (!to)
			return HEIST_ENOMEM;
	}
	heist_status r = heist_multicast(s, to, n, type, msg, tally);
	if (to != few)
		heist_memory_put(&s->memory, to, cap * sizeof *to);
	return r;
}

/* NULL, or what is wrong with the arguments of one of the three sends. */
static const char *send_bad(heist_system *s, enum roster_kind kind, const char *name,
			    const heist_type *type, const void *msg, const heist_tally *tally)
{
	const char *bad = heist_multicast_bad(s, type, msg, tally);
	if (!bad && kind == PATHS)
		bad = heist_path_bad(name);
	else if (!bad && !name)
		bad = "the name must not be NULL";
	return bad;
}

heist_status heist_group_send(heist_system *s, const char *group, const heist_type *type,
			      const void *msg, heist_tally *tally)
{
	const char *bad = send_bad(s, ROSTER_GROUP, group, type, msg, tally);
	return bad ? HEIST_BAD_ARG(bad) : send_members(s, ROSTER_GROUP, group, type, msg, tally);
}

heist_status heist_publish(heist_system *s, const char *topic, const heist_type *type,
			   const void *msg, heist_tally *tally)
{
	const char *bad = send_bad(s, ROSTER_TOPIC, topic, type, msg, tally);
	return bad ? HEIST_BAD_ARG(bad) : send_members(s, ROSTER_TOPIC, topic, type, msg, tally);
}

heist_status heist_send_path(heist_system *s, const char *pattern, const heist_type *type,
			     const void *msg, heist_tally *tally)
{
	const char *bad = send_bad(s, PATHS, pattern, type, msg, tally);
	return bad ? HEIST_BAD_ARG(bad) : send_members(s, PATHS, pattern, type, msg, tally);
}
