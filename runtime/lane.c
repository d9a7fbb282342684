/* SPDX-License-Identifier: BSD-2-Clause
 * lane.c - handle, take and lose messages of lanes (lane.h). */
#include "runtime/behaviour.h"
#include "runtime/run.h"
#include "runtime/send.h"

#include <string.h>

/* ---- put aside ---- */

struct message *heist_message_copy(struct local *l, const struct message *m)
{
	struct message *copy = block_alloc(&l->messages);
	if (!copy)
		return NULL;
	copy->type = m->type;
	copy->tag = m->tag & ~MESSAGE_KIND(MESSAGE_TAKEN | MESSAGE_COUNTED);
	memcpy(&copy->u, &m->u, sizeof m->u);
	return copy;
}

struct message *heist_message_put_aside(struct heist_ctx *ctx, struct message *m)
{
	struct local *l = &ctx->worker->local;
	struct message *copy = heist_message_copy(l, m);
	if (!copy)
		return NULL;
	if (message_kind(m) == KIND_REQUEST) {
		if (!ctx->owes_reply)
			message_set(copy, MESSAGE_ANSWERED);
		ctx->owes_reply = false; /* the copy does */
	}
	message_set(m, MESSAGE_TAKEN);
	heist_count(&l->handled_more, (uint64_t)-1); /* its run will count it as handled */
	return copy;
}

/* ---- is there something? ---- */

static struct inject *urgent_of(struct heist_system *s, struct actor *a)
{
	return &s->slots.control[slot_index(&s->slots, a)].urgent;
}

bool heist_lanes_pending(struct heist_system *s, struct actor *a)
{
	return !inject_is_empty(urgent_of(s, a));
}

static bool lanes_wait(const struct actor_extra *x)
{
	return x->lanes.urgent.first || x->lanes.ahead.first;
}

/* CONTROL_LANE says what is so. */
static void lanes_settle(struct actor *a, const struct actor_extra *x)
{
	bool wait = x && lanes_wait(x);
	if (wait && !has_lane(a))
		atomic_fetch_or_explicit(&a->control, CONTROL_LANE,
					 memory_order_relaxed); /* own bit */
	else if (!wait && has_lane(a))
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_LANE,
					  memory_order_relaxed);
}

void heist_lanes_wake(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
	lanes_settle(a, x);
	if (!has_lane(a) && !heist_lanes_pending(s, a))
		return;
	heist_batch_cut(w, a);
	heist_control_call(s, w, a);
}

/* What its senders pushed, as one list.  No memory for a place to keep it: the next call will do. */
void heist_lanes_look(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	if (HEIST_LIKELY(!heist_lanes_pending(s, a)))
		return;
	struct actor_extra *x = heist_extra_ensure(s, a);
	if (!x) {
		heist_control_call(s, w, a);
		return;
	}
	struct inject_link *next;
	for (struct inject_link *l = inject_take(urgent_of(s, a)); l; l = next) {
		next = l->next;
		lane_put(&x->lanes.urgent, HEIST_CONTAINER(l, struct message, link));
	}
	lanes_settle(a, x);
}

/* ---- one message of a lane, before the mailbox's node n ---- */

static struct lane *lane_choose(struct lanes *l)
{
	if (l->urgent.first && l->streak < LANE_URGENT_STREAK) {
		l->streak++;
		return &l->urgent;
	}
	l->streak = 0;
	return &l->ahead;
}

static void lane_done(struct rt_worker *w, struct actor *a, struct message *m, bool counted)
{
	if (counted)
		heist_count(&w->local.handled_more, 1);
	run_retire(w, a, m);
	lanes_settle(a, actor_extra(w->local.system, a));
}

/* The handler of m failed. */
static enum verdict lane_failed(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
				struct message *m, bool counted)
{
	struct heist_system *s = w->local.system;
	struct ending end = { HEIST_EXIT_CRASHED, w->ctx.panic ? w->ctx.panic : HEIST_ECRASH };
	w->ctx.panic = HEIST_OK;
	heist_sample_failed(w, a);
	if (is_lost_by_failure(m) && heist_child_retries(w, a, m)) {
		lane_put_first(&actor_extra(s, a)->lanes.ahead, m);
		return heist_run_end_whole(w, a, n, false, end);
	}
	if (is_lost_by_failure(m)) {
		heist_run_lose_failed(w, a, m, end.status);
		counted = false;
	}
	lane_done(w, a, m, counted);
	return heist_run_end_whole(w, a, n, false, end);
}

enum verdict heist_lane_settle(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	struct message *m = w->ctx.lane;
	w->ctx.lane = NULL;
	return lane_failed(w, a, n, m, true);
}

heist_next heist_lane_run(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct ending *end, enum verdict *verdict)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	if (x->lanes.awaited)
		return HEIST_RUN_FRESH; /* only an answer may run, and that is in the mailbox */
	struct lane *from = lane_choose(&x->lanes);
	bool counted;
	if (!from->first && message_kind((struct message *)n) == KIND_BELL)
		from = lane_choose(&x->lanes); /* a stop waits until the lanes are empty */
	struct message *m = lane_get(from);
	if (!m) { /* the mailbox's turn; the bell that was rung may be on its way out */
		if (lanes_wait(x))
			heist_control_call(w->local.system, w, a);
		return HEIST_RUN_FRESH;
	}
	w->ctx.lane = m;
	heist_next v = heist_run_special(w, a, m, &counted, end);
	w->ctx.lane = NULL;
	if (v == HEIST_AGAIN && !message_has(m, MESSAGE_TAKEN)) {
		lane_put_first(from, m);
		return HEIST_AGAIN;
	}
	if (v == HEIST_FAIL) {
		*verdict = lane_failed(w, a, n, m, counted);
		return HEIST_RUN_OVER;
	}
	lane_done(w, a, m, counted);
	if (v != HEIST_STOP)
		return HEIST_RUN_NEXT;
	*verdict = heist_run_end_whole(w, a, n, false, *end);
	return HEIST_RUN_OVER;
}

/* ---- the end ---- */

void heist_lanes_rest(struct actor *a, struct actor_extra *x)
{
	struct lanes *l = &x->lanes;
	lane_append(&l->ahead, &l->postponed);
	lane_prepend(&l->ahead, &l->stash);
	l->awaited = l->streak = 0;
	l->holding = false;
	if (has_lane(a)) /* until it starts again */
		atomic_fetch_and_explicit(&a->control, (uint16_t)~CONTROL_LANE,
					  memory_order_relaxed);
}

static void lose(struct rt_worker *w, struct actor *a, struct message *m, heist_cause cause)
{
	struct heist_system *s = w->local.system;
	bool own = message_generation(m) == mpsc_generation(&a->ticket);
	if (message_kind(m) != KIND_ALARM && !message_dropped(m)) /* nothing was accepted */
		heist_message_lost(s, &w->local, m,
				   ref_make(s->id, message_generation(m), slot_index(&s->slots, a)),
				   own || cause == HEIST_LOST_CLOSED ? cause : HEIST_LOST_DEAD,
				   HEIST_EDEAD);
	run_retire(w, a, m);
}

static void lose_all(struct rt_worker *w, struct actor *a, struct inject_link *l, heist_cause cause)
{
	for (struct inject_link *next; l; l = next) {
		next = l->next;
		lose(w, a, HEIST_CONTAINER(l, struct message, link), cause);
	}
}

void heist_urgent_lose_late(struct rt_worker *w, struct actor *a)
{
	struct inject *urgent = urgent_of(w->local.system, a);
	struct inject_link *late;
	while ((late = heist_late_take(a, urgent)) != NULL)
		lose_all(w, a, late, HEIST_LOST_DEAD);
}

void heist_lanes_lose(struct rt_worker *w, struct actor *a, heist_cause cause)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = a->config & CONFIG_EXTRA ? actor_extra(s, a) : NULL;
	lose_all(w, a, inject_take(urgent_of(s, a)), cause);
	if (!x)
		return;
	heist_lanes_rest(a, x);
	lane_prepend(&x->lanes.ahead, &x->lanes.urgent);
	for (struct message *m; (m = lane_get(&x->lanes.ahead)) != NULL;)
		lose(w, a, m, cause);
}

/* ---- urgent ---- */

/* It has been let in. */
static void urgent_push(struct sender *from, struct actor *a, heist_ref to, struct message *m)
{
	m->tag |= ref_generation(to);
	if (ref_is_bounded(to))
		message_set(m, MESSAGE_COUNTED);
	heist_count(&from->local->accepted, 1);
#ifdef LANE_MUTANT_CALL_FIRST
	heist_control_call(from->system, from->worker, a);
	inject_push(urgent_of(from->system, a), &m->link);
#else
	inject_push(urgent_of(from->system, a), &m->link);
	heist_control_call(from->system, from->worker, a);
#endif
	if (from->worker)
		heist_batch_cut(from->worker, a); /* to itself: the next */
}

heist_status heist_send_urgent(heist_ref to, const heist_type *type, const void *msg)
{
	if (!type || (!msg && type->size))
		return HEIST_BAD_ARG("type and msg must not be NULL");
	return heist_send_by(to, type, msg, urgent_push);
}
