/* SPDX-License-Identifier: BSD-2-Clause
 * watchdog.c - see watchdog.h. */
#define _GNU_SOURCE
#include "tests/support/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
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

/* Whether gdb could tell.  gdb 13 waits for ever when a signal meets a thread it attaches to: its time is limited. */
static bool gdb_tells(void)
{
	char command[128];
	snprintf(command, sizeof command,
		 "timeout -k5 45 gdb -nx -q -batch -p %ld -ex 'thread apply all backtrace'",
		 (long)getpid());
	return system(command) == 0;
}

/* By gdb: it sees threads that block signals, and those of a sanitizer. */
static void print_stacks(void)
{
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (!gdb_tells() && !gdb_tells())
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
