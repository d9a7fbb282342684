/* SPDX-License-Identifier: BSD-2-Clause
 * Sleeping until notified: our eventcount and libck's, over the same futex calls.  Two threads hand a turn back
 * and forth, each sleeping while it is the other's; and one thread notifies though nobody sleeps. */
#include <time.h>

#include "bench/micro/race.h"
#include "lockfree/cacheline.h"
#include "lockfree/eventcount.h"

#if RACE_CK
#include <ck_ec.h>
#endif

#define HAND_OVERS 2000
#define NOTIFIES   1000000

static _Atomic int turn;
static int taken[2]; /* turns, by each thread */

static bool my_turn(int thread)
{
	return atomic_load_explicit(&turn, memory_order_acquire) == thread;
}

static void take_turn(int thread)
{
	race_check(taken[0] - taken[1] == thread); /* the other wrote its count before */
	taken[thread]++;
	atomic_store_explicit(&turn, 1 - thread, memory_order_release);
}

static double finish(double ns)
{
	bool all = taken[0] == HAND_OVERS / 2 && taken[1] == HAND_OVERS / 2;
	return all ? ns : -1;
}

static void prepare(void)
{
	atomic_store_explicit(&turn, 0, memory_order_relaxed);
	taken[0] = taken[1] = 0;
}

/* ---- eventcount.h ---- */

static struct {
	_Alignas(HEIST_ISOLATE) struct eventcount e;
} ours[2];

static void ours_body(const struct bench_row *row, int thread)
{
	for (uint64_t i = 0; i < row->operations / 2; i++) {
		while (!my_turn(thread)) {
			uint32_t key = eventcount_prepare(&ours[thread].e);
			if (my_turn(thread))
				eventcount_cancel(&ours[thread].e);
			else
				eventcount_wait(&ours[thread].e, key, 0);
		}
		take_turn(thread);
		eventcount_notify(&ours[1 - thread].e, 1);
	}
}

static double sample_ours(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	eventcount_init(&ours[0].e);
	eventcount_init(&ours[1].e);
	return finish(race(row, ours_body));
}

static void ours_notify(const struct bench_row *row, int thread)
{
	(void)thread;
	for (uint64_t i = 0; i < row->operations; i++)
		race_check(eventcount_notify(&ours[0].e, 1) == 0);
}

static double sample_ours_notify(const struct bench_row *row, heist_system *s)
{
	(void)s;
	eventcount_init(&ours[0].e);
	return race(row, ours_notify);
}

#if RACE_CK

/* ---- ck_ec ---- */

static int ck_clock(const struct ck_ec_ops *ops, struct timespec *out)
{
	(void)ops;
	return clock_gettime(CLOCK_MONOTONIC, out);
}

static void ck_wait(const struct ck_ec_wait_state *state, const uint32_t *word, uint32_t expected,
		    const struct timespec *deadline)
{
	uint64_t until = 0;
	(void)state;
	if (deadline)
		until = (uint64_t)deadline->tv_sec * 1000000000u + (uint64_t)deadline->tv_nsec;
	heist_futex_wait((_Atomic uint32_t *)(uintptr_t)word, expected, until);
}

static void ck_wake(const struct ck_ec_ops *ops, const uint32_t *word)
{
	(void)ops;
	heist_futex_wake((_Atomic uint32_t *)(uintptr_t)word, INT32_MAX);
}

/* No busy wait before sleeping, or as little as it lets us say: ours has none. */
static const struct ck_ec_ops ck_ops = {
	.gettime = ck_clock, .wait32 = ck_wait, .wake32 = ck_wake, .busy_loop_iter = 1
};
static const struct ck_ec_mode mode = { .ops = &ck_ops, .single_producer = false };
static struct {
	_Alignas(HEIST_ISOLATE) ck_ec32_t e;
} cks[2];

static void ck_body(const struct bench_row *row, int thread)
{
	for (uint64_t i = 0; i < row->operations / 2; i++) {
		for (;;) {
			uint32_t value = ck_ec32_value(&cks[thread].e);
			if (my_turn(thread))
				break;
			ck_ec32_wait(&cks[thread].e, &mode, value, NULL);
		}
		take_turn(thread);
		ck_ec32_inc(&cks[1 - thread].e, &mode);
	}
}

static double sample_ck(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_ec32_init(&cks[0].e, 0);
	ck_ec32_init(&cks[1].e, 0);
	return finish(race(row, ck_body));
}

static void ck_notify(const struct bench_row *row, int thread)
{
	(void)thread;
	for (uint64_t i = 0; i < row->operations; i++)
		ck_ec32_inc(&cks[0].e, &mode);
	race_check(ck_ec32_value(&cks[0].e) == row->operations);
}

static double sample_ck_notify(const struct bench_row *row, heist_system *s)
{
	(void)s;
	ck_ec32_init(&cks[0].e, 0);
	return race(row, ck_notify);
}

#endif

#define SLEEP(NAME, SAMPLE)                                                                        \
	{                                                                                          \
		.name = "micro/" NAME, .operation = "hand-over", .min_workers = 2,                 \
		.operations = HAND_OVERS, .sample = SAMPLE, .bare = true                           \
	}
#define NOTIFY(NAME, SAMPLE)                                                                       \
	{                                                                                          \
		.name = "micro/" NAME "/notify", .operation = "notify", .min_workers = 1,          \
		.operations = NOTIFIES, .sample = SAMPLE, .bare = true                             \
	}

const struct bench_row bench_sleepers[] = {
	SLEEP("eventcount", sample_ours),
	NOTIFY("eventcount", sample_ours_notify),
#if RACE_CK
	SLEEP("ck_ec", sample_ck),
	NOTIFY("ck_ec", sample_ck_notify),
#endif
	{ 0 },
};
