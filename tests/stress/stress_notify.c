/* SPDX-License-Identifier: BSD-2-Clause
 * Three threads notify two actors of a runtime that is about to park, by calls and from handlers of signals
 * that interrupt them and the runtime's own workers; every bit is told, none without cause. */
#include <heist/heist.h>

#include <pthread.h>
#include <signal.h>

#include "lockfree/seam.h"
#include "tests/support/stress_system.h"

#define THREADS 3
#define WORKERS 2
#define ACTORS	2 /* anywhere, and bound */
#define BITS	(THREADS + 1)
#define SIGNALS THREADS /* the bit of the handler of signals */

static heist_ref to[ACTORS];
static _Atomic long posted[ACTORS][BITS], told[ACTORS][BITS], known;
static pthread_t workers[WORKERS];

static void post(int actor, int bit)
{
	atomic_fetch_add_explicit(&posted[actor][bit], 1, memory_order_relaxed);
	if (heist_notify(to[actor], (uint32_t)1 << bit) != HEIST_OK)
		stress_fail("an actor that lives could not be notified");
}

static void on_signal(int number)
{
	(void)number;
	for (int a = 0; a < ACTORS; a++)
		post(a, SIGNALS);
}

static heist_next listener_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

static heist_next listener_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	int a = (int)*(uint64_t *)state;
	(void)ctx;
	STRESS_CHECK(sig->kind == HEIST_SIG_NOTIFY && sig->who.v == heist_self(ctx).v);
	STRESS_CHECK(sig->bits != 0 && sig->bits >> BITS == 0);
	for (int i = 0; i < BITS; i++)
		if (sig->bits >> i & 1) /* told what was posted before: NT1 */
			atomic_store_explicit(
				&told[a][i],
				atomic_load_explicit(&posted[a][i], memory_order_relaxed),
				memory_order_release);
	return HEIST_CONTINUE;
}

static heist_next listener_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	*(uint64_t *)state = *(const uint64_t *)arg;
	return HEIST_CONTINUE;
}

static const heist_hooks hooks = { .arg_size = 8,
				   .init = listener_init,
				   .signal = listener_signal };
static const heist_class listener = { "listener", HEIST_ABI, 8, listener_recv, &hooks };

/* Tells us which thread its worker is. */
static heist_next guide_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state;
	workers[*(const uint64_t *)arg] = pthread_self();
	atomic_fetch_add(&known, 1);
	return HEIST_CONTINUE;
}
static const heist_hooks guide_hooks = { .arg_size = 8, .init = guide_init };
static const heist_class guide = { "guide", HEIST_ABI, 0, listener_recv, &guide_hooks };

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	heist_opts bound = heist_opts_default();
	heist_ref ignored;
	int turns = 0;
	(void)r;
	if (sys)
		return;
	c.workers = WORKERS;
	c.pin = HEIST_OFF;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	for (uint64_t i = 0; i < WORKERS; i++) {
		bound.worker = (uint32_t)i + 1;
		STRESS_CHECK(heist_spawn(sys, &guide, &bound, &i, &ignored) == HEIST_OK);
	}
	while (atomic_load(&known) < WORKERS)
		stress_wait(&turns);
	for (uint64_t i = 0; i < ACTORS; i++)
		STRESS_CHECK(heist_spawn(sys, &listener, i ? &bound : NULL, &i, &to[i]) ==
			     HEIST_OK);
	signal(SIGUSR1, on_signal);
}

static void run(int thread, struct rng *r)
{
	for (int i = 0; i < 4; i++) {
		stress_delay(r);
		switch (rng_below(r, 8)) {
		case 0:
			raise(SIGUSR1);
			break;
		case 1:
#ifndef HEIST_TSAN /* it hands signals on when the thread calls something: a sleeper may never */
			pthread_kill(workers[rng_below(r, WORKERS)], SIGUSR1);
			break;
#endif
		default:
			post((int)rng_below(r, ACTORS), thread);
		}
	}
}

/* Posts of handlers that run only now are told with the next ones. */
static bool all_told(void)
{
	for (int a = 0; a < ACTORS; a++)
		for (int i = 0; i < BITS; i++)
			if (atomic_load_explicit(&told[a][i], memory_order_acquire) !=
			    atomic_load_explicit(&posted[a][i], memory_order_relaxed))
				return false;
	return true;
}

static void end(void)
{
	for (int turns = 0; !all_told();)
		stress_wait(&turns);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "notify", THREADS,	      20000, begin, run,
					 end,	   stress_system_dump };
	return stress_system_end(stress_main(argc, argv, &s));
}
