/* SPDX-License-Identifier: BSD-2-Clause
 * Three threads send urgent and other messages to an actor that takes them as they come, and at times holds, and
 * to one that stashes and unstashes.  Each lane keeps the order of each sender, and nothing is left. */
#include <heist/heist.h>

#include "tests/support/oracle.h"
#include "tests/support/stress_system.h"

#define THREADS 3
#define ACTORS	2 /* as they come; stashing */
#define SENDS	12

struct item {
	uint32_t thread, urgent;
	uint64_t number;
};
static const heist_type ITEM = {
	.base = &ITEM, .name = "item", .size = sizeof(struct item), .reply_size = 1
};
static const heist_type HOLD = { .base = &HOLD, .name = "hold", .size = 8, .reply_size = 1 };
static const heist_type ECHO = { .base = &ECHO, .name = "echo", .size = 8, .reply_size = 8 };

static heist_ref to[ACTORS], echo;
static uint64_t numbers[THREADS][ACTORS][2]; /* its thread */
static _Atomic long posted, handled;

struct taker {
	uint64_t last[THREADS][2];
	bool stashes;
	uint32_t passes; /* how many it handles before it stashes again */
};

static void count(void)
{
	atomic_fetch_add_explicit(&handled, 1, memory_order_release);
}

static void answered(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	STRESS_CHECK(status == HEIST_OK);
	count();
}

/* Three are kept, then they and what comes between are handled: so the order of each sender stays. */
static bool keeps(heist_ctx *ctx, struct taker *t, void *msg)
{
	if (t->passes > 0) {
		t->passes--;
		return false;
	}
	STRESS_CHECK(heist_stash(ctx, msg) == HEIST_OK);
	if (heist_stashed(ctx) == 3)
		t->passes = heist_unstash(ctx);
	return true;
}

/* HOLD: to the first, ask and hold; to the other, keep nothing any more (0), or keep again (1). */
static heist_next on_hold(heist_ctx *ctx, struct taker *t, uint64_t n)
{
	if (!t->stashes) {
		STRESS_CHECK(heist_ask(ctx, echo, &ECHO, &n, 0, answered, 0) == HEIST_OK);
		STRESS_CHECK(heist_hold(ctx) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	t->passes = n ? 0 : UINT32_MAX;
	if (!n)
		heist_unstash(ctx);
	count();
	return HEIST_CONTINUE;
}

static heist_next taker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct taker *t = state;
	struct item *m = msg;
	if (type == &HOLD)
		return on_hold(ctx, t, *(uint64_t *)msg);
	if (t->stashes && keeps(ctx, t, msg))
		return HEIST_CONTINUE;
	if (!t->stashes || !m->urgent) /* what was kept is urgent no more */
		STRESS_CHECK(oracle_later(&t->last[m->thread][m->urgent], m->number));
	count();
	return HEIST_CONTINUE;
}

static heist_next taker_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct taker *t = state;
	(void)ctx;
	t->stashes = *(const uint64_t *)arg == 1;
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .arg_size = 8, .init = taker_init };
static const heist_class taker = { "taker", HEIST_ABI, sizeof(struct taker), taker_recv, &hooks };

static heist_next echo_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	return heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
}
static const heist_class echoing = { "echo", HEIST_ABI, 0, echo_recv, NULL };

static void post(heist_ref actor, const heist_type *type, const void *msg, bool urgent)
{
	atomic_fetch_add_explicit(&posted, 1, memory_order_relaxed);
	STRESS_CHECK((urgent ? heist_send_urgent(actor, type, msg)
			     : heist_send(actor, type, msg)) == HEIST_OK);
}

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	(void)r;
	if (sys) {
		post(to[1], &HOLD, &(uint64_t){ 1 }, false);
		return;
	}
	c.workers = 2;
	c.pin = HEIST_OFF;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	STRESS_CHECK(heist_spawn(sys, &echoing, NULL, NULL, &echo) == HEIST_OK);
	for (uint64_t i = 0; i < ACTORS; i++)
		STRESS_CHECK(heist_spawn(sys, &taker, NULL, &i, &to[i]) == HEIST_OK);
}

static void run(int thread, struct rng *r)
{
	for (int i = 0; i < SENDS; i++) {
		stress_delay(r);
		if (thread == 2 && i % 4 == 0) { /* it counts when it is answered */
			post(to[0], &HOLD, &(uint64_t){ 0 }, rng_below(r, 2));
			continue;
		}
		uint32_t a = (uint32_t)rng_below(r, ACTORS), urgent = rng_below(r, 3) == 0;
		struct item m = { (uint32_t)thread, urgent, ++numbers[thread][a][urgent] };
		post(to[a], &ITEM, &m, urgent);
	}
}

static void end(void)
{
	post(to[1], &HOLD, &(uint64_t){ 0 }, false);
	for (int turns = 0; atomic_load_explicit(&handled, memory_order_acquire) !=
			    atomic_load_explicit(&posted, memory_order_relaxed);)
		stress_wait(&turns);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "lanes", THREADS,	     20000, begin, run,
					 end,	  stress_system_dump };
	int status = stress_main(argc, argv, &s);
	heist_stats t = heist_stats_default();
	STRESS_CHECK(heist_get_stats(sys, &t) == HEIST_OK && test_conserved(&t) &&
		     test_lost(&t) == 0);
	return stress_system_end(status);
}
