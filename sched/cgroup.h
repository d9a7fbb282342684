/* SPDX-License-Identifier: BSD-2-Clause
 * cgroup.h - the CPU quota that the control groups of this process impose on it.
 *
 * hwloc and the affinity mask do not show a quota: a container limited to half a CPU still sees the
 * whole machine.  Version 2 states it in cpu.max, version 1 in cpu.cfs_quota_us / cpu.cfs_period_us;
 * a limit of any group between the process's own and the top of the mounted hierarchy counts.
 *
 * Threads   any; no state, no allocation, about 24 KiB of stack.
 * Errors    what cannot be read or understood is no limit. */
#ifndef HEIST_SCHED_CGROUP_H
#define HEIST_SCHED_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* The smallest quota, in thousandths of a CPU rounded down, at least 1; 0 = none.  `root` is put in
 * front of every path: "" for this machine, the top of a fake tree in tests. */
uint64_t heist_cgroup_quota(const char *root);

/* ---- parsers: pure, for the file above and for their tests ---- */

/* Decimal digits only, no blank and no sign.  The character behind them; NULL: no digit, or more
 * than 64 bits. */
const char *heist_cgroup_number(const char *text, uint64_t *out);

/* "<quota> <period>" in microseconds, as in cpu.max: thousandths of a CPU.  0: "max", or not understood. */
uint64_t heist_cgroup_parse_max(const char *text);

/* A line of /proc/self/mountinfo that mounts a hierarchy with the CPU controller. */
struct cgroup_mount {
	char *root;  /* the group that is visible at `point` */
	char *point; /* where it is mounted */
	bool v2;
};
/* False: some other line.  Cuts `line` up; the answers point into it. */
bool heist_cgroup_parse_mount(char *line, struct cgroup_mount *out);

/* A line of /proc/self/cgroup: the process's group in the hierarchy with the CPU controller (v1), or
 * in the unified one (v2).  NULL: another controller.  Cuts `line` up; the answer points into it. */
char *heist_cgroup_parse_self(char *line, bool *v2);

/* The part of `group` below `root`: "" for the root itself, else "/...".  NULL: not below it, or the
 * path could lead out of the mount. */
const char *heist_cgroup_below(const char *root, const char *group);

#endif
