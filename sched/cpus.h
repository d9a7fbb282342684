/* SPDX-License-Identifier: BSD-2-Clause
 * cpus.h - how many workers a runtime gets, and whether they are pinned.
 *
 * Default   workers = min(CPUs in the affinity mask, CPU quota of the cgroups rounded down), at least 1
 *           and at most SCHED_MAX_WORKERS.
 * Pinned    by default, unless there is one worker only, or more than CPUs, or the quota is below the
 *           mask: a pinned worker on a shared or throttled core cannot move away.
 * All       CPUS_ALL workers are one for every CPU in the mask, whatever the quota.
 *
 * Threads   any. */
#ifndef HEIST_SCHED_CPUS_H
#define HEIST_SCHED_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS_ALL UINT32_MAX

enum cpus_pin { CPUS_PIN_DEFAULT, CPUS_PIN_ON, CPUS_PIN_OFF };

struct cpus_choice {
	uint32_t workers;
	bool pin;
	bool spin; /* before they sleep: pinned, or a single one, and others who may have work for them run elsewhere
		    * meanwhile */
};

/* What was asked for, and what the machine has.  workers 0, CPUS_PIN_DEFAULT: not given; more than
 * SCHED_MAX_WORKERS but CPUS_ALL: a mistake of the caller's.  `root` as in cgroup.h. */
struct cpus_choice heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root);

/* The affinity mask of the calling thread, hence of a thread that it starts. */
struct cpus_mask {
	unsigned long *words; /* CPU 0 is the lowest bit of the first */
	size_t size;	      /* in bytes; the same for every mask of this system */
};
/* False: no memory, or the system does not tell; nothing to put back then. */
bool heist_cpus_mask_get(struct cpus_mask *mask);
void heist_cpus_mask_put(struct cpus_mask *mask);
/* How many CPUs are in it; at least 1. */
uint32_t heist_cpus_allowed(void);

/* ---- the decision alone: pure ---- */

struct cpus_facts {
	uint32_t workers;  /* asked for; 0 = not given */
	enum cpus_pin pin; /* the same */
	uint32_t allowed;  /* CPUs in the mask, at least 1 */
	uint64_t quota;	   /* thousandths of a CPU, 0 = none */
};
struct cpus_choice heist_cpus_decide(const struct cpus_facts *facts);

#endif
