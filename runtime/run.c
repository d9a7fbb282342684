/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - what a worker does with an actor that has the right to run: the few steps of the commonest runs.
 *
 * A plain message that leaves the mailbox idle or ends the actor runs here (run_single), and so does the
 * start of an actor (heist_run_start); everything else is a batch (batch.c). */
#include "runtime/exchange.h"
#include "runtime/run.h"

/* ---- scheduling ---- */

HEIST_COLD int heist_actor_schedule_cold(struct heist_system *s, struct rt_worker *w,
					 struct actor *a)
{
	if (w)
		s = w->local.system;
	if (a->config & CONFIG_BOUND)
		heist_place_submit(s, w, a->config, &a->run);
	else if (w && w->home)
		worker_wake(&w->base, &a->run);
	else
		heist_pool_submit(&s->pool, &a->run);
	return 0;
}

HEIST_COLD enum verdict heist_run_suspend(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	mpsc_suspend(&a->mailbox, n);
	if ((a->config & (CONFIG_BOUND | CONFIG_PLACED)) != CONFIG_BOUND)
		return a->config & CONFIG_LOW ? RUN_LOW : RUN_AGAIN;
	heist_place_submit(w->local.system, w, a->config, &a->run);
	return RUN_DONE;
}

/* ---- one message ---- */

/* The commonest run by far, a plain message that leaves the mailbox idle or ends the actor, without a
 * batch around it; n is what the mailbox begins with. */
HEIST_HOT_INLINE enum verdict run_single(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	ctx_set_actor(&w->ctx, a);
	heist_next v = handle(w, a, (struct message *)n);
	a = ctx_actor(&w->ctx); /* read again: cheaper than to keep them over the call */
	n = (struct mpsc_node *)a->mailbox.cur;
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return v == HEIST_STOP
			       ? heist_run_end(w, a, n, v,
					       (struct ending){ HEIST_EXIT_NORMAL, HEIST_OK })
			       : heist_run_batch(w, a, n, v);
	if (!mpsc_try_idle(&a->mailbox, n))
		return heist_run_batch(w, a, n, v);
	block_free(&w->local.messages, n);
	return RUN_DONE;
}

/* ---- the start ---- */

/* The first turn: install the behaviour, run init. */
static heist_next run_init(struct rt_worker *w, struct actor *a, struct message *m, uintptr_t meta)
{
	const heist_class *cls = (const heist_class *)meta;
	a->config = (uint16_t)(m->tag >> 48);
	if (HEIST_UNLIKELY(meta & 1)) {
		cls = actor_class(w->local.system, a);
		if (a->config & CONFIG_BOUND && !heist_place_is_here(w, a->config))
			return HEIST_FAIL; /* without recv: the mailbox was met by whoever drained it */
		a->recv = cls->recv;
		if (a->config & CONFIG_HELD)
			return HEIST_FAIL; /* start_failed: it rests */
	}
	a->recv = cls->recv;
	if (HEIST_UNLIKELY(atomic_load_explicit(&a->control, memory_order_relaxed) & CONTROL_ARMED))
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_ARMED,
					  memory_order_acq_rel); /* HO1: left by the last actor */
	if (!cls->hooks)
		return HEIST_CONTINUE;
	if (HEIST_UNLIKELY(cls->hooks->flags & HEIST_PURE) && !heist_fault_enter(w, a)) {
		argument_drop(m);
		return HEIST_FAIL;
	}
	if (!cls->hooks->init)
		return HEIST_CONTINUE;
	ctx_set_actor(&w->ctx, a);
	w->ctx.starting = &m->node;
	heist_next v = cls->hooks->init(&w->ctx, actor_state(a), message_payload(m));
	w->ctx.starting = NULL;
	return v;
}

/* The actor does not start: its init failed, or it is a child, which rests until it is told to. */
enum verdict heist_start_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	w->ctx.panic = HEIST_OK;
	handled_count(w, 0);
	if (a->config & CONFIG_HELD)
		return heist_run_rest(w, a, n, true);
	return heist_run_end(w, a, n, HEIST_STOP, (struct ending){ HEIST_EXIT_INIT, HEIST_EINIT });
}

/* Its place is another one. */
static HEIST_COLD enum verdict start_elsewhere(struct rt_worker *w, struct actor *a,
					       struct mpsc_node *n)
{
	handled_count(w, 0);
	mpsc_suspend(&a->mailbox, n);
	heist_place_submit(w->local.system, w, a->config, &a->run);
	return RUN_DONE;
}

static HEIST_APART enum verdict start_fully(struct rt_worker *w, struct actor *a,
					    struct mpsc_node *n, uintptr_t meta)
{
	struct message *m = (struct message *)n;
	heist_next v = run_init(w, a, m, meta);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return a->recv ? heist_start_failed(w, a, n) : start_elsewhere(w, a, n);
	if (mpsc_try_idle(&a->mailbox, n)) {
		handled_count(w, 0);
		run_retire(w, a, m);
		return RUN_DONE;
	}
	enum mpsc_next what = mpsc_next(&a->mailbox, n, &n);
	if (what != MPSC_LATE)
		run_retire(w, a, m);
	if (what != MPSC_NODE) {
		handled_count(w, 0);
		return what == MPSC_LATE ? late(a) : RUN_DONE;
	}
	if (HEIST_UNLIKELY(!is_usual(a, (struct message *)n)))
		return heist_run_batch(w, a, n, HEIST_RUN_FRESH);
	mpsc_suspend(&a->mailbox, n);
	return run_single(w, a, n);
}

/* Nothing to call before its first message, which mostly is there already. */
static HEIST_APART enum verdict start_plainly(struct rt_worker *w, struct actor *a,
					      struct mpsc_node *n, uintptr_t meta)
{
	struct message *m = (struct message *)n, *first = (struct message *)mpsc_linked(n);
	if (!first || !is_plain(a, first, CONTROL_CALL | CONTROL_LANE | CONTROL_ARMED))
		return start_fully(w, a, n, meta);
	a->config = (uint16_t)(m->tag >> 48);
	a->recv = ((const heist_class *)meta)->recv;
	run_retire(w, a, m);
	mpsc_suspend(&a->mailbox, &first->node);
	return run_single(w, a, &first->node);
}

static inline bool starts_by_itself(const heist_class *cls)
{
	const heist_hooks *hooks = cls->hooks;
	return !hooks || (!hooks->init && !(hooks->flags & HEIST_PURE));
}

/* The start of an actor: its INIT is the oldest message. */
enum verdict heist_run_start(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	uintptr_t meta = meta_of(w, a);
	return meta & 1 || !starts_by_itself((const heist_class *)meta)
		       ? start_fully(w, a, n, meta)
		       : start_plainly(w, a, n, meta);
}

/* ---- a run ---- */

/* An actor that waits for a late link. */
static HEIST_COLD enum verdict run_late(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *done, *n = mpsc_first(&a->mailbox, &done);
	if (done)
		run_retire(w, a, (struct message *)done);
	if (n && !(a->config & CONFIG_HELD))
		return heist_run_batch(w, a, n, HEIST_RUN_FRESH);
	handled_count(w, 0);
	if (!n)
		return late(a);
	mpsc_suspend(&a->mailbox, n);
	return heist_run_held(w, a);
}

static HEIST_APART enum verdict run_otherwise(struct rt_worker *w, struct actor *a,
					      struct mpsc_node *n)
{
	if (starts_actor(a, (struct message *)n))
		return heist_run_start(w, a, n);
	if (HEIST_LIKELY(!w->base.fed) && is_exchange(a, (struct message *)n))
		return heist_exchange_run(w, a, n);
	return heist_run_batch(w, a, n, HEIST_RUN_FRESH);
}

enum verdict heist_actor_run(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	struct actor *a = actor_of(r);
	uintptr_t cur = a->mailbox.cur;
	if (HEIST_UNLIKELY(cur & MPSC_DONE))
		return run_late(w, a);
	struct mpsc_node *n = (struct mpsc_node *)cur;
	if (HEIST_LIKELY(!w->base.fed) && HEIST_LIKELY(is_usual(a, (struct message *)n)))
		return run_single(w, a, n);
	return run_otherwise(w, a, n);
}

/* ---- deferring workers (outbox.h) ---- */

void heist_actor_finish(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct mpsc_node *next;
	enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
	if (what != MPSC_LATE)
		run_retire(w, a, (struct message *)n);
	if (what == MPSC_IDLE)
		return;
	if (what == MPSC_NODE)
		mpsc_suspend(&a->mailbox, next);
	if (a->config & CONFIG_BOUND)
		heist_place_submit(w->local.system, w, a->config, &a->run);
	else
		worker_queue(&w->base, &a->run);
}

/* Anything unusual runs as if nothing were deferred. */
static enum verdict run_directly(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
				 heist_next v)
{
	heist_outbox_suspend(w);
	enum verdict verdict = v == HEIST_RUN_FRESH ? heist_actor_run(&w->base, &a->run)
						    : heist_run_batch(w, a, n, v);
	heist_outbox_resume(w);
	return verdict;
}

/* One message a turn; the end of the turn queues behind the sends it made. */
enum verdict heist_actor_run_deferring(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	struct actor *a = actor_of(r);
	uintptr_t cur = a->mailbox.cur;
	struct mpsc_node *n = (struct mpsc_node *)cur;
	if (HEIST_UNLIKELY(cur & MPSC_DONE) || !is_usual(a, (struct message *)n))
		return run_directly(w, a, n, HEIST_RUN_FRESH);
	uint32_t sent = w->outbox.tail;
	ctx_set_actor(&w->ctx, a);
	heist_next v = handle(w, a, (struct message *)n);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return run_directly(w, a, n, v);
	if (w->outbox.tail == sent)
		heist_actor_finish(w, a, n);
	else
		heist_outbox_send(w, a, (struct message *)((uintptr_t)n | OUTBOX_FINISH));
	return RUN_DONE;
}
