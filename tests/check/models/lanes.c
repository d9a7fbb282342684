/* SPDX-License-Identifier: BSD-2-Clause
 * Urgent messages: a root spawns one child after the other, in one slot if it can.  One thread sends each an
 * ordinary message and two urgent ones and then stops it.  Another sends the first an urgent one, and after that
 * has been handled one more, be it alive or dead or its slot another's.  What was sent before the stop is
 * handled, urgent ones in their order, each by the child it is for; the rest is lost, and all of it is
 * accounted for.
 * LIVE: there is one child, which nobody stops; it handles everything by itself.  REUSED: the first is stopped at
 * once, and the second, in its slot, is sent one urgent message.  LEFT: nothing that would make it look. */
#include "tests/check/models/runtime.h"

#ifndef WORKERS
#define WORKERS 1
#endif
#define CHILDREN 2

enum scene { ALL, LIVE, REUSED, LEFT };
#ifndef SCENE
#define SCENE ALL
#endif

static const heist_type PLAIN = { .base = &PLAIN, .name = "plain", .size = 8, .reply_size = 1 };
static const heist_type URGENT = { .base = &URGENT, .name = "urgent", .size = 8, .reply_size = 1 };
static const heist_type NEXT = { .base = &NEXT, .name = "next", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref root, child_ref[CHILDREN];
static _Atomic uint32_t spawned, heard, others, ended;
static struct {
	uint64_t plain, urgent; /* plain: an actor has one runner at a time */
	int stopped;
} children[CHILDREN];

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	*(uint64_t *)state = *(const uint64_t *)arg;
	return HEIST_CONTINUE;
}

/* A message: child << 8 | number; 9: of the other thread. */
static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)state, m = *(uint64_t *)msg;
	(void)ctx;
	CHECK_ASSERT(m >> 8 == n && !children[n].stopped);
	if ((m & 255) == 9) {
		model_signal(&heard);
		return HEIST_CONTINUE;
	}
	uint64_t *last = type == &PLAIN ? &children[n].plain : &children[n].urgent;
	CHECK_ASSERT((m & 255) == ++*last);
	return HEIST_CONTINUE;
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	uint64_t n = *(uint64_t *)state;
	(void)ctx, (void)why;
	CHECK_ASSERT(children[n].stopped++ == 0);
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
	for (int i = 0; i < CHILDREN; i++) {
		children[i].plain = children[i].urgent = 0;
		children[i].stopped = 0;
	}
	SET(spawned, 0);
	SET(heard, 0);
	SET(others, 0);
	SET(ended, 0);
	sys = model_start(WORKERS);
	CHECK_ASSERT(heist_spawn(sys, &root_class, NULL, NULL, &root) == HEIST_OK);
}

static void expect(uint64_t n, uint64_t plain, uint64_t urgent)
{
	CHECK_ASSERT(children[n].plain == plain && children[n].urgent == urgent);
}

static void urge(uint64_t n, uint64_t m)
{
	CHECK_ASSERT(heist_send_urgent(child_ref[n], &URGENT, &m) == HEIST_OK);
}

static void late(void)
{
	uint64_t m = 9;
	model_await(&spawned, 1);
	urge(0, m);
	model_await(&heard, 1); /* nobody else calls the child until then */
	if (SCENE != LIVE) {
		heist_status r = heist_send_urgent(child_ref[0], &URGENT, &m);
		CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
	}
	model_signal(&others);
}

static void spawn(uint64_t n)
{
	CHECK_ASSERT(heist_send(root, &NEXT, &n) == HEIST_OK);
	model_await(&spawned, (uint32_t)n + 1);
}

static void send_all(uint64_t n)
{
	uint64_t one = n << 8 | 1;
	CHECK_ASSERT(heist_send(child_ref[n], &PLAIN, &one) == HEIST_OK);
	urge(n, one);
	urge(n, n << 8 | 2);
}

static void stop(uint64_t n)
{
	CHECK_ASSERT(heist_stop(child_ref[n], HEIST_OK) == HEIST_OK);
	model_await(&ended, (uint32_t)n + 1);
}

static void sender(void)
{
	switch (SCENE) {
	case ALL:
		for (uint64_t n = 0; n < CHILDREN; n++) {
			spawn(n);
			send_all(n);
			model_await(&heard, 1);
			stop(n);
			expect(n, 1, 2);
		}
		return;
	case LIVE:
		spawn(0);
		model_await(&heard, 1); /* its bell is on its way out */
		send_all(0);
		return;
	case REUSED:
	case LEFT:
		spawn(0);
		model_await(&heard, 1);
		stop(0);
		spawn(1);
		if (SCENE == REUSED)
			urge(1, 1 << 8 | 1);
		return;
	}
}

/* When all is quiet. */
static void expect_handled(void)
{
	if (SCENE == LIVE)
		expect(0, 1, 2);
	else if (SCENE == REUSED)
		expect(1, 0, 1);
}

static void thread(int t)
{
	if (t == 1) {
		late();
		return;
	}
	sender();
	model_await(&others, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	expect_handled();
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "lanes", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
