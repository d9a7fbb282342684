/* SPDX-License-Identifier: BSD-2-Clause
 * An actor with a backlog is killed while it runs: the handler that finds the kill to have returned is the last.
 * With BECOMES each one sets the behaviour. */
#include "tests/check/models/runtime.h"

#define BACKLOG 5

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref busy;
static _Atomic uint32_t begun, killed, over;
static int found; /* plain: handlers that saw it */

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	if (*(uint64_t *)msg == 0)
		model_signal(&begun);
	if (GET(killed))
		CHECK_ASSERT(found++ == 0);
#ifdef BECOMES
	heist_become(ctx, recv); /* whatever it is, the way is the same */
#else
	(void)ctx;
#endif
	return HEIST_CONTINUE;
}

static void on_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	CHECK_ASSERT(why == HEIST_EKILLED);
	model_signal(&over);
}
static const heist_hooks hooks = { 0, 0, NULL, on_stop, NULL };
static const heist_class cls = { "busy", HEIST_ABI, 0, recv, &hooks };

static void setup(void)
{
	SET(begun, 0);
	SET(killed, 0);
	SET(over, 0);
	found = 0;
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &cls, NULL, NULL, &busy) == HEIST_OK);
	for (uint64_t n = 0; n < BACKLOG; n++)
		CHECK_ASSERT(heist_send(busy, &WORK, &n) == HEIST_OK);
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
