/* SPDX-License-Identifier: BSD-2-Clause
 * Faults of the system: threads and descriptors that are refused, futex calls that return for no reason or
 * by a signal, a process that is stopped and goes on, fewer CPUs than before.  Nothing is lost, nothing
 * hangs, what was begun is undone. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/ring.h"
#include "tests/support/threads.h"

/* ---- what fails ---- */

static _Atomic long threads, refuse_thread; /* so many were asked for; refuse this one, 0: none */
static _Atomic long waits, strange_waits;   /* futex waits; every third ends early if set */

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	if (atomic_fetch_add(&threads, 1) + 1 == refuse_thread)
		return EAGAIN;
	return __real_pthread_create(t, a, f, arg);
}

/* A wait ends by itself: as if woken, or by a signal. */
static bool ends_early(long number, long operation)
{
	if (number != SYS_futex || (operation & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET)
		return false;
	long n = atomic_fetch_add(&waits, 1);
	if (!strange_waits || n % 3 == 0)
		return false;
	errno = EINTR;
	return true;
}

static _Atomic long refused; /* bindings to a CPU; 0: they are not refused */
static bool refuse_binding;

int __real_hwloc_set_cpubind(void *t, const void *set, int flags);
int __wrap_hwloc_set_cpubind(void *t, const void *set, int flags);
int __wrap_hwloc_set_cpubind(void *t, const void *set, int flags)
{
	if (!refuse_binding)
		return __real_hwloc_set_cpubind(t, set, flags);
	refused++;
	errno = EPERM;
	return -1;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list args;
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (ends_early(number, a[1]))
		return waits % 2 ? -1 : 0;
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- work ---- */

static heist_system *start_ring(uint32_t workers)
{
	heist_system *s = test_start(workers);
	fill_ring(s);
	return s;
}

/* ---- the tests ---- */

TEST(fault, a_refused_thread_leaves_nothing_behind)
{
	long before = threads_now();
	for (long n = 1; n <= 4; n++) {
		heist_config c = heist_config_default();
		heist_system *s = NULL;
		c.workers = 4;
		threads = 0;
		refuse_thread = n;
		EXPECT(heist_start(&c, &s) == HEIST_ENOMEM && s == NULL);
		EXPECT(threads >= n);
	}
	refuse_thread = 0;
	EXPECT(threads_become(before));
	heist_system *s = start_ring(4);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 1);
}

/* Workers that may not be bound to their CPUs run unbound, and one of them says so. */
static _Atomic long warnings;
static void count_warnings(void *user, const heist_log_line *line)
{
	(void)user;
	warnings += strstr(line->text, "cannot bind a worker to its CPU") != NULL;
}

TEST(fault, bindings_are_refused)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.workers = 2;
	c.pin = HEIST_ON;
	c.log = count_warnings;
	refuse_binding = true;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(wait_for(&refused, 2));
	fill_ring(s);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 1);
	refuse_binding = false;
	EXPECT(warnings == 1);
}

/* Descriptors are used up: a polled runtime, which needs one, does not start; one with threads does. */
TEST(fault, no_descriptors)
{
	struct rlimit old, none;
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	EXPECT(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = old;
	none.rlim_cur = 0;
	c.mode = HEIST_POLLED;
	EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
	heist_status st = heist_start(&c, &s);
	EXPECT(setrlimit(RLIMIT_NOFILE, &old) == 0);
	EXPECT(st == HEIST_ENOMEM && s == NULL);
	EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
	s = start_ring(2);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 1);
	EXPECT(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

TEST(fault, futex_waits_that_end_for_no_reason)
{
	strange_waits = 1;
	heist_system *s = start_ring(2);
	for (long i = 1; i <= 300; i++) { /* each finds the workers about to park, or parked */
		EXPECT(test_tell(ring[0], &WORD, 20) == HEIST_OK);
		EXPECT(wait_for(&rounds, i));
	}
	end_ring(s, 300);
	strange_waits = 0;
	EXPECT(waits > 0);
}

/* A child process with a running runtime is stopped, goes on, and comes to its end. */
TEST(fault, a_stopped_process_goes_on)
{
	pid_t child = fork();
	int status;
	EXPECT(child >= 0);
	if (child == 0) {
		heist_system *s = start_ring(2);
		for (int i = 0; i < 20; i++)
			EXPECT(test_tell(ring[0], &WORD, 50000) == HEIST_OK);
		end_ring(s, 20);
		_exit(0);
	}
	for (int i = 0; i < 20; i++) {
		test_sleep_ms(2);
		EXPECT(kill(child, SIGSTOP) == 0);
		test_sleep_ms(2);
		EXPECT(kill(child, SIGCONT) == 0);
	}
	EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0);
}

/* The mask of every thread shrinks to one CPU while they work, and grows again. */
static void restrict_to(const cpu_set_t *set)
{
	char path[64];
	for (pid_t t = getpid(), end = t + 1000; t < end; t++) {
		snprintf(path, sizeof path, "/proc/self/task/%d", t);
		if (access(path, F_OK) == 0)
			EXPECT(sched_setaffinity(t, sizeof *set, set) == 0 || errno == ESRCH);
	}
}

TEST(fault, fewer_cpus_than_at_the_start)
{
	cpu_set_t all, one;
	EXPECT(sched_getaffinity(0, sizeof all, &all) == 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	heist_system *s = start_ring(2);
	for (long i = 0; i < 10; i++) {
		EXPECT(test_tell(ring[0], &WORD, 20000) == HEIST_OK);
		restrict_to(i % 2 ? &all : &one);
	}
	end_ring(s, 10);
	restrict_to(&one);
	s = start_ring(0); /* as many workers as there are CPUs: one */
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.workers == 1);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 1);
	restrict_to(&all);
}
