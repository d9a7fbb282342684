/* SPDX-License-Identifier: BSD-2-Clause
 * seam_fault.c - faults of the processor: who is told, on which stack, and whose code it was.
 *
 * Everything behind on_fault runs in a signal handler: it takes no lock and allocates nothing.  The unwinder
 * was used once before, so what it loads is loaded. */
#define _GNU_SOURCE
#include "lockfree/seam.h"

#include <pthread.h>
#include <unistd.h>
#include <unwind.h>

#include "lockfree/seam_context.h"

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
static const char *const names[] = { "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL" };
#define SIGNALS (sizeof signals / sizeof *signals)

static _Atomic(heist_fault_fn *) told;
static struct sigaction before[SIGNALS];
static bool under[SIGNALS]; /* somebody put himself in front of us, and calls us */
static _Thread_local volatile sig_atomic_t
	busy; /* a fault of this thread is being told             */

/* ---- whose code ---- */

struct text_mark {
	int32_t begin, end; /* from the field itself */
};
extern const struct text_mark __start_heist_text[] __attribute__((visibility("hidden")));
extern const struct text_mark __stop_heist_text[] __attribute__((visibility("hidden")));

static bool is_library(uintptr_t pc)
{
	for (const struct text_mark *m = __start_heist_text; m < __stop_heist_text; m++)
		if (pc >= (uintptr_t)&m->begin + (uintptr_t)(intptr_t)m->begin &&
		    pc < (uintptr_t)&m->end + (uintptr_t)(intptr_t)m->end)
			return true;
	return false;
}

bool heist_is_library(const void *function)
{
	return PC_KNOWN && is_library((uintptr_t)function);
}

/* ---- the call chain ---- */

struct walk {
	uintptr_t fault;
	const void *function;
	bool begun, found;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *c, void *arg)
{
	struct walk *walk = arg;
	int before_it = 0;
	uintptr_t pc = (uintptr_t)_Unwind_GetIPInfo(c, &before_it);
	if (!walk->begun && pc != walk->fault)
		return _URC_NO_REASON; /* this handler's own frames */
	walk->begun = true;
	pc -= !before_it; /* a return address may be behind its function */
	if (!is_library(pc))
		return _URC_NO_REASON;
	walk->found = _Unwind_FindEnclosingFunction((void *)pc) == walk->function;
	return _URC_END_OF_STACK;
}

bool heist_fault_below(const struct heist_fault *f, const void *function)
{
	struct walk walk = { .fault = f->pc, .function = function };
	_Unwind_Backtrace(step, &walk);
	return walk.found;
}

void heist_fault_backtrace(const struct heist_fault *f, int fd)
{
	void *frames[64];
	backtrace_symbols_fd(frames, context_backtrace(f->pc, frames, 64), fd);
}

/* ---- the handler ---- */

static size_t index_of(int signal)
{
	size_t i = 0;
	while (signals[i] != signal)
		i++;
	return i;
}

/* Let whoever handled it before have it, or the default: the instruction runs again, and nobody catches it. */
static void pass_on(int signal, siginfo_t *info, void *context, bool sent)
{
	const struct sigaction *old = &before[index_of(signal)];
	if (context_chain(old, signal, info, context))
		return;
	if (old->sa_handler == SIG_DFL || !sent) { /* a fault cannot be ignored */
		struct sigaction none = { .sa_handler = SIG_DFL };
		sigaction(signal, &none, NULL);
		if (sent)
			raise(signal);
	}
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	struct heist_fault f = { .name = names[index_of(signal)],
				 .sent = info->si_code <= 0,
				 .pc = context_pc(context),
				 .address = (uintptr_t)info->si_addr };
	heist_fault_fn *tell = atomic_load_explicit(&told, memory_order_acquire); /* FT1 acquire */
	if (tell && !busy) { /* busy: telling it has failed */
		busy = 1;
		tell(&f);
		busy = 0;
	}
	pass_on(signal, info, context, f.sent);
}

void heist_faults_leave(void)
{
	busy = 0;
}

/* ---- set-up ---- */

int heist_faults_catch(heist_fault_fn *f)
{
	/* Not blocked meanwhile: a jump out of the handler restores no mask. */
	struct sigaction ours = { .sa_sigaction = on_fault,
				  .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	void *frames[2];
	(void)backtrace(frames, 2);			       /* loads what it needs */
	atomic_store_explicit(&told, f, memory_order_release); /* FT1 release */
	for (size_t i = 0; i < SIGNALS; i++)
		if (!under[i] && sigaction(signals[i], &ours, &before[i]) != 0) {
			heist_faults_release();
			return -1;
		}
	return 0;
}

void heist_faults_release(void)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		struct sigaction now;
		sigaction(signals[i], NULL, &now);
		under[i] = !(now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_fault);
		if (!under[i])
			sigaction(signals[i], &before[i], NULL);
	}
	atomic_store_explicit(&told, NULL, memory_order_release); /* FT1 release */
}

int heist_faults_thread(void *stack, size_t size)
{
	stack_t s = { .ss_sp = stack, .ss_size = size, .ss_flags = stack ? 0 : SS_DISABLE };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return sigaltstack(&s, NULL) == 0 && stack ? 0 : -1;
}
