/* SPDX-License-Identifier: BSD-2-Clause
 * seam_context.h - inside a signal handler: the instruction that was interrupted, and the way to it.
 *
 * Async-signal-safe once backtrace has been called, which loads the unwinder.  Included by seam_fault.c and
 * seam_trace.c only. */
#ifndef HEIST_LOCKFREE_SEAM_CONTEXT_H
#define HEIST_LOCKFREE_SEAM_CONTEXT_H

#include <execinfo.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define PC_KNOWN true
#define PC_OF(u) (u)->uc_mcontext.gregs[REG_RIP]
#elif defined(__aarch64__)
#define PC_KNOWN true
#define PC_OF(u) (u)->uc_mcontext.pc
#else
#define PC_KNOWN false
#define PC_OF(u) ((void)(u), 0)
#endif

static inline uintptr_t context_pc(const void *context)
{
	const ucontext_t *u = context;
	return (uintptr_t)(PC_OF(u));
}

/* The call chain from pc outwards; where pc is not in it, the handler's. */
static inline int context_backtrace(uintptr_t pc, void **frames, int most)
{
	int n = backtrace(frames, most), first = 0;
	while (first < n && (uintptr_t)frames[first] != pc)
		first++;
	if (first == n)
		return n;
	memmove(frames, frames + first, (size_t)(n - first) * sizeof *frames);
	return n - first;
}

/* Who handled it before; false: nobody did. */
static inline bool context_chain(const struct sigaction *old, int signal, siginfo_t *info,
				 void *context)
{
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(signal, info, context);
	else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
		old->sa_handler(signal);
	else
		return false;
	return true;
}

#endif
