/* SPDX-License-Identifier: BSD-2-Clause
 * Fairness in activations, never in time: whoever keeps a worker busy, what waits runs within the
 * numbers of sched/policy.h.  A polled runtime is one worker on this thread, so every count is exact. */
#include <pthread.h>

#include "sched/policy.h"
#include "tests/support/runtime.h"

#define MOST_PROBES 12
#define PATIENCE    20000 /* activations, after which a probe that has not run never will */

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

struct probe_msg {
	uint64_t since; /* activations when it was sent */
	uint64_t most;	/* until it has run */
};
static const heist_type PROBE = {
	.base = &PROBE, .name = "probe", .size = sizeof(struct probe_msg), .reply_size = 1
};

static heist_system *sys;
static int probed;
static uint64_t longest; /* wait of a probe */

/* ---- activations so far, the present one included ---- */

static uint64_t activations(void)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(sys, &t) == HEIST_OK);
	return t.activations;
}

static void wait_is_over(uint64_t since, uint64_t most)
{
	uint64_t waited = activations() - since;
	EXPECT(waited <= most);
	if (waited > longest)
		longest = waited;
	probed++;
}

static struct probe_msg probe_msg(uint64_t most)
{
	return (struct probe_msg){ activations(), most };
}

/* ---- those who wait ---- */

static heist_next probe_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct probe_msg *m = msg;
	(void)ctx, (void)state;
	if (type == &PROBE)
		wait_is_over(m->since, m->most);
	return HEIST_CONTINUE;
}
static const heist_class probe = { "probe", HEIST_ABI, 0, probe_recv, NULL };

static heist_next born_init(heist_ctx *ctx, void *state, const void *arg)
{
	const struct probe_msg *m = arg;
	(void)ctx, (void)state;
	wait_is_over(m->since, m->most);
	return HEIST_CONTINUE;
}
static const heist_hooks born_hooks = { .arg_size = sizeof(struct probe_msg), .init = born_init };
static const heist_class born = { "born", HEIST_ABI, 0, probe_recv, &born_hooks };

/* ---- those who keep the worker busy ---- */

/* Always has messages. */
static heist_next hog_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	EXPECT(heist_send(heist_self(ctx), type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class hog = { "hog", HEIST_ABI, 0, hog_recv, NULL };

/* The same without a message that leaves the mailbox. */
static heist_next stubborn_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_AGAIN;
}
static const heist_class stubborn = { "stubborn", HEIST_ABI, 0, stubborn_recv, NULL };

static heist_next once_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}
static const heist_class once = { "once", HEIST_ABI, 0, once_recv, NULL };

/* Two of these keep each other in the LIFO slot. */
static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref *peer = state, me = heist_self(ctx);
	if (peer->v == 0) {
		peer->v = *(uint64_t *)msg;
		if (peer->v < me.v) /* the second begins */
			heist_send(*peer, type, &me.v);
		return HEIST_CONTINUE;
	}
	heist_send(*peer, type, msg);
	return HEIST_CONTINUE;
}
static const heist_class player = { "player", HEIST_ABI, sizeof(heist_ref), player_recv, NULL };

/* One generation after the other, all from the young end of the deque of spawns. */
static heist_next breeder_init(heist_ctx *ctx, void *state, const void *arg);
static const heist_hooks breeder_hooks = { .init = breeder_init };
static const heist_class breeder = { "breeder", HEIST_ABI, 0, probe_recv, &breeder_hooks };

static heist_next breeder_init(heist_ctx *ctx, void *state, const void *arg)
{
	heist_ref child;
	(void)state, (void)arg;
	EXPECT(heist_spawn(heist_system_of(ctx), &breeder, NULL, NULL, &child) == HEIST_OK);
	return HEIST_STOP;
}

static void many(const heist_class *cls, int n, uint32_t worker)
{
	heist_opts o = heist_opts_default();
	o.worker = worker;
	for (int i = 0; i < n; i++) {
		heist_ref r;
		EXPECT(heist_spawn(sys, cls, &o, NULL, &r) == HEIST_OK);
		EXPECT(test_tell(r, &WORK, 1) == HEIST_OK);
	}
}

static void a_hog(void)
{
	many(&hog, 1, 0);
}
static void a_stubborn_one(void)
{
	many(&stubborn, 1, 0);
}
static void eight_hogs(void)
{
	many(&hog, 8, 0);
}
static void a_bound_hog(void)
{
	many(&hog, 1, 1);
}
static void a_breeder(void)
{
	heist_ref r;
	EXPECT(heist_spawn(sys, &breeder, NULL, NULL, &r) == HEIST_OK);
}
static void a_pair(void)
{
	heist_ref a = test_spawn(sys, &player, NULL), b = test_spawn(sys, &player, NULL);
	EXPECT(test_tell(a, &WORK, b.v) == HEIST_OK && test_tell(b, &WORK, a.v) == HEIST_OK);
}

/* A flood from outside: between any few activations the inbox fills again. */
static heist_ref flooded[MOST_PROBES];
static bool flooding;

static void a_flood(void)
{
	for (int i = 0; i < MOST_PROBES; i++)
		flooded[i] = test_spawn(sys, &probe, NULL);
	flooding = true;
}

static const struct {
	void (*begin)(void);
	uint64_t queued; /* in the FIFO at once, at most */
} busy[] = {
	{ a_hog, 1 },
	{ a_stubborn_one, 1 },
	{ eight_hogs, 8 },
	{ a_bound_hog, 0 },
	{ a_breeder, 0 },
	{ a_pair, 2 },
	{ a_flood, 2 * MOST_PROBES },
};
#define BUSY ((int)(sizeof busy / sizeof busy[0]))

/* ---- a round: somebody is busy, somebody waits ---- */

static void run(int turns)
{
	while (turns > 0) {
		for (int i = 0; flooding && i < MOST_PROBES; i++)
			EXPECT(test_tell(flooded[i], &WORK, 1) == HEIST_OK);
		int n = heist_poll(sys, 0, 7);
		EXPECT(n >= 0);
		turns -= n ? n : 1;
	}
}

static void begin(int who)
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.batch = 4;
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	probed = 0;
	longest = 0;
	flooding = false;
	busy[who].begin();
	run(100); /* under way */
}

static void end(int expected)
{
	for (int turns = 0; probed < expected && turns < PATIENCE; turns += 100)
		run(100);
	EXPECT(probed == expected);
	EXPECT(heist_shutdown(sys, heist_in_ms(sys, 1)) == HEIST_OK);
}

/* ---- where it waits ---- */

/* Sends to n probes and one more: all n end in the FIFO, one behind the other. */
struct launch {
	uint64_t n, ahead;
	heist_ref to[MOST_PROBES + 1];
};
static const heist_type LAUNCH = {
	.base = &LAUNCH, .name = "launch", .size = sizeof(struct launch), .reply_size = 1
};

static heist_next launcher_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct launch *l = msg;
	(void)ctx, (void)state, (void)type;
	for (uint64_t k = 0; k < l->n; k++) {
		struct probe_msg m = probe_msg(SCHED_FIFO_PICKS(l->ahead + k));
		EXPECT(heist_send(l->to[k], &PROBE, &m) == HEIST_OK);
	}
	EXPECT(test_tell(l->to[l->n], &WORK, 1) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class launcher = { "launcher", HEIST_ABI, 0, launcher_recv, NULL };

TEST(fairness, what_waits_in_the_fifo_runs_at_its_turn)
{
	for (int who = 0; who < BUSY; who++) {
		begin(who);
		struct launch l = { MOST_PROBES, busy[who].queued + 1, { { 0 } } };
		for (int i = 0; i <= MOST_PROBES; i++)
			l.to[i] = test_spawn(sys, &probe, NULL);
		heist_ref r = test_spawn(sys, &launcher, NULL);
		run(2000); /* all have begun, and wait for messages */
		EXPECT(heist_send(r, &LAUNCH, &l) == HEIST_OK);
		end(MOST_PROBES);
	}
}

TEST(fairness, what_comes_from_outside_runs_within_a_round_of_the_queues)
{
	for (int who = 0; who < BUSY; who++) {
		begin(who);
		heist_ref r = test_spawn(sys, &probe, NULL);
		run(2000);
		for (int i = 1; i <= 10; i++) {
			uint64_t behind = flooding ? MOST_PROBES : 0;
			struct probe_msg m = probe_msg(SCHED_FAIR_PICKS +
						       SCHED_FIFO_PICKS(busy[who].queued + behind));
			EXPECT(heist_send(r, &PROBE, &m) == HEIST_OK);
			for (int turns = 0; probed < i && turns < PATIENCE; turns += 7)
				run(7);
		}
		end(10);
	}
}

TEST(fairness, what_is_bound_runs_within_a_round_of_the_queues)
{
	heist_opts o = heist_opts_default();
	o.worker = 1;
	for (int who = 0; who < BUSY; who++) {
		heist_ref r;
		begin(who);
		EXPECT(heist_spawn(sys, &probe, &o, NULL, &r) == HEIST_OK);
		run(2000);
		/* a bound hog queues in the same inbox */
		struct probe_msg m = probe_msg(2 * SCHED_FAIR_PICKS);
		EXPECT(heist_send(r, &PROBE, &m) == HEIST_OK);
		end(1);
	}
}

/* Spawns one that waits, then as many as keep the young end busy. */
static heist_next parent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref r;
	(void)state, (void)type, (void)msg;
	struct probe_msg m = probe_msg(2 * SCHED_FAIR_PICKS); /* a breeder's child is older */
	EXPECT(heist_spawn(heist_system_of(ctx), &born, NULL, &m, &r) == HEIST_OK);
	EXPECT(heist_spawn(heist_system_of(ctx), &breeder, NULL, NULL, &r) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class parent = { "parent", HEIST_ABI, 0, parent_recv, NULL };

TEST(fairness, the_oldest_spawn_runs_within_a_round_of_the_queues)
{
	for (int who = 0; who < BUSY; who++) {
		begin(who);
		heist_ref r = test_spawn(sys, &parent, NULL);
		EXPECT(test_tell(r, &WORK, 1) == HEIST_OK);
		end(1);
	}
}

TEST(fairness, the_background_runs_within_a_round_of_the_queues)
{
	heist_opts o = heist_opts_default();
	o.priority = HEIST_BACKGROUND;
	for (int who = 0; who < BUSY; who++) {
		heist_ref r[MOST_PROBES];
		begin(who);
		for (int i = 0; i < MOST_PROBES; i++)
			EXPECT(heist_spawn(sys, &probe, &o, NULL, &r[i]) == HEIST_OK);
		run(2000 + MOST_PROBES * SCHED_FAIR_PICKS); /* all have begun */
		for (uint64_t i = 0; i < MOST_PROBES; i++) {
			struct probe_msg m = probe_msg((i + 1) * SCHED_FAIR_PICKS);
			EXPECT(heist_send(r[i], &PROBE, &m) == HEIST_OK);
		}
		end(MOST_PROBES);
	}
}

/* Who has come after how many of the others? */
static heist_next late_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_stats t = heist_stats_default();
	(void)state, (void)type;
	EXPECT(heist_get_stats(heist_system_of(ctx), &t) == HEIST_OK);
	EXPECT(t.handled >= *(uint64_t *)msg);
	probed++;
	return probed < 3 ? HEIST_AGAIN : HEIST_CONTINUE;
}
static const heist_class late = { "late", HEIST_ABI, 0, late_recv, NULL };

TEST(fairness, the_background_waits_for_everybody_else)
{
	heist_opts o = heist_opts_default();
	heist_config c = heist_config_default();
	heist_ref r, others[100];
	o.priority = HEIST_BACKGROUND;
	c.mode = HEIST_POLLED;
	probed = 0;
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	EXPECT(heist_spawn(sys, &late, &o, NULL, &r) == HEIST_OK);
	EXPECT(test_tell(r, &WORK, 100) == HEIST_OK);
	for (int i = 0; i < 100; i++) {
		others[i] = test_spawn(sys, &once, NULL);
		EXPECT(test_tell(others[i], &WORK, 1) == HEIST_OK);
	}
	while (probed < 3)
		EXPECT(heist_poll(sys, 0, 10) > 0);
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
}

/* ---- a worker thread, a real flood ---- */

static _Atomic bool flood_on;

static void *flood(void *arg)
{
	while (atomic_load(&flood_on))
		test_tell(*(heist_ref *)arg, &WORK, 1);
	return NULL;
}

static _Atomic long rounds;
static heist_ref others[3]; /* probe, bystander, prober */

static heist_next prober_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct probe_msg m = probe_msg(SCHED_FIFO_PICKS(6)); /* all there are */
	(void)ctx, (void)state, (void)type, (void)msg;
	EXPECT(heist_send(others[0], &PROBE, &m) == HEIST_OK);
	EXPECT(test_tell(others[1], &WORK, 1) == HEIST_OK); /* the probe goes to the FIFO */
	return HEIST_CONTINUE;
}
static const heist_class prober = { "prober", HEIST_ABI, 0, prober_recv, NULL };

static heist_next counted_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)probe_recv(ctx, state, type, msg);
	if (atomic_fetch_add(&rounds, 1) < 200)
		EXPECT(test_tell(others[2], &WORK, 1) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class counted = { "counted", HEIST_ABI, 0, counted_recv, NULL };

TEST(fairness, a_flood_from_a_thread_holds_nobody_up)
{
	sys = test_start(1);
	heist_ref victim = test_spawn(sys, &probe, NULL);
	pthread_t t;
	others[0] = test_spawn(sys, &counted, NULL);
	others[1] = test_spawn(sys, &probe, NULL);
	others[2] = test_spawn(sys, &prober, NULL);
	a_pair(); /* in the slot */
	atomic_store(&flood_on, true);
	EXPECT(pthread_create(&t, NULL, flood, &victim) == 0);
	EXPECT(test_tell(others[2], &WORK, 1) == HEIST_OK);
	EXPECT(wait_for(&rounds, 200));
	atomic_store(&flood_on, false);
	pthread_join(t, NULL);
	EXPECT(heist_shutdown(sys, heist_in_ms(sys, 2000)) == HEIST_OK);
}
