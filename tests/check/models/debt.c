/* SPDX-License-Identifier: BSD-2-Clause
 * Replies that are owed: two foreign threads call a server that owes both, one calls again; a third gives what is
 * owed, each twice, and ends the server.  Each call has one outcome, which is its own. */
#include "tests/check/models/runtime.h"

#define CALLS 3

static const heist_type DOUBLE = { .base = &DOUBLE, .name = "double", .size = 8, .reply_size = 8 };

static heist_system *sys;
static heist_ref server;
static _Atomic uint32_t owed, over;
static heist_token token[CALLS];
static uint64_t token_for[CALLS];

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint32_t k = GET(owed);
	(void)state;
	token_for[k] = *(uint64_t *)msg;
	token[k] = heist_reply_later(ctx, type);
	model_signal(&owed);
	return HEIST_CONTINUE;
}
static const heist_class server_class = { "server", HEIST_ABI, 0, server_recv, NULL };

static void setup(void)
{
	SET(owed, 0);
	SET(over, 0);
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &server_class, NULL, NULL, &server) == HEIST_OK);
}

static void call(uint64_t n)
{
	uint64_t reply = 0;
	heist_status r = heist_call(sys, server, &DOUBLE, &n, 0, &reply);
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
	CHECK_ASSERT(reply == (r == HEIST_OK ? 2 * n : 0));
}

static void give(uint32_t k)
{
	uint64_t twice = 2 * token_for[k];
	CHECK_ASSERT(heist_reply_to(token[k], HEIST_OK, &DOUBLE, &twice) == HEIST_OK);
}

/* Nobody waits for the answer of a server that has ended. */
static void helper(void)
{
	model_await(&owed, 1);
	give(0);
	for (uint32_t k = 0; k < GET(owed); k++)
		give(k); /* the first one again, which was somebody else's by then */
	CHECK_ASSERT(heist_kill(server, HEIST_EKILLED) == HEIST_OK);
	for (uint32_t k = 0; k < GET(owed); k++)
		give(k);
	model_await(&over, 2);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 2) {
		helper();
		return;
	}
	call((uint64_t)t + 1);
	if (t == 0)
		call(3);
	model_signal(&over);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "debt", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
