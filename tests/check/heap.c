/* SPDX-License-Identifier: BSD-2-Clause
 * heap.c - the memory of an execution: one arena, handed out once, with a mark for every 8 bytes. */
#include <string.h>
#include <sys/mman.h>

#include "tests/check/engine.h"

#define ARENA ((size_t)64 << 20)
#define UNIT  8
#define ALIGN 16

enum mark { OUTSIDE, ALIVE, FREED };

static char *arena;
static size_t used;
static unsigned char *marks;
static uint32_t *sizes; /* of what begins here, in units; by ALIGN */
static int live;

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		fail(KIND_LIMIT, "no memory for the checker", NULL);
	return p;
}

void heap_reset(void)
{
	if (!arena) {
		char *p = map(2 * ARENA); /* aligned as an allocation may ask to be */
		arena = (char *)(((uintptr_t)p + ARENA - 1) & ~(uintptr_t)(ARENA - 1));
		marks = map(ARENA / UNIT);
		sizes = map(ARENA / ALIGN * sizeof *sizes);
	}
	memset(marks, OUTSIDE, used / UNIT);
	used = 0;
	live = 0;
}

int check_live(void)
{
	return live;
}

static bool in_arena(const void *p)
{
	return arena && (const char *)p >= arena && (const char *)p < arena + used;
}

static size_t offset(const void *p)
{
	return (size_t)((const char *)p - arena);
}

static void mark(void *p, size_t size, enum mark m)
{
	if (in_arena(p))
		memset(marks + offset(p) / UNIT, m, (size + UNIT - 1) / UNIT);
}

void *check_reserve(size_t size, size_t align)
{
	size_t at = (used + align - 1) & ~(align - 1);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (at + size > ARENA)
		fail(KIND_LIMIT, "too much memory", NULL);
	used = at + size;
	sizes[at / ALIGN] = (uint32_t)(size / UNIT);
	return arena + at;
}

void *check_alloc(size_t size, size_t align)
{
	void *p = check_reserve(size, align < ALIGN ? ALIGN : align);
	check_revive(p, size);
	live++;
	return memset(p, 0, size);
}

void check_free(void *p)
{
	if (!in_arena(p) || marks[offset(p) / UNIT] == OUTSIDE)
		fail(KIND_DOUBLE_FREE, "freed what was not allocated", __builtin_return_address(0));
	if (marks[offset(p) / UNIT] == FREED)
		fail(KIND_DOUBLE_FREE, "freed twice", __builtin_return_address(0));
	live--;
	size_t size = (size_t)sizes[offset(p) / ALIGN] * UNIT;
	race_free(p, size, __builtin_return_address(0));
	check_poison(p, size);
}

void check_poison(void *p, size_t size)
{
	reduce_forget();
	mark(p, size, FREED);
}

void check_revive(void *p, size_t size)
{
	mark(p, size, ALIVE);
}

void heap_check(const void *p, void *where)
{
	if (in_arena(p) && marks[offset(p) / UNIT] != ALIVE)
		fail(KIND_FREED, "use after free", where);
}
