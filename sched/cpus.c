/* SPDX-License-Identifier: BSD-2-Clause
 * cpus.c - affinity mask, cgroup quota, environment: the number of workers. */
#define _GNU_SOURCE
#include "sched/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/policy.h"

/* ---- the affinity mask ---- */

uint32_t heist_cpus_allowed(void)
{
	cpu_set_t set[16]; /* 16,384 CPUs */
	memset(set, 0, sizeof set);
	if (sched_getaffinity(0, sizeof set, set) != 0)
		return 1;
	int n = CPU_COUNT_S(sizeof set, set);
	return n > 0 ? (uint32_t)n : 1;
}

/* ---- the cgroup quota ---- */

uint64_t heist_cpus_parse_cpu_max(const char *text)
{
	char *end;
	unsigned long long quota = strtoull(text, &end, 10), period;
	if (end == text || *text == '-' || *end != ' ')
		return 0; /* "max", or not understood: no limit that we know of */
	period = strtoull(end, NULL, 10);
	if (quota == 0 || period == 0 || quota > UINT64_MAX / 1000)
		return 0;
	return quota * 1000 / period;
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool ok = fgets(line, (int)size, f) != NULL;
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* cgroup v2: cpu.max.  v1: cpu.cfs_quota_us and cpu.cfs_period_us. */
static uint64_t quota_of(const char *folder)
{
	char path[4096], line[128], period[64];
	snprintf(path, sizeof path, "%.3900s/cpu.max", folder);
	if (read_line(path, line, sizeof line))
		return heist_cpus_parse_cpu_max(line);
	snprintf(path, sizeof path, "%.3900s/cpu.cfs_period_us", folder);
	if (!read_line(path, period, sizeof period))
		return 0;
	snprintf(path, sizeof path, "%.3900s/cpu.cfs_quota_us", folder);
	if (!read_line(path, line, 60))
		return 0;
	size_t used = strlen(line);
	snprintf(line + used, sizeof line - used, " %.60s", period);
	return heist_cpus_parse_cpu_max(line); /* "-1 100000": no limit */
}

/* The smallest quota from `group` up to the top of the hierarchy mounted at `mount`. */
static uint64_t smallest_quota(const char *mount, const char *group)
{
	char folder[4096];
	size_t top = strlen(mount);
	uint64_t least = 0;
	snprintf(folder, sizeof folder, "%.2000s%.2000s", mount, strcmp(group, "/") ? group : "");
	for (;;) {
		uint64_t q = quota_of(folder);
		if (q && (least == 0 || q < least))
			least = q;
		char *slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < top)
			return least;
		*slash = '\0';
	}
}

/* One line of /proc/self/cgroup: "0::/a/b" (v2) or "4:cpu,cpuacct:/a/b" (v1). */
static uint64_t quota_of_line(const char *root, char *line)
{
	char mount[1024];
	char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!group)
		return 0;
	*group++ = '\0';
	controllers++;
	if (*controllers == '\0') {
		snprintf(mount, sizeof mount, "%.900s/sys/fs/cgroup", root);
		return smallest_quota(mount, group);
	}
	for (char *save, *c = strtok_r(controllers, ",", &save); c; c = strtok_r(NULL, ",", &save))
		if (strcmp(c, "cpu") == 0) {
			snprintf(mount, sizeof mount, "%.900s/sys/fs/cgroup/cpu", root);
			return smallest_quota(mount, group);
		}
	return 0;
}

uint64_t heist_cpus_quota(const char *root)
{
	char path[1024], line[2048];
	uint64_t least = 0;
	snprintf(path, sizeof path, "%.900s/proc/self/cgroup", root);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		uint64_t q = quota_of_line(root, line);
		if (q && (least == 0 || q < least))
			least = q;
	}
	fclose(f);
	return least;
}

/* ---- the choice ---- */

bool heist_cpus_parse_count(const char *text, uint32_t max, uint32_t *out)
{
	char *end;
	if (strcmp(text, "all") == 0) {
		*out = 0;
		return true;
	}
	unsigned long n = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-' || n < 1 || n > max)
		return false;
	*out = (uint32_t)n;
	return true;
}

static const char *pin_from_environment(enum cpus_pin *pin)
{
	const char *text = getenv("HEIST_PIN");
	if (!text || !*text)
		return NULL;
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return "HEIST_PIN must be 0 or 1";
	*pin = *text == '1' ? CPUS_PIN_ON : CPUS_PIN_OFF;
	return NULL;
}

const char *heist_cpus_choose(uint32_t workers, enum cpus_pin pin, const char *root,
			      struct cpus_choice *out)
{
	const char *text = getenv("HEIST_WORKERS"), *bad;
	uint32_t allowed = heist_cpus_allowed();
	uint64_t quota = heist_cpus_quota(root);
	if (workers > SCHED_MAX_WORKERS)
		return "config: more than 256 workers";
	if (!workers && text && *text && !heist_cpus_parse_count(text, SCHED_MAX_WORKERS, &workers))
		return "HEIST_WORKERS must be a number from 1 to 256, or \"all\"";
	if (pin == CPUS_PIN_DEFAULT && (bad = pin_from_environment(&pin)) != NULL)
		return bad;
	bool scarce = quota && quota < allowed * (uint64_t)1000;
	if (!workers) {
		workers = scarce ? (uint32_t)(quota / 1000) : allowed;
		if (workers < 1)
			workers = 1;
		if (workers > SCHED_MAX_WORKERS)
			workers = SCHED_MAX_WORKERS;
	}
	out->workers = workers;
	out->pin = pin == CPUS_PIN_DEFAULT ? !scarce && workers > 1 && workers <= allowed
					   : pin == CPUS_PIN_ON;
	return NULL;
}
