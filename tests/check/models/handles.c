/* SPDX-License-Identifier: BSD-2-Clause
 * Spawn, stop, and the handle after it: a root actor spawns one child after the other, which get the same
 * slot as soon as it is free; two foreign threads kick each child through its handle, more often than it
 * lives.  No message reaches another actor than the one it is for; each child starts and stops once. */
#include "tests/check/models/runtime.h"

#ifndef WORKERS
#define WORKERS 2
#endif
#define CHILDREN 3 /* each ends at its first kick */

static const heist_type KICK = { .base = &KICK, .name = "kick", .size = 8, .reply_size = 1 };
static const heist_type NEXT = { .base = &NEXT, .name = "next", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref root, child_ref[CHILDREN];
static _Atomic uint32_t spawned, kicked; /* children that have a handle; the kicker is done */
static struct {
	int started, kicked, stopped; /* plain: an actor has one runner at a time */
} children[CHILDREN];

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	int n = (int)*(const uint64_t *)arg;
	(void)ctx;
	*(uint64_t *)state = (uint64_t)n + 7;
	CHECK_ASSERT(children[n].started++ == 0);
	return HEIST_CONTINUE;
}

static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	CHECK_ASSERT(type == &KICK && *(uint64_t *)state == n + 7);
	CHECK_ASSERT(heist_self(ctx).v == child_ref[n].v);
	CHECK_ASSERT(children[n].kicked++ == 0);
	return HEIST_STOP;
}

#ifdef STOP_HOOK /* with a hook an actor ends by the long way */
static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	uint64_t n = *(uint64_t *)state - 7;
	(void)ctx, (void)why;
	CHECK_ASSERT(children[n].kicked == 1 && children[n].stopped++ == 0);
}
#else
#define child_stop NULL
#endif

static const heist_hooks child_hooks = { 0, 8, child_init, child_stop, NULL };
static const heist_class child = { "child", HEIST_ABI, 8, child_recv, &child_hooks };

static heist_next root_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	CHECK_ASSERT(heist_spawn(heist_system_of(ctx), &child, NULL, &n, &child_ref[n]) ==
		     HEIST_OK);
	for (uint64_t i = 0; i < n; i++)
		CHECK_ASSERT(child_ref[i].v != child_ref[n].v);
	model_signal(&spawned);
	return HEIST_CONTINUE;
}

static const heist_class root_class = { "root", HEIST_ABI, 0, root_recv, NULL };

static void setup(void)
{
	for (int i = 0; i < CHILDREN; i++)
		children[i].started = children[i].kicked = children[i].stopped = 0;
	SET(spawned, 0);
	SET(kicked, 0);
	sys = model_start(WORKERS);
	CHECK_ASSERT(heist_spawn(sys, &root_class, NULL, NULL, &root) == HEIST_OK);
}

static void kick(uint64_t n)
{
	heist_status r = heist_send(child_ref[n], &KICK, &n);
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
}

/* Kicks the child that has come last, and those before, of which most have ended. */
static void kicker(void)
{
	for (uint32_t n = 0; n < CHILDREN; n++) {
		model_await(&spawned, n + 1);
		kick(n);
		if (n > 0)
			kick(n - 1);
	}
	model_signal(&kicked);
}

static void spawner(void)
{
	for (uint64_t n = 0; n < CHILDREN; n++) {
		CHECK_ASSERT(heist_send(root, &NEXT, &n) == HEIST_OK);
		model_await(&spawned, (uint32_t)n + 1);
		kick(n);
	}
	model_await(&kicked, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 0)
		spawner();
	else
		kicker();
}

static void finish(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		CHECK_ASSERT(children[i].started == 1 && children[i].kicked == 1);
		CHECK_ASSERT(child_hooks.stop == NULL || children[i].stopped == 1);
	}
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "handles", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
