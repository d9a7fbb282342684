/* SPDX-License-Identifier: BSD-2-Clause
 * Somebody looks who is in a handler while the only actor, which gets an extra, ends: what is seen is that
 * actor or nobody, and the extra is not looked into when it has been freed. */
#include "tests/check/models/runtime.h"

static const heist_type END = { .base = &END, .name = "end", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref actor;
static _Atomic uint32_t sent;

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	CHECK_ASSERT(heist_alloc(ctx, 8) != NULL); /* now it has an extra */
	heist_relax();
	return HEIST_STOP;
}
static const heist_class cls = { "ending", HEIST_ABI, 8, recv, NULL };

static void setup(void)
{
	SET(sent, 0);
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &cls, NULL, NULL, &actor) == HEIST_OK);
}

static void looker(void)
{
	heist_straggler who[2];
	model_await(&sent, 1);
	CHECK_ASSERT(heist_close(sys) == HEIST_OK);
	for (int i = 0; i < 2; i++) {
		size_t n = heist_stragglers(sys, who, 2);
		CHECK_ASSERT(n <= 1);
		CHECK_ASSERT(n == 0 || (who[0].actor.v == actor.v && who[0].cls == &cls));
	}
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void sender(void)
{
	uint64_t n = 1;
	CHECK_ASSERT(heist_send(actor, &END, &n) == HEIST_OK);
	model_signal(&sent);
}

static void thread(int t)
{
	if (t == 0)
		looker();
	else
		sender();
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "straggler", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
