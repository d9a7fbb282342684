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

static char text[16384];
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

/* One line of the family `name` of that type: its begin is p. */
static bool sample_is_good(const char *p, const char *name, const char *type)
{
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
			EXPECT(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0);
			snprintf(mark, sizeof mark, " %s ", name);
			EXPECT(strstr(seen, mark) == NULL); /* once, and in one piece */
			strcat(seen, mark);
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
	EXPECT(has_line("heist_type_lost_total{type=\"a \\\"quoted\\\\\\\" name\\nof two lines\","
			"cause=\"unhandled\"} 1"));
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
