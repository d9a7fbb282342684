/* SPDX-License-Identifier: BSD-2-Clause
 * Nothing is lost in silence: each cause by type, the hook, the line in the log, and the sum. */
#include <stdio.h>
#include <string.h>

#include "tests/support/clock.h"
#include "tests/support/memory.h"

/* ---- what the runtime says ---- */

static long letters[HEIST_CAUSES], lines;
static char last_line[256];

static void on_letter(void *user, const heist_lost *lost)
{
	(void)user;
	letters[lost->cause]++;
}

static void on_log(void *user, const heist_log_line *line)
{
	(void)user;
	snprintf(last_line, sizeof last_line, "%s", line->text);
	lines++;
}

static heist_system *start(void)
{
	heist_config c = test_clock_config();
	heist_system *s;
	c.dead_letter = on_letter;
	c.log = on_log;
	memset(letters, 0, sizeof letters);
	lines = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

/* ---- actors ---- */

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type FAIL = { .base = &FAIL, .name = "fail", .size = 8, .reply_size = 8 };
static const heist_type STOP = { .base = &STOP, .name = "stop", .size = 8, .reply_size = 8 };
static const heist_type ODD = { .base = &ODD, .name = "odd", .size = 8, .reply_size = 8 };
static const heist_type ASK = { .base = &ASK, .name = "ask", .size = 16, .reply_size = 8 };

struct ask {
	heist_ref to;
	heist_time deadline;
};

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
}

static heist_token owed;

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = 1;
	if (type == &ASK) {
		struct ask *a = msg;
		EXPECT(heist_ask(ctx, a->to, &WORD, &n, a->deadline, on_answer, 0) == HEIST_OK);
		return HEIST_CONTINUE;
	}
	if (type == &WORD)
		owed = heist_reply_later(ctx, type);
	return type == &ODD    ? heist_unhandled(ctx, state, type, msg)
	       : type == &FAIL ? HEIST_FAIL
	       : type == &STOP ? HEIST_STOP
			       : HEIST_CONTINUE;
}
static const heist_class actor_class = { "actor", HEIST_ABI, 0, actor_recv, NULL };

/* ---- the sum ---- */

static uint64_t of_type(heist_system *s, const heist_type *type, heist_cause cause)
{
	heist_lost_type t[8];
	size_t n = heist_lost_types(s, t, 8);
	EXPECT(n <= 8 && heist_lost_types(s, NULL, 0) == n);
	for (size_t i = 0; i < n; i++)
		if (t[i].type == type)
			return t[i].lost[cause];
	return 0;
}

/* accepted == handled + lost; and hook, causes and types agree. */
static void expect_sum(heist_system *s)
{
	heist_stats t = heist_stats_default();
	heist_lost_type by[8];
	size_t n = heist_lost_types(s, by, 8);
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && n <= 8);
	EXPECT(test_conserved(&t));
	for (int c = 0; c < HEIST_CAUSES; c++) {
		uint64_t sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += by[i].lost[c];
		EXPECT(t.lost[c] == sum && (long)sum == letters[c]);
		EXPECT(heist_lost_count(s, (heist_cause)c) == sum);
	}
}

/* ---- each cause ---- */

TEST(lost, each_cause_is_counted_with_its_type)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL), b = test_spawn(s, &actor_class, NULL);
	EXPECT(test_tell(a, &ODD, 0) == HEIST_OK && test_tell(a, &ODD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(of_type(s, &ODD, HEIST_LOST_UNHANDLED) == 2);

	struct ask ask = { .to = b, .deadline = test_now + TEST_MS };
	EXPECT(heist_send(a, &ASK, &ask) == HEIST_OK);
	test_run(s); /* b owes the answer */
	test_pass(s, 2 * TEST_MS);
	uint64_t answer = 1;
	EXPECT(heist_reply_to(owed, HEIST_OK, &WORD, &answer) == HEIST_OK);
	EXPECT(of_type(s, &WORD, HEIST_LOST_LATE) == 1);

	ask.deadline = test_now + TEST_MS;
	EXPECT(heist_send(a, &ASK, &ask) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 1) == 1); /* the request waits in b's mailbox */
	test_now += 2 * TEST_MS;
	test_run(s);
	EXPECT(of_type(s, &WORD, HEIST_LOST_EXPIRED) == 1);

	EXPECT(test_tell(b, &STOP, 0) == HEIST_OK);
	for (int i = 0; i < 5; i++)
		EXPECT(test_tell(b, &WORD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(of_type(s, &WORD, HEIST_LOST_STOPPED) == 5);
	EXPECT(test_tell(b, &WORD, 0) ==
	       HEIST_EDEAD); /* the sender is told: not accepted, not lost */

	EXPECT(test_tell(a, &FAIL, 0) == HEIST_OK);
	test_run(s);
	EXPECT(of_type(s, &FAIL, HEIST_LOST_FAILED) == 1);
	expect_sum(s);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(lost, closed_is_counted_by_the_hook_and_not_logged)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	test_run(s);
	for (int i = 0; i < 10; i++)
		EXPECT(test_tell(a, &WORD, 0) == HEIST_OK);
	EXPECT(test_tell(a, &STOP, 0) == HEIST_OK && test_tell(a, &WORD, 0) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(letters[HEIST_LOST_STOPPED] + letters[HEIST_LOST_CLOSED] == 1 && lines == 0);
}

/* ---- the log ---- */

TEST(lost, line_comes_once_a_second_and_says_what_came_since)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &actor_class, NULL);
	for (int i = 0; i < 1000; i++)
		EXPECT(test_tell(a, &ODD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(lines == 1 && strstr(last_line, "1 messages lost: 1 unhandled; the last: odd"));
	test_pass(s, TEST_S - 1);
	EXPECT(test_tell(a, &ODD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(lines == 1);
	test_pass(s, 1);
	EXPECT(test_tell(a, &FAIL, 0) == HEIST_OK);
	test_run(s);
	EXPECT(lines == 2 && strstr(last_line, "1001 messages lost: 1000 unhandled, 1 failed"));
	expect_sum(s);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK && lines == 2);
}

/* ---- no memory ---- */

TEST(lost, without_memory_for_its_type_is_counted_with_the_others)
{
	static struct counted_memory memory;
	heist_config c = test_clock_config();
	heist_system *s;
	heist_lost_type t[2];
	counted_init(&memory);
	memset(letters, 0, sizeof letters);
	c.log = on_log;
	c.user = &memory;
	c.alloc = memory.hook.alloc;
	c.dealloc = memory.hook.dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref a = test_spawn(s, &actor_class, NULL);
	EXPECT(test_tell(a, &ODD, 0) == HEIST_OK);
	counted_fail(&memory, true);
	test_run(s);
	EXPECT(heist_lost_types(s, t, 2) == 1 && t[0].type == NULL);
	EXPECT(t[0].lost[HEIST_LOST_UNHANDLED] == 1);
	counted_fail(&memory, false);
	EXPECT(test_tell(a, &ODD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(heist_lost_types(s, t, 2) == 2 && of_type(s, &ODD, HEIST_LOST_UNHANDLED) == 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK && counted_balanced(&memory));
}

TEST(lost, causes_have_names)
{
	for (int c = 0; c < HEIST_CAUSES; c++)
		EXPECT(heist_strcause((heist_cause)c) && heist_strcause((heist_cause)c)[0]);
	EXPECT(strcmp(heist_strcause(HEIST_CAUSES), "unknown") == 0);
}
