/* SPDX-License-Identifier: BSD-2-Clause
 * alloc.c - the only user of jemalloc, by weak references: the library does not link it, so it never
 * replaces the malloc of its user, and finds it when the program links or preloads it. */
#include "runtime/alloc.h"

#include "lockfree/seam.h"

extern void *mallocx(size_t size, int flags) __attribute__((weak));
extern void dallocx(void *p, int flags) __attribute__((weak));

/* jemalloc's MALLOCX_LG_ALIGN. */
static int align_flag(size_t align)
{
	return __builtin_ctzll(align);
}

void *heist_default_alloc(size_t size, size_t align)
{
	if (mallocx && dallocx)
		return mallocx(size, align_flag(align));
	return heist_mem_alloc(size, align);
}

void heist_default_dealloc(void *p, size_t size)
{
	if (mallocx && dallocx)
		dallocx(p, 0); /* not sdallocx: the size class depends on the alignment, too */
	else
		heist_mem_free(p, size);
}
