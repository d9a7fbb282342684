/* SPDX-License-Identifier: BSD-2-Clause
 * roster.c - lists of actors under a name (roster.h). */
#include "runtime/watcher.h"

#include <string.h>

#define TABLE_FIRST 8u /* handles of the first array */

struct rosters {
	struct heist_system *system;
	struct readers *readers;
	struct names names[ROSTER_KINDS];
};

static struct rosters *rosters_of(struct heist_system *s)
{
	return atomic_load_explicit(&s->rosters, memory_order_acquire); /* RS1 acquire */
}

/* ---- arrays: the lock's holder ---- */

static size_t table_size(uint32_t room)
{
	return sizeof(struct roster_table) + room * sizeof(uint64_t);
}

static void table_free(struct epoch_entry *e)
{
	struct roster_table *t = (struct roster_table *)e;
	heist_memory_put(&t->all->system->memory, t, table_size(t->room));
}

static struct roster_table *table_of(struct roster *r)
{
	return atomic_load_explicit(&r->table, memory_order_relaxed); /* own */
}

static uint32_t table_used(struct roster_table *t)
{
	return t ? atomic_load_explicit(&t->used, memory_order_relaxed) : 0; /* own */
}

static void table_put(struct roster_table *t, uint32_t i, heist_ref ref)
{
	atomic_store_explicit(&t->ref[i], ref.v, memory_order_relaxed); /* published by RS2, RS3 */
}

/* Another array, without gaps; false: out of memory, the old one stays. */
static bool table_renew(struct roster *r, uint32_t room)
{
	struct rosters *all = r->all;
	struct roster_table *old = table_of(r);
	struct roster_table *t =
		heist_memory_get(&all->system->memory, table_size(room), HEIST_CACHELINE);
	if (!t)
		return false;
	t->all = all;
	t->room = room;
	uint32_t n = 0;
	for (uint32_t i = 0; i < table_used(old); i++) {
		heist_ref ref = { atomic_load_explicit(&old->ref[i], memory_order_relaxed) };
		struct bond *b = ref.v ? heist_bonds_find(&r->members, ref, false) : NULL;
		if (!b)
			continue;
		((struct member *)b)->index = n;
		table_put(t, n++, ref);
	}
	atomic_init(&t->used, n);
	atomic_store_explicit(&r->table, t, memory_order_release); /* RS2 release */
	if (old)
		readers_retire(all->readers, &old->retired, table_free);
	return true;
}

static bool table_room(struct roster *r)
{
	struct roster_table *t = table_of(r);
	if (t && table_used(t) < t->room)
		return true;
	uint32_t n = r->members.count;
	return table_renew(r, n < TABLE_FIRST ? TABLE_FIRST : 2 * n);
}

static void table_append(struct roster *r, struct member *m)
{
	struct roster_table *t = table_of(r);
	m->index = table_used(t);
	table_put(t, m->index, m->bond.target);
	atomic_store_explicit(&t->used, m->index + 1, memory_order_release); /* RS3 release */
}

/* It is in r->members no more. */
static void table_remove(struct roster *r, struct member *m)
{
	struct roster_table *t = table_of(r);
	uint32_t n = r->members.count;
	table_put(t, m->index, (heist_ref){ 0 });
	if (n && 8 * (table_used(t) - n) >= table_used(t))
		(void)table_renew(r, n < TABLE_FIRST ? TABLE_FIRST : n + n / 2);
}

/* ---- lists: the lock's holder ---- */

static struct rosters *rosters_new(struct heist_system *s)
{
	struct rosters *all = heist_memory_get(&s->memory, sizeof *all, HEIST_CACHELINE);
	if (!all)
		return NULL;
	all->system = s;
	all->readers = heist_readers_new(s);
	int made = 0;
	while (all->readers && made < ROSTER_KINDS &&
	       heist_names_init(&all->names[made], &s->memory, readers_writer(all->readers)) == 0)
		made++;
	if (made == ROSTER_KINDS)
		return all;
	while (made-- > 0)
		heist_names_destroy(&all->names[made]);
	if (all->readers)
		heist_readers_destroy(all->readers);
	heist_memory_put(&s->memory, all, sizeof *all);
	return NULL;
}

/* NULL: out of memory. */
static struct rosters *rosters_need(struct heist_system *s)
{
	struct rosters *all = rosters_of(s);
	if (!all && (all = rosters_new(s)) != NULL)
		atomic_store_explicit(&s->rosters, all, memory_order_release); /* RS1 release */
	return all;
}

static struct roster *roster_find(struct rosters *all, enum roster_kind kind, const char *name)
{
	return all ? (struct roster *)heist_names_find(&all->names[kind], name) : NULL;
}

static void roster_free(struct epoch_entry *e)
{
	struct roster *r = (struct roster *)e;
	const struct heist_memory *memory = &r->all->system->memory;
	struct turn *turns = atomic_load_explicit(&r->turns, memory_order_relaxed); /* the last */
	if (table_of(r))
		table_free(&table_of(r)->retired);
	heist_memory_put(memory, turns, r->all->readers->records * sizeof *turns);
	heist_bonds_free(memory, &r->members);
	heist_bonds_free(memory, &r->watchers);
	heist_memory_put(memory, r, sizeof *r);
}

/* Found or made; NULL: out of memory. */
static struct roster *roster_need(struct heist_system *s, enum roster_kind kind, const char *name)
{
	struct rosters *all = rosters_need(s);
	struct roster *r = roster_find(all, kind, name);
	if (r || !all)
		return r;
	r = heist_memory_get(&s->memory, sizeof *r, HEIST_CACHELINE);
	if (!r)
		return NULL;
	memset(r, 0, sizeof *r);
	strcpy(r->name.text, name);
	r->all = all;
	r->kind = kind;
	if (heist_names_add(&all->names[kind], &r->name))
		return r;
	heist_memory_put(&s->memory, r, sizeof *r);
	return NULL;
}

/* Something has left, or could not join: the list goes if it is empty. */
static void roster_tidy(struct roster *r)
{
	struct rosters *all = r->all;
	if (!r->members.count && !r->watchers.count && !r->resizing) {
		heist_names_remove(&all->names[r->kind], &r->name);
		readers_retire(all->readers, &r->name.retired, roster_free);
	}
	readers_reclaim(all->readers, READERS_RECLAIM);
}

/* ---- in: the lock's holder ---- */

static heist_status roster_add(struct sender *from, struct roster *r, struct member *m)
{
	struct heist_system *s = from->system;
	struct bonds *table = m->watches ? &r->watchers : &r->members;
	struct message *joined = NULL;
	if (!system_is_alive(s, m->bond.target))
		return HEIST_EDEAD;
	if (heist_bonds_find(table, m->bond.target, false))
		return HEIST_EEXIST;
	if (!heist_bonds_grow(&s->memory, table) || (!m->watches && !table_room(r)) ||
	    !heist_pairs_make(from->local, r, m, &joined))
		return HEIST_ENOMEM;
	m->roster = r;
	heist_bonds_add(table, &m->bond);
	if (!m->watches)
		table_append(r, m);
	heist_events_send(from, joined);
	m->bond.to_target.kind = SIGNAL_WATCH;
	m->bond.to_target.generation = ref_generation(m->bond.target);
	heist_signal_send(s, from->worker, system_actor(s, m->bond.target), &m->bond.to_target);
	return HEIST_OK;
}

/* `like`: what the member shall be, without its place. */
static heist_status add(heist_system *s, enum roster_kind kind, const char *name,
			const struct member *like)
{
	struct sender from;
	if (!like->bond.target.v)
		return HEIST_EDEAD;
	if (!heist_sender_enter(&from, s->id))
		return HEIST_ECLOSED;
	heist_status r = HEIST_ECLOSED;
	struct member *m = NULL;
	struct roster *roster = NULL;
	if (!from.foreign ||
	    atomic_load_explicit(&s->phase, memory_order_acquire) == PHASE_OPEN) { /* PH1 acquire */
		m = heist_memory_get(&s->memory, sizeof *m, HEIST_CACHELINE);
		r = HEIST_ENOMEM;
	}
	if (m) {
		*m = *like;
		spin_lock(&s->rosters_lock);
		roster = roster_need(s, kind, name);
		r = roster ? roster_add(&from, roster, m) : HEIST_ENOMEM;
		if (roster)
			roster_tidy(roster);
		spin_unlock(&s->rosters_lock);
	}
	if (r != HEIST_OK)
		heist_memory_put(&s->memory, m, sizeof *m);
	heist_sender_leave(&from);
	return r;
}

/* ---- out: the lock's holder ---- */

/* Take m, whose bond has been won, out of its list, and tell the others. */
static void roster_remove(struct sender *from, struct member *m, heist_member_change change)
{
	struct roster *r = m->roster;
	if (m->watches) {
		struct walk k = { &r->members, 0, NULL };
		struct member *member;
		heist_bonds_remove(&r->watchers, &m->bond);
		while ((member = walk_next(&k)) != NULL)
			heist_farewells_drop(from->local, member, m);
	} else {
		heist_bonds_remove(&r->members, &m->bond);
		table_remove(r, m);
		heist_farewells_send(from, m, change);
	}
	roster_tidy(r);
}

static heist_status out_locked(struct sender *from, enum roster_kind kind, const char *name,
			       heist_ref actor, bool watches)
{
	struct heist_system *s = from->system;
	struct roster *r = roster_find(rosters_of(s), kind, name);
	struct bond *b =
		r ? heist_bonds_find(watches ? &r->watchers : &r->members, actor, false) : NULL;
#ifdef ROSTER_MUTANT_LEAVE_ANYWAY
	if (!b || (!bond_win(b, BOND_CUT) && false))
#else
	if (!b || !bond_win(b, BOND_CUT)) /* or it has ended just now */
#endif
		return HEIST_EDEAD;
	b->hush = true;
	roster_remove(from, (struct member *)b, HEIST_MEMBER_LEFT);
	b->cut.kind = SIGNAL_CUT;
	b->cut.generation = ref_generation(actor);
	heist_signal_send(s, from->worker, system_actor(s, actor), &b->cut);
	return HEIST_OK;
}

static heist_status out(heist_system *s, enum roster_kind kind, const char *name, heist_ref actor,
			bool watches)
{
	struct sender from;
	if (!heist_sender_enter(&from, s->id))
		return HEIST_ECLOSED;
	spin_lock(&s->rosters_lock);
	heist_status r = out_locked(&from, kind, name, actor, watches);
	spin_unlock(&s->rosters_lock);
	heist_sender_leave(&from);
	return r;
}

void heist_member_ended(struct rt_worker *w, struct bond *b)
{
	struct heist_system *s = w->local.system;
	struct sender from = sender_worker(w);
	spin_lock(&s->rosters_lock);
	roster_remove(&from, (struct member *)b, HEIST_MEMBER_ENDED);
	spin_unlock(&s->rosters_lock);
	heist_member_free(s, b);
}

void heist_member_free(struct heist_system *s, struct bond *b)
{
	heist_memory_put(&s->memory, b, sizeof(struct member));
}

/* ---- the inside of the public functions ---- */

const char *heist_roster_bad(heist_system *s, const char *name, heist_ref actor)
{
	if (!s)
		return "the system must not be NULL";
	if (actor.v && ref_runtime(actor) != s->id)
		return "the actor belongs to another runtime";
	return heist_name_bad(name);
}

heist_status heist_roster_join(heist_system *s, enum roster_kind kind, const char *name,
			       heist_ref actor)
{
	const struct member like = { .bond = { .target = actor, .keeper = BOND_ROSTER } };
	return add(s, kind, name, &like);
}

heist_status heist_roster_leave(heist_system *s, enum roster_kind kind, const char *name,
				heist_ref actor)
{
	return out(s, kind, name, actor, false);
}

heist_status heist_roster_watch(heist_system *s, enum roster_kind kind, const char *name,
				heist_ref actor, const heist_type *type, uint64_t user)
{
	const struct member like = {
		.bond = { .target = actor, .keeper = BOND_ROSTER },
		.watches = true,
		.type = type,
		.user = user,
	};
	return add(s, kind, name, &like);
}

heist_status heist_roster_unwatch(heist_system *s, enum roster_kind kind, const char *name,
				  heist_ref actor)
{
	return out(s, kind, name, actor, true);
}

/* ---- readers ---- */

struct roster *heist_roster_enter(struct sender *from, enum roster_kind kind, const char *name,
				  struct epoch_record **record)
{
	struct rosters *all = rosters_of(from->system);
	if (!all)
		return NULL;
	*record = heist_reader_record(all->readers, from);
	epoch_enter(*record);
	struct roster *r = roster_find(all, kind, name);
	if (!r)
		epoch_leave(*record);
	return r;
}

size_t heist_roster_copy(struct sender *from, enum roster_kind kind, const char *name,
			 heist_ref *out, size_t cap)
{
	struct epoch_record *record;
	struct roster *r = heist_roster_enter(from, kind, name, &record);
	if (!r)
		return 0;
	uint32_t used;
	struct roster_table *t = roster_read(r, &used);
	size_t n = 0;
	for (uint32_t i = 0; i < used; i++) {
#ifdef READERS_MUTANT_AT_ONCE
		heist_thread_yield();
#endif
		heist_ref ref = roster_at(from->system, t, i);
		if (ref.v && n++ < cap)
			out[n - 1] = ref;
	}
	epoch_leave(record);
	return n;
}

size_t heist_roster_members(heist_system *s, enum roster_kind kind, const char *name,
			    heist_ref *out, size_t cap)
{
	struct sender from;
	if (!heist_sender_enter(&from, s->id))
		return 0;
	size_t n = heist_roster_copy(&from, kind, name, out, cap);
	heist_sender_leave(&from);
	return n;
}

uint32_t heist_roster_reader(struct sender *from)
{
	struct readers *readers = rosters_of(from->system)->readers;
	return (uint32_t)(heist_reader_record(readers, from) - readers->record);
}

static struct turn *turns_new(struct heist_system *s, struct rosters *all)
{
	uint32_t n = all->readers->records;
	uint64_t seed = heist_system_random(s);
	struct turn *turns = heist_memory_get(&s->memory, n * sizeof *turns, HEIST_CACHELINE);
	for (uint32_t i = 0; turns && i < n; i++) /* not all begin with the same */
		turns[i] = (struct turn){ .random = seed + ((uint64_t)i << 32), .next = i };
	return turns;
}

void heist_roster_turns(struct heist_system *s, enum roster_kind kind, const char *name)
{
	spin_lock(&s->rosters_lock);
	struct roster *r = roster_find(rosters_of(s), kind, name);
	if (r && !atomic_load_explicit(&r->turns, memory_order_relaxed)) /* own */
		atomic_store_explicit(&r->turns, turns_new(s, r->all),
				      memory_order_release); /* RS4 release */
	spin_unlock(&s->rosters_lock);
}

/* ---- a wanted size ---- */

heist_status heist_roster_want(struct heist_system *s, enum roster_kind kind, const char *name,
			       uint32_t wanted, bool *mine)
{
	spin_lock(&s->rosters_lock);
	struct roster *r = roster_need(s, kind, name);
	if (r) {
		r->wanted = wanted;
		*mine = !r->resizing;
		r->resizing = true;
	}
	spin_unlock(&s->rosters_lock);
	return r ? HEIST_OK : HEIST_ENOMEM;
}

void heist_roster_wanted(struct heist_system *s, enum roster_kind kind, const char *name,
			 uint32_t *there, uint32_t *wanted)
{
	spin_lock(&s->rosters_lock);
	struct roster *r = roster_find(rosters_of(s), kind, name);
	*there = r->members.count; /* it stays while `resizing` is set */
	*wanted = r->wanted;
	spin_unlock(&s->rosters_lock);
}

bool heist_roster_done(struct heist_system *s, enum roster_kind kind, const char *name,
		       uint32_t wanted, bool failed)
{
	spin_lock(&s->rosters_lock);
	struct roster *r = roster_find(rosters_of(s), kind, name);
	bool done = failed || r->wanted == wanted;
	if (done) {
		r->resizing = false;
		roster_tidy(r);
	}
	spin_unlock(&s->rosters_lock);
	return done;
}

/* ---- by the runtime ---- */

void heist_rosters_trim(struct heist_system *s)
{
	struct rosters *all = rosters_of(s);
	if (all)
		heist_readers_trim(all->readers, &s->rosters_lock);
}

void heist_rosters_destroy(struct heist_system *s)
{
	struct rosters *all = rosters_of(s);
	if (!all)
		return;
	for (int i = 0; i < ROSTER_KINDS; i++)
		heist_names_destroy(&all->names[i]);
	heist_readers_destroy(all->readers);
	heist_memory_put(&s->memory, all, sizeof *all);
}
