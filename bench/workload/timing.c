/* SPDX-License-Identifier: BSD-2-Clause
 * timers: set, cancel, fire, and how late they come. */
#include "bench/bench.h"

#include <string.h>

static const heist_type DUE = { .base = &DUE, .name = "due", .size = 8, .reply_size = 1 };

/* ---- arm and cancel ---- */

/* n times: set one, cancel the one set `a` before. */
static heist_next canceller_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t window = *(int64_t *)msg & 0xffffff, n = *(int64_t *)msg >> 24;
	heist_timer *own = malloc((size_t)window * sizeof *own);
	heist_ref self = heist_self(ctx);
	bool correct = own != NULL;
	(void)state, (void)type;
	for (int64_t i = 0; correct && i < n + window; i++) {
		heist_timer *t = &own[i % window];
		if (i >= window)
			correct = heist_cancel(ctx, *t) == HEIST_OK;
		if (i < n &&
		    heist_send_after(ctx, self, &DUE, &i, 60000000000u + (uint64_t)i * 1000, t))
			correct = false;
	}
	free(own);
	bench_finish(correct);
	return HEIST_CONTINUE;
}
static const heist_class canceller = { "canceller", HEIST_ABI, 0, canceller_recv, NULL };

static double arm_cancel(const struct bench_row *row, heist_system *s)
{
	heist_stats t = heist_stats_default();
	heist_ref a = bench_spawn(s, &canceller, NULL);
	bench_begin(1);
	bench_send(a, (int64_t)row->operations << 24 | row->a);
	double ns = bench_wait();
	return heist_get_stats(s, &t) == HEIST_OK && t.timers_cancelled == row->operations ? ns
											   : -1;
}

/* ---- fire ---- */

struct waiter {
	uint32_t *late; /* microseconds, of each */
	int64_t left, n;
};

static heist_next waiter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct waiter *w = state;
	heist_time now = heist_now(heist_system_of(ctx));
	uint64_t seed = 1;
	if (type == &DUE) {
		uint64_t due;
		memcpy(&due, msg, sizeof due);
		w->late[--w->left] = now < due ? UINT32_MAX : (uint32_t)((now - due) / 1000);
		if (w->left == 0)
			bench_finish(true);
		return HEIST_CONTINUE;
	}
	if (type == &BENCH_PEER) {
		memcpy(&w->late, msg, sizeof w->late);
		return HEIST_CONTINUE;
	}
	w->left = w->n = *(int64_t *)msg;
	for (int64_t i = 0; i < w->n;
	     i++) { /* uniform over a second that begins when all are set */
		uint64_t due = now + 3000000000u + bench_random(&seed) % 1000000000u;
		uint64_t delay = due - heist_now(heist_system_of(ctx));
		if (heist_send_after(ctx, heist_self(ctx), &DUE, &due, delay, NULL))
			bench_failed("heist_send_after");
	}
	return HEIST_CONTINUE;
}
static const heist_class waiter = { "waiter", HEIST_ABI, sizeof(struct waiter), waiter_recv, NULL };

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* p99 of how late they came, in us; one that came early makes it wrong. */
static double lateness(const struct bench_row *row, heist_system *s)
{
	uint32_t *late = calloc(row->operations, sizeof *late);
	heist_ref a = bench_spawn(s, &waiter, NULL);
	if (!late)
		bench_failed("memory");
	heist_send(a, &BENCH_PEER, &late);
	bench_begin(1);
	bench_send(a, (int64_t)row->operations);
	double ns = bench_wait();
	qsort(late, row->operations, sizeof *late, by_size);
	bool early = late[row->operations - 1] == UINT32_MAX;
	double p99 = late[row->operations / 100 * 99];
	free(late);
	return ns < 0 || early ? -1 : p99 * (double)row->operations;
}

/* ---- idle ---- */

/* Set a million that are not due for an hour, then play ping-pong with oneself. */
static heist_next loaded_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t n = *(int64_t *)msg;
	(void)state;
	if (type == &BENCH_PEER) {
		for (int64_t i = 0; i < n; i++)
			if (heist_send_after(ctx, heist_self(ctx), &DUE, &i,
					     3600000000000u + (uint64_t)i * 1000, NULL))
				bench_failed("heist_send_after");
		bench_finish(true);
	} else if (n == 0) {
		bench_finish(true);
	} else {
		n--;
		heist_send(heist_self(ctx), type, &n);
	}
	return HEIST_CONTINUE;
}
static const heist_class loaded = { "loaded", HEIST_ABI, 0, loaded_recv, NULL };

static double beside_idle(const struct bench_row *row, heist_system *s)
{
	heist_ref a = bench_spawn(s, &loaded, NULL);
	bench_begin(1);
	heist_send(a, &BENCH_PEER, &row->a);
	if (bench_wait() < 0)
		return -1;
	bench_begin(1);
	bench_send(a, (int64_t)row->operations);
	return bench_wait();
}

const struct bench_row bench_timing[] = {
	{ .name = "timers/arm_cancel",
	  .operation = "timer",
	  .min_workers = 1,
	  .operations = 1000000,
	  .a = 1000,
	  .sample = arm_cancel },
	{ .name = "timers/arm_cancel_10M",
	  .operation = "timer",
	  .min_workers = 1,
	  .operations = 10000000,
	  .a = 10000000,
	  .sample = arm_cancel,
	  .single = true },
	{ .name = "timers/lateness_p99",
	  .operation = "timer",
	  .min_workers = 1,
	  .operations = 1000000,
	  .sample = lateness,
	  .single = true,
	  .unit = "us" },
	{ .name = "timers/beside_1M_idle",
	  .operation = "message",
	  .min_workers = 1,
	  .operations = 1000000,
	  .a = 1000000,
	  .sample = beside_idle },
	{ 0 },
};
