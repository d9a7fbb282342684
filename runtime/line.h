/* SPDX-License-Identifier: BSD-2-Clause
 * line.h - a line of text put together with nothing but stores, so a signal handler may. */
#ifndef HEIST_RUNTIME_LINE_H
#define HEIST_RUNTIME_LINE_H

#include "lockfree/seam.h"

struct line {
	char text[192];
	size_t n;
};

/* What does not fit is left out; there is always room for the newline. */
static inline void line_text(struct line *l, const char *text)
{
	while (*text && l->n < sizeof l->text - 1)
		l->text[l->n++] = *text++;
}

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

/* 0, or -1: not all of it was written. */
static inline int line_write(struct line *l, int fd)
{
	l->text[l->n++] = '\n';
	return heist_write(fd, l->text, l->n);
}

#endif
