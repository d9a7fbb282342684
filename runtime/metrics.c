/* SPDX-License-Identifier: BSD-2-Clause
 * metrics.c - what heist_get_stats, heist_get_worker_stats and heist_lost_types tell, as OpenMetrics text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/system.h"

/* What is written, piece by piece; the first refusal ends it. */
struct out {
	bool (*write)(void *user, const char *text, size_t size);
	void *user;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *format, ...)
{
	char line[512]; /* of fixed texts, numbers and at most 100 characters of a name */
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (!o->failed)
		o->failed = !o->write(o->user, line, (size_t)n);
}

/* ---- families with one value ---- */

struct family_of_one {
	const char *name, *type, *unit, *help;
	size_t field; /* of heist_stats */
};

#define COUNTER(NAME, FIELD, HELP)                                                                 \
	{                                                                                          \
		NAME, "counter", "", HELP, offsetof(heist_stats, FIELD)                            \
	}
#define BYTES(NAME, FIELD, HELP)                                                                   \
	{                                                                                          \
		NAME, "gauge", "bytes", HELP, offsetof(heist_stats, FIELD)                         \
	}
static const struct family_of_one families[] = {
	{ "heist_actors", "gauge", "", "Actors alive.", offsetof(heist_stats, actors) },
	COUNTER("heist_messages_accepted", accepted, "Messages, requests and replies taken over."),
	COUNTER("heist_messages_handled", handled, "Of these, those that reached a handler."),
	COUNTER("heist_messages_refused", refused, "Messages not taken over by a full mailbox."),
	COUNTER("heist_messages_redirected", redirected, "Messages that a full mailbox sent on."),
	COUNTER("heist_activations", activations, "Times an actor was given a worker."),
	COUNTER("heist_steals", steals, "Actors that a worker took from another."),
	COUNTER("heist_parks", parks, "Times a worker went to sleep."),
	COUNTER("heist_wakes", wakes, "Times a worker was woken for new work."),
	COUNTER("heist_timers_armed", timers_armed, "Timers set, periods included."),
	COUNTER("heist_timers_fired", timers_fired, "Timers that fired."),
	COUNTER("heist_timers_cancelled", timers_cancelled, "Timers that were cancelled."),
	COUNTER("heist_faults", faults, "Faults in handlers that were contained."),
	BYTES("heist_quarantined_memory_bytes", quarantined, "Memory that contained faults left."),
	COUNTER("heist_log_lines", log_lines, "Lines of the log that were written."),
	COUNTER("heist_log_lost", log_lost, "Lines of the log that were lost."),
	BYTES("heist_message_memory_bytes", message_bytes, "Memory held for messages."),
	BYTES("heist_slot_memory_bytes", slot_bytes, "Memory committed for actor slots."),
	BYTES("heist_arena_memory_bytes", arena_bytes, "Memory held for heist_alloc."),
};

static void put_head(struct out *o, const char *name, const char *type, const char *unit,
		     const char *help)
{
	put(o, "# TYPE %s %s\n", name, type);
	if (*unit)
		put(o, "# UNIT %s %s\n", name, unit);
	put(o, "# HELP %s %s\n", name, help);
}

static void put_family(struct out *o, const struct family_of_one *f, const heist_stats *t)
{
	uint64_t value;
	memcpy(&value, (const char *)t + f->field, sizeof value);
	put_head(o, f->name, f->type, f->unit, f->help);
	put(o, "%s%s %llu\n", f->name, strcmp(f->type, "counter") == 0 ? "_total" : "",
	    (unsigned long long)value);
}

/* ---- labels ---- */

/* A label's value: what would end it is escaped, what is too long is cut. */
static const char *label(const char *text, char room[104])
{
	size_t n = 0;
	for (; *text && n < 100; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			room[n++] = '\\';
		room[n++] = *text == '\n' ? 'n' : *text;
	}
	room[n] = '\0';
	return room;
}

/* ---- workers ---- */

static const struct {
	const char *name, *help;
	size_t field; /* of heist_worker_stats */
} of_workers[] = {
#define OF_WORKER(FIELD, NAME, HELP)                                                               \
	{                                                                                          \
		"heist_worker_" NAME, HELP, offsetof(heist_worker_stats, FIELD)                    \
	}
	OF_WORKER(handled, "messages_handled", "Messages that reached a handler, by worker."),
	OF_WORKER(activations, "activations", "Times an actor was given this worker."),
	OF_WORKER(steals, "steals", "Actors that this worker took from others."),
	OF_WORKER(parks, "parks", "Times this worker went to sleep."),
	OF_WORKER(wakes, "wakes", "Times this worker was woken for new work."),
	OF_WORKER(spawned, "actors_spawned", "Actors spawned by handlers, by worker."),
	OF_WORKER(lost, "messages_lost", "Messages lost by this worker, whatever the cause."),
};

/* Spares that were never needed are left out. */
static void put_worker(struct out *o, const heist_system *s, uint32_t worker, size_t f)
{
	char room[104];
	uint64_t value;
	heist_worker_stats t = heist_worker_stats_default();
	if (heist_get_worker_stats(s, worker, &t) != HEIST_OK || (t.spare && !t.activations))
		return;
	memcpy(&value, (const char *)&t + of_workers[f].field, sizeof value);
	put(o, "%s_total{worker=\"%u\",pool=\"%s\"} %llu\n", of_workers[f].name, (unsigned)worker,
	    label(t.pool, room), (unsigned long long)value);
}

static void put_workers(struct out *o, const heist_system *s)
{
	uint32_t n = system_crew(s);
	for (size_t f = 0; f < sizeof of_workers / sizeof *of_workers; f++) {
		put_head(o, of_workers[f].name, "counter", "", of_workers[f].help);
		for (uint32_t i = 0; i < n; i++)
			put_worker(o, s, i, f);
	}
}

/* ---- losses ---- */

static void put_lost_of(struct out *o, const heist_lost_type *t)
{
	char room[104];
	for (int c = 0; c < HEIST_CAUSES; c++)
		if (t->lost[c])
			put(o, "heist_type_lost_total{type=\"%s\",cause=\"%s\"} %llu\n",
			    label(t->type && t->type->name ? t->type->name : "", room),
			    heist_strcause((heist_cause)c), (unsigned long long)t->lost[c]);
}

static heist_status put_lost_types(struct out *o, const heist_system *s)
{
	size_t n = heist_lost_types(s, NULL, 0), size = n * sizeof(heist_lost_type);
	heist_lost_type *types = n ? heist_memory_get(&s->memory, size, HEIST_CACHELINE) : NULL;
	if (n && !types)
		return HEIST_ENOMEM;
	size_t there = heist_lost_types(s, types, n); /* there may be more by now */
	put_head(o, "heist_type_lost", "counter", "", "Messages lost, by type and cause.");
	for (size_t i = 0; i < n && i < there; i++)
		put_lost_of(o, &types[i]);
	heist_memory_put(&s->memory, types, size);
	return HEIST_OK;
}

/* ---- all of it ---- */

heist_status heist_metrics(const heist_system *s,
			   bool (*write)(void *user, const char *text, size_t size), void *user)
{
	struct out o = { write, user, false };
	heist_stats t = heist_stats_default();
	if (!s || !write)
		return HEIST_BAD_ARG("system and write must not be NULL");
	(void)heist_get_stats(s, &t);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		put_family(&o, &families[i], &t);
	put_head(&o, "heist_workers", "gauge", "", "Workers of the runtime.");
	put(&o, "heist_workers %u\n", (unsigned)t.workers);
	put_head(&o, "heist_messages_lost", "counter", "", "Messages lost, by cause.");
	for (int c = 0; c < HEIST_CAUSES; c++)
		put(&o, "heist_messages_lost_total{cause=\"%s\"} %llu\n",
		    heist_strcause((heist_cause)c), (unsigned long long)t.lost[c]);
	put_workers(&o, s);
	heist_status r = put_lost_types(&o, s);
	put(&o, "# EOF\n");
	return r == HEIST_OK && o.failed ? HEIST_EINVAL : r;
}
