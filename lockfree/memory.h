/* SPDX-License-Identifier: BSD-2-Clause
 * memory.h - where the structures of a runtime get their memory from: two functions and a cookie. */
#ifndef HEIST_LOCKFREE_MEMORY_H
#define HEIST_LOCKFREE_MEMORY_H

#include "lockfree/seam.h"

struct heist_memory {
	/* NULL when there is none; align is a power of two; the memory is not zeroed */
	void *(*alloc)(void *user, size_t size, size_t align);
	void (*dealloc)(void *user, void *p, size_t size);
	void *user;
};

/* Any thread. */
static inline void *heist_memory_get(const struct heist_memory *m, size_t size, size_t align)
{
	void *p = m->alloc(m->user, size, align);
	heist_keep_frame();
	return p;
}

static inline void heist_memory_put(const struct heist_memory *m, void *p, size_t size)
{
	if (p)
		m->dealloc(m->user, p, size);
	heist_keep_frame();
}

#endif
