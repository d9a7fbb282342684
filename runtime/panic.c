/* SPDX-License-Identifier: BSD-2-Clause
 * panic.c - failure from any depth: a jump from heist_panic to the nearest guard.
 *
 * Every worker has one guard below its loop, set once, so that handlers cost nothing.  A jump to it
 * leaves a run in the middle: before it, heist_run_abandon finishes the counts of the batches that are
 * still on the stack and remembers their message; after it, settle() goes on as if the handler
 * had answered FAIL.  A single message and a message of a worker that defers need no memory of them:
 * they are what the mailbox begins with.  Stop and signal hooks, which run where no message is to
 * blame, have guards of their own.
 *
 * Nothing of the runtime is on the stack between a guard and a handler but frames that hold nothing:
 * no lock is held and no ring is open while a handler, hook or continuation runs.  The signal mask is
 * neither saved nor restored. */
#include "runtime/exchange.h"
#include "runtime/run.h"

#include <stdlib.h>

void heist_panic(heist_ctx *ctx, heist_status why)
{
	if (!ctx || heist_worker_self != &ctx->worker->base || !ctx_actor(ctx)) {
		heist_log_at_once(NULL, HEIST_LOG_ERROR, "heist_panic",
				  "only inside a handler, with its own context");
		abort();
	}
	heist_panic_jump(ctx->worker, (int)why <= (int)HEIST_EUSER ? why : HEIST_ECRASH);
}

void heist_panic_jump(struct rt_worker *w, heist_status why)
{
	w->ctx.panic = why;
	w->ctx.cause = (struct request_header){ 0 };
	w->containing = 0;
	w->losing = false;
	if (w->ctx.guard)
		siglongjmp(*w->ctx.guard, 1);
	heist_run_abandon(w);
	siglongjmp(w->base_guard, 1);
}

/* What the failed handler had, if that was no small plain message, is done with; an asker is told. */
static void current_end(struct rt_worker *w)
{
	struct message *m = w->ctx.current;
	if (m && message_kind(m) == KIND_REQUEST)
		heist_request_settle(w, m, HEIST_FAIL);
	w->ctx.current = NULL;
	w->ctx.stop_after = false;
}

static enum verdict settle_single(struct rt_worker *w, struct actor *a)
{
	return heist_run_batch(w, a, (struct mpsc_node *)a->mailbox.cur, HEIST_FAIL);
}

static enum verdict settle_failed(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *n = w->ctx.failed;
	return w->ctx.lane ? heist_lane_settle(w, a, n) : heist_run_failed(w, a, n);
}

/* What the abandoned run would have done, had its handler answered FAIL. */
static enum verdict settle(struct rt_worker *w)
{
	struct actor *a = ctx_actor(&w->ctx);
	struct mpsc_node *starting = w->ctx.starting;
	w->ctx.starting = NULL;
	current_end(w);
	if (w->deferring == SEND_DEFERRED)
		heist_outbox_suspend(w);
	enum verdict v = starting	 ? heist_start_failed(w, a, starting)
			 : w->ctx.failed ? settle_failed(w, a)
					 : settle_single(w, a);
	heist_outbox_resume_if(w);
	return v;
}

void heist_panic_guard(struct worker *base, void (*body)(void *), void *arg)
{
	struct rt_worker *w = rt_worker_of(base);
	heist_fault_thread_begin(w);
	heist_hog_thread_begin(w);
	if (sigsetjmp(w->base_guard, 0) != 0) {
		if (w->ctx.panic == HEIST_EFAULT)
			heist_fault_contained(w);
		enum verdict v = settle(w);
		heist_sample_settle(w);
		if (v != RUN_DONE)
			heist_worker_requeue(base, &ctx_actor(&w->ctx)->run, v);
	}
	body(arg);
	ctx_set_actor(&w->ctx, NULL);
	heist_fault_thread_end(w);
}

/* ---- hooks that run where no message is to blame ---- */

static void hook_context(struct rt_worker *w, struct actor *a, sigjmp_buf *guard)
{
	ctx_set_actor(&w->ctx, a);
	w->ctx.current = NULL;
	w->ctx.owes_reply = false;
	w->ctx.guard = guard;
}

void heist_stop_hook(struct rt_worker *w, struct actor *a, heist_status why)
{
	sigjmp_buf guard;
	hook_context(w, a, &guard);
	w->ctx.stopping = true;
	if (sigsetjmp(guard, 0) == 0)
		actor_class(w->local.system, a)->hooks->stop(&w->ctx, actor_state(a), why);
	w->ctx.stopping = false;
	w->ctx.guard = NULL;
	w->ctx.panic = HEIST_OK;
}

heist_next heist_init_hook(struct rt_worker *w, struct actor *a, const void *arg)
{
	const heist_hooks *hooks = actor_class(w->local.system, a)->hooks;
	sigjmp_buf guard;
	volatile heist_next v = HEIST_FAIL;
	if (!hooks || !hooks->init)
		return HEIST_CONTINUE;
	hook_context(w, a, &guard);
	if (sigsetjmp(guard, 0) == 0)
		v = hooks->init(&w->ctx, actor_state(a), arg);
	w->ctx.guard = NULL;
	w->ctx.panic = HEIST_OK;
	return v;
}

bool heist_signal_hook(struct rt_worker *w, struct actor *a, const heist_signal *sig,
		       struct ending *end)
{
	sigjmp_buf guard;
	volatile heist_next v = HEIST_FAIL;
	hook_context(w, a, &guard);
	if (sigsetjmp(guard, 0) == 0)
		v = actor_class(w->local.system, a)->hooks->signal(&w->ctx, actor_state(a), sig);
	w->ctx.guard = NULL;
	if (v == HEIST_STOP)
		*end = (struct ending){ HEIST_EXIT_NORMAL, HEIST_OK };
	else if (v == HEIST_FAIL)
		*end = (struct ending){ HEIST_EXIT_CRASHED,
					w->ctx.panic ? w->ctx.panic : HEIST_ECRASH };
	w->ctx.panic = HEIST_OK;
	return v == HEIST_STOP || v == HEIST_FAIL;
}
