/* SPDX-License-Identifier: BSD-2-Clause
 * alloc.h - the default source of memory: jemalloc when the program has it, libc otherwise. */
#ifndef HEIST_RUNTIME_ALLOC_H
#define HEIST_RUNTIME_ALLOC_H

#include <stddef.h>

/* Any thread.  align: power of two; not zeroed; NULL when there is none. */
void *heist_default_alloc(size_t size, size_t align);
void heist_default_dealloc(void *p, size_t size);

#endif
