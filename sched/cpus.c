/* SPDX-License-Identifier: BSD-2-Clause
 * cpus.c - affinity mask, cgroup quota and config: workers and pinning. */
#define _GNU_SOURCE
#include "sched/cpus.h"

#include <errno.h>
#include <sched.h>

#include "lockfree/seam.h"
#include "sched/cgroup.h"
#include "sched/policy.h"

/* ---- the affinity mask ---- */

/* The kernel refuses a buffer smaller than its own mask, and does not tell the size. */
#define MASK_FIRST 128u	      /* 1,024 CPUs */
#define MASK_LAST  (1u << 20) /* 8 million */

bool heist_cpus_mask_get(struct cpus_mask *mask)
{
	bool larger = true;
	for (size_t size = MASK_FIRST; larger && size <= MASK_LAST; size *= 2) {
		cpu_set_t *set = heist_mem_alloc(size, _Alignof(cpu_set_t));
		if (!set)
			return false;
		*mask = (struct cpus_mask){ (unsigned long *)(void *)set, size };
		if (sched_getaffinity(0, size, set) == 0)
			return true;
		larger = errno == EINVAL;
		heist_cpus_mask_put(mask);
	}
	return false;
}

void heist_cpus_mask_put(struct cpus_mask *mask)
{
	heist_mem_free(mask->words, mask->size);
	*mask = (struct cpus_mask){ NULL, 0 };
}

uint32_t heist_cpus_allowed(void)
{
	struct cpus_mask mask;
	if (!heist_cpus_mask_get(&mask))
		return 1;
	int n = CPU_COUNT_S(mask.size, (const cpu_set_t *)(const void *)mask.words);
	heist_cpus_mask_put(&mask);
	return n > 0 ? (uint32_t)n : 1;
}

/* ---- the decision ---- */

static uint32_t workers_of(uint64_t n)
{
	return n < 1 ? 1 : n < SCHED_MAX_WORKERS ? (uint32_t)n : SCHED_MAX_WORKERS;
}

struct cpus_choice heist_cpus_decide(const struct cpus_facts *f)
{
	bool scarce = f->quota && f->quota < f->allowed * (uint64_t)1000;
	uint32_t workers = f->workers;
	if (workers == 0 || workers == CPUS_ALL)
		workers = workers_of(scarce && !workers ? f->quota / 1000 : f->allowed);
	bool room = workers > 1 && workers <= f->allowed && !scarce;
	bool pin = f->pin == CPUS_PIN_DEFAULT ? room : f->pin == CPUS_PIN_ON;
	/* Not pinned, it is in nobody's way: it can move. */
	bool alone = workers == 1 && f->pin == CPUS_PIN_DEFAULT && !scarce;
	return (struct cpus_choice){
		.workers = workers,
		.pin = pin,
		.spin = (pin || alone) && (workers > 1 || f->allowed > 1),
	};
}

struct cpus_choice heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root)
{
	struct cpus_facts facts = {
		.workers = workers,
		.pin = pin,
		.allowed = heist_cpus_allowed(),
		.quota = heist_cgroup_quota(root),
	};
	return heist_cpus_decide(&facts);
}
