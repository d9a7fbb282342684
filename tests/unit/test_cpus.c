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

static struct cpus_choice decide(struct cpus_facts f)
{
	struct cpus_choice c;
	const char *bad = heist_cpus_decide(&f, &c);
	EXPECT(bad == NULL);
	return c;
}

#define DECIDE(...) decide((struct cpus_facts){ __VA_ARGS__ })

static bool refused(struct cpus_facts f, const char *about)
{
	struct cpus_choice c = { 77, true };
	const char *bad = heist_cpus_decide(&f, &c);
	return bad && strstr(bad, about) && c.workers == 77;
}

#define REFUSED(about, ...) refused((struct cpus_facts){ __VA_ARGS__ }, about)

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
	c = DECIDE(.allowed = 100000, .env_workers = "all");
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

/* ---- who beats whom ---- */

TEST(cpus, config_beats_environment_beats_default)
{
	EXPECT(DECIDE(.allowed = 8, .quota = 2000, .env_workers = "5").workers == 5);
	EXPECT(DECIDE(.allowed = 8, .workers = 3, .env_workers = "5").workers == 3);
	EXPECT(DECIDE(.allowed = 8, .workers = 3, .env_workers = "all").workers == 3);
	EXPECT(!DECIDE(.allowed = 8, .env_pin = "0").pin);
	EXPECT(DECIDE(.allowed = 1, .env_pin = "1").pin);
	EXPECT(DECIDE(.allowed = 8, .pin = CPUS_PIN_ON, .env_pin = "0").pin);
	EXPECT(!DECIDE(.allowed = 8, .pin = CPUS_PIN_OFF, .env_pin = "1").pin);
	EXPECT(DECIDE(.allowed = 8, .quota = 500, .pin = CPUS_PIN_ON).pin);
}

TEST(cpus, all_is_the_mask_whatever_the_quota)
{
	struct cpus_choice c = DECIDE(.allowed = 8, .quota = 2000, .env_workers = "all");
	EXPECT(c.workers == 8 && !c.pin);
}

TEST(cpus, empty_variable_is_not_set)
{
	struct cpus_choice c = DECIDE(.allowed = 8, .env_workers = "", .env_pin = "");
	EXPECT(c.workers == 8 && c.pin);
}

TEST(cpus, bad_values_are_refused_even_when_config_beats_them)
{
	static const char *workers[] = { "0",	"-1",  "+1",	     " 1",
					 "1 ",	"257", "4294967297", "18446744073709551617",
					 "two", "ALL", "all ",	     "1.5",
					 "0x2", "\xff" };
	static const char *pins[] = { "2", "yes", "01", "1 ", "-1", "true" };
	for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
		EXPECT(REFUSED("HEIST_WORKERS", .allowed = 8, .env_workers = workers[i]));
		EXPECT(REFUSED("HEIST_WORKERS", .allowed = 8, .env_workers = workers[i],
			       .workers = 2));
	}
	for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
		EXPECT(REFUSED("HEIST_PIN", .allowed = 8, .env_pin = pins[i]));
		EXPECT(REFUSED("HEIST_PIN", .allowed = 8, .env_pin = pins[i], .pin = CPUS_PIN_OFF));
	}
	EXPECT(REFUSED("config", .allowed = 8, .workers = SCHED_MAX_WORKERS + 1));
	EXPECT(REFUSED("256", .allowed = 8, .workers = UINT32_MAX));
	EXPECT(DECIDE(.allowed = 8, .env_workers = "256").workers == 256);
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

TEST(cpus, choose_reads_quota_and_environment)
{
	struct cpus_choice c;
	tree_begin();
	tree_file("/proc/self/cgroup", "0::/\n");
	tree_file("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
	tree_file("/cg/cpu.max", "50000 100000\n");
	unsetenv("HEIST_WORKERS");
	unsetenv("HEIST_PIN");
	EXPECT(heist_cpus_choose(0, CPUS_PIN_DEFAULT, tree_root, &c) == NULL);
	EXPECT(c.workers == 1 && !c.pin);
	setenv("HEIST_WORKERS", "3", 1);
	setenv("HEIST_PIN", "1", 1);
	EXPECT(heist_cpus_choose(0, CPUS_PIN_DEFAULT, tree_root, &c) == NULL);
	EXPECT(c.workers == 3 && c.pin);
	EXPECT(heist_cpus_choose(2, CPUS_PIN_OFF, tree_root, &c) == NULL);
	EXPECT(c.workers == 2 && !c.pin);
	setenv("HEIST_WORKERS", "three", 1);
	EXPECT(heist_cpus_choose(0, CPUS_PIN_DEFAULT, tree_root, &c) != NULL);
	unsetenv("HEIST_WORKERS");
	unsetenv("HEIST_PIN");
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
