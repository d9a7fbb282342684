/* SPDX-License-Identifier: BSD-2-Clause
 * ask.c - requests and replies between actors, with deadlines.
 *
 * The asker keeps a table of what it waits for; only its runner touches it.  A request carries the
 * asker's handle and the index into that table, with a sequence number that tells a late or second
 * reply from the right one.  One timer per asker, set for its earliest deadline, is enough: when it
 * is due, the asker looks through its table and sets the next. */
#include "runtime/asks.h"
#include "runtime/behaviour.h"
#include "runtime/fork.h"
#include "runtime/gather.h"
#include "runtime/run.h"
#include "runtime/sim.h"

#include <string.h>

/* ---- the asker's table ---- */

void heist_asks_free(struct heist_system *s, struct actor_extra *x)
{
	heist_gathers_free(s, x);
	for (uint32_t i = 0; i < x->asks_capacity; i++)
		if (x->asks[i].k)
			heist_chain_remove(x->asks[i].link);
	if (x->asks_deadline)
		heist_timer_stop(s, &x->asks_timer);
	heist_memory_put(&s->memory, x->asks, x->asks_capacity * sizeof *x->asks);
}

void heist_asks_forget(struct heist_system *s, struct actor_extra *x)
{
	heist_asks_free(s, x);
	x->asks = NULL;
	x->asks_capacity = x->asks_free = 0; /* the sequence goes on */
	x->asks_deadline = 0;
}

static bool asks_grow(struct heist_system *s, struct actor *a, struct actor_extra *x)
{
	uint32_t n = x->asks_capacity ? x->asks_capacity * 2 : 4;
	struct ask *asks = heist_memory_get(&s->memory, n * sizeof *asks, HEIST_CACHELINE);
	if (!asks)
		return false;
	if (x->asks_capacity)
		memcpy(asks, x->asks, x->asks_capacity * sizeof *asks);
	for (uint32_t i = n; i-- > x->asks_capacity;) {
		asks[i] = (struct ask){ .next_free = x->asks_free };
		x->asks_free = i + 1;
	}
	heist_memory_put(&s->memory, x->asks, x->asks_capacity * sizeof *asks);
	x->asks = asks;
	x->asks_capacity = n;
	x->self = actor_ref(s, a).v;
	return true;
}

/* ---- deadlines ---- */

/* More than a tick is long, or late. */
#define TICK_NS 64000000u

bool heist_is_past(const heist_system *s, uint64_t deadline)
{
	if (HEIST_LIKELY(!s->pool.clock) && deadline > heist_clock_tick_ns() + TICK_NS)
		return false;
	return deadline <= system_now(s);
}

static HEIST_COLD void deadline_advance(struct rt_worker *w, struct actor *a, struct actor_extra *x,
					uint64_t deadline)
{
	struct timer *t = &x->asks_timer;
	if (x->asks_deadline)
		heist_timer_stop(w->local.system, t);
	w->base.now = system_now(w->local.system);
	t->id = ALARM_ASKS;
	x->asks_deadline = deadline;
	heist_timer_start(w, a, t, deadline);
}

/* See that the asker is told by `deadline`. */
static inline void deadline_ensure(struct rt_worker *w, struct actor *a, struct actor_extra *x,
				   uint64_t deadline)
{
	if (deadline != 0 && (x->asks_deadline == 0 || deadline < x->asks_deadline))
		deadline_advance(w, a, x, deadline);
}

void heist_asks_expire(struct rt_worker *w, struct actor *a)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	if (!x)
		return;
	uint64_t now = w->base.now = system_now(w->local.system), next = 0;
	if (x->asks_deadline) /* the alarm may be of the incarnation before: then this one's is set */
		heist_timer_stop(w->local.system, &x->asks_timer);
	x->asks_deadline = 0;
	for (uint32_t i = 0; i < x->asks_capacity; i++) { /* k may grow the table */
		struct ask *ask = &x->asks[i];
		if (!ask->k || ask->deadline == 0)
			continue;
		if (ask->deadline > now) {
			if (next == 0 || ask->deadline < next)
				next = ask->deadline;
			continue;
		}
		ask_answer(w, x, actor_state(a), ask, HEIST_ETIMEOUT, NULL);
	}
	heist_postpone_over(w, a, x);
	deadline_ensure(w, a, x, next);
}

/* plain: without a close look, which a deadline must not need then. */
HEIST_HOT_INLINE bool is_in_time(const struct rt_worker *w, uint64_t deadline, bool plain)
{
	return plain ? worker_is_far(w, deadline) : !worker_is_past(w, deadline);
}

/* ---- ask ---- */

/* The request being handled, or in whose handler the continuation that runs was asked for; or zeroes. */
static const struct request_header *cause_of(const heist_ctx *ctx)
{
	const struct message *m = ctx->current;
	return m && message_kind(m) == KIND_REQUEST ? (const void *)m->u.bytes : &ctx->cause;
}

heist_time heist_deadline(const heist_ctx *ctx)
{
	return ctx ? cause_of(ctx)->deadline : 0;
}

static heist_time lower_deadline(const struct request_header *cause, heist_time deadline)
{
	heist_time current = cause->deadline;
	return current && (deadline == 0 || current < deadline) ? current : deadline;
}

/* Of the next ask: where it will be, and its number. */
static uint64_t ask_next_id(const struct actor_extra *x)
{
	return (uint64_t)(x->ask_sequence + 1) << 32 | (x->asks_free - 1);
}

/* There is a free entry; id: ask_next_id. */
HEIST_HOT_INLINE void ask_add(heist_ctx *ctx, struct actor_extra *x, heist_ref to, uint64_t id,
			      const struct request_header *cause, heist_time deadline,
			      heist_reply_fn *k, uint64_t user)
{
	struct ask *ask = &x->asks[(uint32_t)id];
	struct chain_link *link = heist_chain_add(ctx, to, id, cause);
	deadline_ensure(ctx->worker, ctx_actor(ctx), x, deadline);
	x->asks_free = ask->next_free;
	ask->k = k;
	ask->user = user;
	ask->deadline = deadline;
	ask->sequence = x->ask_sequence = (uint32_t)(id >> 32);
	ask->next_free = 0;
	ask->link = link;
	ask->cause.asker = cause->asker;
	if (cause->asker)
		ask->cause = *cause;
}

/* The same, and the header of the request m that is sent for it.  Returns the id. */
HEIST_HOT_INLINE uint64_t request_add(heist_ctx *ctx, struct actor_extra *x, heist_ref to,
				      struct message *m, const struct request_header *cause,
				      heist_time deadline, heist_reply_fn *k, uint64_t user)
{
	struct request_header *h = (void *)m->u.bytes;
	h->asker = x->self;
	h->id = ask_next_id(x);
	h->deadline = deadline;
	ask_add(ctx, x, to, h->id, cause, deadline, k, user);
	return h->id;
}

static HEIST_COLD struct actor_extra *ask_room_make(const heist_ctx *ctx)
{
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	return x && (x->asks_free || asks_grow(ctx->system, ctx_actor(ctx), x)) ? x : NULL;
}

/* Room for an ask; NULL: out of memory. */
HEIST_HOT_INLINE struct actor_extra *ask_room(const heist_ctx *ctx)
{
	struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	return HEIST_LIKELY(x != NULL) && HEIST_LIKELY(x->asks_free) ? x : ask_room_make(ctx);
}

heist_status heist_ask_with(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			    heist_time deadline, heist_reply_fn *k, uint64_t user, uint64_t *id)
{
	struct sender from = sender_worker(ctx->worker);
	struct actor *target;
	const struct request_header *cause = cause_of(ctx);
	deadline = lower_deadline(cause, deadline);
	if (worker_is_past(ctx->worker, deadline))
		return HEIST_ETIMEOUT;
	heist_status r = sender_check(&from, to, &target);
	if (r != HEIST_OK)
		return r;
	struct actor_extra *x = ask_room(ctx);
	if (!x)
		return HEIST_ENOMEM;
	r = receiver_enter(&from, KIND_REQUEST, &to, &target);
	if (r != HEIST_OK)
		return r;
	struct message *m = message_build(&from, KIND_REQUEST, type, msg, type->size);
	if (!m) {
		heist_bound_undo(from.system, from.worker, to);
		return HEIST_ENOMEM;
	}
	*id = request_add(ctx, x, to, m, cause, deadline, k, user);
	message_push_to(&from, target, to, m);
	return HEIST_OK;
}

heist_status heist_ask_nobody(heist_ctx *ctx, heist_reply_fn *k, uint64_t user, uint64_t *id)
{
	struct actor_extra *x = ask_room(ctx);
	if (!x)
		return HEIST_ENOMEM;
	*id = ask_next_id(x);
	ask_add(ctx, x, (heist_ref){ 0 }, *id, cause_of(ctx),
		ctx->worker->base.now = system_now(ctx->system), k, user);
	return HEIST_OK;
}

void heist_ask_forget(struct actor_extra *x, uint64_t id)
{
	struct ask *ask = ask_find(x, id);
	if (ask)
		ask_remove(x, ask);
}

static HEIST_APART heist_status ask_slow(heist_ctx *ctx, heist_ref to, const heist_type *type,
					 const void *msg, heist_time deadline, heist_reply_fn *k,
					 uint64_t user)
{
	uint64_t id;
	if (!ctx || !type || (!msg && type->size) || !k)
		return HEIST_BAD_ARG_OF("heist_ask",
					"context, type, msg and continuation must not be NULL");
	if (ref_runtime(to) != ctx->system->id)
		return to.v ? HEIST_BAD_ARG_OF("heist_ask", "asks stay within one runtime")
			    : HEIST_EDEAD;
	return heist_ask_with(ctx, to, type, msg, deadline, k, user, &id);
}

/* What most asks are: a small one, to a receiver that may be pushed to directly, with all that it takes at hand;
 * everything else is the business of `otherwise`, and nothing was done.  plain: one word, and no deadline that is
 * looked at closely. */
typedef heist_status ask_fn(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			    heist_time deadline, heist_reply_fn *k, uint64_t user);

HEIST_HOT_INLINE heist_status ask_direct(heist_ctx *ctx, heist_ref to, const heist_type *type,
					 const void *msg, heist_time deadline, heist_reply_fn *k,
					 uint64_t user, bool plain, ask_fn *otherwise)
{
	if (HEIST_UNLIKELY(!ctx))
		return otherwise(ctx, to, type, msg, deadline, k, user);
	struct rt_worker *w = ctx->worker;
	struct actor *target;
	if (!receiver_direct(&w->local, to, &target) || HEIST_UNLIKELY(!type) ||
	    (plain && HEIST_UNLIKELY(type->size != sizeof(uint64_t))) || HEIST_UNLIKELY(!msg))
		return otherwise(ctx, to, type, msg, deadline, k, user);
	struct actor_extra *x = extra_of(w, ctx_actor(ctx));
	const struct request_header *cause = cause_of(ctx);
	heist_time until = lower_deadline(cause, deadline);
	if (HEIST_UNLIKELY(!x) || HEIST_UNLIKELY(!x->asks_free) || HEIST_UNLIKELY(!k) ||
	    !is_in_time(w, until, plain))
		return otherwise(ctx, to, type, msg, deadline, k, user);
	struct message *m = message_direct(&w->local, KIND_REQUEST, ref_generation(to), type, msg,
					   plain ? (uint32_t)sizeof(uint64_t) : type->size);
	if (HEIST_UNLIKELY(!m))
		return otherwise(ctx, to, type, msg, deadline, k, user);
	request_add(ctx, x, to, m, cause, until, k, user);
	return (heist_status)message_push_direct(w, target, m);
}

static HEIST_APART heist_status ask_closely(heist_ctx *ctx, heist_ref to, const heist_type *type,
					    const void *msg, heist_time deadline, heist_reply_fn *k,
					    uint64_t user)
{
	return ask_direct(ctx, to, type, msg, deadline, k, user, false, ask_slow);
}

heist_status heist_ask(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
		       heist_time deadline, heist_reply_fn *k, uint64_t user)
{
	return ask_direct(ctx, to, type, msg, deadline, k, user, true, ask_closely);
}

/* ---- hold ---- */

heist_status heist_hold(heist_ctx *ctx)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	uint32_t pending = 0;
	for (uint32_t i = 0; x && i < x->asks_capacity; i++)
		if (x->asks[i].k)
			pending += x->asks[i].next_free = 1;
	if (pending == 0)
		return HEIST_EDEAD;
	x->lanes.awaited = pending;
	x->lanes.holding = true;
	heist_behaviour_settle(ctx, ctx_actor(ctx), x);
	return HEIST_OK;
}

/* ---- reply ---- */

/* The reply is taken over, and at once lost: late, or nobody there. */
static HEIST_COLD heist_status reply_lost(struct heist_system *s, struct local *l, heist_ref asker,
					  const heist_type *type, heist_status status,
					  const void *reply)
{
	const void *value = status == HEIST_OK ? reply : NULL;
	heist_count(&l->accepted, 1);
	heist_count_lost(s, l, asker, type, value, HEIST_LOST_LATE);
	if (value && type->drops && type->drops->reply)
		type->drops->reply((void *)(uintptr_t)value);
	heist_keep_frame();
	return HEIST_OK;
}

/* It was built for nothing; what its value owns is still the caller's. */
static HEIST_COLD void message_unsent(struct local *l, struct message *m)
{
	if (message_has(m, MESSAGE_LARGE))
		heist_large_free(message_payload(m));
	block_free(&l->messages, m);
}

static inline void reply_address(struct message *m, const struct request_header *to,
				 heist_status status)
{
	struct reply_header *h = (void *)m->u.bytes;
	h->id = to->id;
	h->status = status;
}

/* debt: of a token, or 0. */
static heist_status reply_send(const struct sender *from, const struct request_header *to,
			       uint64_t debt, heist_status status, const heist_type *type,
			       const void *reply)
{
	struct heist_system *s = from->system;
	heist_ref asker = { to->asker };
	struct actor *a = system_actor(s, asker);
	struct message *m = NULL;
	bool late = !a || mpsc_ticket(&a->ticket, ref_generation(asker)) != MPSC_TICKET_VALID ||
		    (from->worker ? worker_is_past(from->worker, to->deadline)
				  : to->deadline && heist_is_past(s, to->deadline));
	if (!late) {
		m = message_build(from, KIND_REPLY, type, reply,
				  status == HEIST_OK ? type->reply_size : 0);
		if (!m)
			return HEIST_ENOMEM;
		reply_address(m, to, status);
	}
	if (debt && !heist_debt_claim(&s->debts, debt))
		late = true; /* it was given before */
	if (!late) {
		message_push(from, a, ref_generation(asker), m);
		return HEIST_OK;
	}
	if (m)
		message_unsent(from->local, m);
	return reply_lost(s, from->local, asker, type, status, reply);
}

static bool reply_bad(heist_status status, const heist_type *type, const void *reply)
{
	return !type || (status == HEIST_OK && type->reply_size && !reply) || status > HEIST_OK;
}

static HEIST_APART heist_status reply_slow(heist_ctx *ctx, heist_status status,
					   const heist_type *type, const void *reply)
{
	if (!ctx || reply_bad(status, type, reply))
		return HEIST_BAD_ARG_OF("heist_reply", "context, type and reply must not be NULL");
	if (!ctx->owes_reply || ctx->current->type != type)
		return HEIST_EINVAL;
	if (HEIST_UNLIKELY(heist_forked(ctx->system)))
		return HEIST_EDEAD;
	struct sender from = sender_worker(ctx->worker);
	heist_status r = reply_send(&from, (void *)ctx->current->u.bytes, 0, status, type, reply);
	if (r == HEIST_OK)
		ctx->owes_reply = false;
	return r;
}

/* What most replies are: in time, and small, like ask_direct.  plain: tail calls only, so that it saves no registers. */
typedef heist_status reply_fn(heist_ctx *ctx, heist_status status, const heist_type *type,
			      const void *reply);

HEIST_HOT_INLINE heist_status reply_direct(heist_ctx *ctx, heist_status status,
					   const heist_type *type, const void *reply, bool plain,
					   reply_fn *otherwise)
{
	if (HEIST_UNLIKELY(!ctx) || HEIST_UNLIKELY(!ctx->owes_reply) ||
	    HEIST_UNLIKELY(ctx->current->type != type) || HEIST_UNLIKELY(!reply))
		return otherwise(ctx, status, type, reply);
	struct rt_worker *w = ctx->worker;
	const struct request_header *to = (void *)ctx->current->u.bytes;
	heist_ref asker = { to->asker };
	struct actor *a;
	if (!receiver_direct(&w->local, asker, &a) || HEIST_UNLIKELY(status != HEIST_OK) ||
	    !is_in_time(w, to->deadline, plain) ||
	    (plain && HEIST_UNLIKELY(type->reply_size != sizeof(uint64_t))))
		return otherwise(ctx, status, type, reply);
	struct message *m =
		message_direct(&w->local, KIND_REPLY, ref_generation(asker), type, reply,
			       plain ? (uint32_t)sizeof(uint64_t) : type->reply_size);
	if (HEIST_UNLIKELY(!m))
		return otherwise(ctx, status, type, reply);
	reply_address(m, to, HEIST_OK);
	ctx->owes_reply = false;
	return (heist_status)message_push_direct(w, a, m);
}

static HEIST_APART heist_status reply_closely(heist_ctx *ctx, heist_status status,
					      const heist_type *type, const void *reply)
{
	return reply_direct(ctx, status, type, reply, false, reply_slow);
}

heist_status heist_reply(heist_ctx *ctx, heist_status status, const heist_type *type,
			 const void *reply)
{
	return reply_direct(ctx, status, type, reply, true, reply_closely);
}

heist_ref heist_sender(const heist_ctx *ctx)
{
	const struct message *m = ctx ? ctx->current : NULL;
	bool request = m && message_kind(m) == KIND_REQUEST;
	return (heist_ref){
		request ? ((const struct request_header *)(const void *)m->u.bytes)->asker : 0
	};
}

/* A request with the header of the present one: whoever gets it owes the reply to the same asker. */
static heist_status forward(struct sender *from, struct actor *a, heist_ref to,
			    const heist_type *type, const void *msg,
			    const struct request_header *header)
{
	heist_status r = receiver_enter(from, KIND_REQUEST, &to, &a);
	if (r != HEIST_OK)
		return r;
	struct message *m = message_build(from, KIND_REQUEST, type, msg, type->size);
	if (!m) {
		heist_bound_undo(from->system, from->worker, to);
		return HEIST_ENOMEM;
	}
	memcpy(m->u.bytes, header, sizeof *header);
	message_push_to(from, a, to, m);
	return HEIST_OK;
}

heist_status heist_forward(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg)
{
	if (!ctx || !type || (!msg && type->size))
		return HEIST_BAD_ARG("context, type and msg must not be NULL");
	if (!ctx->owes_reply || !ctx->current || ctx->current->type->reply_size != type->reply_size)
		return HEIST_EINVAL;
	if (ref_runtime(to) != ctx->system->id)
		return to.v ? HEIST_BAD_ARG("requests stay within one runtime") : HEIST_EDEAD;
	struct sender from = sender_worker(ctx->worker);
	struct actor *a;
	heist_status r = sender_check(&from, to, &a);
	if (r == HEIST_OK)
		r = forward(&from, a, to, type, msg, (void *)ctx->current->u.bytes);
	if (r == HEIST_OK)
		ctx->owes_reply = false;
	return r;
}

struct owed { /* a token */
	struct request_header request;
	uint64_t debt;
};
_Static_assert(sizeof(heist_token) == sizeof(struct owed), "a token is that");

heist_token heist_reply_later(heist_ctx *ctx, const heist_type *type)
{
	heist_token t = { { 0, 0, 0, 0 } };
	struct owed o;
	if (!ctx || !ctx->owes_reply || !ctx->current || ctx->current->type != type)
		return t;
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	memcpy(&o.request, ctx->current->u.bytes, sizeof o.request);
	o.debt = x ? heist_debt_add(ctx->worker, x, &o.request, type) : 0;
	if (o.debt == 0)
		return t;
	memcpy(&t, &o, sizeof t);
	ctx->owes_reply = false;
	return t;
}

heist_status heist_reply_to(heist_token token, heist_status status, const heist_type *type,
			    const void *reply)
{
	struct sender from;
	struct owed o;
	if (reply_bad(status, type, reply))
		return HEIST_BAD_ARG("type and reply must not be NULL");
	memcpy(&o, &token, sizeof o);
	if (!heist_sender_enter(&from, ref_runtime((heist_ref){ o.request.asker })))
		return HEIST_EDEAD;
	heist_status r = HEIST_ECLOSED;
	if (!from.foreign || atomic_load_explicit(&from.system->phase, memory_order_acquire) ==
				     PHASE_OPEN) /* PH1 acquire */
		r = reply_send(&from, &o.request, o.debt, status, type, reply);
	heist_sender_leave(&from);
	return r;
}

void heist_reply_bare(struct heist_system *s, struct rt_worker *w, struct local *l,
		      struct message *m, const struct request_header *request, heist_status status)
{
	heist_ref asker = { request->asker };
	heist_count(&l->accepted, 1);
	if (!system_is_alive(s, asker)) {
		heist_count_lost(s, l, asker, m->type, NULL, HEIST_LOST_LATE);
		block_free(&l->messages, m);
		return;
	}
	struct reply_header reply = { .id = request->id, .status = status };
	memset(m->u.bytes, 0, sizeof m->u.bytes); /* a heist_unit value, if status is OK */
	memcpy(m->u.bytes, &reply, sizeof reply);
	m->tag = MESSAGE_KIND(KIND_REPLY) | ref_generation(asker);
	if (w && w->deferring == SEND_SIMULATED)
		heist_sim_send(w, system_actor(s, asker), m);
	else /* at once: the outbox may be what is being emptied */
		actor_push(s, w, system_actor(s, asker), m);
}

void heist_request_bounce(struct heist_system *s, struct rt_worker *w, struct local *l,
			  struct message *m)
{
	struct request_header request;
	memcpy(&request, m->u.bytes, sizeof request);
	heist_reply_bare(s, w, l, m, &request, (heist_status) - (int64_t)(m->tag >> 40 & 0xff));
}
