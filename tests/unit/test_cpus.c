/* SPDX-License-Identifier: BSD-2-Clause
 * How many workers, pinned or not. */
#define _GNU_SOURCE
#include "sched/cpus.h"

#include <heist/heist.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sched/policy.h"
#include "tests/support/tree.h"

#define DECIDE(...) heist_cpus_decide(&(struct cpus_facts){ __VA_ARGS__ })

/* ---- defaults ---- */

TEST(cpus, workers_are_the_mask_without_a_quota)
{
	struct cpus_choice c = DECIDE(.allowed = 8);
	EXPECT(c.workers == 8 && c.pin);
}

TEST(cpus, quota_rounds_down_but_not_to_zero)
{
	static const struct {
		uint32_t allowed;
		uint64_t quota;
		uint32_t workers;
		bool pin;
	} cases[] = {
		{ 8, 1, 1, false },	    { 8, 500, 1, false },  { 8, 999, 1, false },
		{ 8, 1000, 1, false },	    { 8, 1500, 1, false }, { 8, 2000, 2, false },
		{ 8, 2999, 2, false },	    { 8, 7999, 7, false }, { 8, 8000, 8, true },
		{ 8, 100000, 8, true },	    { 2, 1500, 1, false }, { 1, 500, 1, false },
		{ 8, UINT64_MAX, 8, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cpus_choice c = DECIDE(.allowed = cases[i].allowed, .quota = cases[i].quota);
		EXPECT(c.workers == cases[i].workers && c.pin == cases[i].pin);
	}
}

TEST(cpus, more_cpus_than_workers_can_be)
{
	struct cpus_choice c = DECIDE(.allowed = 100000);
	EXPECT(c.workers == SCHED_MAX_WORKERS && c.pin);
	c = DECIDE(.allowed = 100000, .workers = CPUS_ALL);
	EXPECT(c.workers == SCHED_MAX_WORKERS);
}

TEST(cpus, pinned_only_with_a_cpu_for_each_of_several_workers)
{
	EXPECT(!DECIDE(.allowed = 1).pin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 1).pin);
	EXPECT(DECIDE(.allowed = 8, .workers = 8).pin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 9).pin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 2, .quota = 4000).pin);
}

TEST(cpus, workers_spin_if_others_run_meanwhile)
{
	EXPECT(DECIDE(.allowed = 8, .workers = 8).spin);
	EXPECT(DECIDE(.allowed = 2, .workers = 1, .pin = CPUS_PIN_ON).spin);
	EXPECT(!DECIDE(.allowed = 1, .workers = 1, .pin = CPUS_PIN_ON).spin);
	EXPECT(DECIDE(.allowed = 8, .workers = 1).spin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 1, .pin = CPUS_PIN_OFF).spin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 1, .quota = 2000).spin);
	EXPECT(!DECIDE(.allowed = 1, .workers = 1).spin);
	EXPECT(!DECIDE(.allowed = 8, .workers = 4, .pin = CPUS_PIN_OFF).spin);
}

/* ---- who beats whom ---- */

TEST(cpus, what_is_asked_for_beats_the_default)
{
	EXPECT(DECIDE(.allowed = 8, .quota = 2000, .workers = 5).workers == 5);
	EXPECT(DECIDE(.allowed = 8, .workers = SCHED_MAX_WORKERS).workers == SCHED_MAX_WORKERS);
	EXPECT(!DECIDE(.allowed = 8, .pin = CPUS_PIN_OFF).pin);
	EXPECT(DECIDE(.allowed = 1, .pin = CPUS_PIN_ON).pin);
	EXPECT(DECIDE(.allowed = 8, .quota = 500, .pin = CPUS_PIN_ON).pin);
}

TEST(cpus, all_is_the_mask_whatever_the_quota)
{
	struct cpus_choice c = DECIDE(.allowed = 8, .quota = 2000, .workers = CPUS_ALL);
	EXPECT(c.workers == 8 && !c.pin);
}

/* ---- the machine ---- */

/* Affinity belongs to a thread: this one narrows its own to one CPU. */
static void *narrow(void *arg)
{
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	for (int c = 0, kept = 0; c < CPU_SETSIZE; c++)
		if (CPU_ISSET(c, &set) && kept++)
			CPU_CLR(c, &set);
	if (sched_setaffinity(0, sizeof set, &set) == 0)
		*(uint32_t *)arg = heist_cpus_allowed();
	return NULL;
}

TEST(cpus, allowed_is_the_mask_of_the_thread)
{
	cpu_set_t set;
	pthread_t t;
	uint32_t narrowed = 0;
	EXPECT(sched_getaffinity(0, sizeof set, &set) == 0);
	EXPECT(heist_cpus_allowed() == (uint32_t)CPU_COUNT(&set));
	EXPECT(pthread_create(&t, NULL, narrow, &narrowed) == 0);
	pthread_join(t, NULL);
	EXPECT(narrowed == 1);
	EXPECT(heist_cpus_allowed() == (uint32_t)CPU_COUNT(&set));
}

TEST(cpus, choose_reads_the_quota)
{
	tree_begin();
	tree_file("/proc/self/cgroup", "0::/\n");
	tree_file("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
	tree_file("/cg/cpu.max", "50000 100000\n");
	struct cpus_choice c = heist_cpus_choose(0, CPUS_PIN_DEFAULT, tree_root);
	EXPECT(c.workers == 1 && !c.pin);
	c = heist_cpus_choose(3, CPUS_PIN_ON, tree_root);
	EXPECT(c.workers == 3 && c.pin);
	tree_end();
}

/* ---- the whole program under taskset(1) ---- */

#define CHILD "HEIST_TEST_UNDER_TASKSET"

/* In the child, before main() of either runner: its exit status is the number of workers. */
__attribute__((constructor)) static void child(void)
{
	heist_system *s;
	heist_stats stats = heist_stats_default();
	if (!getenv(CHILD))
		return;
	if (heist_start(NULL, &s) != HEIST_OK || heist_get_stats(s, &stats) != HEIST_OK ||
	    heist_shutdown(s, 0) != HEIST_OK)
		_exit(200);
	_exit((int)stats.workers);
}

/* Exit status of this program under `taskset -c cpu`, with one environment variable or none. */
static int under_taskset(int cpu, char *more)
{
	static char program[] = "taskset", option[] = "-c", mark[] = CHILD "=1";
	char number[16], self[4096];
	char *argv[] = { program, option, number, self, NULL }, *envp[] = { mark, more, NULL };
	pid_t pid;
	int status = 0;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	EXPECT(n > 0);
	self[n] = '\0';
	snprintf(number, sizeof number, "%d", cpu);
	EXPECT(posix_spawnp(&pid, "taskset", NULL, NULL, argv, envp) == 0);
	EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(cpus, taskset_to_one_cpu_gives_one_worker)
{
	cpu_set_t set;
	int cpu = 0;
	static char three[] = "HEIST_WORKERS=3", bad[] = "HEIST_WORKERS=none";
	EXPECT(sched_getaffinity(0, sizeof set, &set) == 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	EXPECT(under_taskset(cpu, NULL) == 1);
	EXPECT(under_taskset(cpu, three) == 3);
	EXPECT(under_taskset(cpu, bad) == 200);
}
