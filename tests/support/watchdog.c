/* SPDX-License-Identifier: BSD-2-Clause
 * watchdog.c - see watchdog.h. */
#define _GNU_SOURCE
#include "tests/support/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/print.h"

#define RUNTIMES 128 /* ids */

/* They are found as foreign threads find them: a runtime that is borrowed from does not go meanwhile. */
static void print_runtimes(void)
{
	for (uint32_t id = 1; id < RUNTIMES; id++) {
		struct foreign *f = heist_foreign_enter(id);
		if (!f)
			continue;
		struct heist_system *s = f->local->system;
		print_runtime(s);
		fflush(stdout);
		(void)heist_dump_events(s, STDOUT_FILENO);
		heist_foreign_leave(f);
	}
}

/* By gdb: it sees threads that block signals, and those of a sanitizer. */
static void print_stacks(void)
{
	char pid[24], *argv[] = { "gdb", "-nx", "-q",  "-batch",
				  "-p",	 pid,	"-ex", "thread apply all backtrace",
				  NULL };
	pid_t gdb;
	int status;
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (posix_spawnp(&gdb, argv[0], NULL, NULL, argv, environ) != 0 ||
	    waitpid(gdb, &status, 0) != gdb || status != 0)
		puts("no gdb, no stacks");
}

void watchdog_report(void)
{
	print_runtimes();
	fflush(stdout);
	print_stacks();
	fflush(stdout);
}

static void *watch(void *arg)
{
	struct timespec left = { .tv_sec = (time_t)(intptr_t)arg };
	while (nanosleep(&left, &left) != 0)
		;
	printf("watchdog: still running after %ld seconds\n", (long)(intptr_t)arg);
	watchdog_report();
	signal(SIGABRT, SIG_DFL); /* a test framework would go on */
	abort();
}

void watchdog_arm(unsigned seconds)
{
	pthread_t id;
	sigset_t all, old;
	sigfillset(&all); /* its thread is for no signals */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&id, NULL, watch, (void *)(intptr_t)seconds) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_detach(id);
}

__attribute__((constructor)) static void arm_by_environment(void)
{
	const char *seconds = getenv("HEIST_TEST_HANG"), *slower = getenv("HEIST_TEST_SLOWER");
	long n = seconds ? atol(seconds) * (slower ? atol(slower) : 1) : 0;
	if (n > 0)
		watchdog_arm((unsigned)n);
}
