/* SPDX-License-Identifier: BSD-2-Clause
 * log_text.c - a line of the log as text and as JSON.  Whatever is in a line's strings, the result is one
 * line, and what is JSON is valid. */
#include "runtime/line.h"
#include "runtime/log.h"

static const char *const levels[] = {
	[HEIST_LOG_ERROR] = "error",
	[HEIST_LOG_WARN] = "warn",
	[HEIST_LOG_INFO] = "info",
	[HEIST_LOG_DEBUG] = "debug",
};

/* ---- time ---- */

/* Days since 1970 as a date of the Gregorian calendar: years begin in March, so that the leap day comes
 * last; an era is 400 of them. */
static void put_date(struct line *l, uint64_t days)
{
	uint64_t z = days + 719468, era = z / 146097, day = z % 146097;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t of_year = day - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* from March */
	line_number(l, year + 400 * era + (month >= 10), 10, 4);
	line_char(l, '-');
	line_number(l, month < 10 ? month + 3 : month - 9, 10, 2);
	line_char(l, '-');
	line_number(l, of_year - (153 * month + 2) / 5 + 1, 10, 2);
}

static void put_time(struct line *l, heist_wall ns)
{
	uint64_t s = ns / 1000000000u;
	put_date(l, s / 86400);
	line_char(l, 'T');
	line_number(l, s % 86400 / 3600, 10, 2);
	line_char(l, ':');
	line_number(l, s % 3600 / 60, 10, 2);
	line_char(l, ':');
	line_number(l, s % 60, 10, 2);
	line_char(l, '.');
	line_number(l, ns % 1000000000u / 1000, 10, 6);
	line_char(l, 'Z');
}

/* ---- strings ---- */

/* Bytes of the UTF-8 character at p; 0: it is none.  No overlong forms, no surrogates. */
static unsigned utf8_length(const unsigned char *p)
{
	unsigned n = *p < 0x80	 ? 1
		     : *p < 0xc2 ? 0
		     : *p < 0xe0 ? 2
		     : *p < 0xf0 ? 3
		     : *p < 0xf5 ? 4
				 : 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* The character at p, which may be none; returns how many bytes that was. */
static unsigned put_character(struct line *l, const unsigned char *p, bool json)
{
	unsigned n = utf8_length(p);
	if (n == 0) {
		line_text(l, "\xef\xbf\xbd"); /* U+FFFD */
		return 1;
	}
	if (*p == '\n') {
		line_text(l, "\\n");
	} else if (*p < 0x20 || *p == 0x7f) {
		line_text(l, json ? "\\u" : "\\x");
		line_number(l, *p, 16, json ? 4 : 2);
	} else {
		if (json && (*p == '"' || *p == '\\'))
			line_char(l, '\\');
		for (unsigned i = 0; i < n; i++)
			line_char(l, (char)p[i]);
	}
	return n;
}

static void put_string(struct line *l, const char *text, bool json)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p)
		p += put_character(l, p, json);
}

/* ---- text ---- */

size_t heist_log_text(const heist_log_line *line, bool colour, char out[HEIST_LOG_ROOM])
{
	static const char *const colours[] = {
		[HEIST_LOG_ERROR] = "\x1b[31m",
		[HEIST_LOG_WARN] = "\x1b[33m",
		[HEIST_LOG_INFO] = "\x1b[32m",
		[HEIST_LOG_DEBUG] = "\x1b[2m",
	};
	struct line l = { out, HEIST_LOG_ROOM, 0 };
	put_time(&l, line->time);
	line_text(&l, " heist ");
	line_text(&l, colour ? colours[line->level] : "");
	line_text(&l, levels[line->level]);
	line_text(&l, colour ? "\x1b[0m" : "");
	if (line->worker >= 0) {
		line_text(&l, " worker ");
		line_number(&l, (uint64_t)line->worker, 10, 1);
	}
	if (line->actor.v) {
		line_text(&l, " ");
		put_string(&l, line->cls, false);
		line_text(&l, " ");
		line_number(&l, line->actor.v, 16, 1);
	}
	if (*line->name) {
		line_text(&l, " ");
		put_string(&l, line->name, false);
	}
	line_text(&l, ": ");
	put_string(&l, line->text, false);
	line_text(&l, line->cut ? " ..." : "");
	line_end(&l);
	return l.n;
}

/* ---- JSON ---- */

static void put_member(struct line *l, const char *name, const char *value)
{
	line_text(l, ",\"");
	line_text(l, name);
	line_text(l, "\":\"");
	put_string(l, value, true);
	line_char(l, '"');
}

size_t heist_log_json(const heist_log_line *line, char out[HEIST_LOG_ROOM])
{
	struct line l = { out, HEIST_LOG_ROOM, 0 };
	line_text(&l, "{\"time\":\"");
	put_time(&l, line->time);
	line_char(&l, '"');
	put_member(&l, "level", levels[line->level]);
	if (line->worker >= 0) {
		line_text(&l, ",\"worker\":");
		line_number(&l, (uint64_t)line->worker, 10, 1);
	}
	if (line->actor.v) {
		line_text(&l, ",\"actor\":\"");
		line_number(&l, line->actor.v, 16, 1);
		line_char(&l, '"');
		put_member(&l, "class", line->cls);
	}
	if (*line->name)
		put_member(&l, "name", line->name);
	put_member(&l, "text", line->text);
	line_text(&l, line->cut ? ",\"cut\":true}" : "}");
	line_end(&l);
	return l.n;
}
