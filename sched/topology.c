/* SPDX-License-Identifier: BSD-2-Clause
 * topology.c - the only user of hwloc. */
#include "sched/topology.h"

#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

/* ---- loading ---- */

static hwloc_topology_t load(const char *synthetic)
{
	hwloc_topology_t h;
	if (hwloc_topology_init(&h) != 0)
		return NULL;
	/* Only both flags together make it respect taskset. */
	if ((synthetic ? hwloc_topology_set_synthetic(h, synthetic)
		       : hwloc_topology_set_flags(h, HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING |
							     HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM)) == 0 &&
	    hwloc_topology_load(h) == 0 && hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU) > 0)
		return h;
	hwloc_topology_destroy(h);
	return NULL;
}

/* ---- placing workers ---- */

/* The k-th hardware thread of every core, for k = 0, 1, ...: cores before their second threads. */
static uint32_t place(hwloc_topology_t h, uint32_t worker)
{
	int cores = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE);
	uint32_t pus = (uint32_t)hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU), seen = 0;
	worker %= pus;
	if (cores <= 0)
		return worker;
	for (unsigned k = 0; k < pus; k++)
		for (int c = 0; c < cores; c++) {
			hwloc_obj_t core = hwloc_get_obj_by_type(h, HWLOC_OBJ_CORE, (unsigned)c);
			hwloc_obj_t pu = hwloc_get_obj_inside_cpuset_by_type(h, core->cpuset,
									     HWLOC_OBJ_PU, k);
			if (pu && seen++ == worker)
				return pu->logical_index;
		}
	return worker;
}

/* ---- distance ---- */

static bool share(hwloc_topology_t h, uint32_t a, uint32_t b, hwloc_obj_type_t type)
{
	hwloc_obj_t x = hwloc_get_obj_by_type(h, HWLOC_OBJ_PU, a);
	hwloc_obj_t y = hwloc_get_obj_by_type(h, HWLOC_OBJ_PU, b);
	if (type == HWLOC_OBJ_NUMANODE)
		return hwloc_bitmap_isequal(x->nodeset, y->nodeset);
	x = hwloc_get_ancestor_obj_by_type(h, type, x);
	return x && x == hwloc_get_ancestor_obj_by_type(h, type, y);
}

static uint32_t distance(const struct heist_topology *t, uint32_t a, uint32_t b)
{
	static const hwloc_obj_type_t rings[] = { HWLOC_OBJ_CORE, HWLOC_OBJ_L2CACHE,
						  HWLOC_OBJ_L3CACHE, HWLOC_OBJ_NUMANODE,
						  HWLOC_OBJ_PACKAGE };
	uint32_t n = sizeof rings / sizeof *rings;
	if (!t->hwloc)
		return n;
	if (t->pu[a] == t->pu[b])
		return 0;
	for (uint32_t d = 0; d < n; d++)
		if (share(t->hwloc, t->pu[a], t->pu[b], rings[d]))
			return d;
	return n;
}

/* Worker w's row: the others by distance, stable, with the end of each ring. */
static void fill_row(struct heist_topology *t, uint32_t w)
{
	struct heist_victim *row = &t->victims[(size_t)w * (t->workers - 1)];
	uint32_t n = 0;
	for (uint32_t d = 0; d <= 5 && n < t->workers - 1; d++) {
		uint32_t ring = n;
		for (uint32_t k = 1; k < t->workers; k++) {
			uint32_t v = (w + k) % t->workers;
			if (distance(t, w, v) == d)
				row[n++].worker = (uint16_t)v;
		}
		for (uint32_t i = ring; i < n; i++)
			row[i].ring_end = (uint16_t)n;
	}
}

/* ---- create and destroy ---- */

static size_t victims_size(const struct heist_topology *t)
{
	return (size_t)t->workers * t->workers * sizeof *t->victims;
}

int heist_topology_init(struct heist_topology *t, uint32_t workers, bool bind,
			const char *synthetic, const struct heist_memory *memory)
{
	*t = (struct heist_topology){ .workers = workers, .memory = memory };
	t->pu = heist_memory_get(memory, workers * sizeof *t->pu, 64);
	t->victims = heist_memory_get(memory, victims_size(t), 64);
	if (!t->pu || !t->victims) {
		heist_topology_destroy(t);
		return -1;
	}
	memset(t->pu, 0, workers * sizeof *t->pu);
	/* One unbound worker needs no hwloc, and loading costs more than the rest of a start. */
	t->hwloc = workers > 1 || bind || synthetic ? load(synthetic) : NULL;
	t->real = t->hwloc && !synthetic;
	for (uint32_t w = 0; t->hwloc && w < workers; w++)
		t->pu[w] = place(t->hwloc, w);
	for (uint32_t w = 0; w < workers; w++)
		fill_row(t, w);
	return 0;
}

void heist_topology_destroy(struct heist_topology *t)
{
	if (t->hwloc)
		hwloc_topology_destroy(t->hwloc);
	heist_memory_put(t->memory, t->pu, t->workers * sizeof *t->pu);
	heist_memory_put(t->memory, t->victims, victims_size(t));
	t->hwloc = NULL;
	t->pu = NULL;
	t->victims = NULL;
}

int heist_topology_bind(struct heist_topology *t, uint32_t w)
{
	if (!t->real)
		return 0;
	hwloc_obj_t pu = hwloc_get_obj_by_type(t->hwloc, HWLOC_OBJ_PU, t->pu[w]);
	return pu && hwloc_set_cpubind(t->hwloc, pu->cpuset, HWLOC_CPUBIND_THREAD) == 0 ? 0 : -1;
}

void heist_victims_begin(struct heist_victims *it, const struct heist_topology *t, uint32_t worker,
			 uint64_t random)
{
	*it = (struct heist_victims){ .count = t->workers - 1, .random = random };
	if (it->count == 0)
		return;
	it->row = &t->victims[(size_t)worker * it->count];
	heist_victims_ring(it);
}
