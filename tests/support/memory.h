/* SPDX-License-Identifier: BSD-2-Clause
 * memory.h - a struct heist_memory that counts what is out and fails when told to; any thread. */
#ifndef HEIST_TESTS_MEMORY_H
#define HEIST_TESTS_MEMORY_H

#include "lockfree/memory.h"

#include <stdlib.h>
#include <string.h>

struct counted_memory {
	struct heist_memory hook;
	_Atomic long pieces, bytes; /* not given back yet */
	_Atomic long calls;	    /* of alloc, so far */
	_Atomic long fail_at;	    /* this call of alloc and all after it fail; 0 = none */
	_Atomic long fail_once;	    /* this call alone fails; 0 = none */
};

static void *counted_get(void *user, size_t size, size_t align)
{
	struct counted_memory *m = user;
	void *p = NULL;
	long call = atomic_fetch_add_explicit(&m->calls, 1, memory_order_relaxed) + 1;
	long fail_at = atomic_load_explicit(&m->fail_at, memory_order_relaxed);
	if ((fail_at != 0 && call >= fail_at) ||
	    call == atomic_load_explicit(&m->fail_once, memory_order_relaxed))
		return NULL;
	if (posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
		return NULL;
	memset(p, 0xA5, size); /* nobody may rely on zeroes */
	atomic_fetch_add_explicit(&m->pieces, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->bytes, (long)size, memory_order_relaxed);
	return p;
}

static void counted_put(void *user, void *p, size_t size)
{
	struct counted_memory *m = user;
	memset(p, 0x5A, size); /* also shows that the size is right, under AddressSanitizer */
	atomic_fetch_sub_explicit(&m->pieces, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&m->bytes, (long)size, memory_order_relaxed);
	free(p);
}

static inline void counted_init(struct counted_memory *m)
{
	memset(m, 0, sizeof *m);
	m->hook = (struct heist_memory){ counted_get, counted_put, m };
}

/* From now on there is no memory (or, with false, there is again). */
static inline void counted_fail(struct counted_memory *m, bool fail)
{
	atomic_store_explicit(&m->fail_at, fail ? 1 : 0, memory_order_relaxed);
}

static inline bool counted_balanced(struct counted_memory *m)
{
	return atomic_load_explicit(&m->pieces, memory_order_relaxed) == 0 &&
	       atomic_load_explicit(&m->bytes, memory_order_relaxed) == 0;
}

#endif
