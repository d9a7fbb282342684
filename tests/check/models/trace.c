/* SPDX-License-Identifier: BSD-2-Clause
 * Call chains: two askers want those of two threads, one of them again after the other's.  A signal is a flag that
 * its thread sees whenever the search likes, also after the asker has given up, and that orders nothing.  Who gets
 * a chain gets the right thread's, whole. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "lockfree/seam_trace.h"
#include "tests/check/check.h"

#define TARGETS 2 /* threads 1 and 2, numbers too */
#define ASKERS	2 /* threads 0 and 3 */
#define NOBODY	9

static _Atomic uint32_t pending[1 + TARGETS], done;
static void (*handler)(int, siginfo_t *, void *); /* installed by the first setup */
static _Thread_local uint32_t me;

/* ---- what the system would do ---- */

long model_syscall(long number, ...)
{
	va_list args;
	if (number == SYS_gettid)
		return me;
	va_start(args, number);
	(void)va_arg(args, int);
	uint32_t thread = va_arg(args, uint32_t);
	va_end(args);
	if (thread > TARGETS)
		return -1;
	atomic_store_explicit(&pending[thread], 1, memory_order_relaxed);
	return 0;
}

int model_sigaction(int number, const struct sigaction *ours, struct sigaction *old)
{
	(void)number;
	if (old)
		*old = (struct sigaction){ .sa_handler = SIG_DFL };
	if (ours)
		handler = ours->sa_sigaction;
	return 0;
}

int *model_errno_location(void)
{
	static _Thread_local int error;
	return &error;
}

/* Thread t has a chain of 1 + t frames. */
int model_backtrace(void **frames, int most)
{
	for (uintptr_t i = 0; i <= me && (int)i < most; i++)
		frames[i] = (void *)(me * 16u + i + 1);
	return (int)me + 1;
}

/* ---- the threads ---- */

static void setup(void)
{
	void *frames[HEIST_TRACE_MOST];
	me = 0;
	CHECK_ASSERT(heist_trace(NOBODY, frames) == 0 && handler);
	for (int i = 0; i <= TARGETS; i++)
		atomic_store_explicit(&pending[i], 0, memory_order_relaxed);
	atomic_store_explicit(&done, 0, memory_order_relaxed);
}

static void ask_for(uint32_t thread)
{
	void *frames[HEIST_TRACE_MOST];
	uint32_t n = heist_trace(thread, frames);
	CHECK_ASSERT(n == 0 || n == thread + 1);
	for (uint32_t i = 0; i < n; i++)
		CHECK_ASSERT((uintptr_t)frames[i] == thread * 16u + i + 1);
}

static void target(void)
{
	siginfo_t info = { .si_signo = SIGURG };
	ucontext_t context = { .uc_flags = 0 };
	do {
		heist_relax();
		if (atomic_exchange_explicit(&pending[me], 0, memory_order_relaxed))
			handler(SIGURG, &info, &context);
	} while (atomic_load_explicit(&done, memory_order_relaxed) < ASKERS);
}

static void thread(int t)
{
	me = (uint32_t)t;
	if (t == 1 || t == 2) {
		target();
		return;
	}
	ask_for(1);
	if (t == 0) {
		ask_for(2);
		ask_for(1); /* a signal of the first time may come only now */
	}
	atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
}

static void finish(void)
{
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "trace", ASKERS + TARGETS, setup, thread, finish };
	return check_main(argc, argv, &m);
}
