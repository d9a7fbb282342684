/* SPDX-License-Identifier: BSD-2-Clause
 * exchange.c - the turns of requests and replies (exchange.h). */
#include "runtime/exchange.h"

#include "runtime/asks.h"
#include "runtime/run.h"

/* ---- a request ---- */

static int failure(const struct rt_worker *w)
{
	return w->ctx.panic == HEIST_EFAULT ? -HEIST_EFAULT : -HEIST_ECRASH;
}

void heist_request_settle(struct rt_worker *w, struct message *m, heist_next v)
{
	if (!w->ctx.owes_reply) {
		if (v != HEIST_CONTINUE) /* there is more to come */
			message_set(m, MESSAGE_ANSWERED);
	} else if (v != HEIST_AGAIN || message_has(m, MESSAGE_TAKEN)) {
		int answer = v == HEIST_FAIL				 ? failure(w)
			     : m->type->reply_size == sizeof(heist_unit) ? HEIST_OK
									 : -HEIST_ENOREPLY;
		message_set(m, MESSAGE_BOUNCE);
		m->tag |= (uint64_t)answer << 40;
	}
	w->ctx.owes_reply = false;
}

HEIST_HOT_INLINE heist_next request_handle(struct rt_worker *w, void *state, struct message *m,
					   void *payload, bool answered, heist_recv_fn *recv)
{
	w->ctx.owes_reply = !answered;
	heist_next v = recv(&w->ctx, state, m->type, payload);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE) || HEIST_UNLIKELY(w->ctx.owes_reply))
		heist_request_settle(w, m, v);
	return v;
}

heist_next heist_request_run(struct rt_worker *w, struct actor *a, struct message *m)
{
	bool answered = message_has(m, MESSAGE_ANSWERED); /* it comes again */
	return turn_end(
		w, request_handle(w, actor_state(a), m, message_payload(m), answered, a->recv));
}

/* Of one that is_exchange. */
HEIST_HOT_INLINE heist_next request_turn(struct rt_worker *w, const struct turns *t,
					 struct message *m)
{
	struct request_header *h = (void *)m->u.bytes;
	w->ctx.current = m;
	return turn_end(w, HEIST_UNLIKELY(worker_is_past(w, h->deadline))
				   ? HEIST_RUN_LATE
				   : request_handle(w, t->state, m, h + 1, false, t->recv));
}

/* ---- a reply ---- */

HEIST_HOT_INLINE heist_next reply_handle(struct rt_worker *w, const struct turns *t,
					 struct message *m, bool large)
{
	struct reply_header *h = (void *)m->u.bytes;
	struct actor_extra *x = t->x;
	struct ask *ask = ask_find(x, h->id);
	heist_status status = (heist_status)h->status;
	void *value = HEIST_UNLIKELY(large) ? *(void **)(void *)(h + 1) : h + 1;
	if (HEIST_UNLIKELY(!ask))
		return HEIST_RUN_LATE;
	if (HEIST_UNLIKELY(x->behind != NULL))
		heist_idle_over(w, t->a, x);
	ask_answer(w, x, t->state, ask, status, status == HEIST_OK ? value : NULL);
	if (HEIST_UNLIKELY(x->behind != NULL))
		heist_postpone_over(w, t->a, x);
	return HEIST_CONTINUE;
}

heist_next heist_reply_run(struct rt_worker *w, struct actor *a, struct message *m)
{
	const struct turns t = turns_of(a, extra_of(w, a));
	return turn_end(w, reply_handle(w, &t, m, message_has(m, MESSAGE_LARGE)));
}

/* Of one that is_exchange. */
HEIST_HOT_INLINE heist_next reply_turn(struct rt_worker *w, const struct turns *t,
				       struct message *m)
{
	w->ctx.current = m;
	return turn_end(w, reply_handle(w, t, m, false));
}

/* ---- either ---- */

HEIST_HOT_INLINE heist_next exchange(struct rt_worker *w, struct actor *a, struct message *m)
{
	if (m->tag >> 32 == KIND_REPLY) {
		const struct turns t = turns_of(a, extra_of(w, a));
		return reply_turn(w, &t, m);
	}
	const struct turns t = turns_of(a, NULL);
	return request_turn(w, &t, m);
}

heist_next heist_exchange(struct rt_worker *w, struct actor *a, struct message *m)
{
	return exchange(w, a, m);
}

enum verdict heist_exchange_run(struct rt_worker *w, struct actor *a, struct mpsc_node *n)
{
	ctx_set_actor(&w->ctx, a);
	heist_next v = exchange(w, a, (struct message *)n);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE) || !mpsc_try_idle(&a->mailbox, n))
		return heist_run_batch(w, a, n, v);
	run_retire(w, a, (struct message *)n);
	return RUN_DONE;
}

/* ---- in a batch ---- */

static HEIST_APART heist_next request_stretches(struct rt_worker *w, struct actor *a,
						struct batch *b, uint64_t tag, struct mpsc_node *n)
{
	const struct turns t = turns_of(a, NULL);
	heist_next v = batch_stretches(w, &t, b, tag, &n, request_turn);
	b->node = n;
	return v;
}

static HEIST_APART heist_next reply_stretches(struct rt_worker *w, struct actor *a, struct batch *b,
					      uint64_t tag, struct mpsc_node *n)
{
	const struct turns t = turns_of(a, extra_of(w, a));
	heist_next v = batch_stretches(w, &t, b, tag, &n, reply_turn);
	b->node = n;
	return v;
}

heist_next heist_exchange_stretches(struct rt_worker *w, struct actor *a, struct batch *b,
				    uint64_t tag, struct mpsc_node *n)
{
	return tag >> 32 == KIND_REPLY ? reply_stretches(w, a, b, tag, n)
				       : request_stretches(w, a, b, tag, n);
}
