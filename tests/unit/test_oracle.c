/* SPDX-License-Identifier: BSD-2-Clause
 * The oracles of the other tests (support/oracle.h) notice: each is shown what is right, then a violation. */
#include <string.h>

#include "tests/support/counted.h"
#include "tests/support/oracle.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };

/* What goes wrong in the program below, one at a time. */
static enum plant {
	NOTHING,
	FORGETS_A_LOSS,
	HANDLES_TWICE,
	ENDS_TWICE,
	ENDS_NEVER,
	ENDS_FOR_ANOTHER,
	TIMER_FORGOTTEN,
	TIMER_TWICE,
	PLANTS
} plant;

static struct oracle own;

/* ---- a program: some words are handled, some lost; timers come or are cancelled ---- */

struct reader {
	uint64_t life;
	heist_timer timer;
};

static heist_next reader_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct reader *r = state;
	uint64_t n = 0;
	(void)arg;
	r->life = oracle_begins(&own);
	oracle_count(&own.set);
	return heist_send_after(ctx, heist_self(ctx), &WORD, &n, 1000, &r->timer) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}

static heist_next reader_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct reader *r = state;
	uint64_t n = *(uint64_t *)msg;
	(void)type;
	if (n == 0 && plant != TIMER_FORGOTTEN)
		oracle_count(&own.came);
	if (n == 0)
		return HEIST_CONTINUE;
	oracle_count(&own.handled);
	if (n == 2 && plant == HANDLES_TWICE)
		oracle_count(&own.handled);
	if (n == 2 && heist_cancel(ctx, r->timer) == HEIST_OK) {
		oracle_count(&own.cancelled);
		if (plant == TIMER_TWICE)
			oracle_count(&own.came);
	}
	return n == 2 ? HEIST_STOP : HEIST_CONTINUE;
}

static void reader_stop(heist_ctx *ctx, void *state, heist_status why)
{
	struct reader *r = state;
	(void)ctx, (void)why;
	if (plant == ENDS_NEVER && r->life == 1)
		return;
	oracle_ends(&own, plant == ENDS_FOR_ANOTHER ? 1 : r->life);
	if (plant == ENDS_TWICE && r->life == 1)
		oracle_ends(&own, r->life);
}
static const heist_hooks hooks = { .init = reader_init, .stop = reader_stop };
static const heist_class reader = { "reader", HEIST_ABI, sizeof(struct reader), reader_recv,
				    &hooks };

static void on_lost(void *user, const heist_lost *l)
{
	static int losses;
	(void)user;
	if (plant != FORGETS_A_LOSS || losses++ > 0)
		oracle_count(&own.lost[l->cause]);
}

static const char *run(enum plant what)
{
	heist_config c = test_clock_config();
	heist_stats t = heist_stats_default();
	heist_system *s;
	oracle_clear(&own);
	plant = what;
	c.dead_letter = on_lost;
	c.log_level = HEIST_LOG_OFF;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (uint64_t reader_of = 0; reader_of < 2; reader_of++) {
		heist_ref r = test_spawn(s, &reader, NULL);
		test_run(s);
		if (reader_of == 1)
			test_pass(s, 1000000);	    /* its timer comes; the other's is cancelled */
		for (uint64_t n = 1; n <= 4; n++) { /* the last two wait when it stops */
			EXPECT(test_tell(r, &WORD, n) == HEIST_OK);
			oracle_count(&own.sent);
		}
		test_run(s);
	}
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && test_conserved(&t) && test_timers_over(&t));
	EXPECT(test_balanced(s) && heist_shutdown(s, 0) == HEIST_OK);
	return oracle_wrong(&own, 0);
}

TEST(oracle, what_a_program_counts_comes_out_even_or_is_told)
{
	static const char *const expected[PLANTS] = {
		[FORGETS_A_LOSS] = "messages do not add up, sent = handled + lost: 8 = 4 + 3",
		[HANDLES_TWICE] = "messages do not add up, sent = handled + lost: 8 = 6 + 4",
		[ENDS_TWICE] = "lives do not add up, begun = ended + alive: 2 = 3 + 0",
		[ENDS_NEVER] = "lives do not add up, begun = ended + alive: 2 = 1 + 0",
		[ENDS_FOR_ANOTHER] = "one life ended twice, another one never: 2 = 2 + 0",
		[TIMER_FORGOTTEN] = "timers do not add up, set = came + cancelled: 2 = 0 + 1",
		[TIMER_TWICE] = "timers do not add up, set = came + cancelled: 2 = 2 + 1",
	};
	EXPECT(run(NOTHING) == NULL);
	EXPECT(own.sent == 8 && own.handled == 4 && own.lost[HEIST_LOST_STOPPED] == 4);
	for (enum plant p = FORGETS_A_LOSS; p < PLANTS; p++) {
		const char *wrong = run(p);
		EXPECT(wrong && strcmp(wrong, expected[p]) == 0);
	}
}

TEST(oracle, lives_that_go_on_are_said)
{
	oracle_clear(&own);
	uint64_t life = oracle_begins(&own);
	EXPECT(oracle_wrong(&own, 1) == NULL && oracle_wrong(&own, 0) != NULL);
	oracle_ends(&own, life);
	EXPECT(oracle_wrong(&own, 1) != NULL && oracle_wrong(&own, 0) == NULL);
}

TEST(oracle, the_counters_of_the_runtime_show_what_is_missing_or_too_much)
{
	heist_stats t = heist_stats_default();
	t.accepted = 10;
	t.handled = 7;
	t.lost[HEIST_LOST_DEAD] = 2;
	t.lost[HEIST_LOST_CLOSED] = 1;
	EXPECT(test_lost(&t) == 3 && test_conserved(&t));
	t.handled = 6; /* forgotten */
	EXPECT(!test_conserved(&t));
	t.handled = 8; /* twice */
	EXPECT(!test_conserved(&t));
	t.timers_armed = 3;
	t.timers_fired = 2;
	EXPECT(!test_timers_over(&t)); /* waits, or is forgotten */
	t.timers_cancelled = 1;
	EXPECT(test_timers_over(&t));
	t.timers_cancelled = 2; /* came, too */
	EXPECT(!test_timers_over(&t));
}

TEST(oracle, a_message_that_nobody_handles_is_no_balance)
{
	heist_config c = test_clock_config();
	heist_system *s;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref r = test_spawn(s, &reader, NULL);
	test_run(s);
	EXPECT(test_balanced(s));
	EXPECT(test_tell(r, &WORD, 1) == HEIST_OK);
	EXPECT(!test_balanced_in(s, 10)); /* nobody polls */
	test_run(s);
	EXPECT(test_balanced(s) && heist_shutdown(s, 0) == HEIST_OK);
}

TEST(oracle, order_of_a_pair)
{
	uint64_t last = 0;
	EXPECT(oracle_later(&last, 1) && oracle_later(&last, 3)); /* 2 went elsewhere */
	EXPECT(!oracle_later(&last, 3) && !oracle_later(&last, 2));
	last = 0;
	EXPECT(oracle_next(&last, 1) && oracle_next(&last, 2));
	EXPECT(!oracle_next(&last, 2) && !oracle_next(&last, 4) && !oracle_next(&last, 3));
	last = 0;
	EXPECT(oracle_later_or_again(&last, 2) && oracle_later_or_again(&last, 2));
	EXPECT(!oracle_later_or_again(&last, 1));
}

TEST(oracle, memory_that_is_not_given_back)
{
	counted_init(&memory);
	void *p = memory.hook.alloc(&memory, 24, 8);
	EXPECT(p && !counted_balanced(&memory));
	memory.hook.dealloc(&memory, p, 24);
	EXPECT(counted_balanced(&memory));
	p = memory.hook.alloc(&memory, 24, 8);
	EXPECT(p != NULL);
	memory.hook.dealloc(&memory, p, 16); /* in part: of another size than it was */
	EXPECT(!counted_balanced(&memory));
}
