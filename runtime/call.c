/* SPDX-License-Identifier: BSD-2-Clause
 * call.c - a request from a thread that is no actor: a short-lived actor asks for it, the thread
 * waits for that actor's answer. */
#include "runtime/send.h"

#include <string.h>

struct call {
	_Atomic uint32_t done;	/* futex: 1 when status and reply are there */
	_Atomic uint32_t users; /* the caller, the asking actor */
	heist_system *system;
	heist_ref to;
	const heist_type *type;
	heist_time deadline;
	heist_status status;
	bool answered; /* the actor completed the call */
	bool consumed; /* the caller has the reply     */
	size_t size;
	unsigned char *reply;
	_Alignas(8) unsigned char payload[];
};

static struct call *call_new(heist_system *s, heist_ref to, const heist_type *type, const void *msg,
			     heist_time deadline)
{
	size_t payload = (type->size + (size_t)7) & ~(size_t)7;
	size_t size = sizeof(struct call) + payload + type->reply_size;
	struct call *c = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!c)
		return NULL;
	*c = (struct call){
		.system = s, .to = to, .type = type, .deadline = deadline, .size = size
	};
	atomic_init(&c->users, 2);
	c->reply = c->payload + payload;
	if (type->size)
		memcpy(c->payload, msg, type->size);
	return c;
}

static void call_unref(struct call *c)
{
	const heist_drops *drops = c->type->drops;
	if (atomic_fetch_sub_explicit(&c->users, 1, memory_order_acq_rel) != 1) /* CL1 */
		return;
	if (c->answered && c->status == HEIST_OK && !c->consumed && drops && drops->reply)
		drops->reply(c->reply);
	heist_memory_put(&c->system->memory, c, c->size);
}

/* The asking actor: the answer is there. */
static void call_finish(struct call *c, heist_status status, const void *reply)
{
	if (c->answered)
		return;
	c->status = status;
	c->answered = true;
	if (status == HEIST_OK && reply && c->type->reply_size)
		memcpy(c->reply, reply, c->type->reply_size);
	atomic_store_explicit(&c->done, 1, memory_order_release); /* CL2 release */
	heist_futex_wake(&c->done, 1);
}

/* ---- the asking actor ---- */

struct asker {
	struct call *call;
};

static void asker_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
			uint64_t user)
{
	struct asker *a = state;
	(void)user;
	call_finish(a->call, status, reply);
	ctx->stop_after = true;
}

static heist_next asker_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct asker *a = state;
	struct call *c = a->call = *(struct call *const *)arg;
	heist_status r = heist_ask(ctx, c->to, c->type, c->payload, c->deadline, asker_reply, 0);
	if (r == HEIST_OK)
		return HEIST_CONTINUE;
	call_finish(c, r, NULL);
	return HEIST_STOP;
}

static void asker_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct asker *a = state;
	(void)ctx, (void)why;
	call_finish(a->call, HEIST_ECLOSED, NULL);
	call_unref(a->call);
}

static const heist_hooks asker_hooks = { .arg_size = sizeof(struct call *),
					 .init = asker_init,
					 .stop = asker_stop };
static const heist_class asker_class = { "heist.call", HEIST_ABI, sizeof(struct asker),
					 heist_unhandled, &asker_hooks };

/* The runtime ended before the asking actor started. */
static void asker_never_started(void *arg)
{
	struct call *c = *(struct call **)arg;
	call_finish(c, HEIST_ECLOSED, NULL);
	call_unref(c);
}

static const heist_drops asker_drops = { asker_never_started, NULL };
static const heist_type asker_arg = { .base = &asker_arg,
				      .name = "heist.call",
				      .size = sizeof(struct call *),
				      .drops = &asker_drops };

/* ---- the waiting thread ---- */

static void call_wait(struct call *c)
{
	while (!atomic_load_explicit(&c->done, memory_order_acquire)) { /* CL2 acquire */
		if (c->system->polled) {
			heist_time until = heist_in_ms(c->system, 1);
			int turns = heist_poll(c->system, until, 64);
			if (turns < 0 ||
			    (turns == 0 && c->system->clock)) /* nobody moves that clock */
				break;
			if (c->deadline && heist_now(c->system) >= c->deadline)
				break;
		} else if (heist_futex_wait(&c->done, 0, c->deadline) == HEIST_WAIT_TIMEOUT) {
			break;
		}
	}
}

static heist_status call(heist_system *s, heist_ref to, const heist_type *type, const void *msg,
			 heist_time deadline, void *reply)
{
	heist_ref asker;
	const struct spawn_extra more = { .arg_type = &asker_arg };
	struct call *c = call_new(s, to, type, msg, deadline);
	if (!c)
		return HEIST_ENOMEM;
	heist_status r = heist_spawn_with(s, &asker_class, NULL, &c, &more, &asker);
	if (r != HEIST_OK) {
		heist_memory_put(&s->memory, c, c->size);
		return r;
	}
	call_wait(c);
	r = HEIST_ETIMEOUT;
	if (atomic_load_explicit(&c->done, memory_order_acquire)) { /* CL2 acquire */
		r = c->status;
		c->consumed = true;
		if (r == HEIST_OK && reply && type->reply_size)
			memcpy(reply, c->reply, type->reply_size);
	}
	call_unref(c);
	return r;
}

heist_status heist_call(heist_system *s, heist_ref to, const heist_type *type, const void *msg,
			heist_time deadline, void *reply)
{
	if (!s || !type || (!msg && type->size))
		return HEIST_BAD_ARG("system, type and msg must not be NULL");
	if (heist_worker_self)
		return HEIST_BAD_ARG("it waits: not allowed inside a handler");
	if (ref_runtime(to) != s->id)
		return to.v ? HEIST_BAD_ARG("the actor is of another runtime") : HEIST_EDEAD;
	/* Shutdown ends the call, and then waits until we have left with the answer. */
	atomic_fetch_add_explicit(&s->callers, 1, memory_order_relaxed);
	heist_status r = call(s, to, type, msg, deadline, reply);
	atomic_fetch_sub_explicit(&s->callers, 1, memory_order_release); /* CL3 release */
	return r;
}
