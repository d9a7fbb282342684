/* SPDX-License-Identifier: BSD-2-Clause
 * Requests handed on: one reply to the one that asked, from wherever it comes; who asked, and who did not. */
#include "tests/support/clock.h"
#include "tests/support/memory.h"

static const heist_type QUESTION = {
	.base = &QUESTION, .name = "question", .size = 8, .reply_size = 8
};
static const heist_type LARGE = {
	.base = &QUESTION, .name = "large", .size = 200, .reply_size = 8
};
static const heist_type OTHER = { .base = &OTHER, .name = "other", .size = 8, .reply_size = 16 };
static const heist_type START = { .base = &START, .name = "start", .size = 8, .reply_size = 1 };

static heist_ref asker, back;
static heist_status forwarded, answered;
static long answers, asked_back;
static uint64_t value, seen_deadline;

static heist_next back_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg + 1;
	(void)state;
	asked_back++;
	seen_deadline = heist_deadline(ctx);
	if (type == &START)
		EXPECT(heist_sender(ctx).v == 0);
	else
		EXPECT(heist_sender(ctx).v == asker.v &&
		       heist_reply(ctx, HEIST_OK, type, &n) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class back_class = { "back", HEIST_ABI, 0, back_recv, NULL };

static heist_next front_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t large[25] = { *(uint64_t *)msg }, n = 0;
	(void)state, (void)type;
	EXPECT(heist_sender(ctx).v == asker.v);
	EXPECT(heist_forward(ctx, back, &OTHER, msg) == HEIST_EINVAL);
	forwarded = heist_forward(ctx, back, &LARGE, large);
	if (forwarded == HEIST_OK) {
		EXPECT(heist_forward(ctx, back, &LARGE, large) == HEIST_EINVAL);
		EXPECT(heist_reply(ctx, HEIST_OK, type, &n) == HEIST_EINVAL);
	}
	return HEIST_CONTINUE;
}
static const heist_class front_class = { "front", HEIST_ABI, 0, front_recv, NULL };

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)user;
	answers++;
	answered = status;
	value = reply ? *(const uint64_t *)reply : 0;
}

static heist_ref front;

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	asker = heist_self(ctx);
	EXPECT(heist_ask(ctx, front, &QUESTION, msg, test_now + TEST_S, on_answer, 0) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class asker_class = { "asker", HEIST_ABI, 0, asker_recv, NULL };

static heist_system *start(const heist_config *c, uint32_t capacity)
{
	heist_opts o = heist_opts_default();
	heist_system *s;
	answers = asked_back = 0;
	value = 0;
	EXPECT(heist_start(c, &s) == HEIST_OK);
	o.mailbox_cap = capacity;
	EXPECT(heist_spawn(s, &back_class, &o, NULL, &back) == HEIST_OK);
	front = test_spawn(s, &front_class, NULL);
	test_run(s);
	return s;
}

static void finish(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(test_conserved(&t));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(forward, the_reply_goes_to_who_asked_with_the_deadline_that_was)
{
	heist_config c = test_clock_config();
	heist_system *s = start(&c, 0);
	EXPECT(test_tell(test_spawn(s, &asker_class, NULL), &START, 41) == HEIST_OK);
	test_run(s);
	EXPECT(forwarded == HEIST_OK && answers == 1 && answered == HEIST_OK && value == 42);
	EXPECT(seen_deadline == test_now + TEST_S);
	test_pass(s, 2 * TEST_S);
	EXPECT(answers == 1 && asked_back == 1);
	EXPECT(test_tell(back, &START, 0) == HEIST_OK); /* a plain message has no sender */
	test_run(s);
	EXPECT(asked_back == 2);
	finish(s);
}

TEST(forward, to_nobody_leaves_the_reply_owed)
{
	heist_config c = test_clock_config();
	heist_system *s = start(&c, 0);
	EXPECT(heist_stop(back, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(test_tell(test_spawn(s, &asker_class, NULL), &START, 1) == HEIST_OK);
	test_run(s);
	EXPECT(forwarded == HEIST_EDEAD && answers == 1 && answered == HEIST_ENOREPLY);
	finish(s);
}

TEST(forward, to_a_full_mailbox_leaves_the_reply_owed)
{
	heist_config c = test_clock_config();
	heist_system *s = start(&c, 1);
	heist_ref a = test_spawn(s, &asker_class, NULL);
	test_run(s);
	EXPECT(test_tell(a, &START, 1) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 1) == 1); /* asks */
	EXPECT(test_tell(back, &START, 0) == HEIST_OK);
	test_run(s);
	EXPECT(forwarded == HEIST_EFULL && answers == 1 && answered == HEIST_ENOREPLY);
	finish(s);
}

TEST(forward, without_memory_leaves_the_reply_owed)
{
	static struct counted_memory memory;
	long refused = 0;
	for (long fail_at = 1; fail_at < 12; fail_at++) {
		heist_config c = test_clock_config();
		counted_init(&memory);
		c.user = &memory;
		c.alloc = memory.hook.alloc;
		c.dealloc = memory.hook.dealloc;
		heist_system *s = start(&c, 2);
		EXPECT(test_tell(test_spawn(s, &asker_class, NULL), &START, 1) == HEIST_OK);
		EXPECT(heist_poll(s, 0, 1) == 1);
		memory.fail_at = memory.calls + fail_at;
		test_run(s);
		counted_fail(&memory, false);
		test_run(s);
		EXPECT(answers == 1);
		EXPECT(answered == (forwarded == HEIST_OK ? HEIST_OK : HEIST_ENOREPLY));
		EXPECT(forwarded == HEIST_OK || forwarded == HEIST_ENOMEM);
		refused += forwarded == HEIST_ENOMEM;
		finish(s);
		EXPECT(counted_balanced(&memory));
	}
	EXPECT(refused > 0);
}
