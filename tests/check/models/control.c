/* SPDX-License-Identifier: BSD-2-Clause
 * Stop and kill: a root spawns one child after the other, in one slot if it can.  One thread kicks each
 * child and then stops it; another kills the first, also when it is long dead and its slot another's.
 * Each child ends once, for a reason that was given to it; what was sent before the only stop is handled.
 *
 * KILLED: the last child is not stopped but killed, maybe while the slot's old bell is still on its way. */
#include "tests/check/models/runtime.h"

#define WORKERS	 1
#define CHILDREN 2

#ifdef KILLED
#define LAST_END(ref) heist_kill(ref, WHY_KILL)
#define LAST_WHY      WHY_KILL
#define LAST_KICKS    0
#else
#define LAST_END(ref) heist_stop(ref, WHY_STOP)
#define LAST_WHY      WHY_STOP
#define LAST_KICKS    1
#endif

#define WHY_STOP ((heist_status)(HEIST_EUSER - 1))
#define WHY_KILL ((heist_status)(HEIST_EUSER - 2))

static const heist_type KICK = { .base = &KICK, .name = "kick", .size = 8, .reply_size = 1 };
static const heist_type NEXT = { .base = &NEXT, .name = "next", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref root, child_ref[CHILDREN];
static _Atomic uint32_t spawned, killed, ended;
static struct {
	int kicked, stopped; /* plain: an actor has one runner at a time */
	heist_status why;
} children[CHILDREN];

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	*(uint64_t *)state = *(const uint64_t *)arg;
	return HEIST_CONTINUE;
}

static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)ctx;
	CHECK_ASSERT(type == &KICK && *(uint64_t *)state == n && !children[n].stopped);
	children[n].kicked++;
	return HEIST_CONTINUE;
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	uint64_t n = *(uint64_t *)state;
	(void)ctx;
	CHECK_ASSERT(children[n].stopped++ == 0);
	children[n].why = why;
	model_signal(&ended);
}

static const heist_hooks child_hooks = { 0, 8, child_init, child_stop, NULL };
static const heist_class child = { "child", HEIST_ABI, 8, child_recv, &child_hooks };

static heist_next root_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	CHECK_ASSERT(heist_spawn(heist_system_of(ctx), &child, NULL, &n, &child_ref[n]) ==
		     HEIST_OK);
	model_signal(&spawned);
	return HEIST_CONTINUE;
}

static const heist_class root_class = { "root", HEIST_ABI, 0, root_recv, NULL };

static void setup(void)
{
	for (int i = 0; i < CHILDREN; i++)
		children[i].kicked = children[i].stopped = 0;
	SET(spawned, 0);
	SET(killed, 0);
	SET(ended, 0);
	sys = model_start(WORKERS);
	CHECK_ASSERT(heist_spawn(sys, &root_class, NULL, NULL, &root) == HEIST_OK);
}

static void dead_or(heist_status r)
{
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
}

static void killer(void)
{
	model_await(&spawned, 1);
	dead_or(heist_kill(child_ref[0], WHY_KILL));
	dead_or(heist_kill(child_ref[0], WHY_KILL));
	model_signal(&killed);
}

/* Returns only if each child has ended: nothing else does that but the stop and the kill. */
static void stopper(void)
{
	for (uint64_t n = 0; n < CHILDREN; n++) {
		CHECK_ASSERT(heist_send(root, &NEXT, &n) == HEIST_OK);
		model_await(&spawned, (uint32_t)n + 1);
		dead_or(heist_send(child_ref[n], &KICK, &n));
		dead_or(n == CHILDREN - 1 ? LAST_END(child_ref[n])
					  : heist_stop(child_ref[n], WHY_STOP));
	}
	model_await(&ended, CHILDREN);
	model_await(&killed, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 0)
		stopper();
	else
		killer();
}

static void finish(void)
{
	int last = CHILDREN - 1;
	for (int i = 0; i < CHILDREN; i++) {
		CHECK_ASSERT(children[i].stopped == 1 && children[i].kicked <= 1);
		CHECK_ASSERT(i == last
				     ? children[i].why == LAST_WHY
				     : children[i].why == WHY_STOP || children[i].why == WHY_KILL);
	}
	CHECK_ASSERT(children[last].kicked >= LAST_KICKS);
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "control", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
