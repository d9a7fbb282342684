/* SPDX-License-Identifier: BSD-2-Clause
 * path.c - names in the supervision trees, and patterns over them (path.h). */
#include "runtime/path.h"

#include <string.h>

#include "runtime/readers.h"

#define DEPTH 32 /* levels of a path, and parts of a pattern */

enum node_state { NODE_NEW, NODE_LISTED, NODE_ENDED };

struct path_node {
	struct epoch_entry retired; /* first */
	struct bond bond;
	struct heist_system *system;
	_Atomic(struct path_node *) child, next; /* the first one below; the one beside */
	char name[NAMES_TEXT];
	/* the lock's holder */
	enum node_state state;
	uint32_t depth, children;
	struct path_node *parent, *previous, *same; /* same: bucket of `nodes` */
};

#define BUCKETS 256u /* of nodes by handle */

struct paths {
	struct readers *readers;
	struct path_node top; /* above those at the top */
	struct path_node *nodes[BUCKETS];
};

static struct paths *paths_of(struct heist_system *s)
{
	return atomic_load_explicit(&s->paths, memory_order_acquire); /* PA1 acquire */
}

/* ---- patterns ---- */

struct pattern {
	uint32_t parts;
	struct {
		const char *text;
		size_t length;
	} part[DEPTH];
};

static bool part_is(const struct pattern *p, uint32_t i, const char *text)
{
	return strlen(text) == p->part[i].length &&
	       memcmp(p->part[i].text, text, p->part[i].length) == 0;
}

static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@";

const char *heist_path_bad_name(const char *name)
{
	if (!name)
		return NULL;
	size_t n = strspn(name, name_characters);
	if (name[n] != '\0' || n == 0 || n >= NAMES_TEXT)
		return "the name in a path has 1 to 47 letters, digits and . _ - : @";
	return NULL;
}

static const char *pattern_read(const char *text, struct pattern *p)
{
	if (!text || *text != '/')
		return "a path begins with /";
	for (p->parts = 0; *text == '/'; p->parts++) {
		const char *part = ++text;
		text += strspn(text, name_characters);
		if (text == part)
			text += strspn(text, "*");
		if (text == part || (*part == '*' && text - part > 2) ||
		    (*text != '/' && *text != '\0'))
			return "between two / of a path there is a name, * or **";
		if (p->parts == DEPTH)
			return "a path has at most 32 parts";
		p->part[p->parts].text = part;
		p->part[p->parts].length = (size_t)(text - part);
	}
	return NULL;
}

const char *heist_path_bad(const char *pattern)
{
	struct pattern p;
	return pattern_read(pattern, &p);
}

/* A set of how many parts may have been matched, a bit each; ** matches no level, too. */
static uint64_t close_over(const struct pattern *p, uint64_t set)
{
	for (uint32_t i = 0; i < p->parts; i++)
		if (set >> i & 1 && part_is(p, i, "**"))
			set |= (uint64_t)1 << (i + 1);
	return set;
}

/* One level deeper. */
static uint64_t step(const struct pattern *p, uint64_t set, const char *name)
{
	uint64_t next = 0;
	for (uint32_t i = 0; i < p->parts; i++) {
		if (!(set >> i & 1))
			continue;
		if (part_is(p, i, "**"))
			next |= (uint64_t)1 << i;
		else if (part_is(p, i, "*") || part_is(p, i, name))
			next |= (uint64_t)1 << (i + 1);
	}
	return close_over(p, next);
}

/* ---- search: inside a section ---- */

struct search {
	struct heist_system *system;
	struct pattern pattern;
	heist_ref *out;
	size_t cap, found;
};

static struct path_node *follow(_Atomic(struct path_node *) *link)
{
	return atomic_load_explicit(link, memory_order_acquire); /* PA2 acquire */
}

/* Those below a node that was reached with `set`: at most DEPTH deep. */
static void search_below(struct search *q, struct path_node *above, uint64_t set)
{
	for (struct path_node *n = follow(&above->child); n; n = follow(&n->next)) {
		uint64_t now = step(&q->pattern, set, n->name);
		if (now >> q->pattern.parts & 1 && system_is_alive(q->system, n->bond.target) &&
		    q->found++ < q->cap)
			q->out[q->found - 1] = n->bond.target;
		if (now)
			search_below(q, n, now);
	}
}

size_t heist_path_find(heist_system *s, const char *pattern, heist_ref *out, size_t cap)
{
	struct sender from;
	struct search q = { .system = s, .out = out, .cap = cap };
	struct paths *all = paths_of(s);
	if (!all || pattern_read(pattern, &q.pattern) || !heist_sender_enter(&from, s->id))
		return 0;
	struct epoch_record *record = heist_reader_record(all->readers, &from);
	epoch_enter(record);
	search_below(&q, &all->top, close_over(&q.pattern, 1));
	epoch_leave(record);
	heist_sender_leave(&from);
	return q.found;
}

/* ---- the tree: the lock's holder ---- */

static struct paths *paths_need(struct heist_system *s)
{
	struct paths *all = paths_of(s);
	if (all)
		return all;
	all = heist_memory_get(&s->memory, sizeof *all, HEIST_CACHELINE);
	if (!all)
		return NULL;
	memset(all, 0, sizeof *all);
	all->readers = heist_readers_new(s);
	if (!all->readers) {
		heist_memory_put(&s->memory, all, sizeof *all);
		return NULL;
	}
	atomic_store_explicit(&s->paths, all, memory_order_release); /* PA1 release */
	return all;
}

static struct path_node **bucket_of(struct paths *all, heist_ref r)
{
	return &all->nodes[(r.v * 0x9E3779B97F4A7C15u >> 32) % BUCKETS];
}

/* NULL: it has no path, or has ended. */
static struct path_node *node_of(struct paths *all, heist_ref r)
{
	if (!r.v)
		return &all->top;
	struct path_node *n = *bucket_of(all, r);
	while (n && n->bond.target.v != r.v)
		n = n->same;
	return n;
}

static void node_free(struct epoch_entry *e)
{
	struct path_node *n = (struct path_node *)e;
	heist_memory_put(&n->system->memory, n, sizeof *n);
}

static struct path_node *own(_Atomic(struct path_node *) *link)
{
	return atomic_load_explicit(link, memory_order_relaxed); /* own */
}

static void node_list(struct paths *all, struct path_node *n, struct path_node *parent)
{
	struct path_node *first = own(&parent->child), **same = bucket_of(all, n->bond.target);
	n->state = NODE_LISTED;
	n->parent = parent;
	parent->children++;
	n->same = *same;
	*same = n;
	if (first)
		first->previous = n;
	atomic_store_explicit(&n->next, first, memory_order_relaxed);	/* published by PA2 */
	atomic_store_explicit(&parent->child, n, memory_order_release); /* PA2 release */
}

/* Out of the tree, with those above that have ended and have nobody left. */
static void node_unlist(struct paths *all, struct path_node *n)
{
	while (n->state == NODE_ENDED && n->children == 0) {
		struct path_node *parent = n->parent, *next = own(&n->next);
		struct path_node **same = bucket_of(all, n->bond.target);
		if (next)
			next->previous = n->previous;
		atomic_store_explicit(n->previous ? &n->previous->next : &parent->child, next,
				      memory_order_release); /* PA2 release */
		while (*same != n)
			same = &(*same)->same;
		*same = n->same;
		readers_retire(all->readers, &n->retired, node_free);
		parent->children--;
		n = parent;
	}
}

heist_status heist_path_prepare(struct heist_system *s, heist_ref parent, const char *name,
				struct path_node **out)
{
	uint32_t depth = 0;
	*out = NULL;
	if (!name || (parent.v && !paths_of(s)))
		return HEIST_OK;
	spin_lock(&s->paths_lock);
	struct paths *all = paths_need(s);
	struct path_node *above = all ? node_of(all, parent) : NULL;
	if (above)
		depth = above->depth + 1;
	spin_unlock(&s->paths_lock);
	if (all && !above)
		return HEIST_OK;
	if (depth > DEPTH)
		return HEIST_EINVAL;
	struct path_node *n = all ? heist_memory_get(&s->memory, sizeof *n, HEIST_CACHELINE) : NULL;
	if (!n)
		return HEIST_ENOMEM;
	memset(n, 0, sizeof *n);
	n->system = s;
	n->depth = depth;
	n->bond.keeper = BOND_PATH;
	strcpy(n->name, name);
	*out = n;
	return HEIST_OK;
}

struct bond *heist_path_bond(struct path_node *n)
{
	return n ? &n->bond : NULL;
}

void heist_path_drop(struct heist_system *s, struct path_node *n)
{
	heist_memory_put(&s->memory, n, sizeof *n);
}

void heist_path_add(struct heist_system *s, struct path_node *n, heist_ref parent, heist_ref actor)
{
	if (!n)
		return;
	struct paths *all = paths_of(s);
	spin_lock(&s->paths_lock);
	struct path_node *above = node_of(all, parent);
	bool ended = n->state == NODE_ENDED;
	n->bond.target = actor;
	if (!ended && above)
		node_list(all, n, above);
	else if (!ended)
		n->state = NODE_LISTED; /* its parent has ended: nowhere, until it ends, too */
	spin_unlock(&s->paths_lock);
	if (ended)
		heist_path_drop(s, n);
}

void heist_path_ended(struct rt_worker *w, struct bond *b)
{
	struct heist_system *s = w->local.system;
	struct path_node *n = HEIST_CONTAINER(b, struct path_node, bond);
	struct paths *all = paths_of(s);
	spin_lock(&s->paths_lock);
	bool listed = n->state == NODE_LISTED && n->parent;
	bool nowhere = n->state == NODE_LISTED && !n->parent;
	n->state = NODE_ENDED; /* if it was new, who adds it sees that */
	if (listed)
		node_unlist(all, n);
	readers_reclaim(all->readers, READERS_RECLAIM); /* n, too */
	spin_unlock(&s->paths_lock);
	if (nowhere)
		heist_path_drop(s, n);
}

/* ---- the public side ---- */

size_t heist_select(heist_system *s, const char *pattern, heist_ref *out, size_t cap)
{
	const char *bad = heist_path_bad(pattern);
	if (!s || (!out && cap))
		bad = "system and out must not be NULL";
	if (bad)
		(void)HEIST_BAD_ARG(bad);
	return bad ? 0 : heist_path_find(s, pattern, out, cap);
}

/* ---- by the runtime ---- */

void heist_paths_trim(struct heist_system *s)
{
	struct paths *all = paths_of(s);
	if (all)
		heist_readers_trim(all->readers, &s->paths_lock);
}

void heist_paths_destroy(struct heist_system *s)
{
	struct paths *all = paths_of(s);
	if (!all)
		return;
	heist_readers_destroy(all->readers);
	heist_memory_put(&s->memory, all, sizeof *all);
}
