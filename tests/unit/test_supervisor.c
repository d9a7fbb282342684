/* SPDX-License-Identifier: BSD-2-Clause
 * Supervision: restart types, strategies, intensity, back-off, decisions, mailboxes, orders of stops. */
#include <string.h>

#include "tests/support/clock.h"
#include "tests/support/memory.h"
#include "tests/support/runtime.h"

enum order { WORK, GET, CRASH, STOP, BLOCK, ALLOC, WATCH, TIE };
static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 16, .reply_size = 8 };

struct order_message {
	uint64_t order, who;
};

#define IDS  16
#define CODE ((heist_status)(HEIST_EUSER - 3))

static _Atomic long inits[IDS], stops[IDS], alive[IDS], worked[IDS], bad_inits[IDS];
static _Atomic long events, told, blocked, release, arenas;
static _Atomic int last_why[IDS], last_how, last_status;
static _Atomic int log_of[4096]; /* id + 1 at its init, -(id + 1) at its stop */

static void reset(void)
{
	for (int i = 0; i < IDS; i++) {
		inits[i] = stops[i] = alive[i] = worked[i] = bad_inits[i] = 0;
		last_why[i] = 1;
	}
	events = told = blocked = release = arenas = 0;
	last_how = last_status = -1;
}

struct child {
	uint64_t id;
	int64_t n;
	char room[80];
};

static heist_next child_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct child *c = state;
	(void)ctx;
	for (size_t i = 0; i < sizeof *c; i++)
		EXPECT(((char *)state)[i] == 0);
	c->id = *(const uint64_t *)arg;
	EXPECT(atomic_fetch_add(&alive[c->id], 1) == 0); /* the old stop has ended */
	memset(c->room, 1, sizeof c->room);
	log_of[atomic_fetch_add(&events, 1) % 4096] = (int)c->id + 1;
	atomic_fetch_add(&inits[c->id], 1);
	if (bad_inits[c->id] > 0) {
		atomic_fetch_sub(&bad_inits[c->id], 1);
		if (bad_inits[c->id] % 2)
			return HEIST_FAIL;
		heist_panic(ctx, CODE);
	}
	return HEIST_CONTINUE;
}

static void child_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct child *c = state;
	(void)ctx;
	last_why[c->id] = why;
	log_of[atomic_fetch_add(&events, 1) % 4096] = -(int)c->id - 1;
	atomic_fetch_sub(&alive[c->id], 1);
	atomic_fetch_add(&stops[c->id], 1);
}

static heist_next child_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	last_how = sig->how;
	last_status = sig->status;
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}

static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct child *c = state;
	struct order_message *o = msg;
	uint64_t n;
	switch ((enum order)o->order) {
	case WORK:
		c->n++;
		break;
	case GET:
		n = (uint64_t)c->n;
		EXPECT(heist_reply(ctx, HEIST_OK, type, &n) == HEIST_OK);
		return HEIST_CONTINUE;
	case CRASH:
		heist_panic(ctx, CODE);
	case STOP:
		return HEIST_STOP;
	case BLOCK:
		atomic_fetch_add(&blocked, 1);
		EXPECT(wait_for(&release, 1));
		return HEIST_CONTINUE;
	case ALLOC:
		EXPECT(heist_allocated(ctx) == 0);
		if (!heist_alloc(ctx, 1000))
			return HEIST_FAIL;
		atomic_fetch_add(&arenas, 1);
		break;
	case WATCH:
		EXPECT(heist_monitor(ctx, (heist_ref){ o->who }) == HEIST_OK);
		break;
	case TIE:
		EXPECT(heist_link(ctx, (heist_ref){ o->who }) == HEIST_OK);
		break;
	}
	atomic_fetch_add(&worked[c->id], 1);
	return HEIST_CONTINUE;
}

static const heist_hooks child_hooks = {
	.arg_size = 8, .init = child_init, .stop = child_stop, .signal = child_signal
};
static const heist_class child_class = { "child", HEIST_ABI, sizeof(struct child), child_recv,
					 &child_hooks };

/* ---- what the tests share ---- */

static uint64_t ids[IDS];
static heist_child specs[IDS];

static void prepare(int n, heist_restart restart)
{
	reset();
	for (int i = 0; i < n; i++) {
		ids[i] = (uint64_t)i;
		specs[i] = heist_child_default();
		specs[i].cls = &child_class;
		specs[i].arg = &ids[i];
		specs[i].restart = restart;
	}
}

static heist_ref supervise(heist_system *s, heist_strategy strategy, int n, uint32_t intensity,
			   heist_ref *children)
{
	heist_sup sup = heist_sup_default();
	heist_ref r;
	sup.strategy = strategy;
	sup.children = specs;
	sup.child_count = (uint32_t)n;
	sup.intensity = intensity;
	sup.period_ms = 600000;
	EXPECT(heist_supervise(s, &sup, &r, children) == HEIST_OK);
	return r;
}

static heist_status tell(heist_ref to, enum order order)
{
	struct order_message o = { order, 0 };
	return heist_send(to, &ORDER, &o);
}

static heist_status ask(heist_system *s, heist_ref to, uint64_t *n)
{
	struct order_message o = { GET, 0 };
	*n = 0;
	return heist_call(s, to, &ORDER, &o, heist_in_ms(s, 20000), n);
}

static void expect_gone(heist_system *s, uint64_t actors)
{
	heist_stats t = heist_stats_default();
	for (int i = 0; i < 20000; i++) {
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
		if (t.actors == actors)
			return;
		test_sleep_ms(1);
	}
	EXPECT(t.actors == actors);
}

/* ---- restart ---- */

TEST(supervisor, a_child_lives_on_after_a_crash)
{
	for (uint32_t workers = 1; workers <= 2; workers++) {
		heist_system *s = test_start(workers);
		heist_ref r;
		uint64_t n;
		prepare(1, HEIST_PERMANENT);
		supervise(s, HEIST_ONE_FOR_ONE, 1, 1000, &r);
		for (int i = 1; i <= 100; i++) {
			for (int k = 0; k < i % 7; k++)
				EXPECT(tell(r, WORK) == HEIST_OK);
			EXPECT(tell(r, CRASH) == HEIST_OK);
			EXPECT(tell(r, WORK) == HEIST_OK); /* waits for the next incarnation */
			EXPECT(ask(s, r, &n) == HEIST_OK && n == 1);
			EXPECT(inits[0] == i + 1 && stops[0] == i && last_why[0] == CODE);
		}
		EXPECT(test_balanced(s));
		EXPECT(heist_lost_count(s, HEIST_LOST_FAILED) == 100);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		EXPECT(stops[0] == 101 && alive[0] == 0);
	}
}

TEST(supervisor, restart_types)
{
	for (int restart = HEIST_PERMANENT; restart <= HEIST_TEMPORARY; restart++)
		for (int crash = 0; crash < 2; crash++) {
			heist_system *s = test_start(1);
			heist_ref r;
			uint64_t n;
			prepare(1, (heist_restart)restart);
			supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
			bool again =
				restart == HEIST_PERMANENT || (restart == HEIST_TRANSIENT && crash);
			EXPECT(tell(r, crash ? CRASH : STOP) == HEIST_OK);
			if (again) {
				EXPECT(ask(s, r, &n) == HEIST_OK && inits[0] == 2);
				EXPECT(heist_kill(r, CODE) == HEIST_OK); /* for good */
			}
			expect_gone(s, 1);
			EXPECT(tell(r, WORK) == HEIST_EDEAD);
			EXPECT(inits[0] == 1 + again && stops[0] == 1 + again);
			EXPECT(test_balanced(s));
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		}
}

TEST(supervisor, strategies)
{
	enum { N = 5 };
	for (int strategy = HEIST_ONE_FOR_ONE; strategy <= HEIST_REST_FOR_ONE; strategy++)
		for (int failing = 0; failing < N; failing++) {
			heist_system *s = test_start(2);
			heist_ref r[N];
			uint64_t n;
			prepare(N, HEIST_TRANSIENT);
			specs[N - 1].restart = HEIST_TEMPORARY;
			supervise(s, (heist_strategy)strategy, N, 10, r);
			for (int i = 0; i < N; i++)
				EXPECT(tell(r[i], WORK) == HEIST_OK &&
				       ask(s, r[i], &n) == HEIST_OK);
			long before = events;
			EXPECT(tell(r[failing], CRASH) == HEIST_OK);
			int restarted = 0, ended = 0;
			for (int i = 0; i < N; i++) {
				bool hit = i == failing;
				if (failing <
				    N - 1) /* the end of a temporary one concerns nobody */
					hit |= strategy == HEIST_ONE_FOR_ALL ||
					       (strategy == HEIST_REST_FOR_ONE && i > failing);
				if (hit && i == N - 1) { /* temporary */
					ended = 1;
					expect_gone(s, N);
					EXPECT(tell(r[i], WORK) == HEIST_EDEAD);
					EXPECT(wait_for(&stops[i], 1) && inits[i] == 1);
				} else if (hit) {
					restarted++;
					EXPECT(wait_for(&inits[i], 2) && stops[i] == 1);
					EXPECT(ask(s, r[i], &n) == HEIST_OK && n == 0);
				} else {
					EXPECT(ask(s, r[i], &n) == HEIST_OK && n == 1);
				}
			}
			EXPECT(events - before == 2 * restarted + ended);
			/* the one that failed, then the others from the last to the first, then up */
			EXPECT(log_of[before] == -failing - 1);
			int down = (int)before + 1, up = (int)before + restarted + ended;
			for (int i = N; strategy != HEIST_ONE_FOR_ONE && i-- > 0;)
				if (i != failing && stops[i] == 1)
					EXPECT(log_of[down++] == -i - 1);
			for (int i = 0; strategy != HEIST_ONE_FOR_ONE && i < N; i++)
				if (inits[i] == 2)
					EXPECT(log_of[up++] == i + 1);
			EXPECT(test_balanced(s));
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		}
}

static void expect_reverse(int n)
{
	int last = n + 1;
	for (long i = events - n; i < events; i++) {
		EXPECT(log_of[i] == -(last - 1));
		last--;
	}
}

TEST(supervisor, stops_its_children_from_the_last_to_the_first)
{
	enum { N = 10 };
	for (int way = 0; way < 3; way++) {
		heist_system *s = test_start(2);
		heist_ref r[N];
		prepare(N, HEIST_PERMANENT);
		heist_ref sup = supervise(s, HEIST_REST_FOR_ONE, N, 10, r);
		for (int i = 0; i < N; i++)
			EXPECT(wait_for(&inits[i], 1));
		for (int i = 0; i < 100; i++)
			EXPECT(tell(r[i % N], WORK) == HEIST_OK);
		if (way < 2) {
			EXPECT((way ? heist_kill : heist_stop)(sup, HEIST_OK) == HEIST_OK);
			expect_gone(s, 0);
			expect_reverse(N);
			for (int i = 0; i < N; i++)
				EXPECT(worked[i] == 10); /* drained */
		}
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		expect_reverse(N);
	}
}

/* ---- too many restarts, reasons, decisions ---- */

static heist_ref watcher_of(heist_system *s, heist_ref who)
{
	static const uint64_t id = IDS - 1;
	heist_ref w;
	uint64_t n;
	EXPECT(heist_spawn(s, &child_class, NULL, &id, &w) == HEIST_OK);
	struct order_message o = { WATCH, who.v };
	EXPECT(heist_send(w, &ORDER, &o) == HEIST_OK && ask(s, w, &n) == HEIST_OK);
	return w;
}

TEST(supervisor, intensity)
{
	heist_system *s = test_start(1);
	heist_ref r[3];
	prepare(3, HEIST_PERMANENT);
	heist_ref sup = supervise(s, HEIST_ONE_FOR_ONE, 3, 5, r);
	watcher_of(s, sup);
	for (int i = 0; i < 5; i++) {
		EXPECT(tell(r[1], CRASH) == HEIST_OK);
		EXPECT(wait_for(&inits[1], i + 2));
	}
	EXPECT(told == 0);
	EXPECT(tell(r[1], CRASH) == HEIST_OK);
	EXPECT(wait_for(&told, 1));
	EXPECT(last_how == HEIST_EXIT_CRASHED && last_status == CODE);
	expect_gone(s, 1);
	EXPECT(inits[1] == 6 && stops[0] == 1 && stops[2] == 1);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(supervisor, monitors_survive_a_restart)
{
	heist_system *s = test_start(1);
	heist_ref r;
	prepare(1, HEIST_TRANSIENT);
	supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
	heist_ref w = watcher_of(s, r);
	for (int i = 0; i < 3; i++) {
		EXPECT(tell(r, CRASH) == HEIST_OK);
		EXPECT(wait_for(&inits[0], i + 2));
	}
	EXPECT(test_balanced(s) && told == 0);
	/* but those that the incarnation made go with it */
	struct order_message o = { WATCH, w.v };
	uint64_t n;
	EXPECT(heist_send(r, &ORDER, &o) == HEIST_OK && tell(r, CRASH) == HEIST_OK);
	EXPECT(wait_for(&inits[0], 5));
	EXPECT(tell(r, STOP) == HEIST_OK);
	EXPECT(wait_for(&told, 1) && last_how == HEIST_EXIT_NORMAL && last_status == HEIST_OK);
	EXPECT(ask(s, w, &n) == HEIST_OK && told == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(told == 1);
}

static heist_decision by_status(void *user, heist_exit how, heist_status status)
{
	EXPECT(how == HEIST_EXIT_CRASHED && status == CODE);
	return (heist_decision) * (int *)user;
}

TEST(supervisor, decides_by_reason)
{
	for (int d = HEIST_DECIDE_DEFAULT; d <= HEIST_DECIDE_ESCALATE; d++) {
		heist_system *s = test_start(1);
		heist_ref r[2];
		prepare(2, HEIST_TEMPORARY);
		specs[0].decide = by_status;
		specs[0].user = &d;
		supervise(s, HEIST_ONE_FOR_ONE, 2, 10, r);
		watcher_of(s, r[0]);
		EXPECT(tell(r[0], CRASH) == HEIST_OK);
		if (d == HEIST_DECIDE_RESTART) {
			EXPECT(wait_for(&inits[0], 2) && told == 0);
		} else {
			EXPECT(wait_for(&told, 1));
			EXPECT(last_how == HEIST_EXIT_CRASHED && last_status == CODE);
			expect_gone(s, d == HEIST_DECIDE_ESCALATE ? 1 : 3);
			EXPECT(inits[0] == 1);
		}
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(supervisor, a_failed_init_is_a_failure)
{
	heist_system *s = test_start(1);
	heist_ref r[2];
	uint64_t n;
	prepare(2, HEIST_PERMANENT);
	bad_inits[1] = 4;
	heist_ref sup = supervise(s, HEIST_ONE_FOR_ONE, 2, 4, r);
	EXPECT(tell(r[1], WORK) == HEIST_OK);
	EXPECT(ask(s, r[1], &n) == HEIST_OK && n == 1 && inits[1] == 5 && stops[1] == 4);
	EXPECT(last_why[1] == HEIST_EINIT);
	watcher_of(s, sup);
	bad_inits[1] = 1000; /* for ever */
	EXPECT(tell(r[1], CRASH) == HEIST_OK);
	EXPECT(wait_for(&told, 1) && last_how == HEIST_EXIT_CRASHED);
	expect_gone(s, 1);
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- back-off ---- */

TEST(supervisor, backs_off_and_can_be_stopped_meanwhile)
{
	for (int way = 0; way < 5; way++) {
		heist_system *s = test_start(2);
		heist_ref r;
		prepare(1, HEIST_PERMANENT);
		specs[0].backoff_min_ms = way == 0 ? 20 : 600000;
		specs[0].backoff_max_ms = 600000;
		specs[0].jitter_percent = 20;
		heist_ref sup = supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
		heist_time begin = heist_now(s);
		EXPECT(tell(r, CRASH) == HEIST_OK);
		EXPECT(wait_for(&stops[0], 1));
		EXPECT(tell(r, WORK) == HEIST_OK);
		if (way == 0) {
			EXPECT(wait_for(&inits[0], 2) && wait_for(&worked[0], 1));
			EXPECT(heist_now(s) - begin >= 16000000); /* 20 ms less a fifth */
		} else if (way == 1) {
			EXPECT(heist_kill(r, CODE) == HEIST_OK);
			expect_gone(s, 1);
		} else if (way == 2) {
			EXPECT(heist_stop(r, CODE) == HEIST_OK);
			expect_gone(s, 1);
		} else if (way == 3) {
			EXPECT(heist_stop(sup, HEIST_OK) == HEIST_OK);
			expect_gone(s, 0);
		}
		if (way >= 1 && way <= 3)
			EXPECT(test_balanced(s) && heist_lost_count(s, HEIST_LOST_STOPPED) == 1);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK); /* way 4: as it rests */
		EXPECT(alive[0] == 0 && inits[0] == stops[0]);
	}
}

/* ---- mailboxes ---- */

static bool keep_even(void *user, const heist_type *type, const void *msg)
{
	EXPECT(user == &specs && type == &ORDER);
	return ((const struct order_message *)msg)->who % 2 == 0;
}

TEST(supervisor, what_was_queued)
{
	for (int leftover = HEIST_KEEP; leftover <= HEIST_FILTER; leftover++) {
		heist_system *s = test_start(2);
		heist_ref r;
		uint64_t n;
		prepare(1, HEIST_PERMANENT);
		specs[0].leftover = (heist_leftover)leftover;
		specs[0].keep = keep_even;
		specs[0].user = &specs;
		supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
		EXPECT(tell(r, BLOCK) == HEIST_OK);
		EXPECT(wait_for(&blocked, 1));
		EXPECT(tell(r, CRASH) == HEIST_OK);
		for (uint64_t i = 0; i < 100; i++) {
			struct order_message o = { WORK, i };
			EXPECT(heist_send(r, &ORDER, &o) == HEIST_OK);
		}
		release = 1;
		EXPECT(wait_for(&inits[0], 2));
		EXPECT(ask(s, r, &n) == HEIST_OK);
		static const uint64_t kept[] = { 100, 0, 50 };
		EXPECT(n == kept[leftover]);
		EXPECT(test_balanced(s));
		EXPECT(heist_lost_count(s, HEIST_LOST_RESTART) == 100 - kept[leftover]);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(supervisor, poison_is_tried_again_if_asked)
{
	for (uint32_t retries = 0; retries < 4; retries++) {
		heist_system *s = test_start(1);
		heist_ref r;
		uint64_t n;
		prepare(1, HEIST_PERMANENT);
		specs[0].poison_retries = retries;
		supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
		EXPECT(tell(r, CRASH) == HEIST_OK && tell(r, WORK) == HEIST_OK);
		EXPECT(ask(s, r, &n) == HEIST_OK && n == 1);
		EXPECT(inits[0] == 2 + (long)retries);
		EXPECT(test_balanced(s) && heist_lost_count(s, HEIST_LOST_FAILED) == 1);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(supervisor, a_request_that_fails_is_answered)
{
	heist_system *s = test_start(1);
	heist_ref r;
	uint64_t n;
	struct order_message o = { CRASH, 0 };
	prepare(1, HEIST_PERMANENT);
	specs[0].backoff_min_ms = 600000; /* before the restart */
	supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
	EXPECT(heist_call(s, r, &ORDER, &o, heist_in_ms(s, 20000), &n) == HEIST_ECRASH);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(supervisor, an_arena_goes_with_the_incarnation)
{
	heist_system *s = test_start(1);
	heist_ref r;
	heist_stats t = heist_stats_default();
	uint64_t n;
	prepare(1, HEIST_PERMANENT);
	supervise(s, HEIST_ONE_FOR_ONE, 1, 1000, &r);
	for (int i = 0; i < 100; i++)
		EXPECT(tell(r, ALLOC) == HEIST_OK && tell(r, CRASH) == HEIST_OK);
	EXPECT(ask(s, r, &n) == HEIST_OK && arenas == 100);
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.arena_bytes == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- trees ---- */

TEST(supervisor, dynamic_children)
{
	heist_system *s = test_start(2);
	heist_ref r[10], more;
	uint64_t n;
	prepare(10, HEIST_TRANSIENT);
	heist_ref sup = supervise(s, HEIST_ONE_FOR_ONE, 0, 1000, NULL);
	for (int i = 0; i < 10; i++)
		EXPECT(heist_add_child(s, sup, &specs[i], &r[i]) == HEIST_OK);
	for (int i = 0; i < 10; i++)
		EXPECT(tell(r[i], i % 2 ? CRASH : STOP) == HEIST_OK);
	for (int i = 1; i < 10; i += 2)
		EXPECT(ask(s, r[i], &n) == HEIST_OK && n == 0 && inits[i] == 2);
	expect_gone(s, 6);
	for (int i = 1; i < 10; i += 2)
		EXPECT(heist_stop(r[i], HEIST_OK) == HEIST_OK);
	expect_gone(s, 1);
	EXPECT(heist_kill(sup, HEIST_OK) == HEIST_OK);
	expect_gone(s, 0);
	EXPECT(heist_add_child(s, sup, &specs[0], &more) == HEIST_EDEAD);
	/* what is no supervisor does not keep a child */
	heist_ref plain = test_spawn(s, &child_class, &ids[0]);
	EXPECT(heist_add_child(s, plain, &specs[1], &more) == HEIST_OK);
	expect_gone(s, 1);
	EXPECT(inits[1] == 2);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(supervisor, a_tree_escalates_and_keeps_its_handles)
{
	for (int strategy = HEIST_ONE_FOR_ONE; strategy <= HEIST_REST_FOR_ONE; strategy++) {
		heist_system *s = test_start(2);
		heist_ref root, branch, leaf[3];
		heist_sup sup = heist_sup_default();
		uint64_t n;
		prepare(3, HEIST_PERMANENT);
		sup.intensity = 2;
		sup.period_ms = 600000;
		EXPECT(heist_supervise(s, &sup, &root, NULL) == HEIST_OK);
		sup.parent = root;
		sup.strategy = (heist_strategy)strategy;
		sup.children = specs;
		sup.child_count = 3;
		EXPECT(heist_supervise(s, &sup, &branch, leaf) == HEIST_OK);
		watcher_of(s, root);
		/* each third crash is the branch's */
		for (int i = 1; i <= 8; i++) {
			EXPECT(tell(leaf[1], CRASH) == HEIST_OK);
			EXPECT(wait_for(&inits[1], i + 1));
			EXPECT(ask(s, leaf[1], &n) == HEIST_OK && n == 0);
			if (strategy == HEIST_ONE_FOR_ONE) {
				EXPECT(wait_for(&inits[0], 1 + i / 3));
				EXPECT(ask(s, leaf[0], &n) == HEIST_OK && inits[0] == 1 + i / 3);
			}
		}
		EXPECT(told == 0);
		EXPECT(tell(leaf[1], CRASH) == HEIST_OK); /* the root's third */
		EXPECT(wait_for(&told, 1));
		EXPECT(last_how == HEIST_EXIT_CRASHED && last_status == CODE);
		expect_gone(s, 1);
		EXPECT(test_balanced(s));
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		for (int i = 0; i < 3; i++)
			EXPECT(inits[i] == stops[i]);
	}
}

TEST(supervisor, links_tie_a_child_to_others)
{
	heist_system *s = test_start(1);
	heist_ref r[2];
	uint64_t n;
	prepare(2, HEIST_PERMANENT);
	supervise(s, HEIST_ONE_FOR_ONE, 2, 10, r);
	struct order_message o = { TIE, r[1].v };
	EXPECT(heist_send(r[0], &ORDER, &o) == HEIST_OK && ask(s, r[0], &n) == HEIST_OK);
	EXPECT(tell(r[0], CRASH) == HEIST_OK && ask(s, r[0], &n) == HEIST_OK);
	EXPECT(inits[0] == 2 && inits[1] == 1); /* a restart is no end */
	EXPECT(heist_kill(r[1], CODE) == HEIST_OK);
	EXPECT(wait_for(&inits[0], 3)); /* but this is, and that is a failure of the other */
	EXPECT(ask(s, r[0], &n) == HEIST_OK && last_why[0] == CODE && inits[0] == 3);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void count_closed(void *user, const heist_lost *lost)
{
	*(int *)user += lost->cause == HEIST_LOST_CLOSED;
}

/* The end of the one that it is linked to calls it as it is being ended: once is enough. */
TEST(supervisor, a_child_that_rests_is_ended_once)
{
	int closed = 0;
	heist_config cfg = heist_config_default();
	heist_system *s;
	heist_ref r[2];
	uint64_t n;
	cfg.workers = 1;
	cfg.user = &closed;
	cfg.dead_letter = count_closed;
	EXPECT(heist_start(&cfg, &s) == HEIST_OK);
	prepare(2, HEIST_PERMANENT);
	specs[0].backoff_min_ms = specs[0].backoff_max_ms = 600000;
	supervise(s, HEIST_ONE_FOR_ONE, 2, 10, r);
	struct order_message o = { TIE, r[1].v };
	EXPECT(heist_send(r[0], &ORDER, &o) == HEIST_OK && ask(s, r[0], &n) == HEIST_OK);
	EXPECT(tell(r[0], CRASH) == HEIST_OK && wait_for(&stops[0], 1));
	for (int i = 0; i < 3; i++)
		EXPECT(tell(r[0], WORK) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(closed == 3 && inits[0] == 1 && stops[0] == 1);
}

#ifdef NDEBUG
TEST(supervisor, wrong_arguments)
{
	heist_system *s = test_start(1);
	heist_sup sup = heist_sup_default();
	heist_ref r, child;
	prepare(1, HEIST_PERMANENT);
	sup.children = specs;
	sup.child_count = 1;
	EXPECT(heist_supervise(NULL, &sup, &r, &child) == HEIST_EINVAL);
	EXPECT(heist_supervise(s, &sup, NULL, &child) == HEIST_EINVAL);
	EXPECT(heist_supervise(s, &sup, &r, NULL) == HEIST_EINVAL);
	specs[0].leftover = HEIST_FILTER;
	EXPECT(heist_supervise(s, &sup, &r, &child) == HEIST_EINVAL);
	prepare(1, HEIST_PERMANENT);
	specs[0].jitter_percent = 101;
	EXPECT(heist_supervise(s, &sup, &r, &child) == HEIST_EINVAL);
	prepare(1, HEIST_PERMANENT);
	specs[0].arg = NULL;
	EXPECT(heist_supervise(s, &sup, &r, &child) == HEIST_EINVAL);
	prepare(1, HEIST_PERMANENT);
	sup.struct_size = 4;
	EXPECT(heist_supervise(s, &sup, &r, &child) == HEIST_EINVAL);
	sup = heist_sup_default();
	sup.parent = (heist_ref){ 1 };
	EXPECT(heist_supervise(s, &sup, &r, NULL) == HEIST_EINVAL);
	EXPECT(heist_add_child(s, (heist_ref){ 1 }, &specs[0], &r) == HEIST_EINVAL);
	for (int i = 0; i < 4; i++) {
		heist_child as = heist_child_default();
		sup = heist_sup_default();
		sup.as_child = &as;
		if (i == 0)
			as.jitter_percent = 101;
		else if (i == 1)
			as.restart = (heist_restart)77;
		else if (i == 2)
			as.struct_size = 0;
		EXPECT(heist_supervise(s, &sup, &r, NULL) == HEIST_OK); /* that is not read */
		sup.parent = r;
		EXPECT(heist_supervise(s, &sup, &r, NULL) == (i < 3 ? HEIST_EINVAL : HEIST_OK));
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
#endif

/* ---- no memory ---- */

static struct counted_memory memory;

static bool accepted(heist_status s)
{
	EXPECT(s == HEIST_OK || s == HEIST_ENOMEM || s == HEIST_EDEAD);
	return s == HEIST_OK;
}

TEST(supervisor, no_memory)
{
	for (long call = 1;; call++) {
		heist_config c = heist_config_default();
		heist_sup sup = heist_sup_default();
		heist_system *s = NULL;
		heist_ref r, branch, child[3], more;
		uint64_t n;
		counted_init(&memory);
		memory.fail_once = call;
		prepare(3, HEIST_PERMANENT);
		specs[1].backoff_min_ms = 1;
		c.workers = 1;
		c.alloc = memory.hook.alloc;
		c.dealloc = memory.hook.dealloc;
		c.user = memory.hook.user;
		if (heist_start(&c, &s) == HEIST_OK) {
			if (accepted(heist_supervise(s, &sup, &r, NULL))) {
				sup.parent = r;
				sup.children = specs;
				sup.child_count = 2;
				if (accepted(heist_supervise(s, &sup, &branch, child))) {
					for (int i = 0; i < 2; i++) {
						if (accepted(tell(child[i], CRASH)))
							EXPECT(wait_for(&inits[i], 2));
						heist_status st = ask(s, child[i], &n);
						if (st != HEIST_ENOREPLY)
							(void)accepted(st);
					}
				} else {
					expect_gone(s, 1);
					EXPECT(inits[0] + inits[1] == 0);
				}
				if (accepted(heist_add_child(s, r, &specs[2], &more)))
					(void)accepted(tell(more, ALLOC));
			}
			EXPECT(test_balanced(s));
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		}
		for (int i = 0; i < 3; i++)
			EXPECT(inits[i] == stops[i]);
		EXPECT(counted_balanced(&memory));
		if (memory.calls < call)
			return;
	}
}

/* ---- an alarm that outlives the incarnation whose requests it is about ---- */

static uint64_t alarm_now = 1000;
static int alarm_inits, alarm_timeouts;
static heist_ref silent;

static uint64_t alarm_clock(void *user, heist_clock which)
{
	(void)user, (void)which;
	return alarm_now;
}

static void on_timeout(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		       uint64_t user)
{
	(void)ctx, (void)state, (void)reply;
	EXPECT(status == HEIST_ETIMEOUT && user == 2); /* the first one's went with it */
	alarm_timeouts++;
}

static const heist_type QUESTION = {
	.base = &QUESTION, .name = "question", .size = 8, .reply_size = 8
};

static heist_next asker_init(heist_ctx *ctx, void *state, const void *arg)
{
	uint64_t n = 0;
	(void)state, (void)arg;
	alarm_inits++;
	return heist_ask(ctx, silent, &QUESTION, &n, alarm_now + 1000, on_timeout,
			 (uint64_t)alarm_inits) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	return *(uint64_t *)msg ? HEIST_FAIL : HEIST_CONTINUE;
}

static heist_next silent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	(void)heist_reply_later(ctx, type);
	return HEIST_CONTINUE;
}

static const heist_hooks asker_hooks = { .init = asker_init };
static const heist_class asker_class = { "asker", HEIST_ABI, 0, asker_recv, &asker_hooks };
static const heist_class silent_class = { "silent", HEIST_ABI, 0, silent_recv, NULL };

TEST(supervisor, an_alarm_of_the_incarnation_before_does_no_harm)
{
	heist_config c = heist_config_default();
	heist_child child = heist_child_default();
	heist_sup spec = heist_sup_default();
	heist_system *s;
	heist_ref sup, asker;
	uint64_t n = 0;
	c.mode = HEIST_POLLED;
	c.clock = alarm_clock;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &silent_class, NULL, NULL, &silent) == HEIST_OK);
	child.cls = &asker_class;
	spec.children = &child;
	spec.child_count = 1;
	EXPECT(heist_supervise(s, &spec, &sup, &asker) == HEIST_OK);
	while (heist_poll(s, 0, 1) > 0)
		;
	EXPECT(alarm_inits == 1);
	/* the clock is read after the first of these: the alarm queues behind the one that fails */
	for (int i = 0; i < 200; i++)
		EXPECT(heist_send(asker, &QUESTION, &n) == HEIST_OK);
	n = 1;
	EXPECT(heist_send(asker, &QUESTION, &n) == HEIST_OK);
	alarm_now += 1500;
	while (heist_poll(s, 0, 1) > 0)
		;
	EXPECT(alarm_inits == 2 && alarm_timeouts == 0);
	alarm_now += 1500;
	while (heist_poll(s, 0, 1) > 0)
		;
	EXPECT(alarm_inits == 2 && alarm_timeouts == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- under a test's clock ---- */

static heist_system *start_polled(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void tell_now(heist_system *s, heist_ref to, enum order order, heist_ref who)
{
	struct order_message o = { order, who.v };
	EXPECT(heist_send(to, &ORDER, &o) == HEIST_OK);
	test_run(s);
}

TEST(supervisor, the_back_off_grows_over_inits_that_fail)
{
	const uint64_t some = 100 * TEST_MS;
	heist_system *s = start_polled();
	heist_sup sup = heist_sup_default();
	heist_ref root, r;
	prepare(1, HEIST_PERMANENT);
	specs[0].backoff_min_ms = 1000;
	specs[0].backoff_max_ms = 8000;
	sup.children = specs;
	sup.child_count = 1;
	sup.intensity = 1000;
	sup.period_ms = 1000;
	EXPECT(heist_supervise(s, &sup, &root, &r) == HEIST_OK);
	for (int again = 0; again < 2; again++) { /* the quiet period begins anew */
		test_pass(s, 60 * TEST_S);
		EXPECT(inits[0] == 1 + 4 * again && alive[0] == 1);
		bad_inits[0] = 3;
		tell_now(s, r, CRASH, r);
		test_pass(s, some);
		for (int i = 0; i < 4; i++) {
			test_pass(s, (TEST_S << i) - 2 * some);
			EXPECT(inits[0] == 1 + 4 * again + i);
			test_pass(s, 2 * some);
			EXPECT(inits[0] == 2 + 4 * again + i);
		}
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static heist_ref outsider(heist_system *s, uint64_t id, enum order order, heist_ref who)
{
	heist_ref r = test_spawn(s, &child_class, &id);
	tell_now(s, r, order, who);
	EXPECT(worked[id] == 1);
	return r;
}

TEST(supervisor, a_stop_is_not_lost_over_links)
{
	for (int kill = 0; kill < 2; kill++) {
		heist_system *s = start_polled();
		heist_ref r, other[2];
		prepare(1, HEIST_PERMANENT);
		supervise(s, HEIST_ONE_FOR_ONE, 1, 10, &r);
		test_run(s);
		for (uint64_t i = 0; i < 2; i++)
			other[i] = outsider(s, 8 + i, TIE, r);
		EXPECT(heist_kill(other[0], CODE) == HEIST_OK);
		EXPECT(heist_kill(other[1], CODE) == HEIST_OK);
		EXPECT((kill ? heist_kill : heist_stop)(r, HEIST_OK) == HEIST_OK);
		test_run(s);
		expect_gone(s, 1);
		EXPECT(inits[0] == stops[0] && tell(r, WORK) == HEIST_EDEAD);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

/* A supervisor with one child, below one that treats it as `restart` says. */
static heist_ref branch_of(heist_system *s, heist_restart restart, heist_ref *branch,
			   heist_ref *leaf)
{
	heist_sup sup = heist_sup_default();
	heist_child as = heist_child_default();
	heist_ref root;
	prepare(1, HEIST_PERMANENT);
	EXPECT(heist_supervise(s, &sup, &root, NULL) == HEIST_OK);
	as.restart = restart;
	sup.parent = root;
	sup.as_child = &as;
	sup.children = specs;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, branch, leaf) == HEIST_OK);
	test_run(s);
	EXPECT(inits[0] == 1);
	return root;
}

TEST(supervisor, a_link_makes_a_branch_fail_that_is_started_again)
{
	heist_system *s = start_polled();
	heist_ref branch, leaf;
	heist_ref root = branch_of(s, HEIST_PERMANENT, &branch, &leaf);
	heist_ref first = outsider(s, 8, TIE, branch), second = outsider(s, 9, TIE, branch);
	tell_now(s, first, CRASH, first);
	EXPECT(inits[0] == 2 && stops[0] == 1);
	tell_now(s, leaf, WORK, leaf);
	EXPECT(worked[0] == 1);
	EXPECT(heist_kill(second, CODE) == HEIST_OK && heist_stop(branch, HEIST_OK) == HEIST_OK);
	test_run(s);
	expect_gone(s, 1); /* but not if it is stopped as well */
	EXPECT(tell(leaf, WORK) == HEIST_EDEAD && inits[0] == stops[0]);
	EXPECT(heist_stop(root, HEIST_OK) == HEIST_OK);
	test_run(s);
	expect_gone(s, 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(supervisor, a_branch_that_is_not_started_again_says_why)
{
	for (int link = 0; link < 2; link++) {
		heist_system *s = start_polled();
		heist_ref branch, leaf;
		branch_of(s, HEIST_TEMPORARY, &branch, &leaf);
		outsider(s, 8, WATCH, branch);
		outsider(s, 9, TIE, branch);
		heist_ref tied = outsider(s, 10, TIE, branch);
		for (int i = 0; i < 4 && !link; i++) /* more than it bears */
			tell_now(s, leaf, CRASH, leaf);
		if (link)
			tell_now(s, tied, CRASH, tied);
		EXPECT(told == 1 && last_status == CODE);
		EXPECT(last_how == (link ? HEIST_EXIT_LINKED : HEIST_EXIT_CRASHED));
		EXPECT(last_why[9] == CODE && last_why[10] == CODE);
		expect_gone(s, 2); /* the root, the watcher */
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(supervisor, a_temporary_child_is_restarted_if_that_is_decided)
{
	for (int strategy = HEIST_ONE_FOR_ONE; strategy <= HEIST_REST_FOR_ONE; strategy++) {
		int d = HEIST_DECIDE_RESTART;
		heist_system *s = start_polled();
		heist_ref r[2];
		prepare(2, HEIST_TEMPORARY);
		specs[0].decide = by_status;
		specs[0].user = &d;
		supervise(s, (heist_strategy)strategy, 2, 10, r);
		tell_now(s, r[0], CRASH, r[0]);
		EXPECT(inits[0] == 2 && alive[0] == 1);
		EXPECT(inits[1] == 1 && alive[1] == (strategy == HEIST_ONE_FOR_ONE));
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(supervisor, a_link_of_one_that_rests_is_gone)
{
	for (int owner = 0; owner < 2; owner++) {
		heist_system *s = start_polled();
		heist_ref r[2];
		prepare(2, HEIST_PERMANENT);
		specs[0].backoff_min_ms = 1000;
		supervise(s, HEIST_ONE_FOR_ONE, 2, 10, r);
		test_run(s);
		tell_now(s, r[!owner], TIE, r[owner]);
		tell_now(s, r[0], CRASH, r[0]);
		EXPECT(heist_kill(r[1], CODE) == HEIST_OK);
		test_pass(s, 10 * TEST_S);
		EXPECT(inits[0] == 2 && alive[0] == 1 && alive[1] == 0);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}
