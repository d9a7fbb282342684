/* SPDX-License-Identifier: BSD-2-Clause
 * send.h - the two kinds of sender, and the steps that send, post, ask and spawn share. */
#ifndef HEIST_RUNTIME_SEND_H
#define HEIST_RUNTIME_SEND_H

#include "runtime/sim.h"
#include "runtime/system.h"

/* A worker of the runtime, or a foreign thread that has borrowed a local. */
struct sender {
	struct heist_system *system;
	struct rt_worker *worker; /* NULL: foreign */
	struct local *local;
	struct foreign *foreign;
};

/* A worker, on its own thread: knows from then on which slots it may push to directly. */
HEIST_HOT_INLINE struct sender sender_worker(struct rt_worker *w)
{
	struct local *l = &w->local;
	l->slots_limit = atomic_load_explicit(&l->system->slots.limit,
					      memory_order_acquire); /* SL2 acquire */
	l->direct_limit = w->deferring || !w->home ? 0 : l->slots_limit;
	return (struct sender){ l->system, w, l, NULL };
}

/* Any thread.  False: there is no such runtime (any more).  Leave what was entered. */
bool heist_sender_enter(struct sender *from, uint32_t runtime);
void heist_sender_leave(struct sender *from);

/* May something be pushed to `to`?  OK (and its slot), ECLOSED, EDEAD. */
HEIST_HOT_INLINE heist_status sender_check(const struct sender *from, heist_ref to,
					   struct actor **actor)
{
	if (from->foreign && atomic_load_explicit(&from->system->phase, memory_order_acquire) !=
				     PHASE_OPEN) /* PH1 acquire */
		return HEIST_ECLOSED;
	struct actor *a = system_actor(from->system, to);
	if (!a || mpsc_ticket(&a->ticket, ref_generation(to)) == MPSC_TICKET_CLOSED)
		return HEIST_EDEAD;
	*actor = a;
	return HEIST_OK;
}

/* May this worker push to `to` as it is (actor_push_home)?  To a live actor of its runtime, whose mailbox has no
 * bound, it may if it is one of the runtime's own pool and defers nothing (and the slot).  False: anything else;
 * sender_worker may change that, and sender_check finds out what it is. */
HEIST_HOT_INLINE bool receiver_direct(const struct local *l, heist_ref to, struct actor **actor)
{
	uint64_t slot = ref_place(to) - l->first_place;
	if (HEIST_UNLIKELY(slot >= l->direct_limit))
		return false;
	*actor = &l->slots[slot];
	HEIST_PREFETCH_WRITE(*actor); /* one transfer, not one to compare and one to exchange */
	return HEIST_LIKELY(mpsc_ticket(&(*actor)->ticket, ref_generation(to)) ==
			    MPSC_TICKET_VALID);
}

/* Copy a payload of whatever size into m, behind its header; NULL: out of memory, m is gone. */
struct message *heist_message_fill(struct heist_system *s, struct local *l, struct message *m,
				   const void *payload, size_t size);

/* A message with a copied payload; NULL: out of memory.  Its header, if its kind has one, is the caller's to
 * write. */
HEIST_HOT_INLINE struct message *message_build(const struct sender *from, enum message_kind kind,
					       const heist_type *type, const void *payload,
					       size_t size)
{
	if (HEIST_UNLIKELY(from->system->sim != NULL) && heist_sim_no_memory(from->system->sim))
		return NULL;
	struct message *m = block_alloc(&from->local->messages);
	if (HEIST_UNLIKELY(!m))
		return NULL;
	size_t h = message_header_size(kind);
	m->type = type;
	m->tag = MESSAGE_KIND(kind);
	if (HEIST_UNLIKELY(h + size > MESSAGE_ROOM) || !copies_by_words((uint32_t)size))
		return size ? heist_message_fill(from->system, from->local, m, payload, size) : m;
	copy_words(m->u.word + h / sizeof *m->u.word, payload, (uint32_t)size);
	return m;
}

/* The same for a payload of whole words that fits, for a known receiver, if there is a message at hand; NULL:
 * message_build. */
HEIST_HOT_INLINE struct message *message_direct(struct local *l, enum message_kind kind,
						uint32_t generation, const heist_type *type,
						const void *payload, uint32_t size)
{
	uint32_t h = (uint32_t)message_header_size(kind);
	if (HEIST_UNLIKELY(!copies_by_words_into(size, MESSAGE_ROOM - h)) ||
	    HEIST_UNLIKELY(!block_can_alloc(&l->messages)))
		return NULL;
	struct message *m = block_alloc_fast(&l->messages);
	m->type = type;
	m->tag = MESSAGE_KIND(kind) | generation;
	copy_words(m->u.word + h / sizeof *m->u.word, payload, size);
	return m;
}

/* Push a message for `generation` of an actor: it is accepted from here on. */
HEIST_HOT_INLINE void message_push(const struct sender *from, struct actor *a, uint32_t generation,
				   struct message *m)
{
	m->tag |= generation;
	heist_count(&from->local->accepted, 1);
	actor_deliver(from->system, from->worker, a, m);
}

/* The same of what message_direct has built, to whom receiver_direct has found. */
HEIST_HOT_INLINE int message_push_direct(struct rt_worker *w, struct actor *a, struct message *m)
{
	heist_count(&w->local.accepted, 1);
	return actor_push_home(w, a, m);
}

/* The same for a user's message or request, that receiver_enter has let in. */
HEIST_HOT_INLINE void message_push_to(const struct sender *from, struct actor *a, heist_ref to,
				      struct message *m)
{
	if (HEIST_UNLIKELY(ref_is_bounded(to)))
		message_set(m, MESSAGE_COUNTED);
	message_push(from, a, ref_generation(to), m);
}
typedef void push_fn(struct sender *from, struct actor *a, heist_ref to, struct message *m);
push_fn heist_message_push_to;
/* Any thread, checked arguments: copy a message of any size to any receiver, and push it by `push`. */
heist_status heist_send_by(heist_ref to, const heist_type *type, const void *msg, push_fn *push);

/* ---- bound.c ---- */
#define HEIST_DROPPED ((heist_status)1) /* take it over, and lose it */
/* Of one with a bound: OK, EFULL or, if it is no request, HEIST_DROPPED; who gets it may be another than *to,
 * then. */
heist_status heist_bound_enter(struct sender *from, enum message_kind kind, heist_ref *to,
			       struct actor **actor);
/* Of any. */
HEIST_HOT_INLINE heist_status receiver_enter(struct sender *from, enum message_kind kind,
					     heist_ref *to, struct actor **actor)
{
	if (HEIST_LIKELY(!ref_is_bounded(*to)))
		return HEIST_OK;
	struct sender escapes = *from; /* so that the caller's need not be in memory */
	return heist_bound_enter(&escapes, kind, to, actor);
}
/* What was let in, by any receiver, is not sent after all. */
void heist_bound_undo(struct heist_system *s, struct rt_worker *w, heist_ref to);
/* HEIST_DROPPED: count the loss and drop what the payload owns. */
void heist_bound_lose(struct sender *from, heist_ref to, const heist_type *type, void *payload);

/* The message or request whose payload a handler has got and not taken; NULL: msg is something else. */
static inline struct message *message_handled(struct heist_ctx *ctx, void *msg)
{
	struct message *m = ctx->current ? ctx->current : heist_message_running(ctx);
	uint32_t kind = message_kind(m);
	bool user = kind == KIND_USER || kind == KIND_REQUEST;
	return user && !message_has(m, MESSAGE_TAKEN) && message_payload(m) == msg ? m : NULL;
}

/* A large payload of `size` bytes, not zeroed; NULL: out of memory. */
void *heist_large_new(struct heist_system *s, const heist_type *type, size_t size);

/* What is not said in a spawn's options; all may be NULL. */
struct spawn_extra {
	struct bond *watch;  /* watches it from its start               */
	struct child *child; /* it rests until its supervisor starts it */
	struct supervisor *supervisor;
};

/* What the caller knows of the options; the rest is default. */
heist_opts heist_opts_known(const heist_system *s, const heist_opts *opts);
/* NULL, or what is wrong with the arguments of a spawn. */
const char *heist_spawn_bad(heist_system *s, const heist_class *cls, const heist_opts *opts,
			    const void *arg);
/* heist_spawn, with checked arguments, by a sender that has entered. */
heist_status heist_spawn_from(struct sender *from, const heist_class *cls, const heist_opts *opts,
			      const void *arg, const struct spawn_extra *more, heist_ref *out);
/* heist_spawn, with more. */
heist_status heist_spawn_with(heist_system *s, const heist_class *cls, const heist_opts *opts,
			      const void *arg, const struct spawn_extra *more, heist_ref *out);

#endif
