/* SPDX-License-Identifier: BSD-2-Clause
 * Children of actors that are no supervisors: they end before their parent, the youngest first, however it
 * ends, and before it is restarted. */
#include <string.h>

#include "tests/support/clock.h"

static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };
static const heist_type NOTE = { .base = &NOTE, .name = "note", .size = 8, .reply_size = 1 };

enum { SPAWN, END, FAIL, PANIC, IGNORE, WAIT };
#ifdef UNIT_PLAIN /* a sanitizer, under which a link takes ten times as long */
#define MOST 20000
#else
#define MOST 200000
#endif

static char order[32]; /* names of those that have ended, in turn */
static _Atomic long begun, ended, notes, told, told_how, wrong_order;
static heist_ref last;	    /* the actor that was spawned last */
static uint64_t next_spawn; /* the name of the next child */
static int in_init;	    /* children that the init hook spawns */
static bool fail_init;
static heist_status in_stop;

struct member {
	uint64_t name;
};

static heist_status spawn(heist_ctx *ctx, uint64_t name);
static void wait_for_ever(heist_ctx *ctx);

static heist_next member_init(heist_ctx *ctx, void *state, const void *arg)
{
	((struct member *)state)->name = *(const uint64_t *)arg;
	begun++;
	if (((struct member *)state)->name != 'p')
		return HEIST_CONTINUE;
	for (int i = 0; i < in_init; i++)
		EXPECT(spawn(ctx, (uint64_t)('a' + i)) == HEIST_OK);
	return fail_init ? HEIST_FAIL : HEIST_CONTINUE;
}

static void member_stop(heist_ctx *ctx, void *state, heist_status why)
{
	size_t n = strlen(order);
	heist_ref r;
	uint64_t name = 'z';
	(void)why;
	ended++;
	if (n < sizeof order - 1)
		order[n] = (char)((struct member *)state)->name;
	extern const heist_class member_class;
	in_stop = heist_spawn_child(ctx, &member_class, NULL, &name, &r);
}

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	if (type == &NOTE) {
		notes++;
		return HEIST_CONTINUE;
	}
	switch (*(uint64_t *)msg) {
	case SPAWN:
		EXPECT(spawn(ctx, next_spawn++) == HEIST_OK);
		return HEIST_CONTINUE;
	case END:
		return HEIST_STOP;
	case FAIL:
		return HEIST_FAIL;
	case PANIC:
		heist_panic(ctx, HEIST_EUSER);
	case WAIT:
		wait_for_ever(ctx);
	}
	return HEIST_CONTINUE;
}

static heist_next member_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	EXPECT(sig->kind == HEIST_SIG_CHILD);
	told++;
	told_how = sig->how;
	return HEIST_CONTINUE;
}

static const heist_hooks hooks = {
	.arg_size = 8, .init = member_init, .stop = member_stop, .signal = member_signal
};
extern const heist_class member_class;
const heist_class member_class = { "member", HEIST_ABI, sizeof(struct member), member_recv,
				   &hooks };

static heist_status spawn(heist_ctx *ctx, uint64_t name)
{
	return heist_spawn_child(ctx, &member_class, NULL, &name, &last);
}

/* ---- a polled runtime ---- */

static heist_system *sys;
static heist_ref parent;

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	memset(order, 0, sizeof order);
	begun = ended = notes = told = wrong_order = 0;
	next_spawn = 'a';
	in_init = 0;
	fail_init = false;
	in_stop = HEIST_OK;
	return sys;
}

static void run(void)
{
	while (heist_poll(sys, 0, 1000) > 0)
		;
}

static void begin(int children)
{
	uint64_t name = 'p';
	start();
	EXPECT(heist_spawn(sys, &member_class, NULL, &name, &parent) == HEIST_OK);
	for (int i = 0; i < children; i++)
		EXPECT(test_tell(parent, &GO, SPAWN) == HEIST_OK);
	run();
	EXPECT(begun == children + 1 && ended == 0);
}

static void end(const char *expected)
{
	run();
	EXPECT(strcmp(order, expected) == 0);
	EXPECT(test_tell(parent, &GO, IGNORE) == HEIST_EDEAD);
	EXPECT(test_balanced(sys));
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
	EXPECT(begun == ended);
}

TEST(family, the_youngest_ends_first_and_the_parent_last)
{
	begin(3);
	EXPECT(heist_stop(parent, HEIST_OK) == HEIST_OK);
	end("cbap");
	EXPECT(in_stop == HEIST_EDEAD); /* in a stop hook there are no children any more */
}

TEST(family, what_children_were_sent_is_handled_when_the_parent_stops)
{
	begin(1);
	for (int i = 0; i < 1000; i++)
		EXPECT(test_tell(last, &NOTE, 0) == HEIST_OK);
	EXPECT(test_tell(parent, &GO, END) == HEIST_OK);
	end("ap");
	EXPECT(notes == 1000);
}

TEST(family, a_parent_that_fails_kills_its_children)
{
	for (uint64_t how = FAIL; how <= PANIC; how++) {
		begin(2);
		EXPECT(test_tell(parent, &GO, how) == HEIST_OK);
		for (int i = 0; i < 1000; i++)
			EXPECT(test_tell(last, &NOTE, 0) == HEIST_OK);
		EXPECT(test_tell(parent, &NOTE, 0) == HEIST_OK); /* after its end */
		end("bap");
		EXPECT(notes < 1000);
	}
}

TEST(family, a_killed_parent_kills_and_grandchildren_go_before_children)
{
	begin(2);
	EXPECT(test_tell(last, &GO, SPAWN) == HEIST_OK);
	EXPECT(test_tell(last, &GO, SPAWN) == HEIST_OK);
	run();
	EXPECT(heist_kill(parent, HEIST_EUSER) == HEIST_OK);
	end("dcbap");
}

TEST(family, a_kill_overtakes_a_stop)
{
	begin(1);
	for (int i = 0; i < 100000; i++)
		EXPECT(test_tell(last, &NOTE, 0) == HEIST_OK);
	EXPECT(heist_stop(parent, HEIST_OK) == HEIST_OK);
	while (notes < 1000)
		EXPECT(heist_poll(sys, 0, 1) == 1);
	EXPECT(heist_kill(parent, HEIST_EUSER) == HEIST_OK);
	end("ap");
	EXPECT(notes < 100000);
}

TEST(family, the_parent_is_told_and_lives_on)
{
	begin(3);
	EXPECT(test_tell(last, &GO, FAIL) == HEIST_OK);
	run();
	EXPECT(told == 1 && told_how == HEIST_EXIT_CRASHED && strcmp(order, "c") == 0);
	EXPECT(heist_stop(parent, HEIST_OK) == HEIST_OK);
	end("cbap");
	EXPECT(told == 1); /* it was not running any more */
}

TEST(family, an_init_that_fails_takes_its_children_with_it)
{
	uint64_t name = 'p';
	start();
	in_init = 2;
	fail_init = true;
	EXPECT(heist_spawn(sys, &member_class, NULL, &name, &parent) == HEIST_OK);
	end("bap");
}

TEST(family, a_restart_begins_with_new_children)
{
	uint64_t name = 'p';
	heist_child spec = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref s;
	start();
	in_init = 2;
	spec.cls = &member_class;
	spec.arg = &name;
	sup.children = &spec;
	sup.child_count = 1;
	EXPECT(heist_supervise(sys, &sup, &s, &parent) == HEIST_OK);
	run();
	EXPECT(begun == 3);
	EXPECT(test_tell(parent, &GO, FAIL) == HEIST_OK);
	EXPECT(test_tell(parent, &NOTE, 0) == HEIST_OK); /* the next one's */
	run();
	EXPECT(strcmp(order, "bap") == 0 && begun == 6 && notes == 1);
	EXPECT(heist_stop(s, HEIST_OK) == HEIST_OK);
	end("bapbap");
}

TEST(family, a_restart_that_waits_for_children_can_be_stopped)
{
	uint64_t name = 'p';
	heist_child spec = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref s;
	start();
	in_init = 1;
	spec.cls = &member_class;
	spec.arg = &name;
	sup.children = &spec;
	sup.child_count = 1;
	EXPECT(heist_supervise(sys, &sup, &s, &parent) == HEIST_OK);
	run();
	for (int i = 0; i < 100000; i++)
		EXPECT(test_tell(last, &NOTE, 0) == HEIST_OK);
	EXPECT(test_tell(parent, &GO, END) == HEIST_OK); /* a permanent one: restart */
	while (notes < 1000)
		EXPECT(heist_poll(sys, 0, 1) == 1);
	EXPECT(heist_kill(parent, HEIST_EUSER) == HEIST_OK);
	end("ap");
	EXPECT(notes < 100000);
}

/* Waits for what does not come: it does not stop. */
static heist_next silent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	(void)heist_reply_later(ctx, type);
	return HEIST_CONTINUE;
}

static const heist_class silent_class = { "silent", HEIST_ABI, 0, silent_recv, NULL };
static heist_ref silent;

static void no_reply(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	EXPECT(false);
}

static void wait_for_ever(heist_ctx *ctx)
{
	uint64_t n = 0;
	EXPECT(heist_ask(ctx, silent, &GO, &n, 0, no_reply, 0) == HEIST_OK);
	EXPECT(heist_hold(ctx) == HEIST_OK);
}

/* Two of one for all; the first has a child that does not stop. */
static heist_ref begin_all(heist_ref *other)
{
	uint64_t name[] = { 'p', 'q' };
	heist_child spec[2];
	heist_sup sup = heist_sup_default();
	heist_ref s, child[2];
	start();
	in_init = 1;
	EXPECT(heist_spawn(sys, &silent_class, NULL, NULL, &silent) == HEIST_OK);
	for (int i = 0; i < 2; i++) {
		spec[i] = heist_child_default();
		spec[i].cls = &member_class;
		spec[i].arg = &name[i];
	}
	sup.strategy = HEIST_ONE_FOR_ALL;
	sup.children = spec;
	sup.child_count = 2;
	EXPECT(heist_supervise(sys, &sup, &s, child) == HEIST_OK);
	run();
	parent = child[0];
	*other = child[1];
	EXPECT(begun == 3 && test_tell(last, &GO, WAIT) == HEIST_OK);
	run();
	return s;
}

TEST(family, a_restart_with_others_kills_children)
{
	heist_ref other, s = begin_all(&other);
	EXPECT(test_tell(other, &GO, FAIL) == HEIST_OK);
	run();
	EXPECT(strcmp(order, "qap") == 0 && begun == 6);
	EXPECT(heist_stop(s, HEIST_OK) == HEIST_OK);
	end("qapqap");
}

TEST(family, a_supervisor_ends_one_that_was_to_rest_with_others)
{
	for (int kill = 0; kill < 2; kill++) {
		heist_ref other, s = begin_all(&other);
		EXPECT(test_tell(parent, &GO, END) == HEIST_OK); /* it waits for its child */
		run();
		EXPECT(test_tell(other, &GO, FAIL) == HEIST_OK);
		run();
		EXPECT(strcmp(order, "q") == 0);
		EXPECT((kill ? heist_kill : heist_stop)(s, HEIST_OK) == HEIST_OK);
		test_pass(sys, 4 * TEST_S);
		EXPECT(strcmp(order, "q") == 0);
		test_pass(sys, 2 * TEST_S);
		end("qap");
	}
}

/* ---- shutdown ---- */

TEST(family, shutdown_ends_children_before_parents)
{
	begin(3);
	EXPECT(test_tell(last, &GO, SPAWN) == HEIST_OK);
	run();
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
	EXPECT(strcmp(order, "dcbap") == 0 && begun == ended);
}

TEST(family, shutdown_meets_a_parent_that_waits)
{
	begin(2);
	for (int i = 0; i < 100000; i++)
		EXPECT(test_tell(last, &NOTE, 0) == HEIST_OK);
	EXPECT(heist_stop(parent, HEIST_OK) == HEIST_OK);
	while (notes < 1000)
		EXPECT(heist_poll(sys, 0, 1) == 1);
	EXPECT(heist_shutdown(sys, 1) == HEIST_OK); /* no time to drain */
	EXPECT(strcmp(order, "bap") == 0 && begun == ended && notes < 100000);
}

/* A chain: each is the only child of the one before. */
static _Atomic uint64_t depth_ended = MOST;

static heist_next chain_init(heist_ctx *ctx, void *state, const void *arg)
{
	extern const heist_class chain_class;
	uint64_t depth = *(uint64_t *)state = *(const uint64_t *)arg + 1;
	heist_ref r;
	begun++;
	if (depth < MOST)
		EXPECT(heist_spawn_child(ctx, &chain_class, NULL, &depth, &r) == HEIST_OK);
	return HEIST_CONTINUE;
}

static void chain_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)why;
	wrong_order += *(uint64_t *)state != depth_ended--;
	ended++;
}

static heist_next chain_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_STOP;
}

static const heist_hooks chain_hooks = { .arg_size = 8, .init = chain_init, .stop = chain_stop };
extern const heist_class chain_class;
const heist_class chain_class = { "chain", HEIST_ABI, 8, chain_recv, &chain_hooks };

static void chain(bool shutdown)
{
	uint64_t n = 0;
	heist_ref r;
	begun = ended = wrong_order = 0;
	depth_ended = MOST;
	sys = test_start(2);
	EXPECT(heist_spawn(sys, &chain_class, NULL, &n, &r) == HEIST_OK);
	while (begun < MOST)
		test_sleep_ms(1);
	if (!shutdown) {
		EXPECT(test_tell(r, &GO, 0) == HEIST_OK);
		while (ended < MOST)
			test_sleep_ms(1);
	}
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
	EXPECT(ended == MOST && wrong_order == 0);
}

TEST(family, a_long_chain_ends_from_its_end)
{
	chain(false);
}

TEST(family, shutdown_of_a_long_chain_needs_no_stack)
{
	chain(true);
}
