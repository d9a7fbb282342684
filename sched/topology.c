/* SPDX-License-Identifier: BSD-2-Clause
 * topology.c - the only user of hwloc: loads and shares the description of the machine, places the
 * workers, sorts their victims. */
#include "sched/topology.h"

#include <hwloc.h>
#include <string.h>

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "sched/cpus.h"

/* ---- the description of a machine ---- */

struct heist_machine {
	hwloc_topology_t h;
	struct cpus_mask mask; /* the affinity mask it was loaded under; empty: synthetic */
	uint32_t users;	       /* under the lock of `current` */
};

/* The description that new runtimes share; it counts as one user.  The lock is held for a few
 * instructions, never while loading. */
static struct {
	_Atomic uint32_t lock;
	struct heist_machine *machine;
} current;

static void current_lock(void)
{
	uint32_t open = 0;
	while (!atomic_compare_exchange_weak_explicit(&current.lock, &open, 1, memory_order_acquire,
						      memory_order_relaxed)) { /* TP1 acquire */
		heist_thread_yield();
		open = 0;
	}
}

static void current_unlock(void)
{
	atomic_store_explicit(&current.lock, 0, memory_order_release); /* TP1 release */
}

static void machine_free(struct heist_machine *m)
{
	heist_cpus_mask_put(&m->mask);
	hwloc_topology_destroy(m->h);
	heist_mem_free(m, sizeof *m);
}

static void machine_release(struct heist_machine *m)
{
	if (!m)
		return;
	current_lock();
	bool last = --m->users == 0;
	current_unlock();
	if (last)
		machine_free(m);
}

/* ---- loading ---- */

static bool load(hwloc_topology_t h, const char *synthetic)
{
	if (synthetic && hwloc_topology_set_synthetic(h, synthetic) != 0)
		return false;
	return hwloc_topology_load(h) == 0 && hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU) > 0;
}

static hwloc_bitmap_t bitmap_of(const struct cpus_mask *mask)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	for (unsigned i = 0; set && i < mask->size / sizeof *mask->words; i++)
		hwloc_bitmap_set_ith_ulong(set, i, mask->words[i]);
	return set;
}

/* By itself hwloc shows all CPUs of the cpuset, not those of the affinity mask.  Its flag
 * RESTRICT_TO_CPUBINDING asks for the mask of the process and gives up without a word when the
 * threads' masks differ, as they do once another runtime has pinned its workers; so the mask of this
 * thread, which the workers inherit, is applied here.  (A description of another machine, from hwloc's
 * environment variables, stays whole.) */
static bool restrict_to_thread(struct heist_machine *m)
{
	if (!heist_cpus_mask_get(&m->mask))
		return false;
	if (!hwloc_topology_is_thissystem(m->h))
		return true;
	hwloc_bitmap_t set = bitmap_of(&m->mask);
	bool done = set && hwloc_topology_restrict(m->h, set, 0) == 0;
	hwloc_bitmap_free(set);
	return done;
}

/* With one user, or NULL. */
static struct heist_machine *machine_load(const char *synthetic)
{
	struct heist_machine *m = heist_mem_alloc(sizeof *m, _Alignof(struct heist_machine));
	if (!m)
		return NULL;
	*m = (struct heist_machine){ .users = 1 };
	if (hwloc_topology_init(&m->h) != 0) {
		heist_mem_free(m, sizeof *m);
		return NULL;
	}
	if (load(m->h, synthetic) && (synthetic || restrict_to_thread(m)))
		return m;
	machine_free(m);
	return NULL;
}

/* ---- sharing ---- */

static struct heist_machine *current_get(void)
{
	current_lock();
	struct heist_machine *m = current.machine;
	if (m)
		m->users++;
	current_unlock();
	return m;
}

/* m becomes the one that others share; those who use the old one keep it. */
static void current_set(struct heist_machine *m)
{
	current_lock();
	struct heist_machine *old = current.machine;
	current.machine = m;
	m->users++;
	current_unlock();
	machine_release(old);
}

/* hwloc_get_cpubind would not do: it forgets CPUs beyond those of the description. */
static bool still_valid(const struct heist_machine *m)
{
	struct cpus_mask now;
	if (!heist_cpus_mask_get(&now))
		return false;
	bool same = now.size == m->mask.size && memcmp(now.words, m->mask.words, now.size) == 0;
	heist_cpus_mask_put(&now);
	return same;
}

/* This machine as the calling thread may use it, or NULL. */
static struct heist_machine *machine_get(void)
{
	struct heist_machine *m = current_get();
	if (m && still_valid(m))
		return m;
	machine_release(m);
	m = machine_load(NULL);
	if (m)
		current_set(m);
	return m;
}

/* ---- placing workers ---- */

static void place(struct heist_place *p, hwloc_obj_t pu)
{
	int node = pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1;
	p->cpu = pu->os_index;
	p->node = node < 0 ? 0 : (uint32_t)node;
}

/* Hardware thread k of every core, for k = 0, 1, ...  The threads of a core are neighbours in hwloc's
 * order; a machine without cores counts every hardware thread as one. */
static void place_workers(struct heist_topology *t)
{
	hwloc_topology_t h = t->machine->h;
	uint32_t pus = (uint32_t)hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU), placed = 0;
	uint32_t distinct = t->workers < pus ? t->workers : pus;
	for (uint32_t k = 0; placed < distinct; k++) {
		hwloc_obj_t pu = NULL, last = NULL;
		uint32_t rank = 0;
		while (placed < distinct &&
		       (pu = hwloc_get_next_obj_by_type(h, HWLOC_OBJ_PU, pu))) {
			hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(h, HWLOC_OBJ_CORE, pu);
			rank = core && core == last ? rank + 1 : 0;
			last = core;
			if (rank == k)
				place(&t->places[placed++], pu);
		}
	}
	for (uint32_t w = distinct; w < t->workers; w++)
		t->places[w] = t->places[w - distinct];
}

/* ---- sorting victims ---- */

static bool holds(hwloc_obj_t obj, const struct heist_topology *t, uint32_t w)
{
	return obj && hwloc_bitmap_isset(obj->cpuset, t->places[w].cpu);
}

/* Append the workers, from w on, that `outer` holds and `inner` does not, as a ring; returns its end.
 * outer NULL: everybody. */
static uint32_t add_ring(struct heist_topology *t, uint32_t w, uint32_t n, hwloc_obj_t inner,
			 hwloc_obj_t outer)
{
	struct heist_victim *row = &t->victims[(size_t)w * (t->workers - 1)];
	uint32_t begin = n;
	for (uint32_t k = 1; k < t->workers; k++) {
		uint32_t v = (w + k) % t->workers;
		if ((!outer || holds(outer, t, v)) && !holds(inner, t, v))
			row[n++].worker = (uint16_t)v;
	}
	for (uint32_t i = begin; i < n; i++)
		row[i].ring_end = (uint16_t)n;
	return n;
}

static void sort_victims(struct heist_topology *t, uint32_t w)
{
	uint32_t n = 0;
	hwloc_obj_t inner = NULL, outer;
	if (!t->machine) {
		add_ring(t, w, 0, NULL, NULL);
		return;
	}
	outer = hwloc_get_pu_obj_by_os_index(t->machine->h, t->places[w].cpu);
	for (; outer && n < t->workers - 1; inner = outer, outer = outer->parent)
		n = add_ring(t, w, n, inner, outer);
}

/* ---- create and destroy ---- */

static size_t places_size(uint32_t workers)
{
	return workers * sizeof(struct heist_place);
}

static size_t array_size(uint32_t workers)
{
	return places_size(workers) + (size_t)workers * (workers - 1) * sizeof(struct heist_victim);
}

int heist_topology_init(struct heist_topology *t, uint32_t workers, bool bind,
			const char *synthetic, const struct heist_memory *memory)
{
	HEIST_ENSURE(workers >= 1 && workers <= UINT16_MAX);
	*t = (struct heist_topology){ .workers = workers, .memory = memory };
	char *array = heist_memory_get(memory, array_size(workers), HEIST_CACHELINE);
	if (!array)
		return -1;
	memset(array, 0, places_size(workers));
	t->places = (struct heist_place *)(void *)array;
	t->victims = (struct heist_victim *)(void *)(array + places_size(workers));
	if (synthetic)
		t->machine = machine_load(synthetic);
	else if (workers > 1 || bind)
		t->machine = machine_get();
	if (t->machine)
		place_workers(t);
	for (uint32_t w = 0; w < workers; w++)
		sort_victims(t, w);
	return 0;
}

void heist_topology_destroy(struct heist_topology *t)
{
	hwloc_bitmap_free(t->set);
	machine_release(t->machine);
	heist_memory_put(t->memory, t->places, array_size(t->workers));
	t->machine = NULL;
	t->places = NULL;
	t->victims = NULL;
}

/* ---- use ---- */

bool heist_topology_use(struct heist_topology *t, const char *list)
{
	hwloc_bitmap_t set = t->machine ? hwloc_bitmap_alloc() : NULL;
	if (!set)
		return false;
	bool good = *list && strspn(list, "0123456789,-") == strlen(list) &&
		    hwloc_bitmap_list_sscanf(set, list) == 0;
	hwloc_bitmap_and(set, set, hwloc_topology_get_topology_cpuset(t->machine->h));
	if (!good || hwloc_bitmap_iszero(set)) {
		hwloc_bitmap_free(set);
		return false;
	}
	hwloc_bitmap_free(t->set);
	t->set = set;
	return true;
}

bool heist_topology_allows(const char *list)
{
	struct heist_topology t = { .machine = machine_get() };
	bool good = heist_topology_use(&t, list);
	hwloc_bitmap_free(t.set);
	machine_release(t.machine);
	return good;
}

static int bind_here(struct heist_topology *t, hwloc_const_bitmap_t set)
{
	return hwloc_set_cpubind(t->machine->h, set, HWLOC_CPUBIND_THREAD) == 0 ? 0 : -1;
}

int heist_topology_bind(struct heist_topology *t, uint32_t w)
{
	if (!t->machine)
		return -1;
	if (t->set)
		return bind_here(t, t->set);
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(t->machine->h, t->places[w].cpu);
	return pu ? bind_here(t, pu->cpuset) : -1;
}

bool heist_topology_first_refusal(struct heist_topology *t)
{
	return atomic_exchange_explicit(&t->refused, 1, memory_order_relaxed) ==
	       0; /* counts only */
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
