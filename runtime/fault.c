/* SPDX-License-Identifier: BSD-2-Clause
 * fault.c - faults of the processor: contained where a class says that it can be, reported elsewhere.
 *
 * A class with HEIST_PURE has, in a runtime with heist_config.contain, the behaviour heist_fault_recv before
 * its own (behaviour.h); nothing else of the runtime knows.  That marks the time in which the class's code
 * runs.  A fault is contained if it is the processor's own, in that time, and the call chain from
 * heist_fault_recv down to it has no function of this library: then the runtime holds no lock and nothing of it
 * is half done, and the handler is left by the jump of a panic, from the alternate stack.  In any doubt it is
 * not contained.  A function of this library that ends with a call of the user's stays in the chain
 * (heist_keep_frame).
 *
 * Quarantine   the chunks of the arena, the state, a large payload: the handler may have written beside
 *              them, where the lists of an allocator are.  They are neither freed nor looked at again; a child
 *              that is restarted gets its state back zeroed.
 * Threads      on_fault: the thread that had the fault, in a signal handler.  The rest: the worker's own.
 * Catching     one handler for the process, shared by all runtimes that contain; under a lock. */
#include "runtime/behaviour.h"
#include "runtime/fork.h"
#include "runtime/line.h"
#include "runtime/run.h"

#define STACK_SIZE ((size_t)64 << 10)
#define STDERR	   2

static struct spinlock lock;
static uint32_t catching; /* runtimes that contain; under the lock */

/* ---- what runs contained ---- */

__attribute__((noinline)) heist_next heist_fault_recv(heist_ctx *ctx, void *state,
						      const heist_type *type, void *msg)
{
	struct rt_worker *w = ctx->worker;
	heist_recv_fn *own = actor_extra(ctx->system, ctx_actor(ctx))->behind;
	w->containing = 1;
	heist_next v = own(ctx, state, type, msg);
	w->containing = 0;
	return v;
}

bool heist_fault_enter(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	if (!s->contain)
		return true;
	struct actor_extra *x = heist_extra_ensure(s, a);
	if (!x)
		return false;
	x->faulted = false;
	x->contained = true;
	heist_behaviour_settle(&w->ctx, a, x);
	return true;
}

/* ---- the fault ---- */

static void line_actor(struct line *l, struct rt_worker *w, const heist_type *type)
{
	struct actor *a = ctx_actor(&w->ctx);
	line_text(l, "worker ");
	line_number(l, w->base.index, 10, 1);
	if (!a)
		return;
	line_text(l, ", actor ");
	line_number(l, actor_ref(w->local.system, a).v, 16, 16);
	line_text(l, " ");
	line_text(l, actor_class(w->local.system, a)->name);
	line_text(l, ", message ");
	line_text(l, type && type->name ? type->name : "of the runtime");
}

/* NULL: it is contained. */
static const char *reason_against(struct rt_worker *w, const struct heist_fault *f)
{
	if (f->sent)
		return "it was sent, by kill or raise";
	if (!w)
		return "the thread is no worker's";
	if (heist_forked(w->local.system))
		return "the process is a child that a handler has forked";
	if (!w->containing)
		return "no handler of a class with HEIST_PURE was running";
	if (!heist_fault_below(f, (const void *)(uintptr_t)heist_fault_recv))
		return "it was in the runtime, or the way from the handler to it is not known";
	return NULL;
}

static void report(struct rt_worker *w, const struct heist_fault *f, const char *reason)
{
	char text[192];
	struct line l = { text, sizeof text, 0 };
	line_text(&l, "heist: ");
	line_text(&l, f->name);
	line_text(&l, " at 0x");
	line_number(&l, f->address, 16, 1);
	line_text(&l, ", not contained: ");
	line_text(&l, reason);
	line_write(&l, STDERR);
	if (w) {
		l.n = 0;
		line_text(&l, "heist: ");
		line_actor(&l, w, heist_run_type(w));
		line_write(&l, STDERR);
	}
	heist_fault_backtrace(f, STDERR);
	if (w)
		(void)heist_log_dump(w->local.system, STDERR);
	if (w && w->local.system->events)
		(void)heist_dump_events(w->local.system, STDERR);
}

static void on_fault(const struct heist_fault *f)
{
	struct rt_worker *w = heist_worker_self ? rt_worker_of(heist_worker_self) : NULL;
	const char *reason = reason_against(w, f);
	if (reason) {
		report(w, f, reason);
		return;
	}
	w->containing = 0;
	w->fault_name = f->name;
	w->fault_type = heist_run_type(w);
	heist_faults_leave();
	heist_panic_jump(w, HEIST_EFAULT);
}

void heist_fault_contained(struct rt_worker *w)
{
	char text[192];
	struct line l = { text, sizeof text, 0 };
	actor_extra(w->local.system, ctx_actor(&w->ctx))->faulted = true;
	heist_count(&w->local.faults, 1);
	line_text(&l, w->fault_name);
	line_text(&l, " contained: ");
	line_actor(&l, w, w->fault_type);
	heist_system_log(w->local.system, HEIST_LOG_WARN, "%.*s", (int)l.n, l.text);
}

void heist_fault_quarantine(struct rt_worker *w, uint64_t bytes)
{
	heist_count(&w->local.quarantined, bytes);
}

/* ---- set-up ---- */

const char *heist_fault_bad(const heist_config *c)
{
	static const void *const some[] = { /* of each layer, and cold ones */
					    (const void *)(uintptr_t)heist_fault_recv,
					    (const void *)(uintptr_t)heist_run_failed,
					    (const void *)(uintptr_t)heist_block_refill,
					    (const void *)(uintptr_t)heist_pool_submit
	};
	if (c->mode == HEIST_POLLED)
		return "config: contain needs HEIST_THREADS, since a polled runtime has no thread "
		       "of its own";
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		if (!heist_is_library(some[i]))
			return "config: contain needs a build of the library that knows its own "
			       "code";
	return NULL;
}

int heist_fault_init(struct heist_system *s)
{
	spin_lock(&lock);
	int failed = catching == 0 ? heist_faults_catch(on_fault) : 0;
	catching += !failed;
	spin_unlock(&lock);
	s->contain = !failed;
	return failed;
}

void heist_fault_destroy(struct heist_system *s)
{
	if (!s->contain)
		return;
	spin_lock(&lock);
	if (--catching == 0)
		heist_faults_release();
	spin_unlock(&lock);
}

void heist_fault_thread_begin(struct rt_worker *w)
{
	struct heist_system *s = w->local.system;
	if (!s->contain)
		return;
	w->fault_stack = heist_memory_get(&s->memory, STACK_SIZE, HEIST_CACHELINE);
	if (heist_faults_thread(w->fault_stack, STACK_SIZE) != 0)
		heist_system_log(s, HEIST_LOG_WARN,
				 "no memory to contain the overflow of a worker's stack");
}

void heist_fault_thread_end(struct rt_worker *w)
{
	if (!w->local.system->contain)
		return;
	(void)heist_faults_thread(NULL, 0);
	heist_memory_put(&w->local.system->memory, w->fault_stack, STACK_SIZE);
}
