/* SPDX-License-Identifier: BSD-2-Clause
 * seam_trace.c - the call chain of another thread, which is interrupted for it.
 *
 *     asker                                  the thread, in a signal handler
 *       state = ASKED, it         TR1          state ASKED, I -> TAKING       TR1
 *       send it the signal                     write down its frames
 *       wait                                   state = TAKEN                  TR2
 *       state ASKED -> FREE: it did not come   wake the asker
 *
 * The signal is SIGURG, which nobody minds: it is ignored by default.  One that was not asked for goes to who
 * handled it before.  Whoever puts himself in front of us later has to call us.
 *
 * Who may call        heist_trace_allow: any thread, for itself.  heist_trace: any thread that does not hold what
 *                     the other one may wait for; one at a time, under a lock.
 * Progress            heist_trace: blocking, a tenth of a second where the other does not answer.
 * Linearizes at       the exchange of ASKED: by the thread, or by the asker who waits no longer.
 * Edges               TR1 release store of state -> acquire CAS by the handler: for whom, and that the frames are
 *                         its to write
 *                     TR2 release store of state -> acquire load by the asker: the frames
 *                     TR3 acquire CAS, release store of busy: one asker at a time
 * Invariants          the frames are written in TAKING only, by one thread.
 *
 * Model: tests/check/models/trace.c.  Rounds: tests/stress/stress_trace.c; with real hogs: stress_hog.c. */
#define _GNU_SOURCE
#include "lockfree/seam_trace.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lockfree/seam_context.h"

#define SIGNAL SIGURG
#ifndef TRACE_PATIENCE /* ns */
#define TRACE_PATIENCE 100000000u
#endif
#ifndef TRACE_ORDER_TAKEN
#define TRACE_ORDER_TAKEN memory_order_release
#endif

enum { FREE, ASKED, TAKING, TAKEN };
#define ASKED_OF(thread) ((thread) << 2 | ASKED)

static struct {
	_Atomic uint32_t busy, state; /* state: one of the above, ASKED with whom */
	int count;
	void *frames[HEIST_TRACE_MOST];
} ask;

static struct sigaction before;
static bool caught; /* under busy */

static uint32_t self(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

/* ---- the thread ---- */

static void on_signal(int signal, siginfo_t *info, void *context)
{
	int error = errno;
	uint32_t state = ASKED_OF(self());
	if (!atomic_compare_exchange_strong_explicit(&ask.state, &state, TAKING,
						     memory_order_acquire,
						     memory_order_relaxed)) { /* TR1 acquire */
		(void)context_chain(&before, signal, info, context);
	} else {
#if defined(TRACE_MUTANT_GIVE_UP_BLINDLY)
		heist_thread_yield(); /* or it is seen too seldom */
#endif
		ask.count = context_backtrace(context_pc(context), ask.frames, HEIST_TRACE_MOST);
		atomic_store_explicit(&ask.state, TAKEN, TRACE_ORDER_TAKEN); /* TR2 release */
		heist_futex_wake(&ask.state, 1);
	}
	errno = error;
}

uint32_t heist_trace_allow(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return self();
}

/* ---- the asker ---- */

static bool catch (void)
{
	struct sigaction ours = { .sa_sigaction = on_signal,
				  .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	void *frames[2];
	(void)backtrace(frames, 2); /* loads what it needs */
	if (!caught) /* who handled it before is known before the first one comes here */
		caught = sigaction(SIGNAL, NULL, &before) == 0 &&
			 sigaction(SIGNAL, &ours, NULL) == 0;
	return caught;
}

/* The asker waits no longer.  False: the thread is at it, or has been. */
static bool give_up(uint32_t asked)
{
#ifdef TRACE_MUTANT_GIVE_UP_BLINDLY
	if (atomic_load_explicit(&ask.state, memory_order_relaxed) == TAKEN)
		return false;
	(void)asked;
	atomic_store_explicit(&ask.state, FREE, memory_order_relaxed);
	return true;
#else
	return atomic_compare_exchange_strong_explicit(&ask.state, &asked, FREE,
						       memory_order_relaxed, memory_order_relaxed);
#endif
}

/* True: the frames are there. */
static bool ask_thread(uint32_t thread)
{
	uint64_t until = heist_clock_ns() + TRACE_PATIENCE;
	uint32_t state, asked = ASKED_OF(thread);
	atomic_store_explicit(&ask.state, asked, memory_order_release); /* TR1 release */
	bool sent = syscall(SYS_tgkill, getpid(), thread, SIGNAL) == 0;
	while (sent && (state = atomic_load_explicit(&ask.state, memory_order_relaxed)) != TAKEN)
		if (heist_futex_wait(&ask.state, state, until) == HEIST_WAIT_TIMEOUT)
			break;
	if (give_up(asked))
		return false; /* it did not come */
	while (atomic_load_explicit(&ask.state, memory_order_acquire) != TAKEN) /* TR2 acquire */
		heist_thread_yield();						/* it is at it */
	return true;
}

uint32_t heist_trace(uint32_t thread, void **frames)
{
	uint32_t idle = 0, n = 0;
	while (!atomic_compare_exchange_strong_explicit(&ask.busy, &idle, 1, memory_order_acquire,
							memory_order_relaxed)) { /* TR3 acquire */
		idle = 0;
		heist_thread_yield();
	}
	if (thread && catch () && ask_thread(thread)) {
		n = (uint32_t)ask.count;
		memcpy(frames, ask.frames, n * sizeof *frames);
		atomic_store_explicit(&ask.state, FREE, memory_order_relaxed); /* by TR1 */
	}
	atomic_store_explicit(&ask.busy, 0, memory_order_release); /* TR3 release */
	return n;
}

void heist_trace_tell(void *const *frames, uint32_t n, void (*line)(void *user, const char *text),
		      void *user)
{
	char **text = backtrace_symbols(frames, (int)n);
	for (uint32_t i = 0; text && i < n; i++)
		line(user, text[i]);
	free(text);
}
