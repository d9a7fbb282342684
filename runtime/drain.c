/* SPDX-License-Identifier: BSD-2-Clause
 * drain.c - messages that nobody will handle: they leave the mailbox one by one, each a counted loss. */
#include "runtime/run.h"

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

HEIST_COLD void heist_message_undeliverable(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct heist_system *s = w->local.system;
	heist_message_lost(s, &w->local, m,
			   ref_make(s->id, message_generation(m), slot_index(&s->slots, a)),
			   HEIST_LOST_DEAD, HEIST_EDEAD);
	heist_message_retire(w, a, m);
}

/* One message that nobody will handle. */
void heist_drain_message(struct rt_worker *w, struct actor *a, struct message *m, heist_cause cause)
{
	struct heist_system *s = w->local.system;
	uint32_t kind = message_kind(m);
	if (message_dropped(m))
		return;
	if (starts_actor(a, m)) { /* the runtime ended first: no hook has run, none will */
		a->config = (uint16_t)(m->tag >> 48);
		argument_drop(m);
		heist_actor_end(w, a, (struct ending){ HEIST_EXIT_CLOSED, HEIST_ECLOSED }, false);
	} else if (kind == KIND_BELL) { /* a call that came too late: or the bell rings for ever */
		heist_bell_drain(w, a);
	} else if (kind != KIND_ALARM && kind != KIND_INIT) {
		heist_message_lost(s, &w->local, m,
				   ref_make(s->id, message_generation(m), slot_index(&s->slots, a)),
				   cause, HEIST_EDEAD);
	}
}

/* Messages that nobody will handle, until the mailbox is idle.  `n` is to be looked at, or has been
 * (`done`).  Frees the slot if it drains the mailbox of an actor that has ended. */
enum verdict heist_run_drain(struct rt_worker *w, struct actor *a, struct mpsc_node *n, bool done,
			     heist_cause cause)
{
	for (;;) {
		struct message *m = (struct message *)n;
		struct mpsc_node *next = NULL;
		if (!done && cause != HEIST_LOST_CLOSED && starts_actor(a, m)) {
			heist_count(&w->local.handled_more, 1); /* both count this activation */
			heist_batch_set_aside(w);
			return heist_run_start(w, a, n);
		}
		if (!done)
			heist_drain_message(w, a, m, cause);
		done = false;
		bool ended = a->recv == heist_actor_dying;
		uint16_t config = a->config;
		if (ended) { /* before the mailbox can turn idle: free from then on, and anywhere */
			a->recv = NULL;
			a->config = 0;
		}
		enum mpsc_next what = mpsc_next(&a->mailbox, n, &next);
		if (what == MPSC_IDLE) {
			run_retire(w, a, m);
			if (ended)
				local_slot_put(&w->local, a);
			return RUN_DONE;
		}
		if (ended) {
			a->recv = heist_actor_dying;
			a->config = config;
		}
		if (what == MPSC_LATE)
			return late(a);
		run_retire(w, a, m);
		n = next;
	}
}

enum verdict heist_actor_discard(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	struct actor *a = actor_of(r);
	struct mpsc_node *done, *n = mpsc_first(&a->mailbox, &done);
	ctx_set_actor(&w->ctx, NULL); /* it is in no handler */
	if (done)
		run_retire(w, a, (struct message *)done);
	handled_count(w, 0);
	return n ? heist_run_drain(w, a, n, false, HEIST_LOST_CLOSED) : late(a);
}
