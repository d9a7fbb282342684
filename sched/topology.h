/* SPDX-License-Identifier: BSD-2-Clause
 * topology.h - the CPU of each worker and the order in which it looks for victims; by hwloc.
 *
 * Workers go to different cores first, in the machine's order, then to the second hardware threads of
 * the cores, and so on; beyond the last hardware thread they start over.
 *
 * A worker's victims are sorted into rings: the workers on its own hardware thread, then those added
 * by each wider object that holds it: core, L2, L3, NUMA node, package, machine (and die or group,
 * where there are such).  A thief empties the nearest ring first and starts anywhere within it.
 *
 * The machine's description takes milliseconds to load.  It is loaded once per process and shared,
 * and loaded anew when the affinity mask of the thread that starts a runtime has changed.  The last
 * one stays until the process ends.
 *
 * Threads   init, destroy: any, one at a time for one object.  Everything else: any.
 * Owns      one array from `memory`, which must outlive the object; a reference to the description.
 * Errors    init -1: out of memory, nothing is left behind.  If hwloc cannot describe the machine, all
 *           victims are equally far and bind answers -1.  hwloc's own memory comes from libc. */
#ifndef HEIST_SCHED_TOPOLOGY_H
#define HEIST_SCHED_TOPOLOGY_H

#include "lockfree/memory.h"

struct heist_machine;

struct heist_place {
	uint32_t cpu;  /* the system's numbers */
	uint32_t node; /* NUMA */
};

struct heist_victim {
	uint16_t worker;
	uint16_t ring_end; /* index behind the last victim of the same ring */
};

/* Immutable after init, but `refused`. */
struct heist_topology {
	uint32_t workers;
	const struct heist_memory *memory;
	struct heist_machine *machine; /* NULL: flat */
	struct heist_place *places;    /* one a worker; zero where flat */
	struct heist_victim *victims;  /* one row of workers - 1 a worker */
	void *set; /* hwloc's: all workers run on these CPUs; NULL: each on its own */
	_Atomic uint32_t refused; /* somebody has been told that a binding was refused */
};

/* workers: 1 to 65535.  bind: heist_topology_bind will be called; without it a single worker needs no
 * description.  synthetic: another machine in hwloc's notation ("package:2 core:16 pu:1"), on which
 * binding does nothing; NULL for this one. */
int heist_topology_init(struct heist_topology *t, uint32_t workers, bool bind,
			const char *synthetic, const struct heist_memory *memory);
void heist_topology_destroy(struct heist_topology *t);

/* After an init with `bind`: the workers run on the CPUs of a list like "0-3,8", in the system's numbers, as far
 * as they are allowed; each on any of them.  False: not a list, or none of them is allowed. */
bool heist_topology_use(struct heist_topology *t, const char *list);
/* Would it be true on this machine, for the calling thread's affinity mask? */
bool heist_topology_allows(const char *list);

/* Bind the calling thread to worker w's CPU, or to those of heist_topology_use.  0, or -1: refused, and it runs on where it may. */
int heist_topology_bind(struct heist_topology *t, uint32_t w);
/* After a refusal: true for one caller only, who is to warn. */
bool heist_topology_first_refusal(struct heist_topology *t);

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
