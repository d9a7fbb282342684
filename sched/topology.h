/* SPDX-License-Identifier: BSD-2-Clause
 * topology.h - the CPU of each worker and the order in which it looks for victims; by hwloc.
 *
 * Workers are spread over cores first, then over the second hardware threads of the cores.  A worker's
 * victims are sorted by distance into rings: same core, same L2, same L3, same NUMA node, same package,
 * the rest.  Inside a ring a thief starts anywhere.
 *
 * Threads   init, destroy: one.  Everything else: any.
 * Errors    -1: out of memory, nothing is left behind.  hwloc's own allocations are not ours: if it
 *           cannot describe the machine, all victims are equally far and nothing is bound. */
#ifndef HEIST_SCHED_TOPOLOGY_H
#define HEIST_SCHED_TOPOLOGY_H

#include "lockfree/memory.h"

struct heist_victim {
	uint16_t worker;
	uint16_t ring_end; /* index behind the last victim of the same ring */
};

struct heist_topology {
	uint32_t workers;
	const struct heist_memory *memory;
	void *hwloc;		      /* hwloc_topology_t, or NULL: flat */
	uint32_t *pu;		      /* logical index of each worker's hardware thread */
	struct heist_victim *victims; /* workers rows of workers - 1 */
	bool real;		      /* of this machine: binding has an effect */
};

/* bind: heist_topology_bind will be called.  synthetic: a machine in hwloc's notation ("package:2 core:16 pu:1"), or NULL for this one. */
int heist_topology_init(struct heist_topology *t, uint32_t workers, bool bind,
			const char *synthetic, const struct heist_memory *memory);
void heist_topology_destroy(struct heist_topology *t);
/* Bind the calling thread to worker w's CPU.  0, or -1: refused. */
int heist_topology_bind(struct heist_topology *t, uint32_t w);

/* ---- a thief's way through its victims ---- */

struct heist_victims {
	const struct heist_victim *row;
	uint32_t count, ring, ring_end, start, taken;
	uint64_t random;
};

void heist_victims_begin(struct heist_victims *it, const struct heist_topology *t, uint32_t worker,
			 uint64_t random);

static inline void heist_victims_ring(struct heist_victims *it)
{
	it->ring_end = it->row[it->ring].ring_end;
	it->start = (uint32_t)(it->random % (it->ring_end - it->ring));
	it->taken = 0;
}

/* False: no victim is left. */
static inline bool heist_victims_next(struct heist_victims *it, uint32_t *worker)
{
	if (it->ring == it->count)
		return false;
	uint32_t size = it->ring_end - it->ring;
	*worker = it->row[it->ring + (it->start + it->taken) % size].worker;
	if (++it->taken == size && (it->ring = it->ring_end) < it->count)
		heist_victims_ring(it);
	return true;
}

#endif
