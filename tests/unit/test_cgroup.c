/* SPDX-License-Identifier: BSD-2-Clause
 * CPU quotas of control groups: parsers against hostile text, the walk on fake trees. */
#define _GNU_SOURCE
#include "sched/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/tree.h"

/* ---- a fake tree ---- */

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT                                                                                   \
	"33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"

static void tree_proc(const char *self, const char *mounts)
{
	tree_file("/proc/self/cgroup", self);
	tree_file("/proc/self/mountinfo", mounts);
}

/* ---- parsers ---- */

TEST(cgroup, number_takes_digits_only)
{
	uint64_t n = 7;
	const char *hostile[] = { "",
				  " 1",
				  "+1",
				  "-1",
				  "max",
				  "\t2",
				  "\xff",
				  ".5",
				  "18446744073709551616",
				  "99999999999999999999999" };
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
		EXPECT(heist_cgroup_number(hostile[i], &n) == NULL && n == 7);
	const char *end = heist_cgroup_number("18446744073709551615x", &n);
	EXPECT(end && *end == 'x' && n == UINT64_MAX);
	end = heist_cgroup_number("0", &n);
	EXPECT(end && *end == '\0' && n == 0);
}

TEST(cgroup, max_is_quota_over_period)
{
	EXPECT(heist_cgroup_parse_max("150000 100000\n") == 1500);
	EXPECT(heist_cgroup_parse_max("150000 100000") == 1500);
	EXPECT(heist_cgroup_parse_max("50000 100000\n") == 500);
	EXPECT(heist_cgroup_parse_max("200000 100000\n") == 2000);
	EXPECT(heist_cgroup_parse_max("199999 100000\n") == 1999);
	EXPECT(heist_cgroup_parse_max("1 1000000\n") == 1);
}

TEST(cgroup, max_or_garbage_is_no_limit)
{
	const char *none[] = { "max 100000\n",
			       "max",
			       "",
			       "\n",
			       "-1 100000",
			       "100000",
			       "100000 ",
			       "100000  100000",
			       "100000 0",
			       "0 100000",
			       "100000 -5",
			       "1e5 100000",
			       "100000 100000x",
			       "100000 100000 100000",
			       "100000\t100000",
			       "100000 100000\n\n",
			       "18446744073709551615 1",
			       "99999999999999999999 1",
			       "0x100 0x10",
			       "100000,100000" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		EXPECT(heist_cgroup_parse_max(none[i]) == 0);
}

TEST(cgroup, mount_lines)
{
	struct cgroup_mount m;
	char v2[] = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
	EXPECT(heist_cgroup_parse_mount(v2, &m) && m.v2);
	EXPECT(strcmp(m.root, "/") == 0 && strcmp(m.point, "/sys/fs/cgroup") == 0);
	char v1[] = "33 24 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct rw a:1 b:2 - cgroup none "
		    "rw,cpuacct,cpu";
	EXPECT(heist_cgroup_parse_mount(v1, &m) && !m.v2 && strcmp(m.root, "/docker/ab") == 0);
	char escaped[] = "30 23 0:26 /a\\134b /mnt/with\\040blank\\9 rw - cgroup2 cgroup2 rw";
	EXPECT(heist_cgroup_parse_mount(escaped, &m));
	EXPECT(strcmp(m.root, "/a\\b") == 0 && strcmp(m.point, "/mnt/with blank\\9") == 0);
}

TEST(cgroup, other_mount_lines_are_refused)
{
	static const char *other[] = {
		"",
		" ",
		"30 23 0:26 / /sys/fs/cgroup rw",
		"30 23 0:26 / /sys/fs/cgroup rw -",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup2",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,cpuset",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,cpuacct,xcpu",
		"30 23 0:26 / / rw - ext4 cgroup2 rw,cpu",
		"30 23 0:26 / / rw cgroup2 cgroup2 rw,cpu",
	};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		char line[128];
		struct cgroup_mount m;
		strcpy(line, other[i]);
		EXPECT(!heist_cgroup_parse_mount(line, &m));
	}
}

TEST(cgroup, self_lines)
{
	static const struct {
		const char *line, *group; /* NULL: refused */
		bool v2;
	} cases[] = {
		{ "0::/a/b", "/a/b", true },
		{ "0::/", "/", true },
		{ "0::/with:colon:", "/with:colon:", true },
		{ "4:cpu,cpuacct:/x", "/x", false },
		{ "4:cpuacct,cpu:/x", "/x", false },
		{ "1:cpu:/", "/", false },
		{ "4:cpuset:/x", NULL, false },
		{ "4:cpuacct:/x", NULL, false },
		{ "9:name=cpu:/x", NULL, false },
		{ "4::/x", NULL, false },
		{ "0::", NULL, false },
		{ "0::relative", NULL, false },
		{ "0:", NULL, false },
		{ "", NULL, false },
		{ ":::", NULL, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[64];
		bool v2 = false;
		strcpy(line, cases[i].line);
		char *group = heist_cgroup_parse_self(line, &v2);
		EXPECT(!group == !cases[i].group);
		EXPECT(!group || (strcmp(group, cases[i].group) == 0 && v2 == cases[i].v2));
	}
}

TEST(cgroup, below_strips_the_root_of_the_mount)
{
	EXPECT(strcmp(heist_cgroup_below("/", "/"), "") == 0);
	EXPECT(strcmp(heist_cgroup_below("/", "/a/b"), "/a/b") == 0);
	EXPECT(strcmp(heist_cgroup_below("/a", "/a"), "") == 0);
	EXPECT(strcmp(heist_cgroup_below("/a", "/a/b"), "/b") == 0);
	EXPECT(strcmp(heist_cgroup_below("/", "/..a/b.."), "/..a/b..") == 0);
	EXPECT(heist_cgroup_below("/a", "/ab") == NULL);
	EXPECT(heist_cgroup_below("/a/b", "/a") == NULL);
	EXPECT(heist_cgroup_below("/", "/..") == NULL);
	EXPECT(heist_cgroup_below("/", "/../../etc") == NULL);
	EXPECT(heist_cgroup_below("/", "/a/../b") == NULL);
	EXPECT(heist_cgroup_below("/..", "/../b") == NULL);
}

/* ---- version 2 ---- */

TEST(cgroup, v2_takes_the_smallest_of_nested_limits)
{
	tree_begin();
	tree_proc("0::/outer/middle/inner\n", V2_MOUNT);
	tree_file("/sys/fs/cgroup/outer/middle/inner/cpu.max", "max 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_file("/sys/fs/cgroup/outer/cpu.max", "300000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 3000);
	tree_file("/sys/fs/cgroup/outer/middle/cpu.max", "75000 50000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 1500);
	tree_file("/sys/fs/cgroup/outer/middle/inner/cpu.max", "800000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 1500);
	tree_file("/sys/fs/cgroup/outer/middle/inner/cpu.max", "50000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 500);
	tree_end();
}

TEST(cgroup, v2_limit_at_the_top_of_a_namespace)
{
	tree_begin();
	tree_proc("0::/\n", V2_MOUNT);
	tree_file("/sys/fs/cgroup/cpu.max", "250000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 2500);
	tree_end();
}

TEST(cgroup, walk_stays_inside_the_mount)
{
	tree_begin();
	tree_proc("0::/../../../outside\n", V2_MOUNT);
	tree_file("/outside/cpu.max", "1000 100000\n");
	tree_file("/sys/fs/cpu.max", "1000 100000\n");
	tree_file("/sys/fs/cgroup/cpu.max", "400000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 4000);
	tree_end();
}

TEST(cgroup, siblings_and_controllers_that_are_not_ours_do_not_count)
{
	tree_begin();
	tree_proc("0::/ours\n1:cpuset:/other\n", V2_MOUNT);
	tree_file("/sys/fs/cgroup/other/cpu.max", "1000 100000\n");
	tree_file("/sys/fs/cgroup/ours/child/cpu.max", "1000 100000\n");
	tree_file("/sys/fs/cgroup/ours/cpu.cfs_quota_us", "1000\n");
	tree_file("/sys/fs/cgroup/ours/cpu.cfs_period_us", "100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_end();
}

/* ---- version 1 ---- */

TEST(cgroup, v1_takes_the_smallest_of_nested_limits)
{
	tree_begin();
	tree_proc("5:memory:/m\n4:cpuacct,cpu:/a/b\n0::/\n",
		  "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" V1_MOUNT);
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "600000\n");
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 6000);
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 500);
	tree_end();
}

/* A container without a namespace: the group is named as on the host, the mount shows only it. */
TEST(cgroup, v1_group_that_is_the_root_of_its_mount)
{
	tree_begin();
	tree_proc("4:cpu:/docker/ab\n", "33 24 0:29 /docker/ab /cg rw - cgroup cgroup rw,cpu\n");
	tree_file("/cg/cpu.cfs_quota_us", "150000\n");
	tree_file("/cg/cpu.cfs_period_us", "100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 1500);
	tree_end();
}

TEST(cgroup, v1_garbage_is_no_limit)
{
	static const char *garbage[] = {
		"",
		"\n",
		"max\n",
		"x",
		"50000 100000\n",
		"0\n",
		"-50000\n",
		"50000\n\n",
		"99999999999999999999\n",
		"5000000000000000000000000000000000000000000000000000000000000000000\n"
	};
	tree_begin();
	tree_proc("4:cpu:/a\n", V1_MOUNT);
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", garbage[i]);
		EXPECT(heist_cgroup_quota(tree_root) == 0);
	}
	tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 500);
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		tree_file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", garbage[i]);
		EXPECT(heist_cgroup_quota(tree_root) == 0);
	}
	tree_end();
}

/* ---- both, several, odd ---- */

TEST(cgroup, hybrid_takes_the_smaller_of_both_versions)
{
	tree_begin();
	tree_proc("1:cpu:/one\n0::/two\n",
		  V1_MOUNT "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	tree_file("/sys/fs/cgroup/cpu,cpuacct/one/cpu.cfs_quota_us", "400000\n");
	tree_file("/sys/fs/cgroup/cpu,cpuacct/one/cpu.cfs_period_us", "100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 4000);
	tree_file("/sys/fs/cgroup/unified/two/cpu.max", "300000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 3000);
	tree_file("/sys/fs/cgroup/unified/two/cpu.max", "500000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 4000);
	tree_end();
}

TEST(cgroup, mount_that_shows_the_group_beats_one_that_does_not)
{
	static const char foreign[] = "50 24 0:29 /foreign /foreign rw - cgroup2 cgroup2 rw\n";
	tree_begin();
	tree_file("/foreign/cpu.max", "100000 100000\n");
	tree_file("/sys/fs/cgroup/ours/cpu.max", "300000 100000\n");
	tree_proc("0::/ours\n", foreign);
	EXPECT(heist_cgroup_quota(tree_root) == 1000);
	char both[512];
	snprintf(both, sizeof both, "%s%s", foreign, V2_MOUNT);
	tree_proc("0::/ours\n", both);
	EXPECT(heist_cgroup_quota(tree_root) == 3000);
	snprintf(both, sizeof both, "%s%s", V2_MOUNT, foreign);
	tree_proc("0::/ours\n", both);
	EXPECT(heist_cgroup_quota(tree_root) == 3000);
	tree_end();
}

TEST(cgroup, mount_point_with_a_blank)
{
	tree_begin();
	tree_proc("0::/g\n", "30 23 0:26 / /my\\040mount rw - cgroup2 cgroup2 rw\n");
	tree_file("/my mount/g/cpu.max", "100000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 1000);
	tree_end();
}

/* An overlay of many layers fills thousands of columns; a piece of it must not pass for a line. */
TEST(cgroup, overlong_lines_are_skipped_whole)
{
	static const char bait[] = " 33 24 0:29 / /bait rw - cgroup2 cgroup2 rw";
	for (size_t length = 4280; length < 4370; length++) {
		char mounts[8192];
		if (length == 4280)
			tree_begin();
		memset(mounts, 'x', length);
		strcpy(mounts + length, bait);
		snprintf(mounts + strlen(mounts), 1024, "\n%s", V2_MOUNT);
		tree_proc("0::/g\n", mounts);
		tree_file("/bait/g/cpu.max", "1000 100000\n");
		tree_file("/sys/fs/cgroup/g/cpu.max", "200000 100000\n");
		EXPECT(heist_cgroup_quota(tree_root) == 2000);
	}
	tree_end();
}

TEST(cgroup, last_line_needs_no_newline)
{
	tree_begin();
	tree_proc("0::/g", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw");
	tree_file("/cg/g/cpu.max", "100000 100000");
	EXPECT(heist_cgroup_quota(tree_root) == 1000);
	tree_end();
}

TEST(cgroup, missing_files_are_no_limit)
{
	tree_begin();
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_file("/proc/self/cgroup", "0::/g\n");
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_file("/proc/self/mountinfo", V2_MOUNT);
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_file("/proc/self/cgroup", "");
	tree_file("/sys/fs/cgroup/cpu.max", "1000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_end();
}

TEST(cgroup, overlong_paths_are_no_limit)
{
	static char self[16384], point[5000];
	tree_begin();
	memset(self, 'a', sizeof self - 1);
	memcpy(self, "0::/", 4);
	tree_proc(self, V2_MOUNT);
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	self[4000] = '\0';
	memset(point, 'b', sizeof point - 1);
	memcpy(point, "30 23 0:26 / /", 14);
	strcpy(point + 4200, " rw - cgroup2 cgroup2 rw\n");
	tree_proc(self, point);
	EXPECT(heist_cgroup_quota(tree_root) == 0);
	tree_end();
}

/* Bytes at random in every file: any answer, but no crash and no read out of bounds. */
TEST(cgroup, random_bytes)
{
	static const char *paths[] = { "/proc/self/cgroup", "/proc/self/mountinfo",
				       "/cg/g/cpu.max" };
	static const char alphabet[] = "0123456789:/ -,.\\\n\ncpugroup2max04\xff";
	uint32_t random = 12345;
	tree_begin();
	for (int round = 0; round < 300; round++) {
		char text[600];
		tree_proc("0::/g\n4:cpu:/g\n", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
		for (size_t i = 0; i < sizeof text - 1; i++) {
			random = random * 1664525 + 1013904223;
			text[i] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
		}
		text[(random >> 8) % sizeof text] = '\0';
		text[sizeof text - 1] = '\0';
		tree_file("/cg/g/cpu.max", "100000 100000\n");
		tree_file(paths[round % 3], text);
		heist_cgroup_quota(tree_root);
	}
	tree_proc("0::/g\n", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
	tree_file("/cg/g/cpu.max", "100000 100000\n");
	EXPECT(heist_cgroup_quota(tree_root) == 1000);
	tree_end();
}
