/* SPDX-License-Identifier: BSD-2-Clause
 * call.c - a request from a thread that is no actor: a short-lived actor asks for it, the thread
 * waits for that actor's answer.  What it answers may be what the asked actor has answered, or why it was
 * never asked; so what the message owns is taken in either case, or callers could not tell who has it. */
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
	payload_drop(c->type, c->payload);
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
const heist_class heist_call_class = { "heist.call", HEIST_ABI, sizeof(struct asker),
				       heist_unhandled, &asker_hooks };

/* The runtime ended before the asking actor started. */
static void asker_never_started(void *arg)
{
	struct call *c = *(struct call **)arg;
	payload_drop(c->type, c->payload);
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

/* The asking actor has its call; or why there is none. */
static heist_status call_begin(struct call *c)
{
	heist_ref asker;
	heist_opts o = heist_opts_default();
	o.arg_type = &asker_arg;
	heist_status r = heist_spawn_with(c->system, &heist_call_class, &o, &c, NULL, &asker);
	if (r != HEIST_OK)
		heist_memory_put(&c->system->memory, c, c->size);
	return r;
}

static heist_status call_end(struct call *c, void *reply)
{
	call_wait(c);
	heist_status r = HEIST_ETIMEOUT;
	if (atomic_load_explicit(&c->done, memory_order_acquire)) { /* CL2 acquire */
		r = c->status;
		c->consumed = reply != NULL;
		if (r == HEIST_OK && reply && c->type->reply_size)
			memcpy(reply, c->reply, c->type->reply_size);
	}
	call_unref(c);
	return r;
}

static heist_status call(heist_system *s, heist_ref to, const heist_type *type, const void *msg,
			 heist_time deadline, void *reply)
{
	struct call *c = call_new(s, to, type, msg, deadline);
	heist_status r = c ? call_begin(c) : HEIST_ENOMEM;
	if (r == HEIST_OK)
		return call_end(c, reply);
	payload_drop(type, (void *)(uintptr_t)msg);
	return r;
}

static const char *call_bad(heist_system *s, heist_ref to)
{
	if (heist_worker_self)
		return "it waits: not allowed inside a handler";
	return to.v && ref_runtime(to) != s->id ? "the actor is of another runtime" : NULL;
}

heist_status heist_call(heist_system *s, heist_ref to, const heist_type *type, const void *msg,
			heist_time deadline, void *reply)
{
	if (!s || !type || (!msg && type->size))
		return HEIST_BAD_ARG("system, type and msg must not be NULL");
	const char *bad = call_bad(s, to);
	if (bad || to.v == 0) {
		payload_drop(type, (void *)(uintptr_t)msg);
		return bad ? HEIST_BAD_ARG(bad) : HEIST_EDEAD;
	}
	/* Shutdown ends the call, and then waits until we have left with the answer. */
	atomic_fetch_add_explicit(&s->callers, 1, memory_order_relaxed);
	heist_status r = call(s, to, type, msg, deadline, reply);
	atomic_fetch_sub_explicit(&s->callers, 1, memory_order_release); /* CL3 release */
	return r;
}
