/* SPDX-License-Identifier: BSD-2-Clause
 * Messages that go before others or wait: stash, urgent ones, hold; and the stack of behaviours.  What an
 * actor handles is written down as text. */
#include <stdio.h>
#include <string.h>

#include "tests/support/clock.h"

enum order {
	NOTE,	 /* write down                             */
	STASH,	 /* once, then write down                  */
	UNSTASH, /* write down u, unstash                  */
	CRASH,
	PANIC,	   /* stash, then fail                       */
	URGE,	   /* send oneself three urgent notes        */
	ASK,	   /* ask the server, hold                   */
	ASK_AGAIN, /* the same, again from the continuation  */
	BLUE,	   /* push a behaviour that writes upper case */
	BACK,
	LATE, /* AGAIN once */
	ARM,  /* a timer that writes down t; and one that writes down p every 2 ms */
	CANCEL_WHEN_ANSWERED, /* the same, ask, hold */
	STOP
};

struct order_msg {
	int what;
	char name[4];
};

static void dropped(void *payload);
static const heist_drops drops = { dropped, NULL };
static const heist_type ORDER = {
	.base = &ORDER, .name = "order", .size = sizeof(struct order_msg), .reply_size = 8
};
static const heist_type LARGE = {
	.base = &LARGE, .name = "large", .size = 200, .reply_size = 1, .drops = &drops
};
static const heist_type QUESTION = {
	.base = &QUESTION, .name = "question", .size = 8, .reply_size = 8
};

static char text[512];
static int lives, drop_count, capacity, answers;
static heist_ref server;
static heist_token owed;
static bool seen_late, cancels;
static heist_timer once, periodic;

static void dropped(void *payload)
{
	(void)payload;
	drop_count++;
}

static void note(const char *name)
{
	strcat(text, name);
}

/* ---- the actor ---- */

struct scribe {
	bool stashing;
};

static heist_next blue(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct order_msg *m = msg;
	(void)state, (void)type;
	if (m->what == BACK)
		EXPECT(heist_pop_behaviour(ctx) == HEIST_OK);
	char upper[2] = { (char)(m->name[0] - 'a' + 'A'), 0 };
	note(upper);
	return HEIST_CONTINUE;
}

static void answered(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	(void)state;
	EXPECT((status == HEIST_OK) == (reply != NULL));
	answers++;
	note(status == HEIST_OK ? "!" : "?");
	if (cancels) {
		EXPECT(heist_cancel(ctx, once) == HEIST_OK);
		EXPECT(heist_cancel(ctx, periodic) == HEIST_OK);
	}
	if (user == 0)
		return;
	uint64_t q = 0;
	EXPECT(heist_ask(ctx, server, &QUESTION, &q, 0, answered, user - 1) == HEIST_OK);
	EXPECT(heist_hold(ctx) == HEIST_OK);
}

static void ask(heist_ctx *ctx, uint64_t again, heist_time deadline)
{
	uint64_t q = 0;
	EXPECT(heist_hold(ctx) == HEIST_EDEAD); /* nothing is awaited */
	EXPECT(heist_ask(ctx, server, &QUESTION, &q, deadline, answered, again) == HEIST_OK);
	EXPECT(heist_hold(ctx) == HEIST_OK);
}

static void arm(heist_ctx *ctx)
{
	struct order_msg t = { NOTE, "t" }, p = { NOTE, "p" };
	EXPECT(heist_send_after(ctx, heist_self(ctx), &ORDER, &t, TEST_MS, &once) == HEIST_OK);
	EXPECT(heist_send_every(ctx, heist_self(ctx), &ORDER, &p, 2 * TEST_MS, 2 * TEST_MS,
				HEIST_FIXED_RATE, &periodic) == HEIST_OK);
}

static void send(heist_ref to, int what, const char *name)
{
	struct order_msg m = { what, "" };
	strcpy(m.name, name);
	EXPECT(heist_send(to, &ORDER, &m) == HEIST_OK);
}

static void urge(heist_ref to, int what, const char *name)
{
	struct order_msg m = { what, "" };
	strcpy(m.name, name);
	EXPECT(heist_send_urgent(to, &ORDER, &m) == HEIST_OK);
}

static heist_next scribe_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct scribe *s = state;
	struct order_msg *m = msg;
	if (type == &LARGE) {
		if (s->stashing)
			EXPECT(heist_stash(ctx, msg) == HEIST_OK);
		else
			note(((char *)msg)[150] == 'L' ? "L" : "x");
		return HEIST_CONTINUE;
	}
	switch ((enum order)m->what) {
	case STASH:
		if (s->stashing) {
			heist_status r = heist_stash(ctx, msg);
			EXPECT(r == HEIST_OK ||
			       (r == HEIST_EFULL && (int)heist_stashed(ctx) == capacity));
			EXPECT(r != HEIST_OK || heist_take(ctx, msg) == NULL);
			return HEIST_CONTINUE;
		}
		break;
	case UNSTASH:
		s->stashing = false;
		capacity = (int)heist_stashed(ctx);
		EXPECT((int)heist_unstash(ctx) == capacity && heist_stashed(ctx) == 0);
		break;
	case PANIC:
		EXPECT(heist_stash(ctx, msg) == HEIST_OK);
		m->what =
			NOTE; /* not of the copy: it will fail again, unless there is another life */
		heist_panic(ctx, HEIST_ECRASH);
	case CRASH:
		return HEIST_FAIL;
	case URGE:
		for (int i = 0; i < 3; i++)
			urge(heist_self(ctx), NOTE, &"1\0002\0003"[2 * i]);
		break;
	case ASK:
		ask(ctx, 0, 0);
		break;
	case ASK_AGAIN:
		ask(ctx, 1, 0);
		break;
	case CANCEL_WHEN_ANSWERED:
		cancels = true;
		arm(ctx);
		ask(ctx, 0, 0);
		break;
	case ARM:
		arm(ctx);
		ask(ctx, 0, 0);
		break;
	case BLUE:
		for (int i = 0; i < 15; i++)
			EXPECT(heist_push_behaviour(ctx, scribe_recv) == HEIST_OK);
		EXPECT(heist_push_behaviour(ctx, blue) == HEIST_OK);
		EXPECT(heist_push_behaviour(ctx, blue) == HEIST_EFULL);
		break;
	case LATE:
		seen_late = !seen_late;
		if (seen_late)
			return HEIST_AGAIN;
		break;
	case NOTE:
	case BACK:
	case STOP:
		break;
	}
	note(m->name);
	if (m->what == NOTE && heist_sender(ctx).v) {
		int64_t n = 7;
		EXPECT(heist_reply(ctx, HEIST_OK, type, &n) == HEIST_OK);
	}
	return m->what == STOP ? HEIST_STOP : HEIST_CONTINUE;
}

static heist_next scribe_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct scribe *s = state;
	(void)ctx, (void)arg;
	s->stashing = ++lives == 1;
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = scribe_init };
static const heist_class scribe = { "scribe", HEIST_ABI, sizeof(struct scribe), scribe_recv,
				    &hooks };

/* Owes its answer until it is told to go on. */
static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	int64_t n = 1;
	if (type == &QUESTION)
		owed = heist_reply_later(ctx, type);
	else
		EXPECT(((struct order_msg *)msg)->what != NOTE ||
		       heist_reply_to(owed, HEIST_OK, &QUESTION, &n) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class serving = { "server", HEIST_ABI, 0, server_recv, NULL };

/* ---- the scene ---- */

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	c.log_level = HEIST_LOG_OFF;
	text[0] = 0;
	lives = drop_count = answers = 0;
	capacity = -1;
	seen_late = false;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	server = test_spawn(s, &serving, NULL);
	return s;
}

static heist_ref supervised(heist_system *s, heist_leftover leftover, uint32_t retries)
{
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref boss, a;
	child.cls = &scribe;
	child.leftover = leftover;
	child.poison_retries = retries;
	sup.children = &child;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &boss, &a) == HEIST_OK);
	test_run(s);
	return a;
}

static void finish(heist_system *s, const char *expected)
{
	test_run(s);
	if (strcmp(text, expected) != 0)
		fprintf(stderr, "handled: %s, expected: %s\n", text, expected);
	EXPECT(strcmp(text, expected) == 0 && test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(lanes, what_is_stashed_comes_back_in_order_before_the_mailbox)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	char large[200] = { 0 };
	large[150] = 'L';
	send(a, STASH, "a");
	send(a, NOTE, "b");
	EXPECT(heist_send(a, &LARGE, large) == HEIST_OK);
	send(a, STASH, "c");
	test_run(s);
	EXPECT(strcmp(text, "b") == 0);
	send(a, UNSTASH, "u");
	for (int i = 0; i < 20; i++) /* more than are handled between two looks at the slot */
		send(a, NOTE, "d");
	send(a, STASH, "e");
	finish(s, "buaLcdddddddddddddddddddde");
	EXPECT(drop_count == 0);
}

TEST(lanes, the_stash_has_a_bound)
{
	heist_system *s = start();
	heist_opts o = heist_opts_default();
	heist_ref a;
	o.stash_cap = capacity = 2;
	EXPECT(heist_spawn(s, &scribe, &o, NULL, &a) == HEIST_OK);
	for (int i = 0; i < 4; i++)
		send(a, STASH, &"a\0b\0c\0d"[2 * i]);
	test_run(s);
	send(a, UNSTASH, "u");
	finish(s, "uab");
}

TEST(lanes, a_request_that_is_stashed_is_answered_or_expires)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	struct order_msg m = { STASH, "q" };
	int64_t n = 0;
	EXPECT(heist_call(s, a, &ORDER, &m, test_now + TEST_MS, &n) == HEIST_ETIMEOUT);
	test_pass(s, 2 * TEST_MS);
	send(a, UNSTASH, "u"); /* the request has expired by now */
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_EXPIRED) == 1);
	finish(s, "u");
}

TEST(lanes, what_is_stashed_when_its_actor_ends_is_lost)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	char large[200] = { 0 };
	send(a, STASH, "a");
	EXPECT(heist_send(a, &LARGE, large) == HEIST_OK);
	send(a, STOP, "s");
	send(a, NOTE, "b");
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 3 && drop_count == 1);
	finish(s, "s");
}

TEST(lanes, a_runtime_that_ends_loses_what_is_stashed)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	send(a, STASH, "a");
	test_run(s);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK); /* debug builds: and it is accounted for */
}

TEST(lanes, the_next_incarnation_gets_what_was_stashed)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_KEEP, 0);
	send(a, STASH, "a");
	send(a, STASH, "b");
	send(a, CRASH, "x");
	send(a, NOTE, "c");
	test_run(s);
	EXPECT(lives == 2 && heist_lost_count(s, HEIST_LOST_FAILED) == 1);
	finish(s, "abc");
}

TEST(lanes, or_it_is_lost_with_the_rest_of_the_mailbox)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_DROP, 0);
	send(a, STASH, "a");
	send(a, CRASH, "x");
	send(a, NOTE, "c");
	test_run(s);
	EXPECT(lives == 2 && heist_lost_count(s, HEIST_LOST_RESTART) == 2);
	send(a, NOTE, "d");
	finish(s, "d");
}

TEST(lanes, a_handler_that_stashes_and_panics)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_KEEP, 0);
	send(a, STASH, "a");
	send(a, PANIC, "p"); /* the copy panics in each life, until the supervisor has had enough */
	send(a, NOTE, "c");
	test_run(s);
	EXPECT(lives == 4 && heist_lost_count(s, HEIST_LOST_STOPPED) == 2);
	finish(s, "a");
}

TEST(lanes, a_message_of_a_lane_that_fails_is_lost_or_tried_again)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_KEEP, 1);
	urge(a, CRASH, "x");
	urge(a, NOTE, "u");
	send(a, NOTE, "m");
	test_run(s);
	EXPECT(lives == 3 && heist_lost_count(s, HEIST_LOST_FAILED) == 1);
	finish(s, "um");
}

TEST(lanes, urgent_messages_overtake_but_not_for_ever)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	test_run(s);
	send(a, NOTE, "m");
	send(a, NOTE, "n");
	send(a, NOTE, "o");
	for (int i = 0; i < 20; i++)
		urge(a, NOTE, &"a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0p\0q\0r\0s\0t\0v\0w\0x"[2 * i]);
	finish(s, "abcdefghmijklpqrsntvwxo");
}

TEST(lanes, an_urgent_message_from_the_handler_comes_next)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	test_run(s);
	for (int i = 0; i < 3; i++)
		send(a, NOTE, "a");
	send(a, URGE, "u");
	for (int i = 0; i < 30; i++)
		send(a, NOTE, "b");
	test_run(s);
	EXPECT(strncmp(text, "aaau", 4) == 0);
	char *at = strstr(text, "123");
	EXPECT(at != NULL && at - text <= 4 + 8 && strlen(text) == 37 && test_balanced(s));
	urge(a, LATE, "l"); /* AGAIN */
	urge(a, STOP, "s");
	send(a, NOTE, "x");
	test_run(s);
	EXPECT(strcmp(text + 37, "ls") == 0 && heist_lost_count(s, HEIST_LOST_STOPPED) == 1);
	EXPECT(test_balanced(s) && heist_shutdown(s, 0) == HEIST_OK);
}

TEST(lanes, urgent_messages_of_a_mailbox_with_a_bound_count)
{
	heist_system *s = start();
	heist_opts o = heist_opts_default();
	struct order_msg m = { NOTE, "x" };
	heist_ref a;
	o.mailbox_cap = 3;
	EXPECT(heist_spawn(s, &scribe, &o, NULL, &a) == HEIST_OK);
	send(a, NOTE, "a");
	urge(a, NOTE, "b");
	urge(a, NOTE, "c");
	EXPECT(heist_send_urgent(a, &ORDER, &m) == HEIST_EFULL);
	EXPECT(heist_send(a, &ORDER, &m) == HEIST_EFULL);
	test_run(s);
	send(a, NOTE, "d");
	finish(s, "bcad");
}

TEST(lanes, urgent_messages_of_actors_that_have_not_started_or_have_ended)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	struct order_msg m = { NOTE, "x" };
	urge(a, NOTE, "a"); /* it has not started */
	test_run(s);
	send(a, STOP, "s");
	urge(a, NOTE, "b");
	urge(a, STOP, "t");
	urge(a, NOTE, "c");
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 2);
	EXPECT(heist_send_urgent(a, &ORDER, &m) == HEIST_EDEAD);
	finish(s, "abt");
}

TEST(lanes, a_stop_comes_after_what_was_accepted_before_a_kill_does_not)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL), b = test_spawn(s, &scribe, NULL);
	test_run(s);
	for (int i = 0; i < 12; i++)
		urge(a, NOTE, "u");
	EXPECT(heist_stop(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	urge(b, NOTE, "x");
	EXPECT(heist_kill(b, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 1);
	finish(s, "uuuuuuuuuuuu");
}

TEST(lanes, hold_lets_nothing_come_between)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	send(a, ASK_AGAIN, "q");
	for (int i = 0; i < 10; i++)
		send(a, NOTE, "a");
	urge(a, NOTE, "b"); /* before it has asked */
	test_run(s);
	urge(a, NOTE, "c");
	test_run(s);
	EXPECT(strcmp(text, "bq") == 0);
	send(server, NOTE, "");
	test_run(s);
	EXPECT(strcmp(text, "bq!") == 0); /* and it has asked again */
	send(a, NOTE, "d");
	send(server, NOTE, "");
	finish(s, "bq!!caaaaaaaaaad");
}

TEST(lanes, hold_ends_with_the_deadline_and_with_the_incarnation)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_KEEP, 0);
	struct order_msg q = { ASK, "q" };
	int64_t n;
	/* a request: what it asks inherits its deadline */
	EXPECT(heist_call(s, a, &ORDER, &q, test_now + 5 * TEST_MS, &n) != HEIST_OK);
	send(a, NOTE, "a");
	test_run(s);
	EXPECT(strcmp(text, "q") == 0);
	test_pass(s, 10 * TEST_MS);
	EXPECT(strcmp(text, "q?a") == 0);
	send(a, ASK, "r");
	send(a, NOTE, "b");
	test_run(s);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 1);
	send(server, NOTE, "");
	finish(s, "q?ar");
}

TEST(lanes, hold_keeps_timers_back_which_can_be_cancelled_still)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	send(a, ARM, "q");
	test_run(s);
	for (int i = 0; i < 5; i++)
		test_pass(s, TEST_MS);
	send(a, NOTE, "a");
	send(server, NOTE, "");
	test_run(s);
	EXPECT(strcmp(text, "q!tpa") == 0);
	test_pass(s, TEST_MS); /* the next point of its grid */
	EXPECT(strcmp(text, "q!tpap") == 0);
	heist_ref b = test_spawn(s, &scribe, NULL);
	send(b, CANCEL_WHEN_ANSWERED, "r");
	EXPECT(heist_stop(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	for (int i = 0; i < 5; i++)
		test_pass(s, TEST_MS);
	send(server, NOTE, "");
	test_run(s);
	test_pass(s, 5 * TEST_MS);
	cancels = false;
	EXPECT(strcmp(text, "q!tpapr!") == 0);
	send(b, ARM, "q");
	test_run(s);
	test_pass(s, TEST_MS);
	EXPECT(heist_kill(b, HEIST_OK) == HEIST_OK); /* nothing was accepted, nothing is lost */
	test_run(s);
	EXPECT(heist_lost_count(s, HEIST_LOST_STOPPED) == 0);
	finish(s, "q!tpapr!q");
}

TEST(lanes, a_stop_waits_for_what_hold_waits_for)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &scribe, NULL);
	test_run(s);
	send(a, ASK, "q");
	test_run(s);
	send(a, NOTE, "b");
	urge(a, NOTE, "a");
	EXPECT(heist_stop(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(strcmp(text, "q") == 0);
	send(server, NOTE, "");
	test_run(s);
	EXPECT(heist_send(a, &ORDER, &(struct order_msg){ NOTE, "x" }) == HEIST_EDEAD);
	finish(s, "q!ab");
}

TEST(lanes, what_hold_postpones_still_counts_for_the_bound)
{
	heist_system *s = start();
	heist_opts o = heist_opts_default();
	struct order_msg m = { NOTE, "x" };
	heist_ref a;
	o.mailbox_cap = 3;
	EXPECT(heist_spawn(s, &scribe, &o, NULL, &a) == HEIST_OK);
	send(a, ASK, "q");
	test_run(s);
	for (int i = 0; i < 3; i++) {
		send(a, NOTE, "a");
		test_run(s);
	}
	EXPECT(heist_send(a, &ORDER, &m) == HEIST_EFULL);
	send(server, NOTE, "");
	test_run(s);
	send(a, NOTE, "b");
	finish(s, "q!aaab");
}

TEST(lanes, behaviours_are_a_stack)
{
	heist_system *s = start();
	heist_ref a = supervised(s, HEIST_KEEP, 0);
	send(a, NOTE, "a");
	send(a, BLUE, "b");
	send(a, NOTE, "c");
	send(a, BACK, "d");
	send(a, NOTE, "e");
	test_run(s);
	send(a, CRASH, "x"); /* the stack goes with the incarnation */
	test_run(s);
	send(a, BLUE, "f");
	send(a, NOTE, "g");
	finish(s, "abCDefG");
}
