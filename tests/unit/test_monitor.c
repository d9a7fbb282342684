/* SPDX-License-Identifier: BSD-2-Clause
 * Monitors and links: every reason, told once, at once or not at all; backlogs; no memory. */

#include "tests/support/memory.h"
#include "tests/support/runtime.h"

enum op {
	NOTHING,
	MONITOR,
	DEMONITOR,
	LINK,
	UNLINK,
	SPAWN,
	SPAWN_BAD,
	STOP,
	CRASH,
	FAIL_,
	WAIT,
	SYNC
};

struct order {
	uint64_t op;
	heist_ref who;
};
static const heist_type ORDER = {
	.base = &ORDER, .name = "order", .size = sizeof(struct order), .reply_size = 8
};

#define CODE ((heist_status)(HEIST_EUSER - 5))

static _Atomic long told, tied, ended, worked, worked_when_told, waiting, release;
static _Atomic int last_how, last_status, last_end;
static _Atomic uint64_t last_who, spawned;
static _Atomic int answer;	   /* of the last call of an order */
static _Atomic int on_signal_next; /* heist_next */

static void reset(void)
{
	told = tied = ended = worked = worked_when_told = waiting = release = 0;
	last_how = last_status = last_end = answer = -1;
	last_who = spawned = 0;
	on_signal_next = HEIST_CONTINUE;
}

static heist_next agent_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)state;
	last_how = sig->how;
	last_status = sig->status;
	last_who = sig->who.v;
	worked_when_told = worked;
	atomic_fetch_add(sig->kind == HEIST_SIG_DOWN ? &told : &tied, 1);
	if (on_signal_next == HEIST_AGAIN)
		heist_panic(ctx, CODE);
	return (heist_next)on_signal_next;
}

static const heist_class agent_class, bad_class;

static heist_next agent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct order *o = msg;
	heist_ref r = { 0 };
	int a = HEIST_OK;
	(void)state;
	switch ((enum op)o->op) {
	case NOTHING:
		break;
	case MONITOR:
		a = heist_monitor(ctx, o->who);
		break;
	case DEMONITOR:
		a = heist_demonitor(ctx, o->who);
		break;
	case LINK:
		a = heist_link(ctx, o->who);
		break;
	case UNLINK:
		a = heist_unlink(ctx, o->who);
		break;
	case SPAWN:
	case SPAWN_BAD:
		a = heist_spawn_monitor(ctx, o->op == SPAWN ? &agent_class : &bad_class, NULL, NULL,
					&r);
		spawned = r.v;
		break;
	case STOP:
		return HEIST_STOP;
	case CRASH:
		heist_panic(ctx, CODE);
	case FAIL_:
		return HEIST_FAIL;
	case WAIT:
		atomic_fetch_add(&waiting, 1);
		EXPECT(wait_for(&release, 1));
		break;
	case SYNC:
		EXPECT(heist_reply(ctx, HEIST_OK, type, &(uint64_t){ 0 }) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	answer = a;
	atomic_fetch_add(&worked, 1);
	return HEIST_CONTINUE;
}

static void agent_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state;
	last_end = why;
	atomic_fetch_add(&ended, 1);
}

static heist_next bad_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	return HEIST_FAIL;
}

static const heist_hooks agent_hooks = { .stop = agent_stop, .signal = agent_signal };
static const heist_hooks trap_hooks = { .flags = HEIST_TRAP_LINKS,
					.stop = agent_stop,
					.signal = agent_signal };
static const heist_hooks bad_hooks = { .init = bad_init };
static const heist_class agent_class = { "agent", HEIST_ABI, 0, agent_recv, &agent_hooks };
static const heist_class trap_class = { "trap", HEIST_ABI, 100, agent_recv, &trap_hooks };
static const heist_class bad_class = { "bad", HEIST_ABI, 0, agent_recv, &bad_hooks };
static const heist_class plain_class = { "plain", HEIST_ABI, 0, agent_recv, NULL };

static heist_status tell(heist_ref to, enum op op, heist_ref who)
{
	struct order o = { op, who };
	return heist_send(to, &ORDER, &o);
}

/* Everything told to `to` before has been handled. */
static void sync_with(heist_system *s, heist_ref to)
{
	struct order o = { SYNC, { 0 } };
	uint64_t reply;
	EXPECT(heist_call(s, to, &ORDER, &o, 0, &reply) == HEIST_OK);
}

static heist_status order(heist_system *s, heist_ref to, enum op op, heist_ref who)
{
	EXPECT(tell(to, op, who) == HEIST_OK);
	sync_with(s, to);
	return (heist_status)answer;
}

static const heist_ref NOBODY;

/* ---- reasons ---- */

static void expect_told(heist_ref who, heist_exit how, heist_status status)
{
	EXPECT(wait_for(&told, 1));
	EXPECT(last_who == who.v && last_how == (int)how && last_status == (int)status);
}

TEST(monitor, tells_every_reason)
{
	static const struct {
		enum op op;
		heist_exit how;
		heist_status status;
	} ways[] = {
		{ STOP, HEIST_EXIT_NORMAL, HEIST_OK },
		{ CRASH, HEIST_EXIT_CRASHED, CODE },
		{ FAIL_, HEIST_EXIT_CRASHED, HEIST_ECRASH },
		{ NOTHING, HEIST_EXIT_STOPPED, (heist_status)(HEIST_EUSER - 1) },
		{ MONITOR, HEIST_EXIT_KILLED, (heist_status)(HEIST_EUSER - 2) },
	};
	static const heist_class *const classes[] = { &agent_class, &trap_class, &plain_class };
	for (uint32_t workers = 1; workers <= 2; workers++)
		for (int i = 0; i < 15; i++) {
			int k = i % 5;
			heist_system *s = test_start(workers);
			reset();
			heist_ref watcher = test_spawn(s, &agent_class, NULL);
			heist_ref target = test_spawn(s, classes[i / 5], NULL);
			EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
			EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
			if (ways[k].op == NOTHING)
				EXPECT(heist_stop(target, ways[k].status) == HEIST_OK);
			else if (ways[k].op == MONITOR)
				EXPECT(heist_kill(target, ways[k].status) == HEIST_OK);
			else
				EXPECT(tell(target, ways[k].op, NOBODY) == HEIST_OK);
			expect_told(target, ways[k].how, ways[k].status);
			EXPECT(test_balanced(s));
			EXPECT(told == 1);
			/* and now that it is dead */
			EXPECT(order(s, watcher, DEMONITOR, target) == HEIST_EDEAD);
			EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
			EXPECT(wait_for(&told, 2));
			EXPECT(last_how == HEIST_EXIT_GONE && last_status == HEIST_EDEAD);
			EXPECT(order(s, watcher, MONITOR, NOBODY) == HEIST_OK);
			EXPECT(wait_for(&told, 3) && last_who == 0);
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
			EXPECT(told == 3);
		}
}

TEST(monitor, from_the_start)
{
	heist_system *s = test_start(2);
	heist_ref watcher = test_spawn(s, &agent_class, NULL);
	for (int i = 0; i < 500; i++) {
		reset();
		EXPECT(order(s, watcher, SPAWN_BAD, NOBODY) == HEIST_OK);
		expect_told((heist_ref){ spawned }, HEIST_EXIT_INIT, HEIST_EINIT);
		EXPECT(order(s, watcher, SPAWN, NOBODY) == HEIST_OK);
		heist_ref r = { spawned };
		told = 0;
		EXPECT(heist_kill(r, CODE) == HEIST_OK);
		expect_told(r, HEIST_EXIT_KILLED, CODE);
		EXPECT(told == 1);
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(monitor, what_the_hook_answers)
{
	static const heist_next answers[] = { HEIST_STOP, HEIST_FAIL, HEIST_AGAIN };
	static const int ends[] = { HEIST_OK, HEIST_ECRASH, CODE };
	for (int i = 0; i < 3; i++) {
		heist_system *s = test_start(1);
		reset();
		heist_ref watcher = test_spawn(s, &agent_class, NULL);
		heist_ref target = test_spawn(s, &plain_class, NULL);
		EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
		on_signal_next = answers[i];
		EXPECT(heist_kill(target, CODE) == HEIST_OK);
		EXPECT(wait_for(&ended, 1));
		EXPECT(last_end == ends[i] && told == 1);
		EXPECT(test_balanced(s));
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(monitor, ends_with_demonitor)
{
	heist_system *s = test_start(1);
	reset();
	heist_ref watcher = test_spawn(s, &agent_class, NULL);
	heist_ref target = test_spawn(s, &plain_class, NULL);
	for (int i = 0; i < 100; i++) {
		EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
		EXPECT(order(s, watcher, DEMONITOR, target) == HEIST_OK);
		EXPECT(order(s, watcher, DEMONITOR, target) == HEIST_EDEAD);
	}
	EXPECT(heist_kill(target, CODE) == HEIST_OK);
	EXPECT(test_balanced(s));
	sync_with(s, watcher);
	EXPECT(told == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(told == 0);
}

#ifdef NDEBUG
TEST(monitor, wrong_arguments)
{
	heist_system *s = test_start(1), *other = test_start(1);
	reset();
	heist_ref plain = test_spawn(s, &plain_class, NULL),
		  agent = test_spawn(s, &agent_class, NULL);
	heist_ref far = test_spawn(other, &agent_class, NULL);
	EXPECT(order(s, plain, MONITOR, agent) == HEIST_EINVAL);
	EXPECT(order(s, plain, SPAWN, NOBODY) == HEIST_EINVAL);
	EXPECT(order(s, agent, MONITOR, agent) == HEIST_EINVAL);
	EXPECT(order(s, agent, LINK, agent) == HEIST_EINVAL);
	EXPECT(order(s, agent, MONITOR, far) == HEIST_EINVAL);
	EXPECT(order(s, agent, LINK, far) == HEIST_EINVAL);
	EXPECT(heist_monitor(NULL, agent) == HEIST_EINVAL);
	EXPECT(heist_demonitor(NULL, agent) == HEIST_EINVAL);
	EXPECT(heist_link(NULL, agent) == HEIST_EINVAL);
	EXPECT(heist_unlink(NULL, agent) == HEIST_EINVAL);
	EXPECT(heist_shutdown(other, 0) == HEIST_OK && heist_shutdown(s, 0) == HEIST_OK);
}
#endif

/* ---- no backlog delays a signal ---- */

TEST(monitor, overtakes_a_backlog)
{
	heist_system *s = test_start(2);
	reset();
	heist_ref watcher = test_spawn(s, &agent_class, NULL);
	heist_ref target = test_spawn(s, &plain_class, NULL);
	EXPECT(order(s, watcher, MONITOR, target) == HEIST_OK);
	worked = 0;
	EXPECT(tell(watcher, WAIT, NOBODY) == HEIST_OK);
	EXPECT(wait_for(&waiting, 1));
	for (int i = 0; i < 100000; i++)
		EXPECT(tell(watcher, NOTHING, NOBODY) == HEIST_OK);
	EXPECT(heist_kill(target, CODE) == HEIST_OK);
	heist_stats t = heist_stats_default();
	do
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	while (t.actors > 1);
	test_sleep_ms(1); /* from its end to the signal */
	release = 1;
	EXPECT(wait_for(&told, 1));
	EXPECT(worked_when_told < 1000);
	EXPECT(test_balanced(s));
	EXPECT(worked == 100001);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- links ---- */

TEST(link, ends_a_chain)
{
	enum { N = 1000 };
	static heist_ref r[N];
	heist_system *s = test_start(2);
	reset();
	for (int i = 0; i < N; i++) {
		r[i] = test_spawn(s, i % 3 ? &agent_class : &plain_class, NULL);
		if (i > 0)
			EXPECT(tell(r[i % 2 ? i : i - 1], LINK, r[i % 2 ? i - 1 : i]) == HEIST_OK);
	}
	EXPECT(test_balanced(s));
	EXPECT(tell(r[N / 3], CRASH, NOBODY) == HEIST_OK);
	EXPECT(wait_for(&ended, N - (N + 2) / 3));
	EXPECT(test_balanced(s));
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.actors == 0);
	EXPECT(last_end == CODE && told == 0 && tied == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(link, does_not_spread_a_good_end)
{
	for (int reversed = 0; reversed < 2; reversed++) {
		heist_system *s = test_start(1);
		reset();
		heist_ref a = test_spawn(s, &agent_class, NULL),
			  b = test_spawn(s, &agent_class, NULL);
		EXPECT(order(s, a, LINK, b) == HEIST_OK);
		EXPECT(tell(reversed ? a : b, STOP, NOBODY) == HEIST_OK);
		EXPECT(wait_for(&ended, 1));
		EXPECT(test_balanced(s));
		sync_with(s, reversed ? b : a);
		EXPECT(ended == 1);
		/* but that of a dead one is none */
		EXPECT(tell(reversed ? b : a, LINK, reversed ? a : b) == HEIST_OK);
		EXPECT(wait_for(&ended, 2));
		EXPECT(last_end == HEIST_EDEAD);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(link, can_be_trapped)
{
	for (int way = 0; way < 4; way++) {
		heist_system *s = test_start(1);
		reset();
		heist_ref trap = test_spawn(s, &trap_class, NULL),
			  b = test_spawn(s, &plain_class, NULL);
		if (way != 1)
			EXPECT(order(s, trap, LINK, b) == HEIST_OK);
		if (way != 0)
			EXPECT(order(s, b, LINK, trap) == HEIST_OK); /* ways 2, 3: both */
		if (way == 3)
			EXPECT(order(s, trap, MONITOR, b) == HEIST_OK);
		EXPECT(tell(b, CRASH, NOBODY) == HEIST_OK);
		EXPECT(wait_for(&tied, 1));
		EXPECT(test_balanced(s));
		sync_with(s, trap);
		EXPECT(tied == 1 && told == (way == 3) && ended == 0);
		EXPECT(last_who == b.v && last_how == HEIST_EXIT_CRASHED && last_status == CODE);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

TEST(link, ends_with_unlink_at_either_end)
{
	for (int way = 0; way < 8; way++) {
		heist_system *s = test_start(1);
		reset();
		heist_ref a = test_spawn(s, &agent_class, NULL),
			  b = test_spawn(s, &agent_class, NULL);
		EXPECT(order(s, a, LINK, b) == HEIST_OK);
		if (way & 4)
			EXPECT(order(s, b, LINK, a) == HEIST_OK);
		sync_with(s, b);
		EXPECT(order(s, way & 1 ? a : b, UNLINK, way & 1 ? b : a) == HEIST_OK);
		EXPECT(order(s, way & 1 ? a : b, UNLINK, way & 1 ? b : a) == HEIST_EDEAD);
		EXPECT(tell(way & 2 ? a : b, CRASH, NOBODY) == HEIST_OK);
		EXPECT(wait_for(&ended, 1));
		EXPECT(test_balanced(s));
		sync_with(s, way & 2 ? b : a);
		EXPECT(ended == 1);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

/* ---- no memory ---- */

static struct counted_memory memory;

/* One that watches 40 others, most of which end; returns how many requests were refused. */
static heist_next nest_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	long refused = 0, watched = 0;
	(void)state, (void)msg;
	for (int i = 0; i < 40; i++) {
		heist_ref r = NOBODY;
		heist_status st;
		if (i % 2 &&
		    heist_spawn(heist_system_of(ctx), &agent_class, NULL, NULL, &r) != HEIST_OK)
			refused++;
		st = i % 2 ? heist_monitor(ctx, r)
			   : heist_spawn_monitor(ctx, &agent_class, NULL, NULL, &r);
		EXPECT(st == HEIST_OK || st == HEIST_ENOMEM);
		refused += st != HEIST_OK;
		watched += st == HEIST_OK && (i % 2 == 0 || r.v != 0);
		if (r.v && i % 4)
			EXPECT(heist_kill(r, CODE) == HEIST_OK);
		if (r.v && i % 4 == 1 && heist_link(ctx, r) == HEIST_OK)
			EXPECT(heist_unlink(ctx, r) == HEIST_OK);
	}
	uint64_t reply = (uint64_t)refused << 32 | (uint64_t)watched;
	if (heist_reply(ctx, HEIST_OK, type, &reply) != HEIST_OK)
		return HEIST_CONTINUE;
	return HEIST_CONTINUE;
}
static const heist_class nest_class = { "nest", HEIST_ABI, 8, nest_recv, &trap_hooks };

TEST(monitor, no_memory)
{
	long refused = 0;
	for (long call = 1;; call++) {
		heist_config c = heist_config_default();
		struct order o = { 0 };
		heist_system *s = NULL;
		heist_ref nest;
		uint64_t reply = 0;
		counted_init(&memory);
		memory.fail_once = call;
		reset();
		c.workers = 1;
		c.alloc = memory.hook.alloc;
		c.dealloc = memory.hook.dealloc;
		c.user = memory.hook.user;
		if (heist_start(&c, &s) == HEIST_OK) {
			if (heist_spawn(s, &nest_class, NULL, NULL, &nest) == HEIST_OK) {
				heist_status st = heist_call(s, nest, &ORDER, &o, 0, &reply);
				EXPECT(st == HEIST_OK || st == HEIST_ENOMEM ||
				       st == HEIST_ENOREPLY);
			}
			EXPECT(test_balanced(s));
			refused += (long)(reply >> 32);
			EXPECT(heist_shutdown(s, 0) == HEIST_OK);
		}
		EXPECT(counted_balanced(&memory));
		if (memory.calls < call) {
			EXPECT(told == 30 && refused > 0);
			return;
		}
	}
}
