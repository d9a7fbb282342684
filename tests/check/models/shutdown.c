/* SPDX-License-Identifier: BSD-2-Clause
 * Shutdown: one thread ends the runtime (-DHURRY: with a deadline that may pass at once), one sends to an
 * actor until it is refused and tries again when all is over, one calls.  Each message accepted is handled, or
 * lost for a reason that is counted; every actor that started ends once; nothing is used after it was freed or left. */
#include "tests/check/models/runtime.h"

#ifndef WORKERS
#define WORKERS 1
#endif
#define SENDS 3

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 8, .reply_size = 1 };
static const heist_type DOUBLE = { .base = &DOUBLE, .name = "double", .size = 8, .reply_size = 8 };

static heist_system *sys;
static heist_ref sink, other;
static _Atomic uint32_t accepted, handled, lost, starts, ends, called, over;

static heist_next sink_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, twice = 2 * n;
	(void)state;
	if (type == &DOUBLE)
		return heist_reply(ctx, HEIST_OK, type, &twice) == HEIST_OK ? HEIST_CONTINUE
									    : HEIST_FAIL;
	ADD(handled, 1);
	if (n > 0) { /* a handler may send while the intake is closed */
		n = 0;
		if (heist_send(other, &BALL, &n) == HEIST_OK)
			ADD(accepted, 1);
	}
	return HEIST_CONTINUE;
}

static heist_next sink_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	ADD(starts, 1);
	return HEIST_CONTINUE;
}

static void sink_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	CHECK_ASSERT(why == HEIST_EKILLED);
	ADD(ends, 1);
}

static const heist_hooks sink_hooks = { 0, 0, sink_init, sink_stop, NULL };
static const heist_class sink_class = { "sink", HEIST_ABI, 80, sink_recv, &sink_hooks };

static void on_lost(void *user, const heist_lost *l)
{
	(void)user;
	if (l->type == &BALL)
		ADD(lost, 1);
}

static void setup(void)
{
	SET(accepted, 0);
	SET(handled, 0);
	SET(lost, 0);
	SET(starts, 0);
	SET(ends, 0);
	SET(called, 0);
	SET(over, 0);
	sys = model_start(WORKERS);
	sys->dead_letter = on_lost;
	CHECK_ASSERT(heist_spawn(sys, &sink_class, NULL, NULL, &sink) == HEIST_OK);
	CHECK_ASSERT(heist_spawn(sys, &sink_class, NULL, NULL, &other) == HEIST_OK);
}

static void sender(void)
{
	heist_status r = HEIST_OK;
	for (uint64_t n = 1; n <= SENDS && r == HEIST_OK; n++) {
		r = heist_send(sink, &BALL, &n);
		CHECK_ASSERT(r == HEIST_OK || r == HEIST_ECLOSED || r == HEIST_EDEAD);
		if (r == HEIST_OK)
			ADD(accepted, 1);
	}
	uint64_t n = 9;
	model_await(&over, 1);
	CHECK_ASSERT(heist_send(sink, &BALL, &n) == HEIST_EDEAD);
}

/* A call must be entered before the runtime is gone; it may last until then. */
static void caller(void)
{
	uint64_t n = 4, reply = 0;
	heist_status r = heist_call(sys, sink, &DOUBLE, &n, 0, &reply);
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_ECLOSED || r == HEIST_EDEAD);
	CHECK_ASSERT(r != HEIST_OK || reply == 8);
	SET(called, 1);
}

static void ender(void)
{
	heist_time deadline = 0;
	while (!GET(sys->callers) &&
	       !GET(called)) /* it must be entered, by the contract of heist_call */
		heist_relax();
	heist_status r = HEIST_ETIMEOUT;
	while (r == HEIST_ETIMEOUT) {
#ifdef HURRY
		deadline = heist_now(sys) + 4000;
#endif
		r = heist_shutdown(sys, deadline);
		heist_relax();
	}
	CHECK_ASSERT(r == HEIST_OK);
	model_signal(&over);
}

static void thread(int t)
{
	if (t == 0)
		ender();
	else if (t == 1)
		sender();
	else
		caller();
}

static void finish(void)
{
	CHECK_ASSERT(GET(ends) == GET(starts));
	CHECK_ASSERT(GET(handled) + GET(lost) == GET(accepted));
#ifndef HURRY
	CHECK_ASSERT(GET(lost) == 0 && GET(starts) == 2);
#endif
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "shutdown", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
