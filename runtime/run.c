/* SPDX-License-Identifier: BSD-2-Clause
 * run.c - what a worker does with an actor: one batch of its mailbox (runtime/README.md, "A batch").
 *
 *   1 where to go on      first node, or the one the last batch stopped at
 *   2 control             kill and stop requests, before each message
 *   3 handle              the behaviour; everything that is not a plain message: run_special
 *   4 next                give the node back; idle, late, or another message
 *   5 end of the segment  clock and budget; end of the batch: suspend */
#include "runtime/system.h"

#include <string.h>

/* recv of an actor that has ended but whose mailbox is not drained yet. */
static heist_next actor_dying(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

/* ---- scheduling ---- */

HEIST_COLD int heist_actor_schedule_cold(struct heist_system *s, struct rt_worker *w,
					 struct actor *a)
{
	if (w)
		s = w->local.system;
	if (a->config & CONFIG_BOUND)
		heist_pool_submit_bound(&s->pool, a->config >> 8, &a->run);
	else if (w)
		worker_wake(&w->base, &a->run);
	else
		heist_pool_submit(&s->pool, &a->run);
	return 0;
}

/* ---- 4 next ---- */

HEIST_COLD void heist_message_retire(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct heist_system *s = w->local.system;
	if (message_kind(m) == KIND_BELL) {
		heist_bell_retire(s, w, a);
		return;
	}
	if (message_has(m, MESSAGE_LARGE) && !message_has(m, MESSAGE_TAKEN))
		heist_large_free(message_payload(m));
	if (message_has(m, MESSAGE_BOUNCE))
		heist_request_bounce(s, w, &w->local, m);
	else
		block_free(&w->local.messages, m);
}

HEIST_HOT_INLINE void retire(struct rt_worker *w, struct actor *a, struct message *m)
{
	/* a plain message, or an INIT with a small argument and whatever config */
	uint32_t kind = (uint32_t)(m->tag >> 32) & 0xff;
	if (HEIST_LIKELY(kind <= KIND_INIT))
		block_free(&w->local.messages, m);
	else
		heist_message_retire(w, a, m);
}

/* ---- the end of an actor ---- */

HEIST_HOT_INLINE uintptr_t meta_of(struct rt_worker *w, struct actor *a)
{
	return w->local.meta[a - w->local.slots];
}

/* Without stop hook, extra or large state there is nothing to do but close the mailbox. */
HEIST_HOT_INLINE void actor_close(struct rt_worker *w, struct actor *a)
{
	uint32_t closed = mpsc_close(&a->ticket);
	if (HEIST_UNLIKELY(closed > w->local.highest_generation))
		w->local.highest_generation = closed;
	heist_count(&w->local.ended, 1);
}

/* No stop hook, no extra, a state of at most one line, and nobody to tell. */
HEIST_HOT_INLINE bool ends_simply(struct rt_worker *w, struct actor *a)
{
	uintptr_t meta = meta_of(w, a);
	const heist_class *cls = (const heist_class *)meta;
	return !(meta & 1) && cls->state_size <= STATE_LINE && !(cls->hooks && cls->hooks->stop) &&
	       !(atomic_load_explicit(&a->control, memory_order_relaxed) &
		 (CONTROL_CALL | CONTROL_WATCHED)); /* acquired by heist_signals_run */
}

/* What goes with an incarnation, whether another follows or not; its handlers run no more. */
static void incarnation_end(struct rt_worker *w, struct actor *a, heist_status why)
{
	struct heist_system *s = w->local.system;
	const heist_class *cls = actor_class(s, a);
	if (cls->hooks && cls->hooks->stop)
		heist_stop_hook(w, a, why);
}

/* Tell those that watch it, and those that it is linked to. */
static void tell_end(struct rt_worker *w, struct actor *a, struct actor_extra *x, struct ending end)
{
	if (atomic_load_explicit(&a->control, memory_order_relaxed) &
	    CONTROL_WATCHED) { /* own bit */
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_WATCHED,
					  memory_order_relaxed);
		heist_bonds_target_ended(w, a, end);
	}
	if (!x)
		return;
	heist_bonds_owner_ended(w, &x->bonds, end);
	if (x->child)
		heist_child_ended(w, x->child);
}

void heist_actor_end(struct rt_worker *w, struct actor *a, struct ending end, bool hooks)
{
	struct heist_system *s = w->local.system;
	if (hooks)
		incarnation_end(w, a, end.status);
	struct ending ignored; /* who came before the end shall know how it was */
	if (atomic_load_explicit(&a->control, memory_order_relaxed) & CONTROL_CALL) /* advisory */
		(void)heist_signals_run(w, a, false, &ignored);
	actor_close(w, a);
	a->recv = actor_dying;
	if (HEIST_UNLIKELY(a->config & CONFIG_LARGE_STATE))
		heist_local_state_put(&w->local, a->u.state, actor_class(s, a)->state_size);
	struct actor_extra *x = actor_extra(s, a);
	tell_end(w, a, x, end);
	if (HEIST_UNLIKELY(x != NULL))
		heist_extra_free(w, x);
	/* While it drains it still belongs to its worker, but it has nothing else any more. */
	a->config &= (uint16_t) ~(CONFIG_EXTRA | CONFIG_LARGE_STATE | CONFIG_HELD | CONFIG_CHILD);
}

/* ---- a child that rests (child.h) ---- */

static enum verdict drain(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done,
			  heist_cause cause);
static enum verdict run_suspend(struct rt_worker *w, struct actor *a, struct mpsc_node *n);

/* The incarnation is over, another may follow. */
static void incarnation_rest(struct rt_worker *w, struct actor *a, struct ending end)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
	incarnation_end(w, a, end.status);
	heist_bonds_owner_rests(w, &x->bonds);
	heist_asks_forget(s, x);
	heist_jobs_end(&w->local, x);
	heist_count(&w->local.arena_bytes, -(uint64_t)x->arena.held);
	heist_arena_release(&x->arena, &s->memory);
	a->config |= CONFIG_HELD;
	heist_child_rest(w, a, end);
}

/* The holder of the right to run of a child that rests, with the mailbox suspended: start it, end it, or
 * let go. */
static enum verdict run_held(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *n = (struct mpsc_node *)a->mailbox.cur;
	struct ending end = { HEIST_EXIT_NORMAL, HEIST_OK };
	w->ctx.actor = a;
	for (;;) {
		switch (heist_child_look(w, a, &end)) {
		case CHILD_END:
			heist_actor_end(w, a, end, false);
			return drain(w, a, n, false, HEIST_LOST_STOPPED);
		case CHILD_START:
			if (heist_child_start(w, a))
				return run_suspend(w, a, n);
			incarnation_rest(w, a, (struct ending){ HEIST_EXIT_INIT, HEIST_EINIT });
			break;
		case CHILD_WAIT:
			if (hold_rest(&a->control))
				return RUN_DONE;
			break;
		}
	}
}

/* Rest at node n, which is done with or not.  The last node cannot be taken off without turning idle, so
 * the doorbell is put behind one that is done. */
static enum verdict run_rest(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done)
{
	struct mpsc_node *next = n;
	if (done) {
		heist_control_call(w->local.system, w, a);
		enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
		if (what == MPSC_LATE)
			return RUN_LATE;
		retire(w, a, (struct message *)n);
		if (what == MPSC_IDLE)
			return RUN_DONE; /* somebody else is about to ring */
	}
	mpsc_suspend(&a->mailbox, next);
	return run_held(w, a);
}

/* Children before their supervisor, the youngest first.  No worker runs. */
static void end_tree(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
	bool held = a->config & CONFIG_HELD;
	struct child *c = x && x->supervisor ? heist_supervisor_last(x->supervisor) : NULL;
	for (; c; c = c->older) {
		struct actor *child = &s->slots.base[ref_slot(c->ref)];
		if (mpsc_ticket(&child->ticket, ref_generation(c->ref)) == MPSC_TICKET_VALID &&
		    child->recv != NULL)
			end_tree(w, child);
	}
	heist_actor_end(w, a, (struct ending){ HEIST_EXIT_CLOSED, HEIST_EKILLED }, !held);
	if (held && !mpsc_is_idle(&a->mailbox)) { /* it is in no queue */
		heist_count(&w->base.activations, 1);
		heist_actor_discard(&w->base, &a->run);
	}
}

void heist_actor_end_left(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	if (a->recv == NULL || a->recv == actor_dying)
		return;
	for (struct actor_extra *x; (x = actor_extra(s, a)) != NULL && x->child;) {
		struct actor *sup = &s->slots.base[ref_slot(x->child->sup)];
		if (mpsc_ticket(&sup->ticket, ref_generation(x->child->sup)) ==
			    MPSC_TICKET_CLOSED ||
		    sup->recv == NULL)
			break;
		a = sup;
	}
	end_tree(w, a);
}

static enum verdict run_start(struct rt_worker *w, struct actor *a, struct mpsc_node *n);

/* Is this the INIT of an actor that starts in this free slot? */
static bool starts_actor(struct actor *a, struct message *m)
{
	return a->recv == NULL && message_kind(m) == KIND_INIT &&
	       message_generation(m) == mpsc_generation(&a->ticket);
}

/* One message that nobody will handle. */
static void drain_message(struct rt_worker *w, struct actor *a, struct message *m,
			  heist_cause cause)
{
	struct heist_system *s = w->local.system;
	uint32_t kind = message_kind(m);
	if (message_dropped(m))
		return;
	if (starts_actor(a, m)) { /* the runtime ended first: no hook has run, none will */
		a->config = (uint16_t)(m->tag >> 48);
		if (m->type && m->type->drops)
			m->type->drops->msg(message_payload(m));
		heist_actor_end(w, a, (struct ending){ HEIST_EXIT_CLOSED, HEIST_ECLOSED }, false);
	} else if (kind == KIND_BELL) { /* a call that came too late: or the bell rings for ever */
		heist_bell_drain(w, a);
	} else if (kind != KIND_ALARM && kind != KIND_INIT) {
		heist_message_lost(s, &w->local, m,
				   ref_make(s->id, message_generation(m), slot_index(&s->slots, a)),
				   cause, HEIST_EDEAD);
	}
}

static void batch_set_aside(struct rt_worker *w);

/* Messages that nobody will handle, until the mailbox is idle.  `n` is to be looked at, or has been
 * (`done`).  Frees the slot if it drains the mailbox of an actor that has ended. */
static enum verdict drain(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done,
			  heist_cause cause)
{
	for (;;) {
		struct message *m = (struct message *)n;
		struct mpsc_node *next = NULL;
		if (!done && cause != HEIST_LOST_CLOSED && starts_actor(a, m)) {
			heist_count(&w->local.handled_more, 1); /* both count this activation */
			batch_set_aside(w);
			return run_start(w, a, n);
		}
		if (!done)
			drain_message(w, a, m, cause);
		done = false;
		bool ended = a->recv == actor_dying;
		if (ended)
			a->recv = NULL; /* before the mailbox can turn idle: free from then on */
		enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
		if (what == MPSC_IDLE) {
			retire(w, a, m);
			if (ended)
				local_slot_put(&w->local, a);
			return RUN_DONE;
		}
		if (ended)
			a->recv = actor_dying;
		if (what == MPSC_LATE)
			return RUN_LATE;
		retire(w, a, m);
		n = next;
	}
}

/* ---- 3 handle: everything but plain messages ---- */

/* The first turn: install the behaviour, run init. */
static heist_next run_init(struct rt_worker *w, struct actor *a, struct message *m)
{
	uintptr_t meta = meta_of(w, a);
	const heist_class *cls = (const heist_class *)meta;
	a->config = (uint16_t)(m->tag >> 48);
	if (HEIST_UNLIKELY(meta & 1)) {
		cls = actor_class(w->local.system, a);
		a->recv = cls->recv;
		if (a->config & CONFIG_HELD)
			return HEIST_FAIL; /* start_failed: it rests */
	}
	a->recv = cls->recv;
	if (HEIST_UNLIKELY(atomic_load_explicit(&a->control, memory_order_relaxed) & CONTROL_ARMED))
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_ARMED,
					  memory_order_acq_rel); /* HO1: left by the last actor */
	if (!cls->hooks || !cls->hooks->init)
		return HEIST_CONTINUE;
	w->ctx.actor = a;
	w->ctx.starting = &m->node;
	heist_next v = cls->hooks->init(&w->ctx, actor_state(a), message_payload(m));
	w->ctx.starting = NULL;
	return v;
}

static bool request_expired(struct rt_worker *w, struct message *m)
{
	uint64_t deadline = ((struct request_header *)(void *)m->u.bytes)->deadline;
	return deadline &&
	       (deadline <= w->base.now || deadline <= (w->base.now = system_now(w->local.system)));
}

/* Its handler has answered v: what does the asker get, if anything? */
static void request_settle(struct rt_worker *w, struct message *m, heist_next v)
{
	if (!w->ctx.owes_reply) {
		message_set(m, MESSAGE_ANSWERED);
	} else if (v != HEIST_AGAIN || message_has(m, MESSAGE_TAKEN)) {
		int answer = v == HEIST_FAIL				 ? -HEIST_ECRASH
			     : m->type->reply_size == sizeof(heist_unit) ? HEIST_OK
									 : -HEIST_ENOREPLY;
		message_set(m, MESSAGE_BOUNCE);
		m->tag |= (uint64_t)answer << 40;
	}
	w->ctx.owes_reply = false;
}

static heist_next run_request(struct rt_worker *w, struct actor *a, struct message *m)
{
	w->ctx.owes_reply = !message_has(m, MESSAGE_ANSWERED); /* it may come again */
	heist_next v = a->recv(&w->ctx, actor_state(a), m->type, message_payload(m));
	request_settle(w, m, v);
	return v;
}

/* *counted: the message was accepted before and is handled now. */
static HEIST_COLD heist_next run_special(struct rt_worker *w, struct actor *a, struct message *m,
					 bool *counted, struct ending *end)
{
	struct heist_system *s = w->local.system;
	heist_next v = HEIST_CONTINUE;
	uint32_t kind = message_kind(m);
	*counted = false;
	if (kind == KIND_BELL)
		return heist_bell_run(w, a, end) == CONTROL_END ? HEIST_STOP : HEIST_CONTINUE;
	if (message_generation(m) != mpsc_generation(&a->ticket) || message_dropped(m)) {
		drain_message(w, a, m, HEIST_LOST_DEAD);
		return HEIST_CONTINUE;
	}
	if (message_has(m, MESSAGE_COUNTED) && heist_bound_take(w, a, m))
		return HEIST_CONTINUE;
	w->ctx.current = m;
	switch (kind) {
	case KIND_USER:
		v = a->recv(&w->ctx, actor_state(a), m->type, message_payload(m));
		*counted = true;
		break;
	case KIND_REQUEST:
		*counted = !request_expired(w, m);
		if (*counted)
			v = run_request(w, a, m);
		else
			heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_EXPIRED,
					   HEIST_ETIMEOUT);
		break;
	case KIND_REPLY:
		*counted = heist_reply_run(w, a, m);
		break;
	case KIND_ALARM:
		if (m->u.word[0] == ALARM_ASKS)
			heist_asks_expire(w, a);
		else if (m->u.word[0] == ALARM_SUPERVISOR)
			heist_supervisor_alarm(w, a);
		else
			v = heist_job_run(w, a, m, counted);
		break;
	}
	w->ctx.current = NULL;
	if (w->ctx.stop_after) {
		w->ctx.stop_after = false;
		v = HEIST_STOP;
	}
	return v;
}

/* ---- 5 end of a segment ---- */

/* Messages until the clock must be read or the batch is over. */
HEIST_HOT_INLINE uint32_t segment_length(struct rt_worker *w, uint32_t quota)
{
	uint32_t left = w->base.clock_left;
	return quota < left ? quota : left;
}

/* A slow segment makes the next ones short, so that one batch of slow messages cannot outrun its
 * budget by more than one of them. */
static void segment_clock(struct rt_worker *w)
{
	uint64_t before = w->base.now;
	heist_worker_clock(&w->base);
	if (w->base.now - before > w->local.system->budget_ns / 4)
		w->base.clock_left = 1;
}

/* `done` messages since the segment began.  Returns the length of the next one; 0: the batch is over. */
static HEIST_COLD uint32_t segment_end(struct rt_worker *w, uint32_t *quota, uint32_t done,
				       uint64_t started)
{
	*quota -= done;
	w->base.clock_left -= done;
	if (w->base.clock_left == 0)
		segment_clock(w);
	if (*quota == 0 || w->base.now - started >= w->local.system->budget_ns)
		return 0;
	return segment_length(w, *quota);
}

static HEIST_COLD uint32_t batch_option(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	return x->batch ? x->batch : s->batch;
}

static HEIST_COLD enum verdict run_suspend(struct rt_worker *w, struct actor *a,
					   struct mpsc_node *n)
{
	mpsc_suspend(&a->mailbox, n);
	if (!(a->config & CONFIG_BOUND))
		return RUN_AGAIN;
	heist_pool_submit_bound(&w->local.system->pool, a->config >> 8, &a->run);
	return RUN_DONE;
}

/* ---- the batch ---- */

/* The worker counts each activation; what is kept here is how many messages it was more, or fewer. */
HEIST_HOT_INLINE void handled_count(struct rt_worker *w, uint32_t handled)
{
	heist_count(&w->local.handled_more, (uint64_t)handled - 1);
}

/* A message in the sense of the accounting, which the handler has not taken away. */
static bool is_lost_by_failure(const struct message *m)
{
	uint32_t kind = message_kind(m);
	return (kind == KIND_USER || kind == KIND_REQUEST || kind == KIND_REPLY) &&
	       !message_has(m, MESSAGE_TAKEN);
}

/* More than closing the mailbox: hooks, others to tell, a supervisor.  n: done with, or to be tried again. */
static HEIST_COLD enum verdict run_end_whole(struct rt_worker *w, struct actor *a,
					     struct mpsc_node *n, bool done, struct ending end)
{
	if (heist_child_rests(w, a, end)) {
		incarnation_rest(w, a, end);
		return run_rest(w, a, n, done);
	}
	heist_actor_end(w, a, end, true);
	return drain(w, a, n, done, HEIST_LOST_STOPPED);
}

/* Message n ended it, and is done with. */
static enum verdict run_close(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			      struct ending end)
{
	if (HEIST_UNLIKELY(!ends_simply(w, a)))
		return run_end_whole(w, a, n, true, end);
	actor_close(w, a);
	if (a->config & CONFIG_LARGE_STATE)
		block_free(&w->local.states[0], a->u.state);
	a->recv = NULL; /* before the mailbox can turn idle: free from then on */
	if (mpsc_try_idle(&a->mailbox, n)) {
		retire(w, a, (struct message *)n);
		local_slot_put(&w->local, a);
		return RUN_DONE;
	}
	a->recv = actor_dying;
	return drain(w, a, n, true, HEIST_LOST_STOPPED);
}

/* Its handler failed with message n: that is lost, or tried again. */
static HEIST_COLD enum verdict run_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct heist_system *s = w->local.system;
	struct message *m = (struct message *)n;
	heist_status why = w->ctx.panic ? w->ctx.panic : HEIST_ECRASH;
	struct ending end = { HEIST_EXIT_CRASHED, why };
	w->ctx.panic = HEIST_OK;
	if (is_lost_by_failure(m)) {
		if (heist_child_retries(w, a, m))
			return run_end_whole(w, a, n, false, end);
		heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_FAILED,
				   HEIST_ECRASH);
	}
	return run_close(w, a, n, end);
}

/* What a handler ended: the current message is done with. */
static enum verdict run_end(struct rt_worker *w, struct actor *a, struct mpsc_node *n, heist_next v,
			    struct ending end)
{
	return HEIST_UNLIKELY(v == HEIST_FAIL) ? run_failed(w, a, n) : run_close(w, a, n, end);
}

/* Anything but a plain message for a live actor without a control request.  Answers like a handler;
 * HEIST_RUN_OVER: *verdict is the end of this run. */
#define HEIST_RUN_OVER ((heist_next)-1)
static HEIST_COLD heist_next run_unusual(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
					 bool *counted, struct ending *end, enum verdict *verdict)
{
	struct message *m = (struct message *)n;
	if (a->recv == NULL || a->recv == actor_dying) {
		*verdict = drain(w, a, n, false, a->recv ? HEIST_LOST_STOPPED : HEIST_LOST_DEAD);
		return HEIST_RUN_OVER;
	}
	if (HEIST_UNLIKELY(a->config & CONFIG_HELD)) {
		mpsc_suspend(&a->mailbox, n);
		*verdict = run_held(w, a);
		return HEIST_RUN_OVER;
	}
	if (heist_control_run(w, a, end) == CONTROL_END) {
		*verdict = run_end_whole(w, a, n, false, *end); /* n was not run */
		return HEIST_RUN_OVER;
	}
	if (m->tag == mpsc_generation(&a->ticket))
		return a->recv(&w->ctx, actor_state(a), m->type, m->u.bytes);
	return run_special(w, a, m, counted, end);
}

/* A plain message is for exactly this generation, and no control request is waiting.  Only a live
 * actor has its ticket open, so this also says that there is a behaviour to call. */
HEIST_HOT_INLINE bool is_usual(struct actor *a, const struct message *m)
{
	return HEIST_LIKELY(m->tag ==
			    atomic_load_explicit(&a->ticket, memory_order_relaxed)) && /* own */
	       HEIST_LIKELY(!(atomic_load_explicit(&a->control, memory_order_relaxed) &
			      CONTROL_CALL)); /* acquired by heist_control_run */
}

HEIST_HOT_INLINE heist_next handle(struct rt_worker *w, struct actor *a, struct message *m)
{
	return a->recv(&w->ctx, actor_state(a), m->type, m->u.bytes);
}

#define HEIST_RUN_FRESH ((heist_next)-2)

/* Where a batch is; kept in memory, so only the rarer turns touch it. */
struct batch {
	struct batch *outer;	/* it met the INIT of an actor, which this batch goes on with */
	struct mpsc_node *node; /* the message that runs, for a panic                        */
	uint32_t done;		/* of the segment, the one that runs included ...            */
	uint32_t stretch, left; /* ... but for those since the last look at the slot         */
	uint32_t quota;		/* messages until the batch is over, as of the segment's begin */
	uint32_t segment;	/* of these, until the clock is read */
	uint32_t messages;	/* looked at before this segment */
	uint32_t skipped;	/* looked at, but not handled */
	uint64_t started;
	enum verdict verdict;
	bool linger;   /* fed from outside: wait a little before turning idle */
	uint64_t sent; /* what the worker had sent when the batch began */
};

/* The batch that runs, if any, only counts from now on: a panic is not about its message. */
static void batch_set_aside(struct rt_worker *w)
{
	if (w->ctx.batch)
		w->ctx.batch->node = NULL;
}

static void batch_begin(struct rt_worker *w, struct actor *a, struct batch *b)
{
	struct heist_system *s = w->local.system;
	b->quota = HEIST_UNLIKELY(a->config & CONFIG_EXTRA) ? batch_option(s, a) : s->batch;
	b->segment = segment_length(w, b->quota);
	b->done = b->stretch = b->left = b->messages = b->skipped = 0;
	b->started = w->base.now;
	b->verdict = RUN_DONE;
	b->linger = w->base.fed;
	b->sent = atomic_load_explicit(&w->local.accepted, memory_order_relaxed); /* own */
	b->outer = w->ctx.batch;
	w->base.fed = false;
	w->ctx.actor = a;
	w->ctx.batch = b;
}

/* Messages of the segment so far. */
static uint32_t batch_done(const struct batch *b)
{
	return b->done + b->stretch - b->left;
}

static void batch_end(struct rt_worker *w, struct batch *b)
{
	uint32_t done = batch_done(b);
	w->ctx.batch = b->outer;
	w->base.clock_left -= done;
	if (HEIST_UNLIKELY(w->base.clock_left == 0))
		segment_clock(w);
	handled_count(w, b->messages + done - b->skipped);
}

/* The mailbox may be about to turn idle.  A producer on another core that streams to us would then have
 * to schedule us for every message; so let some arrive, unless somebody may wait for what we sent. */
static __attribute__((noinline)) void batch_linger(struct rt_worker *w, struct batch *b,
						   struct mpsc_node *n)
{
	if (atomic_load_explicit(&n->next, memory_order_relaxed) != NULL || /* decided by MQ3 */
	    atomic_load_explicit(&w->local.accepted, memory_order_relaxed) != b->sent) /* own */
		return;
	for (int i = 0; i < SCHED_FED_PAUSES; i++)
		heist_relax();
}

/* The segment is over.  False: so is the batch; the actor is suspended before n. */
static bool batch_goes_on(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct batch *b)
{
	b->messages += b->segment;
	b->done = 0;
	b->segment = segment_end(w, &b->quota, b->segment, b->started);
	if (b->segment != 0)
		return true;
	b->verdict = run_suspend(w, a, n);
	return false;
}

/* A handler said something else than CONTINUE, or a message was not usual.  True: node n is to be
 * run again or is done with (*v); false: the run is over. */
static bool batch_unusual(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct batch *b, heist_next *v)
{
	struct ending end = { HEIST_EXIT_NORMAL, HEIST_OK };
	bool counted = true;
	if (*v == HEIST_RUN_FRESH) {
		b->node = n;
		*v = run_unusual(w, a, n, &counted, &end, &b->verdict);
	}
	if (*v == HEIST_RUN_OVER) {
		b->skipped++;
		return false;
	}
	bool taken = message_has((struct message *)n, MESSAGE_TAKEN);
	if (*v == HEIST_AGAIN && taken)
		*v = HEIST_CONTINUE; /* there is nothing left to run again */
	b->skipped += !counted || *v == HEIST_AGAIN || (*v == HEIST_FAIL && !taken);
	if (*v == HEIST_CONTINUE || *v == HEIST_AGAIN)
		return true;
	b->verdict = run_end(w, a, n, *v, end);
	return false;
}

/* The slot's line belongs to whoever sends to the actor.  A batch looks at it, for control requests,
 * only every so many messages. */
#define LOOK_AT_SLOT 8

/* The common part of a batch: plain messages, from *n on, each of which has a successor, until it is
 * time for a look at the slot.  Touches the slot's line at the begin only.  *n is the next message;
 * *v is what its handler said, if it has run already: something else than CONTINUE, or there is no
 * successor yet. */
HEIST_HOT_INLINE void batch_plain(struct rt_worker *w, struct actor *a, struct batch *b,
				  uint64_t plain, struct mpsc_node **n, heist_next *v)
{
	void *state = actor_state(a);
	uint32_t most = b->segment - b->done;
	b->stretch = b->left = (most < LOOK_AT_SLOT ? most : LOOK_AT_SLOT) - 1;
	w->ctx.recv = a->recv;
	*v = HEIST_RUN_FRESH;
	while (b->left != 0) {
		struct message *m = (struct message *)*n;
		if (HEIST_UNLIKELY(m->tag != plain))
			break;
		b->left--;
		b->node = *n;
		*v = w->ctx.recv(&w->ctx, state, m->type, m->u.bytes);
		struct mpsc_node *next = mpsc_linked(&m->node);
		if (HEIST_UNLIKELY(*v != HEIST_CONTINUE) || HEIST_UNLIKELY(!next)) {
			b->left++; /* it counts when it is done with */
			break;
		}
		*v = HEIST_RUN_FRESH;
		*n = next;
		block_free(&w->local.messages, m);
	}
	b->done = batch_done(b);
	b->stretch = b->left = 0;
}

/* Message n, of whatever kind; `v`: what its handler said, or HEIST_RUN_FRESH if it did not run yet. */
HEIST_HOT_INLINE heist_next batch_handle(struct rt_worker *w, struct actor *a, struct batch *b,
					 struct mpsc_node *n, heist_next v)
{
	b->done++;
	if (HEIST_UNLIKELY(v != HEIST_RUN_FRESH) || !is_usual(a, (struct message *)n))
		return v;
	b->node = n;
	return handle(w, a, (struct message *)n);
}

/* One batch, from node n on. */
static __attribute__((noinline)) enum verdict run_batch(struct rt_worker *w, struct actor *a,
							struct mpsc_node *n, heist_next v)
{
	const uint64_t plain = mpsc_generation(&a->ticket);
	struct batch b;
	batch_begin(w, a, &b);
	for (;;) {
		struct message *m = (struct message *)n;
		v = batch_handle(w, a, &b, n, v);
		if (HEIST_UNLIKELY(v != HEIST_CONTINUE) && !batch_unusual(w, a, n, &b, &v))
			break;
		if (HEIST_LIKELY(v == HEIST_CONTINUE)) {
			if (HEIST_UNLIKELY(b.linger))
				batch_linger(w, &b, n);
			enum mpsc_next what = mpsc_next(&a->mailbox, n, &n);
			if (HEIST_UNLIKELY(what == MPSC_LATE)) {
				b.verdict = RUN_LATE;
				break;
			}
			retire(w, a, m);
			if (what == MPSC_IDLE)
				break;
		}
		if (HEIST_UNLIKELY(b.done == b.segment) && !batch_goes_on(w, a, n, &b))
			break;
		batch_plain(w, a, &b, plain, &n, &v);
	}
	batch_end(w, &b);
	return b.verdict;
}

/* The commonest run by far, a plain message that leaves the mailbox idle or ends the actor, without a
 * batch around it; n is what the mailbox begins with. */
HEIST_HOT_INLINE enum verdict run_single(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	w->ctx.actor = a;
	heist_next v = handle(w, a, (struct message *)n);
	a = w->ctx.actor; /* read again: cheaper than to keep them over the call */
	n = (struct mpsc_node *)a->mailbox.cur;
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return v == HEIST_STOP
			       ? run_end(w, a, n, v, (struct ending){ HEIST_EXIT_NORMAL, HEIST_OK })
			       : run_batch(w, a, n, v);
	if (!mpsc_try_idle(&a->mailbox, n))
		return run_batch(w, a, n, v);
	block_free(&w->local.messages, n);
	return RUN_DONE;
}

/* The actor does not start: its init failed, or it is a child, which rests until it is told to. */
static enum verdict start_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	w->ctx.panic = HEIST_OK;
	handled_count(w, 0);
	if (a->config & CONFIG_HELD)
		return run_rest(w, a, n, true);
	return run_end(w, a, n, HEIST_STOP, (struct ending){ HEIST_EXIT_INIT, HEIST_EINIT });
}

/* The start of an actor: its INIT is the oldest message. */
static enum verdict run_start(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct message *m = (struct message *)n;
	heist_next v = run_init(w, a, m);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return start_failed(w, a, n);
	if (mpsc_try_idle(&a->mailbox, n)) {
		handled_count(w, 0);
		retire(w, a, m);
		return RUN_DONE;
	}
	enum mpsc_next what = mpsc_next(&a->mailbox, n, &n);
	if (what != MPSC_LATE)
		retire(w, a, m);
	if (what != MPSC_NODE) {
		handled_count(w, 0);
		return what == MPSC_LATE ? RUN_LATE : RUN_DONE;
	}
	if (HEIST_UNLIKELY(!is_usual(a, (struct message *)n)))
		return run_batch(w, a, n, HEIST_RUN_FRESH);
	mpsc_suspend(&a->mailbox, n);
	return run_single(w, a, n);
}

/* An actor that waits for a late link. */
static HEIST_COLD enum verdict run_late(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *done, *n = mpsc_first(&a->mailbox, &done);
	if (done)
		retire(w, a, (struct message *)done);
	if (n && !(a->config & CONFIG_HELD))
		return run_batch(w, a, n, HEIST_RUN_FRESH);
	handled_count(w, 0);
	if (!n)
		return RUN_LATE;
	mpsc_suspend(&a->mailbox, n);
	return run_held(w, a);
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
	return starts_actor(a, (struct message *)n) ? run_start(w, a, n)
						    : run_batch(w, a, n, HEIST_RUN_FRESH);
}

/* ---- deferring workers (outbox.h) ---- */

void heist_actor_finish(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct mpsc_node *next;
	enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
	if (what != MPSC_LATE)
		retire(w, a, (struct message *)n);
	if (what == MPSC_IDLE)
		return;
	if (what == MPSC_NODE)
		mpsc_suspend(&a->mailbox, next);
	if (a->config & CONFIG_BOUND)
		heist_pool_submit_bound(&w->local.system->pool, a->config >> 8, &a->run);
	else
		worker_queue(&w->base, &a->run);
}

/* Anything unusual runs as if nothing were deferred. */
static enum verdict run_directly(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
				 heist_next v)
{
	heist_outbox_suspend(w);
	enum verdict verdict =
		v == HEIST_RUN_FRESH ? heist_actor_run(&w->base, &a->run) : run_batch(w, a, n, v);
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
	w->ctx.actor = a;
	heist_next v = handle(w, a, (struct message *)n);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE))
		return run_directly(w, a, n, v);
	if (w->outbox.tail == sent)
		heist_actor_finish(w, a, n);
	else
		heist_outbox_send(w, a, (struct message *)((uintptr_t)n | OUTBOX_FINISH));
	return RUN_DONE;
}

/* ---- panics (panic.c) ---- */

/* The frames of the batches are about to go: finish their counts, keep what the settlement needs. */
void heist_run_abandon(struct rt_worker *w)
{
	struct batch *b = w->ctx.batch;
	w->ctx.failed = NULL;
	if (b && b->node && !w->ctx.starting) {
		struct message *m = (struct message *)b->node;
		uint32_t kind = message_kind(m);
		w->ctx.failed = b->node;
		b->skipped += is_lost_by_failure(m) || kind == KIND_ALARM || kind == KIND_BELL;
		batch_end(w, b);
	}
	while ((b = w->ctx.batch) != NULL) { /* an INIT that it met took over */
		b->skipped++;
		batch_end(w, b);
	}
}

static enum verdict settle_single(struct rt_worker *w, struct actor *a)
{
	return run_batch(w, a, (struct mpsc_node *)a->mailbox.cur, HEIST_FAIL);
}

static enum verdict settle_failed(struct rt_worker *w, struct actor *a)
{
	struct mpsc_node *n = w->ctx.failed;
	struct message *m = (struct message *)n;
	if (message_kind(m) == KIND_REQUEST)
		request_settle(w, m, HEIST_FAIL);
	w->ctx.current = NULL;
	w->ctx.stop_after = false;
	return run_failed(w, a, n);
}

/* What the abandoned run would have done, had its handler answered FAIL. */
enum verdict heist_run_settle(struct rt_worker *w)
{
	struct actor *a = w->ctx.actor;
	struct mpsc_node *starting = w->ctx.starting;
	w->ctx.starting = NULL;
	if (w->deferring)
		heist_outbox_suspend(w);
	enum verdict v = starting	 ? start_failed(w, a, starting)
			 : w->ctx.failed ? settle_failed(w, a)
					 : settle_single(w, a);
	heist_outbox_resume_if(w);
	return v;
}

enum verdict heist_actor_discard(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	struct actor *a = actor_of(r);
	struct mpsc_node *done, *n = mpsc_first(&a->mailbox, &done);
	if (done)
		retire(w, a, (struct message *)done);
	handled_count(w, 0);
	return n ? drain(w, a, n, false, HEIST_LOST_CLOSED) : RUN_LATE;
}
