/* SPDX-License-Identifier: BSD-2-Clause
 * Requests: an actor asks a server with a deadline, and when that has passed asks again without one; a
 * foreign thread calls the server, with a deadline, too, or until somebody kills the server.  The server
 * answers at once or leaves the answer to a foreign thread.  Each request has one outcome, and a reply is
 * that of the request. */
#include "tests/check/models/runtime.h"

#ifndef WORKERS
#define WORKERS 1
#endif

static const heist_type DOUBLE = { .base = &DOUBLE, .name = "double", .size = 8, .reply_size = 8 };
static const heist_type LATER = { .base = &LATER, .name = "later", .size = 8, .reply_size = 8 };
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref asker, server;
static _Atomic uint32_t tokens, outcomes, called, helped;
static heist_token token[2];
static uint64_t token_for[2];
static int answered; /* plain */

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, twice = 2 * n;
	uint32_t k = GET(tokens);
	(void)state;
	if (type == &DOUBLE) {
		CHECK_ASSERT(heist_reply(ctx, HEIST_OK, type, &twice) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	token_for[k] = n;
	token[k] = heist_reply_later(ctx, type);
	model_signal(&tokens);
	return HEIST_CONTINUE;
}

static const heist_class server_class = { "server", HEIST_ABI, 0, server_recv, NULL };

static void on_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t n)
{
	(void)state;
	CHECK_ASSERT(status == HEIST_OK || status == HEIST_ETIMEOUT || status == HEIST_EDEAD);
	if (status == HEIST_OK)
		CHECK_ASSERT(*(const uint64_t *)reply == 2 * n);
	if (n == 1 && status == HEIST_ETIMEOUT) {
		n = 2;
		status = heist_ask(ctx, server, &DOUBLE, &n, 0, on_reply, n);
		CHECK_ASSERT(status == HEIST_OK || status == HEIST_EDEAD);
		if (status == HEIST_OK)
			return;
	}
	CHECK_ASSERT(answered++ == 0);
	model_signal(&outcomes);
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = 1;
	(void)state, (void)type, (void)msg;
	heist_time soon = heist_now(sys) + 30000;
	heist_status r = heist_ask(ctx, server, &LATER, &n, soon, on_reply, n);
	if (r != HEIST_OK) /* killed already */
		on_reply(ctx, state, r, NULL, 3);
	return HEIST_CONTINUE;
}

static const heist_class asker_class = { "asker", HEIST_ABI, 0, asker_recv, NULL };

static void setup(void)
{
	uint64_t n = 0;
	answered = 0;
	SET(tokens, 0);
	SET(outcomes, 0);
	SET(called, 0);
	SET(helped, 0);
	sys = model_start(WORKERS);
	CHECK_ASSERT(heist_spawn(sys, &server_class, NULL, NULL, &server) == HEIST_OK);
	CHECK_ASSERT(heist_spawn(sys, &asker_class, NULL, NULL, &asker) == HEIST_OK);
	CHECK_ASSERT(heist_send(asker, &GO, &n) == HEIST_OK);
}

/* Answers for the server, as late as the search likes, then ends it. */
static void helper(void)
{
	uint64_t twice;
	if (GET(tokens) > 0) {
		twice = 2 * token_for[0];
		CHECK_ASSERT(heist_reply_to(token[0], HEIST_OK, &LATER, &twice) == HEIST_OK);
	}
	heist_kill(server, HEIST_EKILLED);
	model_signal(&helped);
}

static void caller(void)
{
	uint64_t n = 5, reply = 0;
	heist_status r = heist_call(sys, server, &DOUBLE, &n, heist_now(sys) + 50000, &reply);
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_ETIMEOUT || r == HEIST_EDEAD);
	CHECK_ASSERT(r != HEIST_OK || reply == 10);
	CHECK_ASSERT(r == HEIST_OK || reply == 0);
	model_await(&outcomes, 1);
	model_await(&helped, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 0)
		caller();
	else
		helper();
}

static void finish(void)
{
	CHECK_ASSERT(answered == 1);
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "ask", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
