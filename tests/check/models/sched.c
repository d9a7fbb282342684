/* SPDX-License-Identifier: BSD-2-Clause
 * The scheduler as a whole: run loop, stealing, LIFO slot, inboxes, parking, quiescence, stop.  A root
 * comes from outside, wakes two runnables, spawns one and binds one, and everything runs to its end on
 * WORKERS workers while another thread submits.  Each turn runs once and never beside another turn of
 * the same runnable; when all are parked nothing is queued; every worker leaves.  With SPARES one runnable
 * is away in each of its turns, and waits there for another, which the spare must run; with WATCHED it says
 * nothing, and the watchdog has to notice.  With BEHIND a runnable waits, without a word, for one that lies behind
 * it alone in the inbox it came from, or that it has spawned: the other worker has to find that.  With TIMED the
 * spare sets a timer when it runs something, and most of the time is on the bench when that is due.  With GROUP the
 * pool is not the first of its group, in which another one idles: the watchdog is that one's.  With pace.h told to
 * (meson.build) thieves stay away whenever they may.  With TRIM workers are given something back, and asked to take
 * it, whether they run, are about to sleep or sleep, and must. */
#include "sched/pool.h"
#include "tests/check/check.h"

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef SPARES
#define SPARES 0
#endif
#ifndef BEHIND
#define BEHIND 0
#endif
#ifndef TIMED
#define TIMED 0 /* ns */
#endif
#define WAITS (SPARES || BEHIND)
#define JOBS  (BEHIND ? 8 : 7)

enum { ROOT, WOKEN, WOKEN_TOO, SPAWNED, BOUND, OUTSIDE, OUTSIDE_BOUND, LONE, FIRED };
enum { BEHIND_IT = 1, SPAWNED_BY_IT };

static struct job {
	struct runnable run;
	int turns; /* plain: two runners at once are a race */
	bool done;
} jobs[9];

static const int turns_wanted[9] = { 1, 2, 1, 1, 2, 2, 1, 1, 1 };
static struct pool pool;
#ifdef GROUP
static struct pool first;
#else
#define first pool
#endif
static _Atomic uint32_t submitted; /* the other thread has done its part */
static _Atomic uint32_t woken;	   /* WOKEN has run */
static bool left_over;		   /* no worker runs any more */
static bool armed, fired;	   /* the spare's timer */
static bool untrimmed; /* the spare has fired it on the bench, and given nothing back since */

static struct runnable *job(int i)
{
	return &jobs[i].run;
}

static void run_root(struct worker *w)
{
	worker_wake(w, job(WOKEN));
	worker_spawned(w, job(SPAWNED));
	worker_wake(w, job(WOKEN_TOO));
	heist_pool_submit_bound(w->pool, WORKERS - 1, job(BOUND));
}

static void wait_away(struct worker *w)
{
#if SPARES && !defined WATCHED
	heist_worker_leave(w);
#endif
	while (!atomic_load_explicit(&woken, memory_order_acquire))
		heist_futex_wait(&woken, 0, 0);
	heist_worker_back(w);
}

static void wake_waiting(void)
{
	atomic_store_explicit(&woken, 1, memory_order_release);
	heist_futex_wake(&woken, 1);
}

static enum verdict run(struct worker *w, struct runnable *r)
{
	struct job *j = HEIST_CONTAINER(r, struct job, run);
	int i = (int)(j - jobs);
	CHECK_ASSERT(!j->done);
	CHECK_ASSERT((i != BOUND && i != OUTSIDE_BOUND) || w->index == WORKERS - 1 || left_over);
	if (i == ROOT)
		run_root(w);
	if (TIMED && w->index >= WORKERS && !armed) {
		armed = true;
		w->timer_next = w->now + TIMED;
	}
	if (i == OUTSIDE && BEHIND == SPAWNED_BY_IT && j->turns == 0)
		worker_spawned(w, job(LONE));
	if (WAITS && i == OUTSIDE && !left_over)
		wait_away(w);
	if (WAITS && i == (BEHIND ? LONE : WOKEN))
		wake_waiting();
	if (++j->turns < turns_wanted[i])
		return i == BOUND ? RUN_LATE_BOUND : RUN_AGAIN;
	j->done = true;
	return RUN_DONE;
}

static void no_guard(struct worker *w, void (*body)(void *), void *arg)
{
	(void)w;
	body(arg);
}

static bool no_flush(struct worker *w)
{
	(void)w;
	return false;
}

static void no_tick(struct worker *w, uint64_t elapsed)
{
	(void)w, (void)elapsed;
}

static bool not_stuck(struct worker *w, struct worker *stuck)
{
	(void)w, (void)stuck;
	return false;
}

/* What was given back to each worker, and it has not taken. */
static _Atomic uint32_t owed[WORKERS + SPARES];
static _Atomic uint32_t trimmed; /* the other thread may begin */

static void trim(struct worker *w)
{
	if (TIMED && w->index >= WORKERS)
		untrimmed = false;
	if (w->pool != &pool || !atomic_load_explicit(&owed[w->index], memory_order_relaxed))
		return;
	atomic_store_explicit(&owed[w->index], 0, memory_order_relaxed);
	heist_futex_wake(&owed[w->index], 1);
}

static uint64_t timers(struct worker *w, uint64_t now)
{
	CHECK_ASSERT(TIMED && w->index >= WORKERS && now >= w->timer_next && !fired);
	fired = true;
	untrimmed = spares_on_duty(&w->pool->spares) == 0 && !pool_stops(w->pool);
	worker_wake(w, job(FIRED));
	return 0;
}

#ifdef TRIM
static void give_back(uint32_t i)
{
	atomic_store_explicit(&owed[i], 1, memory_order_relaxed);
	heist_pool_ask_trim(&pool, i);
}

static void all_taken(void)
{
	for (uint32_t i = 0; i < WORKERS + SPARES; i++)
		while (atomic_load_explicit(&owed[i], memory_order_relaxed))
			heist_futex_wait(&owed[i], 1, 0);
}

/* Workers that have begun and find nothing. */
static void trim_first(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		give_back(i);
	all_taken();
	atomic_store_explicit(&trimmed, 1, memory_order_release);
	heist_futex_wake(&trimmed, 1);
}

/* Spares, which sit on the bench or sit down: who waits for quiescence may find one off it. */
static void trim_last(void)
{
	for (uint32_t i = WORKERS; i < pool_present(&pool); i++)
		give_back(i);
	CHECK_ASSERT(heist_pool_wait_quiet(&first, 0));
	all_taken();
}
#else
#define trim_first()
#define trim_last()
#endif

static void no_hog(struct worker *w, uint64_t n, uint64_t elapsed)
{
	(void)w, (void)n, (void)elapsed;
}

static const struct pool_ops ops = { .run = run,
				     .hog = no_hog,
				     .guard = no_guard,
				     .flush = no_flush,
				     .tick = no_tick,
				     .stuck = not_stuck,
				     .trim = trim,
				     .timers = timers };

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return check_alloc(size, align);
}

static void put(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	check_free(p);
}

static const struct heist_memory memory = { get, put, NULL };

static void setup(void)
{
	struct pool_config config = { .ops = &ops,
				      .memory = &memory,
				      .workers = WORKERS,
				      .spares = SPARES,
				      .hog_ns = 1000,
				      .worker_size = sizeof(struct worker),
				      .seed = 1 };
	for (int i = 0; i <= FIRED; i++)
		jobs[i] = (struct job){ .turns = 0 };
	atomic_store_explicit(&submitted, 0, memory_order_relaxed);
	atomic_store_explicit(&woken, 0, memory_order_relaxed);
	left_over = armed = fired = untrimmed = false;
	atomic_store_explicit(&trimmed, 0, memory_order_relaxed);
	for (int i = 0; i < WORKERS + SPARES; i++)
		atomic_store_explicit(&owed[i], 0, memory_order_relaxed);
#ifdef GROUP
	static const struct pool_config idle = {
		.ops = &ops, .memory = &memory, .workers = 1, .worker_size = sizeof(struct worker)
	};
	CHECK_ASSERT(heist_pool_init(&first, &idle) == 0 && heist_pool_start(&first) == 0);
	config.group = &first;
#endif
	CHECK_ASSERT(heist_pool_init(&pool, &config) == 0);
	pool.spin_ns = 1; /* linger, then one look */
	CHECK_ASSERT(heist_pool_start(&pool) == 0);
#ifdef GROUP
	heist_pool_join(&pool);
#endif
#ifdef WATCHED
	CHECK_ASSERT(heist_watchdog_start(&first) == 0);
#endif
}

static void all_done(void)
{
	for (int i = 0; i < JOBS; i++)
		CHECK_ASSERT(jobs[i].done && jobs[i].turns == turns_wanted[i]);
}

/* Whoever submits must be done before somebody waits for quiescence. */
static void host(void)
{
	trim_first();
	heist_pool_submit(&pool, job(ROOT));
	while (!atomic_load_explicit(&submitted, memory_order_acquire))
		heist_futex_wait(&submitted, 0, 0);
#ifndef STOP_AT_ONCE
	CHECK_ASSERT(heist_pool_wait_quiet(&first, 0));
	all_done();
#endif
	trim_last();
	CHECK_ASSERT(heist_pool_stop(&first, 0));
#ifdef GROUP
	CHECK_ASSERT(heist_pool_stop(&pool, 0));
#endif
}

static void thread(int t)
{
	if (t == 0) {
		host();
		return;
	}
#ifdef TRIM
	while (!atomic_load_explicit(&trimmed, memory_order_acquire))
		heist_futex_wait(&trimmed, 0, 0);
#endif
	heist_pool_submit(&pool, job(OUTSIDE));
	if (BEHIND == BEHIND_IT) { /* to the same inbox, most of the time */
		atomic_store_explicit(&pool.next_inbox, 1, memory_order_relaxed);
		heist_pool_submit(&pool, job(LONE));
	}
	heist_pool_submit_bound(&pool, WORKERS - 1, job(OUTSIDE_BOUND));
#ifdef TRIM
	give_back(0);
#endif
	atomic_store_explicit(&submitted, 1, memory_order_release);
	heist_futex_wake(&submitted, 1);
}

/* A worker that is told to stop may leave something behind, but only in its queues. */
static void finish(void)
{
	struct runnable *r;
	uint32_t searching = 0;
	left_over = true;
	for (uint32_t i = 0; i < pool.crew; i++) {
		searching += pool_worker(&pool, i)->searching;
		while ((r = heist_worker_next(pool_worker(&pool, i))) != NULL)
			heist_worker_run(pool_worker(&pool, i), r);
	}
	all_done();
	CHECK_ASSERT(jobs[FIRED].done == fired && !untrimmed);
	CHECK_ASSERT(idle_parked(&pool.idle) == 0 && idle_searching(&pool.idle) == searching);
	heist_pool_destroy(&pool);
#ifdef GROUP
	heist_pool_destroy(&first);
#endif
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "sched", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
