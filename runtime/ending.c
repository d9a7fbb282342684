/* SPDX-License-Identifier: BSD-2-Clause
 * ending.c - the end of an actor, and of one incarnation of it: what runs, who is told, what is freed. */
#include "runtime/run.h"

/* recv of an actor that has ended but whose mailbox is not drained yet. */
heist_next heist_actor_dying(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

bool heist_actor_has_begun(const struct actor *a)
{
	return a->recv != NULL && a->recv != heist_actor_dying;
}

/* ---- what an end consists of ---- */

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
void heist_incarnation_end(struct rt_worker *w, struct actor *a, heist_status why)
{
	struct heist_system *s = w->local.system;
	const heist_class *cls = actor_class(s, a);
	const struct actor_extra *x = actor_extra(s, a);
	if (cls->hooks && cls->hooks->stop && !(x && x->faulted))
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

static void state_end(struct rt_worker *w, struct actor *a, const struct actor_extra *x)
{
	uint32_t size = actor_class(w->local.system, a)->state_size;
	if (x && x->faulted)
		heist_fault_quarantine(w, size);
	else
		heist_local_state_put(&w->local, a->u.state, size);
}

void heist_actor_end(struct rt_worker *w, struct actor *a, struct ending end, bool hooks)
{
	struct heist_system *s = w->local.system;
	if (hooks)
		heist_incarnation_end(w, a, end.status);
	struct ending ignored; /* who came before the end shall know how it was */
	if (atomic_load_explicit(&a->control, memory_order_relaxed) & CONTROL_CALL) /* advisory */
		(void)heist_signals_run(w, a, false, &ignored);
	heist_lanes_lose(w, a,
			 end.how == HEIST_EXIT_CLOSED ? HEIST_LOST_CLOSED : HEIST_LOST_STOPPED);
	actor_close(w, a);
	a->recv = heist_actor_dying;
	struct actor_extra *x = actor_extra(s, a);
	if (HEIST_UNLIKELY(a->config & CONFIG_LARGE_STATE))
		state_end(w, a, x);
	tell_end(w, a, x, end);
	if (HEIST_UNLIKELY(x != NULL)) {
		slot_meta_set(&s->slots, a, (uintptr_t)x->cls); /* for events */
		heist_extra_free(w, x);
	}
	/* While it drains it still belongs to its worker, but it has nothing else any more. */
	a->config &= (uint16_t) ~(CONFIG_EXTRA | CONFIG_LARGE_STATE | CONFIG_HELD | CONFIG_CHILD);
}

/* ---- by a message ---- */

/* More than closing the mailbox: hooks, others to tell, a supervisor.  n: done with, or to be tried again. */
HEIST_COLD enum verdict heist_run_end_whole(struct rt_worker *w, struct actor *a,
					    struct mpsc_node *n, bool done, struct ending end)
{
	if (heist_family_closes(w, a, end))
		return heist_run_rest(w, a, n, done);
	if (heist_child_rests(w, a, end)) {
		heist_incarnation_rest(w, a, end);
		return heist_run_rest(w, a, n, done);
	}
	heist_actor_end(w, a, end, true);
	return heist_run_drain(w, a, n, done, HEIST_LOST_STOPPED);
}

/* Message n ended it, and is done with. */
static enum verdict run_close(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			      struct ending end)
{
	if (HEIST_UNLIKELY(!ends_simply(w, a)))
		return heist_run_end_whole(w, a, n, true, end);
	actor_close(w, a);
	if (a->config & CONFIG_LARGE_STATE)
		block_free(&w->local.states[0], a->u.state);
	a->recv = NULL; /* before the mailbox can turn idle: free from then on */
	if (mpsc_try_idle(&a->mailbox, n)) {
		run_retire(w, a, (struct message *)n);
		local_slot_put(&w->local, a);
		return RUN_DONE;
	}
	a->recv = heist_actor_dying;
	return heist_run_drain(w, a, n, true, HEIST_LOST_STOPPED);
}

void heist_run_lose_failed(struct rt_worker *w, struct actor *a, struct message *m,
			   heist_status why)
{
	struct heist_system *s = w->local.system;
	bool fault = why == HEIST_EFAULT;
	heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_FAILED,
			   fault ? HEIST_EFAULT : HEIST_ECRASH);
	if (fault)
		message_set(m, MESSAGE_TAKEN); /* a large payload is not freed */
}

/* Its handler failed with message n: that is lost, or tried again. */
HEIST_COLD enum verdict heist_run_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct message *m = (struct message *)n;
	heist_status why = w->ctx.panic ? w->ctx.panic : HEIST_ECRASH;
	struct ending end = { HEIST_EXIT_CRASHED, why };
	w->ctx.panic = HEIST_OK;
	heist_sample_failed(w, a);
	if (is_lost_by_failure(m)) {
		if (heist_child_retries(w, a, m))
			return heist_run_end_whole(w, a, n, false, end);
		heist_run_lose_failed(w, a, m, why);
	}
	return run_close(w, a, n, end);
}

/* What a handler ended: the current message is done with. */
enum verdict heist_run_end(struct rt_worker *w, struct actor *a, struct mpsc_node *n, heist_next v,
			   struct ending end)
{
	return HEIST_UNLIKELY(v == HEIST_FAIL) ? heist_run_failed(w, a, n)
					       : run_close(w, a, n, end);
}
