/* SPDX-License-Identifier: BSD-2-Clause
 * registry.c - names of actors: a hash set read in epoch sections and written under a lock.
 *
 * Edges   RG1 release store of system.registry -> acquire load by everybody
 *         RG2 acq_rel CAS of entry.state TAKEN -> GIVEN_UP: one thread disposes of the entry */
#include "runtime/registry.h"

#include <string.h>

#include "runtime/send.h"

/* Entries looked at for each one that is added: more than one, so garbage is bounded. */
#define SWEEP 4
/* And when a worker parks. */
#define SWEEP_PARK 16

enum { TAKEN, GIVEN_UP };

struct entry {
	struct name name;	       /* first */
	struct stack_link link;	       /* in given_up */
	struct entry *next, *previous; /* ring of all listed entries; the lock's holder */
	struct entry *also;	       /* listed, for the same slot; the same */
	struct registry *registry;
	heist_ref ref;
	_Atomic uint32_t state;
	bool listed; /* in names and in the ring; the lock's holder */
};

struct registry {
	struct names names;
	struct stack given_up;
	struct heist_system *system;
	struct entry *cursor; /* of the sweep; NULL: no entries */
	struct readers *readers;
};

static struct registry *registry_of(struct heist_system *s)
{
	return atomic_load_explicit(&s->registry, memory_order_acquire); /* RG1 acquire */
}

/* ---- names ---- */

const char *heist_name_bad(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
	if (!name)
		return "the name must not be NULL";
	size_t n = strspn(name, allowed);
	if (name[n] != '\0')
		return "a name consists of letters, digits and . _ - / : @";
	if (n == 0 || n >= NAMES_TEXT)
		return "a name has 1 to 47 characters";
	return NULL;
}
_Static_assert(NAMES_TEXT == HEIST_NAME_MAX + 1, "the message above says so");

/* ---- entries: the lock's holder ---- */

static struct entry **entries_of(struct registry *g, heist_ref actor)
{
	return &g->system->slots.control[ref_slot(actor)].named;
}

static void entry_list(struct registry *g, struct entry *e)
{
	struct entry **named = entries_of(g, e->ref);
	e->also = *named;
	*named = e;
	if (!g->cursor) {
		e->next = e->previous = g->cursor = e;
	} else {
		e->next = g->cursor;
		e->previous = g->cursor->previous;
		e->next->previous = e->previous->next = e;
	}
	e->listed = true;
}

static void entry_unlist(struct registry *g, struct entry *e)
{
	struct entry **at = entries_of(g, e->ref);
	heist_names_remove(&g->names, &e->name);
	while (*at && *at != e) /* none, if the slot was given back since */
		at = &(*at)->also;
	if (*at)
		*at = e->also;
	e->next->previous = e->previous;
	e->previous->next = e->next;
	if (g->cursor == e)
		g->cursor = e->next == e ? NULL : e->next;
	e->listed = false;
}

static void entry_free(struct epoch_entry *retired)
{
	struct entry *e = (struct entry *)retired;
	heist_memory_put(&e->registry->system->memory, e, sizeof *e);
}

static void entry_retire(struct registry *g, struct entry *e)
{
	if (e->listed)
		entry_unlist(g, e);
	readers_retire(g->readers, &e->name.retired, entry_free);
}

/* Any thread: true for one of all that try. */
static bool entry_give_up(struct entry *e)
{
	uint32_t taken = TAKEN;
	return atomic_compare_exchange_strong_explicit(&e->state, &taken, GIVEN_UP,
						       memory_order_acq_rel, /* RG2 */
						       memory_order_relaxed);
}

static void drain_given_up(struct registry *g)
{
	for (struct stack_link *l = stack_take_all(&g->given_up), *next; l; l = next) {
		next = stack_next(l);
		entry_retire(g, HEIST_CONTAINER(l, struct entry, link));
	}
}

/* Look at the next n entries, and drop those whose actor has ended. */
static void sweep(struct registry *g, int n)
{
	for (; n > 0 && g->cursor; n--) {
		struct entry *e = g->cursor;
		g->cursor = e->next;
		if (!system_is_alive(g->system, e->ref) && entry_give_up(e))
			entry_retire(g, e);
	}
}

/* ---- the registry ---- */

static struct registry *registry_new(struct heist_system *s)
{
	struct registry *g = heist_memory_get(&s->memory, sizeof *g, HEIST_CACHELINE);
	struct readers *r = g ? heist_readers_new(s) : NULL;
	if (!r || heist_names_init(&g->names, &s->memory, readers_writer(r)) != 0) {
		if (r)
			heist_readers_destroy(r);
		heist_memory_put(&s->memory, g, sizeof *g);
		return NULL;
	}
	g->system = s;
	g->readers = r;
	g->cursor = NULL;
	stack_init(&g->given_up);
	return g;
}

/* Under the lock: the registry, made if there is none; NULL: out of memory. */
static struct registry *registry_need(struct heist_system *s)
{
	struct registry *g = registry_of(s);
	if (!g && (g = registry_new(s)) != NULL)
		atomic_store_explicit(&s->registry, g, memory_order_release); /* RG1 release */
	return g;
}

/* ---- register: under the lock ---- */

/* Make room for a name: HEIST_EEXIST if an actor that is alive has it. */
static heist_status name_clear(struct registry *g, const char *name)
{
	struct entry *e = (struct entry *)heist_names_find(&g->names, name);
	if (!e)
		return HEIST_OK;
	bool given_up = atomic_load_explicit(&e->state, memory_order_relaxed) == GIVEN_UP; /* RG2 */
	if (!given_up && system_is_alive(g->system, e->ref))
		return HEIST_EEXIST;
	if (entry_give_up(e))
		entry_retire(g, e);
	else
		entry_unlist(g, e); /* who gave it up is about to push it */
	return HEIST_OK;
}

static heist_status entry_add(struct heist_system *s, struct entry *e)
{
	struct registry *g = registry_need(s);
	if (!g)
		return HEIST_ENOMEM;
	e->registry = g;
	drain_given_up(g);
	heist_status r = name_clear(g, e->name.text);
	if (r == HEIST_OK && !system_is_alive(s, e->ref))
		r = HEIST_EDEAD;
	if (r == HEIST_OK && !heist_names_add(&g->names, &e->name))
		r = HEIST_ENOMEM;
	if (r == HEIST_OK)
		entry_list(g, e);
	sweep(g, SWEEP);
	readers_reclaim(g->readers, READERS_RECLAIM);
	return r;
}

static heist_status register_entered(struct sender *from, const char *name, heist_ref actor)
{
	struct heist_system *s = from->system;
	if (from->foreign &&
	    atomic_load_explicit(&s->phase, memory_order_acquire) != PHASE_OPEN) /* PH1 acquire */
		return HEIST_ECLOSED;
	struct entry *e = heist_memory_get(&s->memory, sizeof *e, HEIST_CACHELINE);
	if (!e)
		return HEIST_ENOMEM;
	memset(e, 0, sizeof *e);
	strcpy(e->name.text, name);
	e->ref = actor;
	spin_lock(&s->registry_lock);
	heist_status r = entry_add(s, e);
	spin_unlock(&s->registry_lock);
	if (r != HEIST_OK)
		heist_memory_put(&s->memory, e, sizeof *e);
	return r;
}

heist_status heist_register(heist_system *s, const char *name, heist_ref actor)
{
	struct sender from;
	if (!s)
		return HEIST_BAD_ARG("the system must not be NULL");
	const char *bad = heist_name_bad(name);
	if (bad)
		return HEIST_BAD_ARG(bad);
	if (!actor.v)
		return HEIST_EDEAD;
	if (ref_runtime(actor) != s->id)
		return HEIST_BAD_ARG("the actor belongs to another runtime");
	if (!heist_sender_enter(&from, s->id))
		return HEIST_ECLOSED;
	heist_status r = register_entered(&from, name, actor);
	heist_sender_leave(&from);
	return r;
}

/* ---- readers ---- */

/* The entry of a name whose actor is alive; inside a section. */
static struct entry *entry_find(struct registry *g, const char *name)
{
	struct entry *e = (struct entry *)heist_names_find(&g->names, name);
	if (!e || atomic_load_explicit(&e->state, memory_order_relaxed) != TAKEN) /* RG2 decides */
		return NULL;
	return system_is_alive(g->system, e->ref) ? e : NULL;
}

static void tidy(struct heist_system *s, struct registry *g, int entries, uint32_t at)
{
	if (!spin_try(&s->registry_lock))
		return; /* whoever holds it, or comes next, does so */
	drain_given_up(g);
	sweep(g, entries);
	readers_reclaim(g->readers, at);
	spin_unlock(&s->registry_lock);
}

heist_status heist_unregister(heist_system *s, const char *name)
{
	struct sender from;
	if (!s || !name)
		return HEIST_BAD_ARG("system and name must not be NULL");
	struct registry *g = registry_of(s);
	if (!g)
		return HEIST_EDEAD;
	if (!heist_sender_enter(&from, s->id))
		return HEIST_ECLOSED;
	struct epoch_record *record = heist_reader_record(g->readers, &from);
	epoch_enter(record);
	struct entry *e = entry_find(g, name);
	bool mine = e && entry_give_up(e);
	if (mine)
		stack_push(&g->given_up, &e->link);
	epoch_leave(record);
	if (mine)
		tidy(s, g, 0, READERS_RECLAIM);
	heist_sender_leave(&from);
	return mine ? HEIST_OK : HEIST_EDEAD;
}

heist_ref heist_whereis(heist_system *s, const char *name)
{
	heist_ref found = { 0 };
	struct sender from;
	struct registry *g = s && name ? registry_of(s) : NULL;
	if (!g || !heist_sender_enter(&from, s->id))
		return found;
	struct epoch_record *record = heist_reader_record(g->readers, &from);
	epoch_enter(record);
	struct entry *e = entry_find(g, name);
	if (e)
		found = e->ref;
	epoch_leave(record);
	heist_sender_leave(&from);
	return found;
}

/* ---- by the runtime ---- */

void heist_registry_name(struct heist_system *s, heist_ref actor, char name[NAMES_TEXT])
{
	struct registry *g = registry_of(s);
	name[0] = '\0';
	if (!g)
		return;
	spin_lock(&s->registry_lock);
	for (struct entry *e = *entries_of(g, actor); e && !*name; e = e->also)
		if (e->ref.v == actor.v &&
		    atomic_load_explicit(&e->state, memory_order_relaxed) == TAKEN) /* RG2 */
			memcpy(name, e->name.text, NAMES_TEXT);
	spin_unlock(&s->registry_lock);
}

void heist_registry_trim(struct heist_system *s)
{
	struct registry *g = registry_of(s);
	if (g)
		tidy(s, g, SWEEP_PARK, 1);
}

void heist_registry_destroy(struct heist_system *s)
{
	struct registry *g = registry_of(s);
	if (!g)
		return;
	drain_given_up(g);
	while (g->cursor)
		entry_retire(g, g->cursor);
	heist_names_destroy(&g->names);
	heist_readers_destroy(g->readers);
	heist_memory_put(&s->memory, g, sizeof *g);
}
