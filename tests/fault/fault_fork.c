/* SPDX-License-Identifier: BSD-2-Clause
 * A process with runtimes forks: idle, under load, from a handler, polled.  In the child each call answers an
 * error at once and a runtime of its own works; the parent notices nothing. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/ring.h"

/* ---- the child ---- */

/* A child that hangs ends by a signal. */
static void child_begin(void)
{
	inside = NULL;
	alarm(60);
}

static void child_ended(pid_t child, bool aborted)
{
	int status;
	EXPECT(child > 0 && waitpid(child, &status, 0) == child);
	if (aborted)
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	else
		EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void handles_lead_nowhere(heist_ref r)
{
	EXPECT(test_tell(r, &WORD, 0) == HEIST_EDEAD);
	EXPECT(heist_send_urgent(r, &WORD, &(uint64_t){ 0 }) == HEIST_EDEAD);
	EXPECT(heist_stop(r, HEIST_OK) == HEIST_EDEAD && heist_kill(r, HEIST_OK) == HEIST_EDEAD);
	EXPECT(heist_notify(r, 1) == HEIST_EDEAD);
	EXPECT(heist_reply_to((heist_token){ { 0 } }, HEIST_OK, &WORD, &(uint64_t){ 0 }) !=
	       HEIST_OK);
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	abort();
}

/* Of the handler that has forked. */
static void nobody_can_be_asked(heist_ctx *ctx, heist_ref r)
{
	uint64_t v = 0;
	EXPECT(heist_ask(ctx, r, &WORD, &v, 0, on_answer, 0) == HEIST_EDEAD);
	EXPECT(heist_ask(ctx, r, &WORD, &v, heist_now(heist_system_of(ctx)) + 1000000000, on_answer,
			 0) == HEIST_EDEAD);
}

static void nothing_can_be_put_in(heist_system *s, heist_ref r)
{
	heist_sup sup = heist_sup_default();
	heist_tally t = heist_tally_default();
	heist_ref out;
	EXPECT(heist_spawn(s, &ring_class, NULL, NULL, &out) == HEIST_ECLOSED);
	EXPECT(heist_supervise(s, &sup, &out, NULL) < 0);
	EXPECT(heist_register(s, "a", r) < 0 && heist_unregister(s, "a") < 0);
	EXPECT(heist_whereis(s, "ring").v == 0);
	EXPECT(heist_group_join(s, "g", r) < 0 && heist_group_leave(s, "g", r) < 0);
	EXPECT(heist_group_members(s, "g", NULL, 0) == 0);
	EXPECT(heist_send_all(s, &r, 1, &WORD, &(uint64_t){ 0 }, &t) < 0 && t.accepted == 0);
	EXPECT(heist_group_send(s, "g", &WORD, &(uint64_t){ 0 }, &t) <= 0 && t.accepted == 0);
	EXPECT(heist_pick(s, "g", HEIST_RANDOM, 0).v == 0);
	EXPECT(heist_select(s, "/**", NULL, 0) == 0);
	EXPECT(heist_new(s, &WORD, 0) == NULL);
}

static void nobody_is_waited_for(heist_system *s, heist_ref r, bool polled)
{
	heist_stats t = heist_stats_default();
	uint64_t reply;
	EXPECT(heist_call(s, r, &WORD, &(uint64_t){ 0 }, 0, &reply) == HEIST_ENOMEM);
	EXPECT(!polled || heist_poll(s, 0, 1) == HEIST_EINVAL);
	EXPECT(heist_close(s) == HEIST_EINVAL);
	EXPECT(heist_shutdown(s, 0) == HEIST_EINVAL);
	EXPECT(heist_stragglers(s, NULL, 0) == 0);
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.actors >= RING);
}

static void an_orphan_answers(heist_system *s, bool polled)
{
	handles_lead_nowhere(ring[0]);
	nothing_can_be_put_in(s, ring[0]);
	nobody_is_waited_for(s, ring[0], polled);
}

static void one_of_its_own_works(void)
{
	heist_system *s = test_start(2);
	fill_ring(s);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 1);
}

/* ---- the tests ---- */

TEST(fork, each_call_in_the_child_answers)
{
	heist_system *s = test_start(2);
	fill_ring(s);
	EXPECT(heist_register(s, "ring", ring[0]) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", ring[0]) == HEIST_OK);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	EXPECT(wait_for(&rounds, 1));
	pid_t child = fork();
	if (child == 0) {
		child_begin();
		an_orphan_answers(s, false);
		one_of_its_own_works();
		_exit(0);
	}
	child_ended(child, false);
	EXPECT(heist_whereis(s, "ring").v == ring[0].v);
	EXPECT(test_tell(ring[0], &WORD, 1000) == HEIST_OK);
	end_ring(s, 2);
}

TEST(fork, under_load_nothing_hangs)
{
	heist_system *s = test_start(2);
	fill_ring(s);
	void *mine = heist_new(s, &WORD, 1000);
	EXPECT(mine != NULL);
	memset(mine, 0, WORD.size);
	for (long i = 1; i <= 20; i++) {
		for (int k = 0; k < RING; k++)
			EXPECT(test_tell(ring[k], &WORD, 2000) == HEIST_OK);
		pid_t child = fork();
		if (child == 0) {
			child_begin();
			heist_discard(&mine);
			an_orphan_answers(s, false);
			one_of_its_own_works();
			_exit(0);
		}
		child_ended(child, false);
	}
	EXPECT(heist_post(ring[0], &mine) == HEIST_OK);
	end_ring(s, 20 * RING + 1);
}

static pid_t born;
static bool returns;

static void fork_inside(heist_ctx *ctx)
{
	born = fork();
	if (born != 0)
		return;
	child_begin();
	if (returns)
		return;
	handles_lead_nowhere(heist_self(ctx));
	handles_lead_nowhere(ring[1]);
	nobody_can_be_asked(ctx, heist_self(ctx));
	nobody_can_be_asked(ctx, ring[1]);
	nothing_can_be_put_in(heist_system_of(ctx), ring[1]);
	_exit(0);
}

TEST(fork, a_handler_may_fork)
{
	heist_system *s = test_start(2);
	fill_ring(s);
	inside = fork_inside;
	for (long i = 1; i <= 5; i++) {
		EXPECT(test_tell(ring[0], &WORD, 100) == HEIST_OK);
		EXPECT(wait_for(&rounds, i));
		child_ended(born, false);
	}
	inside = NULL;
	end_ring(s, 5);
}

static void fork_owing(heist_ctx *ctx)
{
	uint64_t v = 0;
	born = fork();
	if (born != 0)
		return;
	child_begin();
	EXPECT(heist_reply(ctx, HEIST_OK, &WORD, &v) == HEIST_EDEAD);
	EXPECT(heist_forward(ctx, ring[1], &WORD, &v) == HEIST_EDEAD);
	_exit(0);
}

TEST(fork, a_handler_that_owes_a_reply_may_fork)
{
	uint64_t v = 0;
	heist_system *s = test_start(2);
	fill_ring(s);
	inside = fork_owing;
	EXPECT(heist_call(s, ring[0], &WORD, &v, 0, &v) == HEIST_ENOREPLY);
	child_ended(born, false);
	inside = NULL;
	end_ring(s, 1);
}

/* Its worker would go on with the parent's messages. */
TEST(fork, a_handler_must_not_return_in_the_child)
{
	heist_system *s = test_start(1);
	fill_ring(s);
	inside = fork_inside;
	returns = true;
	EXPECT(test_tell(ring[0], &WORD, 0) == HEIST_OK);
	EXPECT(wait_for(&rounds, 1));
	child_ended(born, true);
	inside = NULL;
	EXPECT(test_tell(ring[0], &WORD, 100) == HEIST_OK);
	end_ring(s, 2);
}

static _Atomic long filled;

static heist_next forks_with_a_backlog(heist_ctx *ctx, void *state, const heist_type *type,
				       void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)ctx, (void)state, (void)type;
	if (n == 0) {
		EXPECT(wait_for(&filled, 1));
	} else if (n == 1) {
		born = fork();
		if (born == 0)
			child_begin();
	} else if (born == 0) {
		_exit(0); /* the parent's */
	}
	rounds++;
	return HEIST_CONTINUE;
}
static const heist_class forker = { "forker", HEIST_ABI, 0, forks_with_a_backlog, NULL };

TEST(fork, a_handler_that_returns_in_the_child_is_the_last_of_a_backlog)
{
	heist_system *s = test_start(1);
	heist_ref r = test_spawn(s, &forker, NULL);
	rounds = 0;
	for (uint64_t n = 0; n < 30; n++)
		EXPECT(test_tell(r, &WORD, n) == HEIST_OK);
	filled = 1;
	EXPECT(wait_for(&rounds, 30));
	child_ended(born, true);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(fork, a_polled_runtime_is_the_parents)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	fill_ring(s);
	EXPECT(test_tell(ring[0], &WORD, 100) == HEIST_OK);
	pid_t child = fork();
	if (child == 0) {
		child_begin();
		an_orphan_answers(s, true);
		one_of_its_own_works();
		_exit(0);
	}
	child_ended(child, false);
	while (heist_poll(s, 0, 100) > 0)
		;
	EXPECT(rounds == 1 && heist_shutdown(s, 0) == HEIST_OK);
}
