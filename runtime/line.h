/* SPDX-License-Identifier: BSD-2-Clause
 * line.h - a line of text that is put together piece by piece, by nothing but stores: a signal handler may.
 * What has no room is left out; the last byte is kept for the newline. */
#ifndef HEIST_RUNTIME_LINE_H
#define HEIST_RUNTIME_LINE_H

#include "lockfree/seam.h"

struct line {
	char *text;
	size_t room, n;
};

static inline void line_char(struct line *l, char c)
{
	if (l->n + 1 < l->room)
		l->text[l->n++] = c;
}

static inline void line_text(struct line *l, const char *text)
{
	while (*text)
		line_char(l, *text++);
}

/* At least `width` digits. */
static inline void line_number(struct line *l, uint64_t n, unsigned base, unsigned width)
{
	char digits[24];
	unsigned i = sizeof digits - 1;
	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n || sizeof digits - 1 - i < width);
	line_text(l, digits + i);
}

static inline void line_end(struct line *l)
{
	l->text[l->n++] = '\n';
}

/* 0, or -1: not all of it was written. */
static inline int line_write(struct line *l, int fd)
{
	line_end(l);
	return heist_write(fd, l->text, l->n);
}

#endif
