/* SPDX-License-Identifier: BSD-2-Clause
 * workloads.c - the table of workloads and their parameters. */
#include "bench/peers/heist/workloads.h"

#include <string.h>

#include "bench/cli.h"

#define MILLION 1000000
#define MOST	((int64_t)1 << 40) /* of anything that is only counted */
#define ACTORS	1000		   /* of anything that heist-bench keeps in a table */

static void ping_pong(struct bench_row *r, const int64_t *v)
{
	r->operations = (uint64_t)v[0];
}

/* Shares are rounded down, also to whole windows; 0: a share is empty. */
static uint64_t shared(int64_t whole, int64_t shares, int64_t window)
{
	return (uint64_t)(whole / (shares * window) * shares * window);
}

static void one_way(struct bench_row *r, const int64_t *v)
{
	r->operations = shared(v[0], 1, v[1] ? v[1] : 1);
	r->a = v[1];
}

static void thread_ring(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->b = v[1] < v[0] ? v[1] : v[0];
	r->operations = shared(v[2], r->b, 1);
}

static void fan_in(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->b = v[2] ? v[2] : v[1];
	r->operations = shared(v[1], v[0], v[2] ? v[2] : 1);
}

static void pairs(struct bench_row *r, const int64_t *v)
{
	r->b = v[0];
	r->operations = shared(v[1], 2 * v[0], v[2]);
	r->a = v[2];
}

static void big(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->b = v[1];
	r->operations = (uint64_t)(v[0] * v[1] * 2);
	r->seed = (uint64_t)v[2];
	r->remainder = true;
}

static void chameneos(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->operations = (uint64_t)v[1];
}

static void message_ubench(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->b = v[1];
	r->operations = shared(v[2], v[0] * v[1], 1);
	r->seed = (uint64_t)v[3];
	r->remainder = true;
}

static void spawn_stop(struct bench_row *r, const int64_t *v)
{
	r->operations = (uint64_t)v[0];
	r->a = v[1];
}

static void tree(struct bench_row *r, const int64_t *v)
{
	uint64_t calls = 1, before = 1; /* calls(n) = calls(n - 1) + calls(n - 2) + 1 */
	for (int64_t i = 2; i < v[0]; i++) {
		uint64_t next = calls + before + 1;
		before = calls;
		calls = next;
	}
	r->a = v[0];
	r->operations = calls;
}

static void skynet(struct bench_row *r, const int64_t *v)
{
	int64_t power = 10;
	while (power < v[0])
		power *= 10;
	r->a = v[0];
	r->operations = power == v[0] ? (uint64_t)(v[0] * 10 - 1) / 9 : 0;
}

static void idle(struct bench_row *r, const int64_t *v)
{
	r->operations = (uint64_t)v[0];
}

static void ask(struct bench_row *r, const int64_t *v)
{
	r->operations = (uint64_t)v[0];
	r->a = v[1];
}

static void paced(struct bench_row *r, const int64_t *v)
{
	r->a = v[0];
	r->b = v[1];
	r->operations = (uint64_t)v[2];
}

#define PACED                                                                                      \
	{                                                                                          \
		{ "period_ns", 10000, 100, 1000 * MILLION }, { "actors", 64, 1, ACTORS },          \
		{                                                                                  \
			"messages", 300000, 1, MOST                                                \
		}                                                                                  \
	}

const struct workload workloads[] = {
	{ "ping_pong", "ping_pong", { { "hops", 2 * MILLION, 1, MOST } }, ping_pong },
	{ "one_way",
	  "one_way/W:100",
	  { { "messages", MILLION, 1, MOST }, { "window", 100, 0, MOST } },
	  one_way },
	{ "thread_ring",
	  "thread_ring/100x1",
	  { { "actors", 100, 1, MILLION },
	    { "tokens", 1, 1, MILLION },
	    { "hops", 2 * MILLION, 1, MOST } },
	  thread_ring },
	{ "fan_in",
	  "fan_in/P:60",
	  { { "producers", 60, 1, ACTORS },
	    { "messages", MILLION, 1, MOST },
	    { "window", 1000, 0, MOST } },
	  fan_in },
	{ "pairs",
	  "pairs/W:50",
	  { { "pairs", 4, 1, ACTORS }, { "messages", 400000, 1, MOST }, { "window", 50, 1, MOST } },
	  pairs },
	{ "big",
	  "big",
	  { { "actors", 120, 2, ACTORS }, { "pings", 5000, 1, MILLION }, { "seed", 1, 1, MOST } },
	  big },
	{ "chameneos",
	  "chameneos",
	  { { "creatures", 100, 2, ACTORS }, { "meetings", 100000, 1, MOST } },
	  chameneos },
	{ "message_ubench",
	  "message_ubench/8x5",
	  { { "pingers", 8, 1, ACTORS },
	    { "balls", 5, 1, ACTORS },
	    { "messages", 2 * MILLION, 1, MOST },
	    { "seed", 1, 1, MOST } },
	  message_ubench },
	{ "spawn_stop",
	  "spawn_stop/noted",
	  { { "lives", 300000, 1, MOST }, { "alive", 1000, 1, MILLION } },
	  spawn_stop },
	{ "tree", "tree", { { "n", 25, 3, 40 } }, tree },
	{ "skynet", "skynet", { { "leaves", MILLION, 10, 10 * MILLION } }, skynet },
	{ "idle", "idle", { { "actors", MILLION, 1, 100 * MILLION } }, idle },
	{ "ask", "ask/x1", { { "asks", 500000, 1, INT32_MAX }, { "window", 1, 1, 255 } }, ask },
	{ "paced_inside", "paced_inside", PACED, paced },
	{ "paced_outside", "paced_outside", PACED, paced },
	{ 0 },
};

const struct workload *workload_find(const char *name)
{
	for (const struct workload *w = workloads; w->name; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

static const char *parse_one(const struct workload *w, const char *text, size_t length,
			     int64_t *values)
{
	static char message[160];
	const char *equals = memchr(text, '=', length);
	for (size_t i = 0; equals && i < 4 && w->parameters[i].name; i++) {
		const struct parameter *p = &w->parameters[i];
		char *end;
		if (strlen(p->name) != (size_t)(equals - text) ||
		    strncmp(p->name, text, strlen(p->name)) != 0)
			continue;
		values[i] = strtoll(equals + 1, &end, 10);
		if (end == text + length && end > equals + 1 && values[i] >= p->least &&
		    values[i] <= p->most)
			return NULL;
		snprintf(message, sizeof message, "%s of %s must be %lld to %lld", p->name, w->name,
			 (long long)p->least, (long long)p->most);
		return message;
	}
	snprintf(message, sizeof message, "%s has no parameter '%.*s'", w->name,
		 (int)(equals ? equals - text : (ptrdiff_t)length), text);
	return message;
}

const char *workload_parse(const struct workload *w, const char *text, int64_t *values)
{
	for (size_t i = 0; i < 4; i++)
		values[i] = w->parameters[i].value;
	while (text && *text) {
		size_t length = strcspn(text, ",");
		const char *wrong = parse_one(w, text, length, values);
		if (wrong)
			return wrong;
		text += length + (text[length] == ',');
	}
	return workload_row(w, values).operations ? NULL
						  : "these parameters leave a share without work, "
						    "or a node of skynet without ten";
}

struct bench_row workload_row(const struct workload *w, const int64_t *values)
{
	size_t n;
	const struct bench_row *const *all = bench_rows(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i]->name, w->row) == 0) {
			struct bench_row row = *all[i];
			w->set(&row, values);
			return row;
		}
	bench_failed(w->row);
}
