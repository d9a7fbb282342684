/* SPDX-License-Identifier: BSD-2-Clause
 * control.c - stop and kill: requests beside the mailbox that need no memory.
 *
 * A request is one word per slot: generation, kind and reason.  Whoever posts one sets CONTROL_CALL
 * and rings the bell: a node of the slot that is pushed like a message, so that an idle actor runs.
 * CONTROL_BELL says the node is in the mailbox; it is cleared after the node has left it, and rung
 * again if a call came meanwhile.  A kill acts at the next look at CONTROL_CALL, before the next
 * message: a batch, which looks now and then, is interrupted (batch.c).  A stop acts at the first bell
 * that was certainly rung after it: the first bell arms it and rings again, the second ends the actor, so
 * everything accepted before the stop is handled.  The bell may have left the mailbox and not be marked so yet,
 * and a message may come between: its run looks at the call, where a stop does not act.  So a stop has a bit of
 * its own, CONTROL_STOP, which only a bell takes away; it, too, makes the bell ring again.
 *
 * A call also says that there are signals (signal.h), or bits (notify.h); they are handled at the same look.
 *
 * Edges   HO1 of hold.h: the request; no call is lost between the last look and the clearing of
 *             CONTROL_BELL
 *         CT2 the CAS of request: a request for an older generation never replaces a newer one
 *         CT3 of batch.c: a kill and a batch of the actor do not miss each other
 *         MQ5 of mpsc.h: whoever sees what is beside the slot for its next actor sees that it is open */
#include "runtime/fork.h"
#include "runtime/run.h"
#include "runtime/sim.h"

/* The stronger ones are the higher ones. */
enum request_kind { REQUEST_STOP = 1, REQUEST_KILL = 2 };

/* generation << 34 | kind << 32 | reason */
static uint64_t request_make(uint32_t generation, enum request_kind kind, heist_status why)
{
	return (uint64_t)generation << 34 | (uint64_t)kind << 32 | (uint32_t)why;
}

_Static_assert(offsetof(struct control, tag) == offsetof(struct message, tag),
	       "the bell poses as a message");

static bool ring(struct heist_system *s, struct rt_worker *w, struct actor *a)
{
	struct control *c = &s->slots.control[slot_index(&s->slots, a)];
	c->tag = MESSAGE_KIND(KIND_BELL);
	bool idle = mpsc_push(&a->mailbox, &c->bell) == MPSC_WAS_IDLE;
	if (idle)
		actor_schedule(s, w, a);
	return idle;
}

bool heist_control_call(struct heist_system *s, struct rt_worker *w, struct actor *a)
{
	uint16_t old = hold_call(&a->control); /* HO1 */
	bool idle = !(old & CONTROL_BELL) && ring(s, w, a);
	if (old & CONTROL_HELD && hold_take(&a->control)) /* HO1 */
		actor_schedule(s, w, a);
	return idle;
}

/* Post a request, unless a stronger one for the same or a newer generation is there. */
static void request_post(struct control *c, uint64_t request)
{
	uint64_t old = atomic_load_explicit(&c->request, memory_order_relaxed);
	while (old >> 32 < request >> 32 &&
	       !atomic_compare_exchange_weak_explicit(&c->request, &old, request,
						      memory_order_release, /* CT2 release */
						      memory_order_relaxed))
		;
}

static bool control_request(struct heist_system *s, struct rt_worker *w, struct actor *a,
			    uint64_t request)
{
	request_post(&s->slots.control[slot_index(&s->slots, a)], request);
	if ((request >> 32 & 3) == REQUEST_STOP)
		hold_stop(&a->control); /* HO1 */
	return heist_control_call(s, w, a);
}

void heist_control_stop(struct heist_system *s, struct rt_worker *w, struct actor *a,
			uint32_t generation, heist_status why)
{
	(void)control_request(s, w, a, request_make(generation, REQUEST_STOP, why));
}

/* For whom it is about may be in a handler, here or elsewhere. */
static void request_now(struct heist_system *s, struct rt_worker *w, struct actor *a,
			uint64_t request)
{
	bool idle = control_request(s, w, a, request);
	if (w && ctx_actor(&w->ctx) == a)
		heist_batch_cut(w, a); /* its own handler: no message more */
	else if (!idle && (request >> 32 & 3) == REQUEST_KILL)
		heist_batch_interrupt(s, a);
}

static heist_status control_post(heist_ref to, enum request_kind kind, heist_status why)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	struct foreign *f = NULL;
	struct heist_system *s;
	if (w && w->local.id == ref_runtime(to)) {
		s = w->local.system;
	} else {
		w = NULL;
		f = heist_foreign_enter(ref_runtime(to));
		if (!f)
			return HEIST_EDEAD;
		s = f->local->system;
		if (atomic_load_explicit(&s->phase, memory_order_acquire) ==
		    PHASE_ENDING) { /* PH1 acquire */
			heist_foreign_leave(f);
			return HEIST_ECLOSED;
		}
	}
	struct actor *a = system_actor(s, to);
	heist_status r = HEIST_EDEAD;
	if (a && mpsc_ticket(&a->ticket, ref_generation(to)) == MPSC_TICKET_VALID) {
		if (HEIST_UNLIKELY(s->sim != NULL) && kind == REQUEST_STOP)
			heist_sim_stop(s->sim, a, ref_generation(to), why);
		else
			request_now(s, w, a, request_make(ref_generation(to), kind, why));
		r = HEIST_OK;
	}
	if (f)
		heist_foreign_leave(f);
	return r;
}

heist_status heist_stop(heist_ref to, heist_status why)
{
	return control_post(to, REQUEST_STOP, why);
}

heist_status heist_kill(heist_ref to, heist_status why)
{
	return control_post(to, REQUEST_KILL, why);
}

/* The request for the present generation, if there is one. */
static enum request_kind request_read(struct heist_system *s, struct actor *a, struct ending *end)
{
	struct control *c = &s->slots.control[slot_index(&s->slots, a)];
	uint64_t r = atomic_load_explicit(&c->request, memory_order_acquire); /* CT2 acquire */
	if (r >> 34 != mpsc_generation(&a->ticket))
		return 0;
	enum request_kind kind = r >> 32 & 3;
	end->how = kind == REQUEST_KILL ? HEIST_EXIT_KILLED : HEIST_EXIT_STOPPED;
	end->status = (heist_status)(int32_t)(uint32_t)r;
	return kind;
}

bool heist_control_look(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct ending ignored;
	hold_look(&a->control); /* HO1 */
	(void)heist_signals_run(w, a, false, &ignored);
	return request_read(w->local.system, a, end) != 0;
}

/* A supervisor ends when its children have. */
static enum control_answer may_end(struct rt_worker *w, struct actor *a, struct ending *end)
{
	return !(a->config & CONFIG_EXTRA) || heist_supervisor_may_end(w, a, end) ? CONTROL_END
										  : CONTROL_GO_ON;
}

enum control_answer heist_control_run(struct rt_worker *w, struct actor *a, struct ending *end)
{
	if (HEIST_UNLIKELY(heist_forked(w->local.system)))
		heist_fork_returned();
	hold_look(&a->control); /* HO1 */
	heist_lanes_look(w, a);
	struct ending ignored;
	if (request_read(w->local.system, a, end) == REQUEST_KILL) {
		/* who watches it shall be told why */
		(void)heist_signals_run(w, a, false, &ignored);
		return may_end(w, a, end);
	}
	return heist_signals_run(w, a, true, end) || heist_notify_run(w, a, end) ||
			       heist_overload_run(w, a, end)
		       ? may_end(w, a, end)
		       : CONTROL_GO_ON;
}

enum control_answer heist_bell_run(struct rt_worker *w, struct actor *a, struct ending *end)
{
	hold_stop_met(&a->control); /* HO1 */
	if (request_read(w->local.system, a, end) == 0 || heist_holds(w->local.system, a))
		return CONTROL_GO_ON;
	uint16_t c = atomic_load_explicit(&a->control, memory_order_relaxed); /* own bit */
	if (c & CONTROL_ARMED) {
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_ARMED,
					  memory_order_acq_rel); /* HO1 */
		return may_end(w, a, end);
	}
	atomic_fetch_or_explicit(&a->control, CONTROL_ARMED | CONTROL_STOP,
				 memory_order_acq_rel); /* HO1: rung again by bell_retire */
	return CONTROL_GO_ON;
}

struct inject_link *heist_late_take(struct actor *a, struct inject *beside)
{
	struct inject_link *newest, *late = NULL;
	while (!late && (newest = inject_newest(beside)) != NULL &&
	       !mpsc_is_open(&a->ticket)) /* MQ5: whoever pushed for the next one had opened it */
		late = inject_take_if(beside, newest);
	return late;
}

/* Has somebody asked something of an actor that has not started yet? */
static bool is_awaited(struct heist_system *s, struct actor *a)
{
	struct ending ignored;
	return request_read(s, a, &ignored) != 0 || heist_notify_pending(s, a) ||
	       heist_lanes_pending(s, a) || heist_signals_pending(s, a) ||
	       heist_overload_pending(s, a);
}

/* The actor that the bell was rung for has ended, unless it has not started yet: then its INIT is behind
 * the bell, and what was asked of it is done after that.  The slot's next actor may be opened while this looks:
 * whoever asks something of that one calls it after the look, so the bell rings once more. */
void heist_bell_drain(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct ending ignored;
	hold_look(&a->control);				       /* HO1 */
	if (a->recv != NULL && a->recv != heist_actor_dying) { /* discarded by shutdown */
		(void)heist_signals_run(w, a, false, &ignored);
		hold_stop_met(&a->control); /* HO1 */
		heist_lanes_lose(w, a, HEIST_LOST_CLOSED);
		return;
	}
	if (!mpsc_is_open(&a->ticket)) {
		hold_stop_met(&a->control); /* HO1 */
		heist_signals_run_late(w, a);
		heist_urgent_lose_late(w, a);
	}
	if (mpsc_is_open(&a->ticket) && is_awaited(s, a)) /* it was open, or is now */
		atomic_fetch_or_explicit(&a->control, CONTROL_CALL,
					 memory_order_acq_rel); /* HO1: rung again by bell_retire */
}

void heist_bell_retire(struct heist_system *s, struct rt_worker *w, struct actor *a)
{
	uint16_t old = atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_BELL,
						 memory_order_acq_rel); /* HO1 */
	if (old & (CONTROL_CALL | CONTROL_STOP))
		heist_control_call(s, w, a);
}
