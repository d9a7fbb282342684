/* SPDX-License-Identifier: BSD-2-Clause
 * What the models of the runtime share: a runtime with few workers, and its accounts at the end. */
#ifndef HEIST_CHECK_MODELS_RUNTIME_H
#define HEIST_CHECK_MODELS_RUNTIME_H

#include "runtime/system.h"
#include "tests/check/check.h"

#define GET(x)	  atomic_load_explicit(&(x), memory_order_acquire)
#define SET(x, v) atomic_store_explicit(&(x), (v), memory_order_release)
#define ADD(x, n) atomic_fetch_add_explicit(&(x), (n), memory_order_acq_rel)

static inline heist_config model_config(uint32_t workers)
{
	heist_config c = heist_config_default();
	c.mode = workers ? HEIST_THREADS : HEIST_POLLED;
	c.workers = workers;
	c.pin = HEIST_OFF;
	c.max_actors = SLOT_REGION;
	c.log_level = HEIST_LOG_OFF;
	c.log_lines = 2;
	c.hog_ms = UINT32_MAX; /* watchdog: sched.c */
	return c;
}

static inline heist_system *model_start(uint32_t workers)
{
	heist_config c = model_config(workers);
	heist_system *s = NULL;
	CHECK_ASSERT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

/* Wait, asleep, until *word >= n; and the other side. */
static inline void model_await(_Atomic uint32_t *word, uint32_t n)
{
	uint32_t v;
	while ((v = atomic_load_explicit(word, memory_order_acquire)) < n)
		heist_futex_wait(word, v, 0);
}

static inline void model_signal(_Atomic uint32_t *word)
{
	atomic_fetch_add_explicit(word, 1, memory_order_acq_rel);
	heist_futex_wake(word, INT32_MAX);
}

/* At quiescence: every accepted message was handled or lost. */
static inline void model_accounts(heist_system *s)
{
	heist_stats t = heist_stats_default();
	uint64_t lost = 0;
	CHECK_ASSERT(heist_get_stats(s, &t) == HEIST_OK);
	for (int i = 0; i < HEIST_CAUSES; i++)
		lost += t.lost[i];
	CHECK_ASSERT(t.accepted == t.handled + lost);
}

#endif
