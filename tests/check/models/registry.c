/* SPDX-License-Identifier: BSD-2-Clause
 * Names of actors: the one who has a name ends while another is given it, and a second thread takes it away and
 * looks it up.  The name is one actor's or nobody's; nothing is looked at after it was freed, or freed twice. */
#include "tests/check/models/runtime.h"

static const heist_type END = { .base = &END, .name = "end", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref first, second;
static _Atomic uint32_t over;
static heist_status given, taken; /* plain: read when both threads are done */

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_STOP;
}
static const heist_class cls = { "named", HEIST_ABI, 0, recv, NULL };

static void setup(void)
{
	SET(over, 0);
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &cls, NULL, NULL, &first) == HEIST_OK);
	CHECK_ASSERT(heist_spawn(sys, &cls, NULL, NULL, &second) == HEIST_OK);
	CHECK_ASSERT(heist_register(sys, "n", first) == HEIST_OK);
}

static void giver(void)
{
	uint64_t n = 0;
	CHECK_ASSERT(heist_send(first, &END, &n) == HEIST_OK);
	given = heist_register(sys, "n", second);
	CHECK_ASSERT(given == HEIST_OK || given == HEIST_EEXIST);
	model_await(&over, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	heist_ref now = heist_whereis(sys, "n");
	CHECK_ASSERT(now.v == 0 || (given == HEIST_OK && now.v == second.v));
	CHECK_ASSERT(given != HEIST_OK || taken == HEIST_OK || now.v == second.v);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void taker(void)
{
	heist_ref r = heist_whereis(sys, "n");
	CHECK_ASSERT(r.v == 0 || r.v == first.v || r.v == second.v);
	taken = heist_unregister(sys, "n");
	CHECK_ASSERT(taken == HEIST_OK || taken == HEIST_EDEAD);
	r = heist_whereis(sys, "n");
	CHECK_ASSERT(r.v != first.v);
	model_signal(&over);
}

static void thread(int t)
{
	(t == 0 ? giver : taker)();
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "registry", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
