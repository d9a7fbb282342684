/* SPDX-License-Identifier: BSD-2-Clause
 * metrics.c - what heist_get_stats, heist_get_worker_stats, heist_get_class_stats and heist_lost_types tell,
 * as OpenMetrics text. */
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

/* Two names that are one in the text would be one series twice. */
static bool same_label(const char *a, const char *b)
{
	char room[2][104];
	return strcmp(label(a, room[0]), label(b, room[1])) == 0;
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

static const char *type_name(const heist_lost_type *t)
{
	return t->type && t->type->name ? t->type->name : "";
}

/* Types with one name are summed up, in place.  The number of entries. */
static size_t lost_by_name(heist_lost_type *types, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < kept && !same_label(type_name(&types[k]), type_name(&types[i])))
			k++;
		if (k == kept)
			types[kept++] = types[i];
		else
			for (int c = 0; c < HEIST_CAUSES; c++)
				types[k].lost[c] += types[i].lost[c];
	}
	return kept;
}

static void put_lost_of(struct out *o, const heist_lost_type *t)
{
	char room[104];
	for (int c = 0; c < HEIST_CAUSES; c++)
		if (t->lost[c])
			put(o, "heist_type_lost_total{type=\"%s\",cause=\"%s\"} %llu\n",
			    label(type_name(t), room), heist_strcause((heist_cause)c),
			    (unsigned long long)t->lost[c]);
}

static heist_status put_lost_types(struct out *o, const heist_system *s)
{
	size_t n = heist_lost_types(s, NULL, 0), size = n * sizeof(heist_lost_type);
	heist_lost_type *types = n ? heist_memory_get(&s->memory, size, HEIST_CACHELINE) : NULL;
	if (n && !types)
		return HEIST_ENOMEM;
	size_t there = heist_lost_types(s, types, n); /* there may be more by now */
	there = lost_by_name(types, there < n ? there : n);
	put_head(o, "heist_type_lost", "counter", "", "Messages lost, by type and cause.");
	for (size_t i = 0; i < there; i++)
		put_lost_of(o, &types[i]);
	heist_memory_put(&s->memory, types, size);
	return HEIST_OK;
}

/* ---- classes ---- */

/* Ranges of a histogram in the text: up to one less than these powers of two. */
static const struct histogram_family {
	const char *name, *unit, *help;
	size_t field; /* of heist_class_stats */
	unsigned first, last, step;
} of_classes[] = {
	{ "heist_class_run_seconds", "seconds", "Time of an activation.",
	  offsetof(heist_class_stats, run_ns), 8, 34, 2 },
	{ "heist_class_wait_seconds", "seconds",
	  "Time that a message waits behind those that were there when an activation began.",
	  offsetof(heist_class_stats, wait_ns), 8, 34, 2 },
	{ "heist_class_mailbox_depth", "", "Messages waiting when an activation began.",
	  offsetof(heist_class_stats, depth), 1, 10, 1 },
};

static const char *class_name(const heist_class_stats *t)
{
	return !t->cls ? "(other)" : t->cls->name ? t->cls->name : "";
}

/* Seconds for nanoseconds, exactly; else the number itself. */
static const char *decimal(uint64_t value, const char *unit, char room[32])
{
	if (*unit)
		snprintf(room, 32, "%llu.%09u", (unsigned long long)(value / 1000000000u),
			 (unsigned)(value % 1000000000u));
	else
		snprintf(room, 32, "%llu.0", (unsigned long long)value);
	return room;
}

static void put_histogram(struct out *o, const struct histogram_family *f,
			  const heist_class_stats *t)
{
	const heist_histogram *h = (const void *)((const char *)t + f->field);
	char room[104], number[32];
	const char *cls = label(class_name(t), room);
	for (unsigned k = f->first; k <= f->last; k += f->step)
		put(o, "%s_bucket{class=\"%s\",le=\"%s\"} %llu\n", f->name, cls,
		    decimal(((uint64_t)1 << k) - 1, f->unit, number),
		    (unsigned long long)heist_histogram_below(h, (uint64_t)1 << k));
	put(o, "%s_bucket{class=\"%s\",le=\"+Inf\"} %llu\n", f->name, cls,
	    (unsigned long long)h->count);
	put(o, "%s_count{class=\"%s\"} %llu\n", f->name, cls, (unsigned long long)h->count);
	put(o, "%s_sum{class=\"%s\"} %s\n", f->name, cls, decimal(h->sum, f->unit, number));
}

static void put_class_counter(struct out *o, const char *name, const char *help, size_t field,
			      const heist_class_stats *t, size_t n)
{
	char room[104];
	put_head(o, name, "counter", "", help);
	for (; n > 0; n--, t++) {
		uint64_t value;
		memcpy(&value, (const char *)t + field, sizeof value);
		put(o, "%s_total{class=\"%s\"} %llu\n", name, label(class_name(t), room),
		    (unsigned long long)value);
	}
}

static void histogram_add(heist_histogram *to, const heist_histogram *from)
{
	to->count += from->count;
	to->sum += from->sum;
	for (size_t i = 0; i < HEIST_HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

/* Classes with one name are summed up.  The number of entries. */
static size_t class_keep(heist_class_stats *kept, size_t n, const heist_class_stats *t)
{
	size_t i = 0;
	while (i < n && !same_label(class_name(&kept[i]), class_name(t)))
		i++;
	if (i == n) {
		kept[n] = *t;
		return n + 1;
	}
	kept[i].messages += t->messages;
	kept[i].failures += t->failures;
	histogram_add(&kept[i].run_ns, &t->run_ns);
	histogram_add(&kept[i].wait_ns, &t->wait_ns);
	histogram_add(&kept[i].depth, &t->depth);
	return n;
}

static void put_classes_of(struct out *o, const heist_class_stats *t, size_t n)
{
	put_class_counter(o, "heist_class_sampled_messages",
			  "Messages handled in the activations that were measured.",
			  offsetof(heist_class_stats, messages), t, n);
	put_class_counter(o, "heist_class_failures", "Handlers that failed.",
			  offsetof(heist_class_stats, failures), t, n);
	for (size_t f = 0; f < sizeof of_classes / sizeof *of_classes; f++) {
		put_head(o, of_classes[f].name, "histogram", of_classes[f].unit,
			 of_classes[f].help);
		for (size_t i = 0; i < n; i++)
			put_histogram(o, &of_classes[f], &t[i]);
	}
}

static heist_status put_classes(struct out *o, const heist_system *s)
{
	size_t n = 0, size = (SAMPLE_CLASSES + 1) * sizeof(heist_class_stats);
	if (!s->sampling)
		return HEIST_OK;
	heist_class_stats *kept = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!kept)
		return HEIST_ENOMEM;
	heist_class_stats t = heist_class_stats_default();
	for (uint32_t i = 0; i <= SAMPLE_CLASSES && heist_get_class_stats(s, i, &t) == HEIST_OK;
	     i++)
		n = class_keep(kept, n, &t);
	put_classes_of(o, kept, n);
	heist_memory_put(&s->memory, kept, size);
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
	heist_status classes = put_classes(&o, s), r = put_lost_types(&o, s);
	put(&o, "# EOF\n");
	if (r == HEIST_OK)
		r = classes;
	return r == HEIST_OK && o.failed ? HEIST_EINVAL : r;
}
