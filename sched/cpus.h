/* SPDX-License-Identifier: BSD-2-Clause
 * cpus.h - how many workers a runtime gets by default, and whether they are pinned.
 *
 * workers = min(CPUs in the affinity mask, CPU quota of the cgroups rounded down), at least 1.  Pinned,
 * unless there is one worker only, or more than CPUs, or the quota is below the mask: a pinned worker on
 * a throttled or shared core cannot move away.
 * A config value beats the environment (HEIST_WORKERS, HEIST_PIN), which beats the default.
 *
 * Threads   any.   Errors   a message that says what is wrong, NULL if nothing is. */
#ifndef HEIST_SCHED_CPUS_H
#define HEIST_SCHED_CPUS_H

#include <stdbool.h>
#include <stdint.h>

enum cpus_pin { CPUS_PIN_DEFAULT, CPUS_PIN_ON, CPUS_PIN_OFF };

struct cpus_choice {
	uint32_t workers;
	bool pin;
};

/* workers 0, CPUS_PIN_DEFAULT: not given.  root: "" or the top of another tree, for tests. */
const char *heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root,
			      struct cpus_choice *out);

/* CPUs this process may run on; at least 1. */
uint32_t heist_cpus_allowed(void);
/* CPU quota of the process's cgroups (v1 and v2) in thousandths of a CPU; 0 = none. */
uint64_t heist_cpus_quota(const char *root);

/* ---- parsers, for their tests ---- */

/* "max 100000" or "150000 100000": thousandths of a CPU, 0 = none or not understood. */
uint64_t heist_cpus_parse_cpu_max(const char *text);
/* A number from 1 to `max`, or "all" (= 0).  False: neither. */
bool heist_cpus_parse_count(const char *text, uint32_t max, uint32_t *out);

#endif
