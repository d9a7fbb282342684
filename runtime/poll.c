/* SPDX-License-Identifier: BSD-2-Clause
 * poll.c - a runtime without threads, driven by the event loop of its host. */
#include "runtime/fork.h"

static bool polling_begin(struct heist_system *s)
{
	uint32_t nobody = 0;
	return atomic_compare_exchange_strong_explicit(&s->polling, &nobody, 1,
						       memory_order_acquire,
						       memory_order_relaxed); /* PO1 acquire */
}

int heist_poll(heist_system *s, heist_time until, int max_turns)
{
	if (!s || !s->polled || max_turns < 0)
		return HEIST_BAD_ARG("the system must be HEIST_POLLED and max_turns not negative");
	if (!heist_worker_self && heist_forked(s))
		return HEIST_EINVAL;
	if (heist_worker_self || !polling_begin(s))
		return HEIST_BAD_ARG("one thread polls at a time, and no handler");
	heist_event_clear(s->host_fd);
	int turns = heist_pool_poll(&s->pool, until, max_turns);
	(void)heist_log_tell(s);
	atomic_store_explicit(&s->polling, 0, memory_order_release); /* PO1 release */
	return turns;
}

int heist_poll_fd(const heist_system *s)
{
	return s && s->polled ? s->host_fd : HEIST_BAD_ARG("the system must be HEIST_POLLED");
}

heist_time heist_poll_deadline(const heist_system *s)
{
	if (!s || !s->polled)
		return 0;
	struct pool *p = (struct pool *)(uintptr_t)&s->pool;
	return wheel_next(&rt_worker_of(pool_worker(p, 0))->wheel); /* its own thread asks */
}
