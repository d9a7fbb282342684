/* SPDX-License-Identifier: BSD-2-Clause
 * job.c - messages for later: arm, fire, send, cancel (job.h). */
#include "runtime/job.h"

#include <string.h>

#include "runtime/send.h"

#define WALL_LEG_NS 60000000000u /* a wall clock that was set is noticed after this */

/* ---- timers of an actor ---- */

static struct wheel *wheel_of(struct heist_system *s, uint32_t worker)
{
	return &system_worker(s, worker)->wheel;
}

void heist_timer_start(struct rt_worker *w, struct actor *a, struct timer *t, uint64_t at)
{
	t->at = at ? at : 1;
	t->slot = slot_index(&w->local.system->slots, a);
	t->generation = mpsc_generation(&a->ticket);
	t->wheel = w->number;
	heist_timer_arm(&w->wheel, t, w->base.now);
	w->base.timer_next = wheel_next(&w->wheel);
}

void heist_timer_stop(struct heist_system *s, struct timer *t)
{
	(void)heist_timer_disarm(wheel_of(s, t->wheel), t);
}

bool heist_timers_fire(struct rt_worker *w, struct rt_worker *v, uint64_t now)
{
	struct heist_system *s = w->local.system;
	struct timer_due due;
	bool any = false;
	for (; wheel_is_due(&v->wheel, now); any = true) {
		struct message *m = block_alloc(&w->local.messages);
		if (!m) {
			heist_wheel_defer(&v->wheel, now + JOB_RETRY_NS);
			break;
		}
		if (!heist_timer_pop(&v->wheel, now, &due)) {
			block_free(&w->local.messages, m);
			break;
		}
		m->type = NULL;
		m->tag = MESSAGE_KIND(KIND_ALARM) | due.generation;
		m->u.word[0] = due.id;
		actor_push(s, w, &s->slots.base[due.slot], m);
	}
	return any;
}

/* ---- the table ---- */

static enum job_kind kind_of(const struct job *j)
{
	return (enum job_kind)(j->timer.kind & 3);
}

static bool is_once(const struct job *j)
{
	return kind_of(j) == JOB_ONCE || kind_of(j) == JOB_WALL;
}

static bool entry_is_free(const struct job *j)
{
	return (uintptr_t)j & 1;
}

static void entry_free(struct agenda *g, uint32_t i)
{
	g->jobs[i] = (struct job *)((uintptr_t)g->free << 1 | 1);
	g->free = i + 1;
}

static bool agenda_grow(struct heist_system *s, struct agenda *g)
{
	uint32_t n = g->capacity ? g->capacity * 2 : 4, had = g->capacity;
	struct job **jobs =
		n > had ? heist_memory_get(&s->memory, n * sizeof *jobs, HEIST_CACHELINE) : NULL;
	if (!jobs)
		return false;
	if (had)
		memcpy(jobs, g->jobs, had * sizeof *jobs);
	heist_memory_put(&s->memory, g->jobs, had * sizeof *jobs);
	g->jobs = jobs;
	g->capacity = n;
	for (uint32_t i = n; i-- > had;)
		entry_free(g, i);
	return true;
}

static void agenda_shrink(struct heist_system *s, struct agenda *g)
{
	heist_memory_put(&s->memory, g->jobs, g->capacity * sizeof *g->jobs);
	g->jobs = NULL;
	g->capacity = g->free = 0;
}

static struct job *job_find(struct actor_extra *x, uint64_t id)
{
	uint32_t i = (uint32_t)id;
	if (!x || i >= x->agenda.capacity || entry_is_free(x->agenda.jobs[i]))
		return NULL;
	struct job *j = x->agenda.jobs[i];
	return j->timer.id == id ? j : NULL;
}

static void job_enter(struct agenda *g, struct job *j)
{
	uint32_t i = g->free - 1;
	g->free = (uint32_t)((uintptr_t)g->jobs[i] >> 1);
	g->jobs[i] = j;
	g->count++;
	if (++g->sequence == 0)
		g->sequence = 1; /* no id is ALARM_ASKS, or "none" */
	j->timer.id = (uint64_t)g->sequence << 32 | i;
}

static void job_remove(struct heist_system *s, struct agenda *g, const struct job *j)
{
	entry_free(g, (uint32_t)j->timer.id);
	if (--g->count == 0 && g->capacity > 1024)
		agenda_shrink(s, g);
}

/* ---- payloads ---- */

static void *job_payload(struct job *j)
{
	return j->type->size > JOB_ROOM ? j->u.large : j->u.bytes;
}

static bool job_copy_payload(struct heist_system *s, struct job *j, const void *msg)
{
	uint32_t size = j->type->size;
	if (size > JOB_ROOM && !(j->u.large = heist_large_new(s, j->type, size)))
		return false;
	if (size)
		memcpy(job_payload(j), msg, size);
	return true;
}

static void job_drop_payload(struct job *j)
{
	payload_drop(j->type, job_payload(j));
}

/* It has left the table; `keep`: its payload has gone elsewhere. */
static void job_free(struct local *l, struct job *j, bool keep)
{
	if (!keep && j->type->size > JOB_ROOM)
		heist_large_free(j->u.large);
	block_free(&l->jobs, j);
}

/* ---- when ---- */

static uint64_t due_at(const struct job *j)
{
	return j->timer.at - (uint64_t)(j->timer.kind >> 2) * JOB_RETRY_NS;
}

/* The next point of the grid that is not past. */
static uint64_t next_on_grid(const struct job *j, uint64_t now)
{
	uint64_t at = due_at(j), missed = now > at ? (now - at) / j->every : 0;
	return time_after(at + missed * j->every, j->every);
}

/* 0: the instant has come.  Else the next time to look, since the wall clock may be set meanwhile. */
static uint64_t wall_leg(struct heist_system *s, const struct job *j, uint64_t now)
{
	uint64_t wall = heist_wall_now(s);
	if (wall >= j->every)
		return 0;
	uint64_t left = j->every - wall;
	return now + (left < WALL_LEG_NS ? left : WALL_LEG_NS);
}

/* The actor cancels it or ends.  A job of fixed delay whose handler runs is not set.  It leaves the table
 * first, since what drops its message may cancel it. */
static void job_cancel(struct local *l, struct agenda *g, struct job *j)
{
	if (j->timer.at != 0) {
		heist_timer_stop(l->system, &j->timer);
		heist_count(&l->timers_cancelled, 1);
	}
	job_remove(l->system, g, j);
	job_drop_payload(j);
	job_free(l, j, false);
}

static void job_arm(struct rt_worker *w, struct actor *a, struct job *j, uint64_t at)
{
	j->timer.kind = kind_of(j);
	heist_timer_start(w, a, &j->timer, at);
	heist_count(&w->local.timers_armed, 1);
}

/* There was no memory.  Its grid stays. */
static void job_retry(struct rt_worker *w, struct actor *a, struct job *j, uint64_t now)
{
	uint64_t at = due_at(j), late = (now > at ? (now - at) / JOB_RETRY_NS : 0) + 1;
	j->timer.kind = kind_of(j) | (uint32_t)late << 2; /* up to 12 days */
	heist_timer_start(w, a, &j->timer, time_after(at, late * JOB_RETRY_NS));
}

/* ---- what is due ---- */

/* What was to be sent is lost before anybody took it over. */
static void job_lose(struct rt_worker *w, struct job *j, heist_status status)
{
	struct local *l = &w->local;
	heist_count(&l->accepted, 1);
	heist_count_lost(w->local.system, l, j->to, j->type, job_payload(j),
			 status == HEIST_ECLOSED ? HEIST_LOST_CLOSED
			 : status == HEIST_EFULL ? HEIST_LOST_FULL
						 : HEIST_LOST_DEAD);
	job_drop_payload(j);
}

/* To another actor, as if sent by a handler. */
static void job_send(struct rt_worker *w, struct actor *a, struct actor_extra *x, struct job *j)
{
	uint64_t now = w->base.now = system_now(w->local.system);
	heist_status r = heist_send(j->to, j->type, job_payload(j));
	if (r == HEIST_ENOMEM) {
		job_retry(w, a, j, now);
		return;
	}
	heist_count(&w->local.timers_fired, 1);
	bool goes_on = !is_once(j) && (r == HEIST_OK || r == HEIST_EFULL);
	if (!goes_on)
		job_remove(w->local.system, &x->agenda, j);
	if (r != HEIST_OK)
		job_lose(w, j, r);
	if (!goes_on)
		job_free(&w->local, j, false);
	else
		job_arm(w, a, j,
			kind_of(j) == JOB_RATE ? next_on_grid(j, now) : time_after(now, j->every));
}

/* The alarm becomes a message with the payload of the job.  False: no memory. */
static bool alarm_become_message(struct rt_worker *w, struct message *m, struct job *j)
{
	bool once = is_once(j);
	uint32_t size = j->type->size;
	uint64_t tag = message_generation(m);
	if (size > JOB_ROOM) {
		void *p = once ? j->u.large : heist_large_new(w->local.system, j->type, size);
		if (!p)
			return false;
		if (!once)
			memcpy(p, j->u.large, size);
		m->u.large = p;
		tag |= MESSAGE_KIND(MESSAGE_LARGE);
	} else if (size) {
		memcpy(m->u.bytes, j->u.bytes, size);
	}
	m->type = j->type;
	m->tag = tag;
	return true;
}

/* To the actor itself. */
static heist_next job_handle(struct rt_worker *w, struct actor *a, struct actor_extra *x,
			     struct job *j, struct message *m)
{
	struct heist_system *s = w->local.system;
	uint64_t now = w->base.now = system_now(s), id = j->timer.id;
	enum job_kind kind = kind_of(j);
	if (!alarm_become_message(w, m, j)) {
		job_retry(w, a, j, now);
		return HEIST_CONTINUE;
	}
	heist_count(&w->local.accepted, 1);
	heist_count(&w->local.timers_fired, 1);
	if (kind == JOB_RATE) {
		job_arm(w, a, j, next_on_grid(j, now));
	} else if (kind == JOB_DELAY) {
		j->timer.at = 0;
	} else {
		job_remove(s, &x->agenda, j);
		job_free(&w->local, j, true);
	}
	heist_next v = a->recv(&w->ctx, actor_state(a), m->type, message_payload(m));
	if (kind == JOB_DELAY && (j = job_find(actor_extra(s, a), id)) != NULL)
		job_arm(w, a, j, time_after(w->base.now = system_now(s), j->every));
	return v;
}

heist_next heist_job_run(struct rt_worker *w, struct actor *a, struct message *m, bool *counted)
{
	struct heist_system *s = w->local.system;
	struct actor_extra *x = actor_extra(s, a);
	struct job *j = job_find(x, m->u.word[0]);
	uint64_t leg;
	*counted = false;
	if (!j) /* cancelled while the alarm was in the mailbox */
		return HEIST_CONTINUE;
	if (kind_of(j) == JOB_WALL && (leg = wall_leg(s, j, system_now(s))) != 0) {
		heist_timer_start(w, a, &j->timer, leg);
		return HEIST_CONTINUE;
	}
	if (j->to.v != heist_self(&w->ctx).v) {
		job_send(w, a, x, j);
		return HEIST_CONTINUE;
	}
	if (heist_holds(s, a))
		return heist_postpone_alarm(w, a, m);
	heist_next v = job_handle(w, a, x, j, m);
	*counted = message_kind(m) == KIND_USER;
	return v;
}

void heist_jobs_end(struct local *l, struct actor_extra *x)
{
	struct agenda *g = &x->agenda;
	for (uint32_t i = 0; i < g->capacity; i++) {
		struct job *j = g->jobs[i];
		if (!entry_is_free(j))
			job_cancel(l, g, j); /* the last one of many takes the table along */
	}
	agenda_shrink(l->system, g);
}

/* ---- calls of a handler ---- */

static const char *job_bad(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			   enum job_kind kind, uint64_t every)
{
	if (!ctx || !type || (!msg && type->size))
		return "context, type and msg must not be NULL";
	if (to.v == 0)
		return "the receiver must be an actor";
	if (kind != JOB_RATE && kind != JOB_DELAY)
		return NULL;
	if (every == 0)
		return "the period must be at least 1 ns";
	return type_owns(type) ? "a message sent again and again must own nothing" : NULL;
}

/* Everything that needs memory; NULL: nothing changed. */
static struct job *job_new(heist_ctx *ctx, const heist_type *type, const void *msg)
{
	struct rt_worker *w = ctx->worker;
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	if (!x || (!x->agenda.free && !agenda_grow(ctx->system, &x->agenda)))
		return NULL;
	struct job *j = block_alloc(&w->local.jobs);
	if (!j)
		return NULL;
	*j = (struct job){ .type = type };
	if (!job_copy_payload(ctx->system, j, msg)) {
		block_free(&w->local.jobs, j);
		return NULL;
	}
	job_enter(&x->agenda, j);
	return j;
}

static heist_status job_start(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			      enum job_kind kind, uint64_t delay, uint64_t every, heist_timer *out)
{
	const char *bad = job_bad(ctx, to, type, msg, kind, every);
	if (bad)
		return HEIST_BAD_ARG_OF(kind == JOB_ONCE   ? "heist_send_after"
					: kind == JOB_WALL ? "heist_send_at"
							   : "heist_send_every",
					bad);
	struct job *j = job_new(ctx, type, msg);
	if (!j)
		return HEIST_ENOMEM;
	struct rt_worker *w = ctx->worker;
	uint64_t now = w->base.now = system_now(ctx->system), leg = 0;
	j->to = to;
	j->every = every;
	j->timer.kind = kind;
	if (kind == JOB_WALL)
		leg = wall_leg(ctx->system, j, now);
	job_arm(w, ctx_actor(ctx), j, leg ? leg : time_after(now, delay));
	if (out)
		*out = j->timer.id;
	return HEIST_OK;
}

heist_status heist_send_after(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			      uint64_t delay_ns, heist_timer *out)
{
	return job_start(ctx, to, type, msg, JOB_ONCE, delay_ns, 0, out);
}

heist_status heist_send_every(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			      uint64_t first_ns, uint64_t period_ns, heist_pace pace,
			      heist_timer *out)
{
	return job_start(ctx, to, type, msg, pace == HEIST_FIXED_DELAY ? JOB_DELAY : JOB_RATE,
			 first_ns, period_ns, out);
}

heist_status heist_send_at(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			   heist_wall at, heist_timer *out)
{
	return job_start(ctx, to, type, msg, JOB_WALL, 0, at, out);
}

heist_status heist_cancel(heist_ctx *ctx, heist_timer timer)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	struct job *j = job_find(x, timer);
	if (!j)
		return HEIST_EDEAD;
	job_cancel(&ctx->worker->local, &x->agenda, j);
	return HEIST_OK;
}
