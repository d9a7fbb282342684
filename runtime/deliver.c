/* SPDX-License-Identifier: BSD-2-Clause
 * deliver.c - the outbox of a worker in use: when to defer, deliver, flush, rescue (outbox.h). */
#include "runtime/sim.h"

/* FIFO lengths at which deferring begins and ends.  Measured: with 120 actors, which fit the first
 * cache, deferring costs a half more (big); with a thousand runnable out of a million it is five times
 * faster (random_1M).  The gap keeps a worker from going back and forth. */
#ifndef DEFER_ABOVE
#define DEFER_ABOVE 384
#define DEFER_BELOW 96
#endif

/* Mean time per message above which deferred sends would wait too long for the next ones. */
#ifndef DEFER_MAX_NS
#define DEFER_MAX_NS 1000
#endif

/* ---- one entry ---- */

/* False: its receiver has ended. */
HEIST_HOT_INLINE bool deliver_message(struct rt_worker *w, struct actor *a, struct message *m)
{
	if (HEIST_UNLIKELY(mpsc_ticket(&a->ticket, message_generation(m)) != MPSC_TICKET_VALID))
		return false;
	actor_push_home(w, a, m);
	return true;
}

/* The oldest entry of `from`, a ring that the caller may touch.  False: *e is a message that nobody gets, and
 * lose_message is for afterwards. */
HEIST_HOT_INLINE bool deliver_oldest(struct rt_worker *w, struct outbox *from,
				     struct outbox_entry *e)
{
	*e = outbox_get(from);
	if (!(e->what & OUTBOX_FINISH))
		return deliver_message(w, e->actor, (struct message *)e->what);
	heist_actor_finish(w, e->actor, (struct mpsc_node *)(e->what & ~OUTBOX_FINISH));
	return true;
}

/* Up to the first message that nobody gets, or to the end of the ring.  True: it is the former. */
static bool deliver_up_to_lost(struct rt_worker *w, struct outbox *from, struct outbox_entry *e,
			       bool *any)
{
	while (outbox_count(from)) {
		*any = true;
		if (!deliver_oldest(w, from, e))
			return true;
	}
	return false;
}

/* Hooks of the user's run here, and may send: the ring is closed.  What they send to somebody who has ended, too, they
 * are told at once, lest it come here again, and so on. */
static HEIST_COLD void lose_message(struct rt_worker *w, const struct outbox_entry *e)
{
	bool outer = w->losing;
	w->losing = true;
	heist_message_undeliverable(w, e->actor, (struct message *)e->what);
	w->losing = outer;
}

/* ---- the ring ---- */

int heist_outbox_send(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct outbox *o = &w->outbox;
	struct outbox_entry oldest;
	bool lost = false;
	HEIST_PREFETCH_WRITE(a);
	outbox_enter(o);
	if (outbox_count(o) == OUTBOX_SIZE)
		lost = !deliver_oldest(w, o, &oldest);
	outbox_put(o, a, (uintptr_t)m);
	outbox_leave(o);
	if (HEIST_UNLIKELY(lost))
		lose_message(w, &oldest);
	return 0;
}

int heist_deliver_later(struct rt_worker *w, struct actor *a, struct message *m)
{
	return w->deferring == SEND_SIMULATED ? heist_sim_send(w, a, m)
					      : heist_outbox_send(w, a, m);
}

bool heist_outbox_flush(struct rt_worker *w)
{
	struct outbox *o = &w->outbox;
	struct outbox_entry e;
	bool any = false, lost;
	do {
		outbox_enter(o);
		lost = deliver_up_to_lost(w, o, &e, &any);
		outbox_leave(o);
		if (lost)
			lose_message(w, &e);
	} while (lost);
	return any;
}

bool heist_outbox_rescue(struct rt_worker *w, struct rt_worker *stuck)
{
	struct outbox *o = &stuck->outbox;
	struct outbox_entry e;
	bool any = false, lost = true;
	while (lost && outbox_claim(o)) {
		lost = deliver_up_to_lost(w, o, &e, &any);
		outbox_release(o);
		if (lost) {
			lose_message(w, &e);
			heist_outbox_flush(w); /* of what hooks have sent: it may park now */
		}
	}
	return any;
}

/* ---- when to defer ---- */

static void set_deferring(struct rt_worker *w, bool on)
{
	w->deferring = on ? SEND_DEFERRED : SEND_AT_ONCE;
	w->local.direct_limit = on ? 0 : w->local.slots_limit;
}

void heist_outbox_suspend(struct rt_worker *w)
{
	heist_outbox_flush(w);
	set_deferring(w, false);
}

void heist_outbox_resume(struct rt_worker *w)
{
	set_deferring(w, true);
}

/* After a jump out of the middle: is this worker one that defers? */
void heist_outbox_resume_if(struct rt_worker *w)
{
	run_fn *run = atomic_load_explicit(&w->base.run, memory_order_relaxed); /* code only */
	if (run == heist_actor_run_deferring)
		heist_outbox_resume(w);
}

void heist_outbox_end(struct rt_worker *w)
{
	if (w->deferring != SEND_DEFERRED)
		return;
	heist_outbox_suspend(w);
	worker_run_switch(&w->base, heist_actor_run_deferring, heist_actor_run);
}

void heist_outbox_decide(struct rt_worker *w, uint64_t elapsed)
{
	uint64_t waiting = deque_size(&w->base.fifo); /* what is spawned is still warm */
	bool slow = elapsed > (uint64_t)DEFER_MAX_NS * SCHED_CLOCK_MESSAGES;
	if (!w->deferring && waiting > DEFER_ABOVE && !slow &&
	    worker_run_switch(&w->base, heist_actor_run, heist_actor_run_deferring)) {
		set_deferring(w, true);
	} else if (waiting < DEFER_BELOW || slow) {
		heist_outbox_end(w);
	}
}
