/* SPDX-License-Identifier: BSD-2-Clause
 * A supervised restart: a child crashes in its handler on one worker while others send to it, kill it, watch it or
 * stop its supervisor; whoever runs the supervisor begins the next incarnation in the same slot.  An incarnation
 * begins when the one before has ended, what was sent is handled once or lost with a cause, the handle is good
 * as long as nobody has ended the child, a watcher is told of its end once and of no restart.
 *
 * KILL: the sender kills the child.  WATCH: an actor watches it, and it is killed.  STOP: the sender stops the
 * supervisor.  ALL: two children, one for all; both crash.  Else: all that was sent is handled.
 *
 * With TURNS the scheduler is a stand-in (turns.h), everything else is the product's: supervisor, child, mailbox,
 * control word, signals, monitors, slots. */
#ifdef TURNS
#include "tests/check/models/turns.h"
#else
#include "tests/check/models/runtime.h"
#endif

#define WORKERS 2
#define SENT	2
#ifdef ALL
#define CHILDREN 2
#else
#define CHILDREN 1
#endif
#ifdef WATCH
#define KILL
#endif
#if defined(KILL) || defined(STOP)
#define ENDS
#endif
#if defined(ENDS) && !defined(TURNS) /* it may end before it has started, or crashed */
#define MAY_BE_DEAD true
#else
#define MAY_BE_DEAD false
#endif

#define WHY ((heist_status)(HEIST_EUSER - 1))

static const heist_type CRASH = { .base = &CRASH, .name = "crash", .size = 8, .reply_size = 1 };
static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref supervisor, child[CHILDREN];
/* plain: an incarnation has one runner at a time, and the next one begins after it */
static struct {
	int begun, ended, handled[SENT];
} life[CHILDREN];
static int told;

struct incarnation {
	uint64_t id;
	int number; /* 0: as every new state */
};

/* ---- the child ---- */

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct incarnation *self = state;
	(void)ctx;
	CHECK_ASSERT(self->id == 0 && self->number == 0);
	self->id = *(const uint64_t *)arg;
	CHECK_ASSERT(life[self->id].begun == life[self->id].ended);
	self->number = ++life[self->id].begun;
	return HEIST_CONTINUE;
}

static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct incarnation *self = state;
	(void)ctx;
	CHECK_ASSERT(life[self->id].begun == self->number &&
		     life[self->id].ended == self->number - 1);
	if (type == &CRASH)
		return HEIST_FAIL;
	CHECK_ASSERT(life[self->id].handled[*(uint64_t *)msg]++ == 0);
	return HEIST_CONTINUE;
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct incarnation *self = state;
	(void)ctx, (void)why;
	CHECK_ASSERT(++life[self->id].ended == self->number);
}

static const heist_hooks child_hooks = { 0, 8, child_init, child_stop, NULL };
static const heist_class child_class = { "child", HEIST_ABI, sizeof(struct incarnation), child_recv,
					 &child_hooks };

/* ---- who watches it ---- */

#ifdef WATCH
static heist_next watcher_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)state, (void)arg;
	CHECK_ASSERT(heist_monitor(ctx, child[0]) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next watcher_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	CHECK_ASSERT(sig->kind == HEIST_SIG_DOWN && sig->who.v == child[0].v);
	CHECK_ASSERT((sig->how == HEIST_EXIT_KILLED && sig->status == WHY) ||
		     sig->how == HEIST_EXIT_GONE);
	CHECK_ASSERT(told++ == 0);
	return HEIST_CONTINUE;
}

static const heist_hooks watcher_hooks = { 0, 0, watcher_init, NULL, watcher_signal };
static const heist_class watcher_class = { "watcher", HEIST_ABI, 0, heist_unhandled,
					   &watcher_hooks };
#endif

/* ---- begin and end ---- */

static void supervise(void)
{
	heist_child spec[CHILDREN];
	uint64_t id[CHILDREN];
	heist_sup s = heist_sup_default();
	for (uint64_t i = 0; i < CHILDREN; i++) {
		id[i] = i;
		spec[i] = heist_child_default();
		spec[i].cls = &child_class;
		spec[i].arg = &id[i];
	}
	s.children = spec;
	s.child_count = CHILDREN;
	s.strategy = CHILDREN > 1 ? HEIST_ONE_FOR_ALL : HEIST_ONE_FOR_ONE;
	CHECK_ASSERT(heist_supervise(sys, &s, &supervisor, child) == HEIST_OK);
}

static void crash(void)
{
	uint64_t n = 0;
	for (int i = 0; i < CHILDREN; i++) {
		heist_status r = heist_send(child[i], &CRASH, &n);
		CHECK_ASSERT(r == HEIST_OK || (r == HEIST_EDEAD && MAY_BE_DEAD));
	}
}

static void begin(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		life[i].begun = life[i].ended = 0;
		for (int n = 0; n < SENT; n++)
			life[i].handled[n] = 0;
	}
	told = 0;
}

static void watch(void)
{
#ifdef WATCH
	heist_ref watcher;
	CHECK_ASSERT(heist_spawn(sys, &watcher_class, NULL, NULL, &watcher) == HEIST_OK);
#endif
}

/* From outside. */
static void meddle(void)
{
	heist_ref last = child[CHILDREN - 1];
	for (uint64_t n = 0; n < SENT; n++) {
		CHECK_ASSERT(heist_send(last, &WORK, &n) == HEIST_OK);
#ifdef ENDS
		break;
#endif
	}
#ifdef KILL
	CHECK_ASSERT(heist_kill(last, WHY) == HEIST_OK);
#endif
#ifdef STOP
	CHECK_ASSERT(heist_stop(supervisor, WHY) == HEIST_OK);
#endif
}

/* Nothing is runnable any more. */
static void judge(void)
{
	model_accounts(sys);
	for (int i = 0; i < CHILDREN; i++) {
		bool alive = system_is_alive(sys, child[i]);
#ifdef ENDS
		CHECK_ASSERT(!alive && life[i].ended == life[i].begun && life[i].begun <= 2);
		CHECK_ASSERT(life[i].begun >= 1 || MAY_BE_DEAD);
#else
		CHECK_ASSERT(alive && life[i].ended == life[i].begun - 1);
		CHECK_ASSERT(life[i].begun >= 2 && life[i].begun <= 1 + CHILDREN);
		for (int n = 0; n < SENT; n++)
			CHECK_ASSERT(life[i].handled[n] == (i == CHILDREN - 1));
#endif
	}
#ifdef WATCH
	CHECK_ASSERT(told == 1);
#endif
#ifdef STOP
	CHECK_ASSERT(!system_is_alive(sys, supervisor));
#else
	CHECK_ASSERT(system_is_alive(sys, supervisor));
#endif
}

/* ---- the threads ---- */

#ifdef TURNS
#define THREADS (WORKERS + 1)

static void setup(void)
{
	begin();
	sys = turns_start(WORKERS, 1);
	supervise();
	turns_work(0, false);
	crash();
	watch();
}

static void thread(int t)
{
	if (t < WORKERS) {
		turns_work((uint32_t)t, true);
		return;
	}
	meddle();
	turns_leave();
}

static void finish(void)
{
	judge();
	turns_shutdown();
	CHECK_ASSERT(check_live() == 0);
}
#else
#define THREADS 2

static _Atomic uint32_t crashed;

static void setup(void)
{
	begin();
	SET(crashed, 0);
	sys = model_start(WORKERS);
	supervise();
}

static void thread(int t)
{
	if (t > 0) {
		crash();
		watch();
		model_signal(&crashed);
		return;
	}
	meddle();
	model_await(&crashed, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	judge();
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}
#endif

int main(int argc, char **argv)
{
	static const struct check_model m = { "restart", THREADS, setup, thread, finish };
	check_run_whole(); /* the table of runtimes */
	return check_main(argc, argv, &m);
}
