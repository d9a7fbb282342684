/* SPDX-License-Identifier: BSD-2-Clause
 * The text of heist_metrics: every line is of the grammar, families do not mix, values are those of the
 * counters, and names cannot break it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/runtime.h"

static const heist_type ODD = {
	.base = &ODD, .name = "a \"quoted\\\" name\nof two lines", .size = 8, .reply_size = 1
};
static const heist_type PLAIN = { .base = &PLAIN, .name = "plain", .size = 8, .reply_size = 1 };

static char text[1 << 17];
static size_t used;

static bool collect(void *user, const char *piece, size_t size)
{
	(void)user;
	EXPECT(used + size < sizeof text);
	memcpy(text + used, piece, size);
	text[used += size] = '\0';
	return true;
}

static bool refuse(void *user, const char *piece, size_t size)
{
	(void)piece, (void)size;
	return ++*(int *)user < 3;
}

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	return type == &ODD ? heist_unhandled(ctx, state, type, msg) : HEIST_CONTINUE;
}
static const heist_class cls = { "cls", HEIST_ABI, 0, recv, NULL };

static heist_system *scene(void)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	c.sample = 1;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref r = test_spawn(s, &cls, NULL);
	for (int i = 0; i < 5; i++)
		EXPECT(test_tell(r, &PLAIN, 0) == HEIST_OK);
	EXPECT(test_tell(r, &ODD, 0) == HEIST_OK);
	while (heist_poll(s, 0, 10) > 0)
		;
	used = 0;
	EXPECT(heist_metrics(s, collect, NULL) == HEIST_OK);
	return s;
}

static bool has_line(const char *line)
{
	const char *at = strstr(text, line);
	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

/* name{label="value",...}: the end of it, or NULL. */
static const char *after_labels(const char *p)
{
	if (*p != '{')
		return p;
	do {
		for (p++; islower((unsigned char)*p); p++)
			;
		if (*p++ != '=' || *p++ != '"')
			return NULL;
		for (; *p != '"'; p++) {
			if (*p == '\n' || *p == '\0')
				return NULL;
			if (*p == '\\' && strchr("\\\"n", *++p) == NULL)
				return NULL;
		}
		p++;
	} while (*p == ',');
	return *p == '}' ? p + 1 : NULL;
}

/* The lines of a histogram come in one order: buckets, whose limits and numbers grow, the one without a limit,
 * the count, which is the same, and the sum. */
static bool histogram_is_good(const char *p, const char *name)
{
	static double limit;
	static long long seen;
	static enum { BUCKETS, COUNT, SUM } next;
	char head[128];
	size_t n = strlen(name);
	double value, le;
	const char *end = strchr(p, '\n');
	const char *labels = strchr(p, '{'), *after = labels ? after_labels(labels) : NULL;
	if (strncmp(p, name, n) != 0 || !after || *after != ' ')
		return false;
	char *rest;
	value = strtod(after + 1, &rest);
	if (rest != end || !isdigit((unsigned char)after[1]))
		return false;
	snprintf(head, sizeof head, "%.*s", (int)(labels - p - (long)n), p + n);
	if (strcmp(head, "_count") == 0) {
		bool good = next == COUNT && value == (double)seen;
		next = SUM;
		return good;
	}
	if (strcmp(head, "_sum") == 0) {
		bool good = next == SUM && memchr(after, '.', (size_t)(end - after));
		next = BUCKETS, limit = -1, seen = 0;
		return good;
	}
	const char *at = strstr(labels, ",le=\"");
	if (strcmp(head, "_bucket") != 0 || next != BUCKETS || !at || at > after ||
	    value < (double)seen)
		return false;
	seen = (long long)value;
	le = strtod(at + 5, &rest); /* also +Inf */
	if (le <= limit || *rest != '"' || (le < 1e300 && !memchr(at, '.', (size_t)(rest - at))))
		return false;
	limit = le;
	if (strncmp(at + 5, "+Inf\"", 5) == 0)
		next = COUNT;
	return true;
}

/* One line of the family `name` of that type: its begin is p. */
static bool sample_is_good(const char *p, const char *name, const char *type)
{
	if (strcmp(type, "histogram") == 0)
		return histogram_is_good(p, name);
	const char *suffix = strcmp(type, "counter") == 0 ? "_total" : "";
	size_t n = strlen(name);
	if (strncmp(p, name, n) != 0 || strncmp(p + n, suffix, strlen(suffix)) != 0)
		return false;
	p = after_labels(p + n + strlen(suffix));
	if (!p || *p++ != ' ' || !isdigit((unsigned char)*p))
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	return *p == '\n';
}

TEST(metrics, every_line_is_of_the_grammar)
{
	char name[100] = "", type[20] = "", unit[20], seen[4096] = "", mark[104];
	heist_system *s = scene();
	const char *p = text;
	for (; strcmp(p, "# EOF\n") != 0; p = strchr(p, '\n') + 1) {
		EXPECT(*p != '\0');
		if (sscanf(p, "# TYPE %99s %19s\n", name, type) == 2) {
			EXPECT(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 ||
			       strcmp(type, "histogram") == 0);
			snprintf(mark, sizeof mark, " %s ", name);
			EXPECT(strstr(seen, mark) == NULL); /* once, and in one piece */
			strcat(seen, mark + (*seen != '\0'));
		} else if (sscanf(p, "# UNIT %99s %19s\n", mark, unit) == 2) {
			size_t n = strlen(name), u = strlen(unit);
			EXPECT(strcmp(mark, name) == 0 && n > u);
			EXPECT(strcmp(name + n - u, unit) == 0);
		} else if (strncmp(p, "# HELP ", 7) == 0) {
			EXPECT(strncmp(p + 7, name, strlen(name)) == 0);
		} else {
			EXPECT(sample_is_good(p, name, type));
		}
	}
	EXPECT(p == text + used - strlen("# EOF\n"));
	EXPECT(strstr(seen, " heist_class_run_seconds heist_class_wait_seconds ") != NULL);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* How many lines have the series of the one at p: its name and labels. */
static int lines_of_series(const char *p)
{
	const char *end = after_labels(p + strcspn(p, "{ "));
	size_t n = (size_t)(end - p);
	int found = 0;
	for (const char *q = text; *q; q = strchr(q, '\n') + 1)
		found += strncmp(q, p, n) == 0 && q[n] == ' ';
	return found;
}

#define TWIN(NAME)                                                                                 \
	{                                                                                          \
		.name = NAME, .size = 8, .reply_size = 1                                           \
	}
#define TEN    "0123456789"
#define FIFTY  TEN TEN TEN TEN TEN
#define LONGER FIFTY FIFTY "and what is cut: "

/* Of types and of classes: the same name, names that are the same where they are cut, others that differ only
 * when escaped, and none. */
TEST(metrics, each_series_is_there_once)
{
	static heist_type types[] = { TWIN("twin"),	TWIN("twin"), TWIN(LONGER "1"),
				      TWIN(LONGER "2"), TWIN("a\nb"), TWIN("a\\nb"),
				      TWIN(""),		TWIN(NULL) };
	static heist_class classes[sizeof types / sizeof *types];
	heist_system *s = scene();
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		types[i].base = &types[i];
		classes[i] = (heist_class){ types[i].name, HEIST_ABI, 0, heist_unhandled, NULL };
		heist_ref r = test_spawn(s, &classes[i], NULL);
		while (heist_poll(s, 0, 10) > 0)
			;
		EXPECT(test_tell(r, &types[i], 0) == HEIST_OK);
	}
	while (heist_poll(s, 0, 10) > 0)
		;
	used = 0;
	EXPECT(heist_metrics(s, collect, NULL) == HEIST_OK);
	for (const char *p = text; *p; p = strchr(p, '\n') + 1)
		EXPECT(*p == '#' || lines_of_series(p) == 1);
	EXPECT(has_line("heist_type_lost_total{type=\"twin\",cause=\"unhandled\"} 2"));
	EXPECT(has_line("heist_type_lost_total{type=\"" FIFTY FIFTY "\",cause=\"unhandled\"} 2"));
	EXPECT(has_line("heist_type_lost_total{type=\"a\\nb\",cause=\"unhandled\"} 1"));
	EXPECT(has_line("heist_type_lost_total{type=\"a\\\\nb\",cause=\"unhandled\"} 1"));
	EXPECT(has_line("heist_type_lost_total{type=\"\",cause=\"unhandled\"} 2"));
	EXPECT(has_line("heist_class_mailbox_depth_count{class=\"" FIFTY FIFTY "\"} 2"));
	EXPECT(has_line("heist_class_mailbox_depth_count{class=\"\"} 2"));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(metrics, values_are_those_of_the_counters)
{
	heist_system *s = scene();
	EXPECT(has_line("heist_actors 1"));
	EXPECT(has_line("heist_workers 1"));
	EXPECT(has_line("heist_messages_accepted_total 6"));
	EXPECT(has_line("heist_messages_handled_total 5"));
	EXPECT(has_line("heist_messages_lost_total{cause=\"unhandled\"} 1"));
	EXPECT(has_line("heist_messages_lost_total{cause=\"dead\"} 0"));
	EXPECT(has_line("heist_worker_messages_handled_total{worker=\"0\",pool=\"\"} 5"));
	EXPECT(has_line("heist_worker_messages_lost_total{worker=\"0\",pool=\"\"} 1"));
	EXPECT(has_line("heist_type_lost_total{type=\"a \\\"quoted\\\\\\\" name\\nof two lines\","
			"cause=\"unhandled\"} 1"));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Two pools and the thread of one actor, each with as many messages as its number says. */
TEST(metrics, each_worker_tells_what_it_did)
{
	heist_pool pool = heist_pool_default();
	heist_config c = heist_config_default();
	heist_opts o = heist_opts_default();
	heist_worker_stats t = heist_worker_stats_default();
	heist_stats all = heist_stats_default();
	heist_system *s;
	heist_ref r;
	pool.name = "batch \"1\"";
	pool.workers = pool.spare_max = 1;
	c.pools = &pool;
	c.pool_count = c.workers = c.spare_max = 1;
	c.hog_ms = UINT32_MAX; /* or a slow machine may need the spares */
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	o.pool = pool.name;
	EXPECT(heist_spawn(s, &cls, &o, NULL, &r) == HEIST_OK);
	for (int i = 0; i < 3; i++)
		EXPECT(test_tell(r, i < 2 ? &PLAIN : &ODD, 0) == HEIST_OK);
	o = heist_opts_default();
	o.own_thread = true;
	EXPECT(heist_spawn(s, &cls, &o, NULL, &r) == HEIST_OK);
	EXPECT(test_tell(r, &PLAIN, 0) == HEIST_OK);
	EXPECT(test_balanced(s));
	uint64_t handled = 0, lost = 0;
	uint32_t n = 0, pools = 0, threads = 0, spares = 0;
	for (; heist_get_worker_stats(s, n, &t) == HEIST_OK; n++) {
		handled += t.handled;
		lost += t.lost;
		spares += t.spare;
		threads += t.own_thread;
		pools += strcmp(t.pool, pool.name) == 0 && !t.spare;
		EXPECT(t.spare || t.handled == (t.own_thread ? 1u : *t.pool ? 2u : 0u));
		EXPECT(!t.own_thread || *t.pool == '\0');
	}
	EXPECT(n == 5 && pools == 1 && threads == 1 && spares == 2);
	EXPECT(heist_get_stats(s, &all) == HEIST_OK);
	EXPECT(handled == all.handled && lost == 1 && test_lost(&all) == 1);
	used = 0;
	EXPECT(heist_metrics(s, collect, NULL) == HEIST_OK);
	EXPECT(has_line(
		"heist_worker_messages_handled_total{worker=\"2\",pool=\"batch \\\"1\\\"\"} 2"));
	EXPECT(has_line("heist_worker_messages_handled_total{worker=\"4\",pool=\"\"} 1"));
	EXPECT(has_line("heist_worker_messages_lost_total{worker=\"0\",pool=\"\"} 0"));
	EXPECT(strstr(text, "{worker=\"1\"") == NULL); /* a spare that was not needed */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* A caller with an older header gets what it knows, and nothing behind it. */
TEST(metrics, an_older_snapshot_is_not_overrun)
{
	heist_system *s = scene();
	heist_worker_stats t = heist_worker_stats_default();
	t.struct_size = offsetof(heist_worker_stats, activations);
	t.activations = 42;
	EXPECT(heist_get_worker_stats(s, 0, &t) == HEIST_OK);
	EXPECT(t.struct_size == offsetof(heist_worker_stats, activations));
	EXPECT(t.handled == 5 && t.activations == 42);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(metrics, a_writer_that_fails_is_not_asked_again)
{
	int calls = 0;
	heist_system *s = scene();
	EXPECT(heist_metrics(s, refuse, &calls) == HEIST_EINVAL);
	EXPECT(calls == 3);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
