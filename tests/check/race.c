/* SPDX-License-Identifier: BSD-2-Clause
 * race.c - plain accesses by several threads, and atomic ones behind them, that nothing orders, found by vector
 * clocks. */
#include <string.h>

#include "tests/check/engine.h"

#define CELLS 32768u

static struct cell {
	uintptr_t address;
	uint32_t stamp; /* of the execution */
	uint32_t read_at[MAX_THREADS], written_at[MAX_THREADS];
} cells[CELLS];
static uint32_t now, count;

void race_reset(void)
{
	now++;
	count = 0;
}

/* The cell of an address, or the free one where it belongs. */
static struct cell *look(uintptr_t address)
{
	uint32_t i = (uint32_t)((address >> 1) * 0x9E3779B1u >> 8) % CELLS;
	while (cells[i].stamp == now && cells[i].address != address)
		i = (i + 1) % CELLS;
	return &cells[i];
}

static struct cell *find(uintptr_t address)
{
	struct cell *c = look(address);
	if (c->stamp != now) {
		if (++count > CELLS / 4 * 3)
			fail(KIND_LIMIT, "too many plain locations", NULL);
		memset(c, 0, sizeof *c);
		c->stamp = now;
		c->address = address;
	}
	return c;
}

static void compare(const struct cell *c, bool write, void *where)
{
	uint32_t *time = memory_times(self);
	for (int t = 0; t < threads; t++)
		if (t != self && (c->written_at[t] > time[t] || (write && c->read_at[t] > time[t])))
			fail(KIND_RACE, "data race", where);
}

/* To free memory is to write all of it. */
void race_free(const void *p, size_t size, void *where)
{
	for (size_t i = 0; i < size && self != MAIN; i += 8) {
		struct cell *c = look((uintptr_t)p + i);
		if (c->stamp == now)
			compare(c, true, where);
	}
}

void race_atomic(const void *p, bool write, void *where)
{
	struct cell *c = look((uintptr_t)p);
	if (self != MAIN && c->stamp == now)
		compare(c, write, where);
}

void race_access(const void *p, bool write, void *where)
{
	heap_check(p, where);
	if (self == MAIN)
		return;
	struct cell *c = find((uintptr_t)p);
	compare(c, write, where);
	uint32_t *time = memory_times(self);
	time[self]++;
	if (write)
		c->written_at[self] = time[self];
	else
		c->read_at[self] = time[self];
}
