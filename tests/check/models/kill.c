/* SPDX-License-Identifier: BSD-2-Clause
 * An actor with a backlog is killed while it runs: the handler that finds the kill to have returned is the last.
 * With BECOMES each one sets the behaviour.  With ASKED the backlog is requests, with
 * ANSWERED replies. */
#include "tests/check/models/runtime.h"

#define BACKLOG 5

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref busy;
static _Atomic uint32_t begun, killed, over;
static int found; /* plain: handlers that saw it */

/* A turn of it. */
static void met(uint64_t n)
{
	if (n == 0)
		model_signal(&begun);
	if (GET(killed))
		CHECK_ASSERT(found++ == 0);
}

#ifndef ANSWERED
static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	met(*(uint64_t *)msg);
#ifdef BECOMES
	heist_become(ctx, recv); /* whatever it is, the way is the same */
#else
	(void)ctx;
#endif
	return HEIST_CONTINUE;
}
#endif

static void on_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	CHECK_ASSERT(why == HEIST_EKILLED);
	model_signal(&over);
}
static const heist_hooks hooks = { 0, 0, NULL, on_stop, NULL };

#if defined ASKED || defined ANSWERED
static heist_ref to; /* who is asked; of a byte, so that its handler need not answer */

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply;
	CHECK_ASSERT(status == HEIST_OK || status == HEIST_EDEAD);
#ifdef ANSWERED
	met(user);
#else
	(void)user;
#endif
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	for (uint64_t n = 0; n < BACKLOG; n++)
		CHECK_ASSERT(heist_ask(ctx, to, &WORK, &n, 0, on_answer, n) == HEIST_OK);
	return HEIST_CONTINUE;
}
#endif

#ifdef ANSWERED
static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}
static const heist_class other_class = { "server", HEIST_ABI, 0, server_recv, NULL };
static const heist_class cls = { "busy", HEIST_ABI, 0, asker_recv, &hooks };
#elif defined ASKED
static const heist_class other_class = { "asker", HEIST_ABI, 0, asker_recv, NULL };
static const heist_class cls = { "busy", HEIST_ABI, 0, recv, &hooks };
#else
static const heist_class cls = { "busy", HEIST_ABI, 0, recv, &hooks };
#endif

static void fill(void)
{
#if defined ASKED || defined ANSWERED
	heist_ref other;
	uint64_t n = 0;
	CHECK_ASSERT(heist_spawn(sys, &other_class, NULL, NULL, &other) == HEIST_OK);
#ifdef ANSWERED
	to = other;
	CHECK_ASSERT(heist_send(busy, &WORK, &n) == HEIST_OK);
#else
	to = busy;
	CHECK_ASSERT(heist_send(other, &WORK, &n) == HEIST_OK);
#endif
#else
	for (uint64_t n = 0; n < BACKLOG; n++)
		CHECK_ASSERT(heist_send(busy, &WORK, &n) == HEIST_OK);
#endif
}

static void setup(void)
{
	SET(begun, 0);
	SET(killed, 0);
	SET(over, 0);
	found = 0;
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &cls, NULL, NULL, &busy) == HEIST_OK);
	fill();
}

static void thread(int t)
{
	(void)t;
	model_await(&begun, 1);
	CHECK_ASSERT(heist_kill(busy, HEIST_EKILLED) == HEIST_OK);
	SET(killed, 1);
	model_await(&over, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "kill", 1, setup, thread, finish };
	return check_main(argc, argv, &m);
}
