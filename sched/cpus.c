/* SPDX-License-Identifier: BSD-2-Clause
 * cpus.c - affinity mask, cgroup quota, environment and config: workers and pinning. */
#define _GNU_SOURCE
#include "sched/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lockfree/seam.h"
#include "sched/cgroup.h"
#include "sched/policy.h"

#define TEXT_OF(x)   #x
#define NUMBER_OF(x) TEXT_OF(x)

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

/* ---- the environment ---- */

static bool given(const char *text)
{
	return text && *text;
}

static const char *parse_workers(const char *text, uint32_t allowed, uint32_t *workers)
{
	uint64_t n;
	if (strcmp(text, "all") == 0) {
		*workers = allowed < SCHED_MAX_WORKERS ? allowed : SCHED_MAX_WORKERS;
		return NULL;
	}
	const char *end = heist_cgroup_number(text, &n);
	if (!end || *end || n < 1 || n > SCHED_MAX_WORKERS)
		return "HEIST_WORKERS must be a number from 1 to " NUMBER_OF(
			SCHED_MAX_WORKERS) ", or \"all\"";
	*workers = (uint32_t)n;
	return NULL;
}

static const char *parse_pin(const char *text, enum cpus_pin *pin)
{
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return "HEIST_PIN must be 0 or 1";
	*pin = *text == '1' ? CPUS_PIN_ON : CPUS_PIN_OFF;
	return NULL;
}

/* ---- the decision ---- */

static uint32_t default_workers(const struct cpus_facts *f)
{
	uint64_t n = f->allowed;
	if (f->quota && f->quota / 1000 < n)
		n = f->quota / 1000;
	if (n < 1)
		return 1;
	return n < SCHED_MAX_WORKERS ? (uint32_t)n : SCHED_MAX_WORKERS;
}

const char *heist_cpus_decide(const struct cpus_facts *f, struct cpus_choice *out)
{
	uint32_t workers = default_workers(f);
	enum cpus_pin pin = CPUS_PIN_DEFAULT;
	const char *bad = NULL;
	if (given(f->env_workers))
		bad = parse_workers(f->env_workers, f->allowed, &workers);
	if (!bad && given(f->env_pin))
		bad = parse_pin(f->env_pin, &pin);
	if (bad)
		return bad;
	if (f->workers > SCHED_MAX_WORKERS)
		return "config: more than " NUMBER_OF(SCHED_MAX_WORKERS) " workers";
	if (f->workers)
		workers = f->workers;
	if (f->pin != CPUS_PIN_DEFAULT)
		pin = f->pin;
	bool scarce = f->quota && f->quota < f->allowed * (uint64_t)1000;
	out->workers = workers;
	out->pin = pin == CPUS_PIN_DEFAULT ? workers > 1 && workers <= f->allowed && !scarce
					   : pin == CPUS_PIN_ON;
	return NULL;
}

const char *heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root,
			      struct cpus_choice *out)
{
	struct cpus_facts facts = {
		.workers = workers,
		.pin = pin,
		.env_workers = getenv("HEIST_WORKERS"),
		.env_pin = getenv("HEIST_PIN"),
		.allowed = heist_cpus_allowed(),
		.quota = heist_cgroup_quota(root),
	};
	return heist_cpus_decide(&facts, out);
}
