/* SPDX-License-Identifier: BSD-2-Clause
 * Places: an actor in a named pool and one with a thread of its own are sent to by each other, by an actor of the
 * runtime's own pool and from outside; when the one with a thread has ended, another is spawned that gets the same
 * thread, or a new one.  Each runs where it belongs, all that was sent is handled, no thread is left.  Meanwhile
 * somebody counts and looks for a pool that there is not, which reads whatever places there are. */
#include "tests/check/models/runtime.h"

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };
static const heist_type END = { .base = &END, .name = "end", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref pooled, alone[2];
static _Atomic uint32_t hired, over;
static int handled; /* plain: one runner at a time */

static heist_next pooled_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	CHECK_ASSERT(heist_worker_self->pool == &sys->places.entry[1]->pool);
	handled++;
	return HEIST_CONTINUE;
}
static const heist_class pooled_class = { "pooled", HEIST_ABI, 0, pooled_recv, NULL };

static heist_next alone_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state;
	struct pool *here = heist_worker_self->pool;
	CHECK_ASSERT(here != &sys->pool && here != &sys->places.entry[1]->pool);
	CHECK_ASSERT(heist_send(pooled, &WORK, msg) == HEIST_OK);
	return type == &END ? HEIST_STOP : HEIST_CONTINUE;
}

static void alone_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	model_signal(&over);
}
static const heist_hooks alone_hooks = { 0, 0, NULL, alone_stop, NULL };
static const heist_class alone_class = { "alone", HEIST_ABI, 0, alone_recv, &alone_hooks };

static void setup(void)
{
	heist_pool p = heist_pool_default();
	heist_config c = model_config(1);
	heist_opts o = heist_opts_default();
	SET(hired, 0);
	SET(over, 0);
	handled = 0;
	p.name = o.pool = "p";
	p.hog_ms = UINT32_MAX;
	c.threads_max = 2;
	c.pools = &p;
	c.pool_count = 1;
	CHECK_ASSERT(heist_start(&c, &sys) == HEIST_OK);
	CHECK_ASSERT(heist_spawn(sys, &pooled_class, &o, NULL, &pooled) == HEIST_OK);
}

static heist_ref with_thread(void)
{
	heist_opts o = heist_opts_default();
	heist_ref r;
	o.own_thread = HEIST_ON;
	CHECK_ASSERT(heist_spawn(sys, &alone_class, &o, NULL, &r) == HEIST_OK);
	return r;
}

static void host(void)
{
	uint64_t n = 1;
	for (int i = 0; i < 2; i++) {
		alone[i] = with_thread();
		model_signal(&hired);
		CHECK_ASSERT(heist_send(alone[i], &END, &n) == HEIST_OK);
		model_await(&over, (uint32_t)i + 1);
	}
}

static void sender(void)
{
	uint64_t n = 2;
	heist_stats t = heist_stats_default();
	CHECK_ASSERT(heist_get_stats(sys, &t) == HEIST_OK);
	CHECK_ASSERT(heist_place_find(sys, "q") == 0);
	CHECK_ASSERT(heist_send(pooled, &WORK, &n) == HEIST_OK);
	model_await(&hired, 1);
	heist_status r = heist_send(alone[0], &WORK, &n); /* late, most of the time */
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
	model_await(&over, 2);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	CHECK_ASSERT(handled == 3 || (r == HEIST_OK && handled == 4));
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	(t == 0 ? host : sender)();
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "place", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
