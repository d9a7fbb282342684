/* SPDX-License-Identifier: BSD-2-Clause
 * events.c - a ring of events per thread: written here and there, merged and printed on demand. */
#include "runtime/events.h"

#include <string.h>

#include "lockfree/ring.h"
#include "runtime/line.h"
#include "runtime/system.h"

#define RINGS_MOST (FOREIGN_LOCALS + CREW_MAX)

struct events {
	struct ring ring;
	heist_ref actor;     /* whose turn was recorded last                   */
	const void *cls;     /* of it                                          */
	uint64_t ended_seen; /* local.ended when that turn began: did it end? */
};

/* ---- set-up ---- */

static uint32_t ring_count(const struct heist_system *s)
{
	return FOREIGN_LOCALS + system_crew_most(s);
}

static size_t cells_size(const struct heist_system *s)
{
	return s->event_cells * sizeof(struct ring_item);
}

int heist_events_init(struct heist_system *s, uint32_t events)
{
	uint32_t n = ring_count(s);
	s->event_cells = 2;
	while (s->event_cells <= events) /* a ring of a power of two keeps one less */
		s->event_cells *= 2;
	size_t size = n * (sizeof(struct events) + cells_size(s));
	struct events *e = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!e)
		return -1;
	memset(e, 0, size);
	char *cells = (char *)(e + n);
	for (uint32_t i = 0; i < n; i++) {
		ring_init(&e[i].ring, cells + i * cells_size(s), s->event_cells);
		if (i < system_locals(s))
			system_local(s, i)->events = &e[i];
	}
	s->events = e;
	heist_places_run_with(s, heist_actor_run_recorded);
	return 0;
}

void heist_events_destroy(struct heist_system *s)
{
	heist_memory_put(&s->memory, s->events,
			 ring_count(s) * (sizeof(struct events) + cells_size(s)));
}

struct events *heist_events_of(struct heist_system *s, uint32_t local)
{
	return s->events ? &s->events[local] : NULL;
}

/* ---- writing: who has the local ---- */

/* An item: time, handle, what, detail << 8 | event. */
HEIST_COLD void heist_events_put(struct local *l, enum event event, heist_ref actor,
				 const void *what, uint32_t detail)
{
	struct ring_item item = { { heist_clock_ns(), actor.v, (uintptr_t)what,
				    (uint64_t)detail << 8 | event } };
	ring_put(&l->events->ring, &item);
}

/* Has the actor of the last recorded turn ended in it?  Asked after the turn and, as a panic leaves a
 * turn by a jump, before whatever comes next. */
static void record_end(struct local *l)
{
	struct events *e = l->events;
	uint64_t ended = atomic_load_explicit(&l->ended, memory_order_relaxed); /* own */
	if (ended == e->ended_seen)
		return;
	e->ended_seen = ended;
	if (e->actor.v)
		heist_events_put(l, EVENT_END, e->actor, e->cls, 0);
}

/* A doorbell has signals where messages have their type. */
static const heist_type *type_of(const struct message *m)
{
	return m && message_kind(m) != KIND_BELL ? m->type : NULL;
}

static void record_turn(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct events *e = w->local.events;
	uintptr_t cur = a->mailbox.cur;
	const struct message *m = cur & MPSC_DONE ? NULL : (const struct message *)cur;
	e->actor = actor_ref(s, a);
	e->cls = actor_class(s, a);
	if (m && message_kind(m) == KIND_INIT && a->recv == NULL)
		heist_events_put(&w->local, EVENT_START, e->actor, e->cls, 0);
	else
		heist_events_put(&w->local, EVENT_RUN, e->actor, type_of(m),
				 m ? message_kind(m) : KIND_USER);
}

enum verdict heist_actor_run_recorded(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	record_end(&w->local);
	record_turn(w, actor_of(r));
	enum verdict v = heist_actor_run(base, r);
	record_end(&w->local);
	return v;
}

/* ---- printing: nothing but stores and write(2), so a signal handler may ---- */

static const char *detail_text(enum event event, uint64_t detail)
{
	static const char *const kinds[] = {
		"message", "init", "request", "reply", "alarm", "bell"
	};
	if (event == EVENT_RUN)
		return detail < sizeof kinds / sizeof *kinds ? kinds[detail] : "";
	return event == EVENT_LOST ? heist_strcause((heist_cause)detail) : "";
}

static const char *what_name(enum event event, uint64_t what)
{
	const void *p = (const void *)(uintptr_t)what;
	const char *name = !p ? NULL
			   : event == EVENT_START || event == EVENT_END
				   ? ((const heist_class *)p)->name
				   : ((const heist_type *)p)->name;
	return name ? name : "";
}

static int print(int fd, const struct ring_item *x, uint32_t ring)
{
	static const char *const events[] = { " start ", " run ", " end ", " lost ", " park" };
	_Static_assert(sizeof events / sizeof *events == EVENTS, "a text for each event");
	enum event event = x->word[3] & 0xff;
	char text[192];
	struct line l = { text, sizeof text, 0 };
	line_number(&l, x->word[0] / 1000000000u, 10, 1);
	line_text(&l, ".");
	line_number(&l, x->word[0] % 1000000000u, 10, 9);
	line_text(&l, ring < FOREIGN_LOCALS ? " outside " : " worker ");
	line_number(&l, ring < FOREIGN_LOCALS ? ring : ring - FOREIGN_LOCALS, 10, 1);
	line_text(&l, event < EVENTS ? events[event] : " ? ");
	if (event != EVENT_PARK) {
		line_number(&l, x->word[1], 16, 16);
		line_text(&l, " ");
		line_text(&l, what_name(event, x->word[2]));
		line_text(&l, *detail_text(event, x->word[3] >> 8) ? " " : "");
		line_text(&l, detail_text(event, x->word[3] >> 8));
	}
	return line_write(&l, fd);
}

/* The oldest item of each ring; time 0: there is none. */
struct heads {
	struct ring_item item[RINGS_MOST];
};

static void next(struct heist_system *s, struct heads *h, uint32_t i)
{
	if (!ring_take(&s->events[i].ring, &h->item[i]))
		h->item[i].word[0] = 0;
}

static uint32_t oldest(const struct heads *h, uint32_t n)
{
	uint32_t best = n;
	for (uint32_t i = 0; i < n; i++)
		if (h->item[i].word[0] && (best == n || h->item[i].word[0] < h->item[best].word[0]))
			best = i;
	return best;
}

heist_status heist_dump_events(heist_system *s, int fd)
{
	static const char off[] = "no events are kept: set HEIST_EVENTS or heist_config.events\n";
	struct heads h;
	if (!s)
		return HEIST_BAD_ARG("the system must not be NULL");
	if (!s->events)
		return heist_write(fd, off, sizeof off - 1) == 0 ? HEIST_OK : HEIST_EINVAL;
	/* No more than there can be now: while the others go on there is always another one. */
	uint64_t left = (uint64_t)ring_count(s) * s->event_cells;
	uint32_t n = ring_count(s), i;
	int failed = 0;
	for (i = 0; i < n; i++)
		next(s, &h, i);
	while ((i = oldest(&h, n)) < n) {
		failed |= print(fd, &h.item[i], i);
		if (left-- > n) /* then print what was taken out already */
			next(s, &h, i);
		else
			h.item[i].word[0] = 0;
	}
	return failed ? HEIST_EINVAL : HEIST_OK;
}
