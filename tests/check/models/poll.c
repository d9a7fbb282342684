/* SPDX-License-Identifier: BSD-2-Clause
 * A polled runtime: the host sleeps on its descriptor (-DUNTIL: in heist_poll itself) and drives, foreign threads
 * send.  Nothing is left unhandled while the host sleeps. */
#include "tests/check/models/runtime.h"

#define SENDERS 2

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref sink;
static int handled; /* plain: one thread drives at a time */
static _Atomic uint32_t seen, sent;

static heist_next sink_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	handled++;
	ADD(seen, 1);
	return HEIST_CONTINUE;
}

static const heist_class sink_class = { "sink", HEIST_ABI, 0, sink_recv, NULL };

static void setup(void)
{
	handled = 0;
	SET(seen, 0);
	SET(sent, 0);
	sys = model_start(0);
	CHECK_ASSERT(heist_spawn(sys, &sink_class, NULL, NULL, &sink) == HEIST_OK);
}

static void drive(void)
{
#ifdef UNTIL
	CHECK_ASSERT(heist_poll(sys, UINT64_MAX, 1) >= 0);
#else
	check_event_wait(heist_poll_fd(sys));
	CHECK_ASSERT(heist_poll(sys, 0, 1) >= 0);
#endif
}

static void host(void)
{
	while (GET(seen) < SENDERS)
		drive();
	model_await(&sent, SENDERS);
	CHECK_ASSERT(handled == SENDERS);
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void send(void)
{
	uint64_t n = 1;
	CHECK_ASSERT(heist_send(sink, &BALL, &n) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 0) {
		host();
		return;
	}
	send();
	model_signal(&sent);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "poll", 1 + SENDERS, setup, thread, finish };
	return check_main(argc, argv, &m);
}
