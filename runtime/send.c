/* SPDX-License-Identifier: BSD-2-Clause
 * send.c - how a message gets into a mailbox: send (copy), new and post (move), take, discard. */
#include "runtime/send.h"

#include "runtime/sim.h"

#include <string.h>

/* ---- who is sending ---- */

bool heist_sender_enter(struct sender *from, uint32_t runtime)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	if (w && w->local.id == runtime) {
		*from = sender_worker(w);
		return true;
	}
	struct foreign *f = heist_foreign_enter(runtime);
	if (!f)
		return false;
	*from = (struct sender){ f->local->system, NULL, f->local, f };
	return HEIST_LIKELY(!from->system->sim) || heist_sim_enter(from);
}

void heist_sender_leave(struct sender *from)
{
	if (from->foreign)
		heist_foreign_leave(from->foreign);
}

/* ---- building messages ---- */

void *heist_large_new(struct heist_system *s, const heist_type *type, size_t size)
{
	size_t total = sizeof(struct large) + size;
	struct large *l =
		total < size ? NULL : heist_memory_get(&s->memory, total, HEIST_CACHELINE);
	if (!l)
		return NULL;
	*l = (struct large){ .total = total, .type = type, .system = s };
	return large_payload(l);
}

struct message *heist_message_fill(struct heist_system *s, struct local *l, struct message *m,
				   const void *payload, size_t size)
{
	unsigned char *to = m->u.bytes + message_header_size(message_kind(m));
	if (size <= (size_t)(m->u.bytes + MESSAGE_ROOM - to)) {
		memcpy(to, payload, size);
		return m;
	}
	void *large = heist_large_new(s, m->type, size);
	if (!large) {
		block_free(&l->messages, m);
		return NULL;
	}
	memcpy(large, payload, size);
	memcpy(to, &large, sizeof large);
	message_set(m, MESSAGE_LARGE);
	return m;
}

void heist_message_push_to(struct sender *from, struct actor *a, heist_ref to, struct message *m)
{
	message_push_to(from, a, to, m);
}

/* ---- send ---- */

/* A small message from a worker that defers: the receiver is not touched, so a handle that is stale by
 * now is noticed at delivery. */
static heist_status send_deferred(struct rt_worker *w, heist_ref to, struct message *m)
{
	heist_count(&w->local.accepted, 1);
	return (heist_status)heist_outbox_send(w, &w->local.slots[ref_slot(to)], m);
}

static bool may_defer(struct rt_worker *w, heist_ref to, const heist_type *type, const void *msg)
{
	return w && w->deferring == SEND_DEFERRED && !w->losing && type && msg &&
	       !ref_is_bounded(to) && ref_runtime(to) == w->local.id &&
	       ref_slot(to) < w->local.slots_limit;
}

heist_status heist_send_by(heist_ref to, const heist_type *type, const void *msg, push_fn *push)
{
	struct sender from;
	struct actor *a;
	if (!heist_sender_enter(&from, ref_runtime(to)))
		return HEIST_EDEAD;
	heist_status r = sender_check(&from, to, &a);
	if (r == HEIST_OK && (r = receiver_enter(&from, KIND_USER, &to, &a)) == HEIST_OK) {
		struct message *m = message_build(&from, KIND_USER, type, msg, type->size);
		if (m) {
			push(&from, a, to, m);
		} else {
			heist_bound_undo(from.system, from.worker, to);
			r = HEIST_ENOMEM;
		}
	} else if (r == HEIST_DROPPED) {
		heist_bound_lose(&from, to, type, (void *)(uintptr_t)msg);
		r = HEIST_OK;
	}
	heist_sender_leave(&from);
	return r;
}

static __attribute__((noinline)) heist_status send_slow(heist_ref to, const heist_type *type,
							const void *msg)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	struct message *m = NULL;
	if (may_defer(w, to, type, msg))
		m = message_direct(&w->local, KIND_USER, ref_generation(to), type, msg, type->size);
	if (m)
		return send_deferred(w, to, m);
	if (!type || (!msg && type->size))
		return HEIST_BAD_ARG_OF("heist_send", "type and msg must not be NULL");
	return heist_send_by(to, type, msg, heist_message_push_to);
}

/* The path of a small message between actors of one runtime; everything else is the business of
 * `otherwise`.  Tail calls only, so that it saves no registers. */
typedef heist_status send_fn(heist_ref to, const heist_type *type, const void *msg);

HEIST_HOT_INLINE heist_status send_direct(heist_ref to, const heist_type *type, const void *msg,
					  bool one_word, send_fn *otherwise)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	if (HEIST_UNLIKELY(!w))
		return otherwise(to, type, msg);
	struct actor *a;
	if (HEIST_UNLIKELY(!type) || !receiver_direct(&w->local, to, &a) || HEIST_UNLIKELY(!msg) ||
	    (one_word && HEIST_UNLIKELY(type->size != sizeof(uint64_t))))
		return otherwise(to, type, msg);
	uint32_t size = one_word ? (uint32_t)sizeof(uint64_t) : type->size;
	struct message *m =
		message_direct(&w->local, KIND_USER, ref_generation(to), type, msg, size);
	if (HEIST_UNLIKELY(!m))
		return otherwise(to, type, msg);
	return (heist_status)message_push_direct(w, a, m);
}

static __attribute__((noinline)) heist_status send_words(heist_ref to, const heist_type *type,
							 const void *msg)
{
	return send_direct(to, type, msg, false, send_slow);
}

heist_status heist_send(heist_ref to, const heist_type *type, const void *msg)
{
	return send_direct(to, type, msg, true, send_words);
}

/* ---- new, post, take, discard ---- */

static bool sender_enter_system(struct sender *from, heist_system *s)
{
	return heist_sender_enter(from, s->id);
}

void *heist_new(heist_system *s, const heist_type *type, size_t extra)
{
	struct sender from;
	void *p = NULL;
	if (!s || !type || type->size + extra < extra || !sender_enter_system(&from, s))
		return NULL;
	size_t size = type->size + extra;
	if (size > MESSAGE_ROOM || type->flags & HEIST_FIXED_ADDRESS) {
		p = heist_large_new(s, type, size);
	} else {
		struct message *m = block_alloc(&from.local->messages);
		if (m) {
			m->type = type;
			m->tag = 0;
			p = m->u.bytes;
		}
	}
	heist_sender_leave(&from);
	return p ? memset(p, 0, size) : NULL;
}

/* A message's line belongs to a block, a block to the local that it was allocated from. */
static struct heist_system *payload_system(void *payload)
{
	if (!payload_is_small(payload))
		return large_of(payload)->system;
	return ((struct local *)block_of(payload)->owner)->system;
}
_Static_assert(offsetof(struct local, messages) == 0, "payload_system() relies on it");

/* The message of an owned payload: its own line, or a fresh one that points to it. */
static struct message *post_message(struct sender *from, void *payload)
{
	if (payload_is_small(payload))
		return message_of(payload);
	struct message *m = block_alloc(&from->local->messages);
	if (m) {
		m->type = large_of(payload)->type;
		m->tag = MESSAGE_KIND(MESSAGE_LARGE);
		m->u.large = payload;
	}
	return m;
}

/* Free a small message that is in no mailbox, from whatever thread. */
static void message_release(struct message *m)
{
	struct sender from;
	HEIST_ENSURE(heist_sender_enter(&from, payload_system(m->u.bytes)->id));
	block_free(&from.local->messages, m);
	heist_sender_leave(&from);
}

static const heist_type *payload_type(void *payload)
{
	return payload_is_small(payload) ? message_of(payload)->type : large_of(payload)->type;
}

static void payload_release(void *payload)
{
	if (payload_is_small(payload))
		message_release(message_of(payload));
	else
		heist_large_free(payload);
}

heist_status heist_post(heist_ref to, void **msg)
{
	struct sender from;
	struct actor *a;
	if (!msg || !*msg)
		return HEIST_BAD_ARG("msg must be a message of heist_new or heist_take");
	if (payload_system(*msg)->id != ref_runtime(to))
		return to.v ? HEIST_BAD_ARG("a message moves only within its runtime")
			    : HEIST_EDEAD;
	if (!heist_sender_enter(&from, ref_runtime(to)))
		return HEIST_EDEAD;
	void *dropped = NULL;
	heist_status r = sender_check(&from, to, &a);
	if (r == HEIST_OK && (r = receiver_enter(&from, KIND_USER, &to, &a)) == HEIST_OK) {
		struct message *m = post_message(&from, *msg);
		if (m) {
			*msg = NULL;
			heist_message_push_to(&from, a, to, m);
		} else {
			heist_bound_undo(from.system, from.worker, to);
			r = HEIST_ENOMEM;
		}
	} else if (r == HEIST_DROPPED) {
		heist_bound_lose(&from, to, payload_type(*msg), *msg);
		dropped = *msg;
		*msg = NULL;
		r = HEIST_OK;
	}
	heist_sender_leave(&from);
	if (dropped)
		payload_release(dropped);
	return r;
}

void heist_discard(void **msg)
{
	if (!msg || !*msg)
		return;
	void *p = *msg;
	const heist_type *type = payload_type(p);
	*msg = NULL;
	payload_drop(type, p);
	payload_release(p);
}

static void *take_small(struct heist_ctx *ctx, struct message *m, void *payload)
{
	struct message *copy = block_alloc(&ctx->worker->local.messages);
	if (!copy)
		return NULL;
	copy->type = m->type;
	copy->tag = 0;
	memcpy(copy->u.bytes, payload, m->type->size);
	return copy->u.bytes;
}

/* A shared payload stays with the others: this message leaves it for a copy. */
static void *take_large(struct heist_ctx *ctx, void *payload)
{
	struct large *l = large_of(payload);
	if (atomic_load_explicit(&l->users, memory_order_acquire) <= 1) /* LG1 acquire */
		return payload;
	size_t size = l->total - sizeof *l;
	void *copy = heist_large_new(ctx->system, l->type, size);
	if (copy) {
		memcpy(copy, payload, size);
		heist_large_free(payload);
	}
	return copy;
}

void *heist_take(heist_ctx *ctx, void *msg)
{
	if (!ctx || !msg)
		return NULL;
	struct message *m = message_handled(ctx, msg);
	if (!m)
		return NULL;
	void *p = message_has(m, MESSAGE_LARGE) ? take_large(ctx, msg) : take_small(ctx, m, msg);
	if (p)
		message_set(m, MESSAGE_TAKEN);
	return p;
}
