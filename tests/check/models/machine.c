/* SPDX-License-Identifier: BSD-2-Clause
 * The machine that models run on: every worker is equally far from every other, nothing is pinned. */
#include "sched/cpus.h"
#include "sched/topology.h"

int heist_topology_init(struct heist_topology *t, uint32_t workers, bool bind,
			const char *synthetic, const struct heist_memory *memory)
{
	uint32_t others = workers - 1;
	(void)bind, (void)synthetic;
	*t = (struct heist_topology){ .workers = workers, .memory = memory };
	if (others == 0)
		return 0;
	t->victims = heist_memory_get(memory, workers * others * sizeof *t->victims, 8);
	for (uint32_t w = 0; w < workers; w++)
		for (uint32_t k = 0; k < others; k++)
			t->victims[w * others + k] =
				(struct heist_victim){ (uint16_t)((w + 1 + k) % workers),
						       (uint16_t)others };
	return 0;
}

void heist_topology_destroy(struct heist_topology *t)
{
	uint32_t others = t->workers - 1;
	heist_memory_put(t->memory, t->victims, t->workers * others * sizeof *t->victims);
}

bool heist_topology_use(struct heist_topology *t, const char *list)
{
	(void)t, (void)list;
	return true;
}

bool heist_topology_allows(const char *list)
{
	(void)list;
	return true;
}

int heist_topology_bind(struct heist_topology *t, uint32_t w)
{
	(void)t, (void)w;
	return 0;
}

bool heist_topology_first_refusal(struct heist_topology *t)
{
	(void)t;
	return false;
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

struct cpus_choice heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root)
{
	(void)pin, (void)root;
	return (struct cpus_choice){ .workers = workers, .pin = false };
}
