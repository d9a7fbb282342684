/* SPDX-License-Identifier: BSD-2-Clause
 * A runtime without threads, driven by its host. */
#include <heist/heist.h>

#include <poll.h>
#include <pthread.h>

#include "tests/support/unit.h"

static long handled;
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

static heist_next echo_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	handled++;
	heist_reply(ctx, HEIST_OK, type, msg);
	return HEIST_CONTINUE;
}
static const heist_class echo = { "echo", HEIST_ABI, 0, echo_recv, NULL };

static heist_system *start_as(const heist_opts *opts, heist_ref *r)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	handled = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &echo, opts, NULL, r) == HEIST_OK);
	return s;
}

static heist_system *start(heist_ref *r)
{
	return start_as(NULL, r);
}

static bool readable(heist_system *s, int ms)
{
	struct pollfd p = { .fd = heist_poll_fd(s), .events = POLLIN };
	EXPECT(p.fd >= 0);
	return poll(&p, 1, ms) == 1;
}

TEST(poll, nothing_runs_unless_polled)
{
	heist_ref r;
	heist_system *s = start(&r);
	uint64_t v = 1;
	EXPECT(readable(s, 0));
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && handled == 0);
	EXPECT(heist_poll(s, 0, 100) >= 1);
	EXPECT(handled == 1);
	EXPECT(!readable(s, 0));
	EXPECT(heist_poll(s, 0, 100) == 0);
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK);
	EXPECT(readable(s, 0));
	EXPECT(heist_poll(s, 0, 100) == 1 && handled == 2);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void work_left_over(const heist_opts *opts)
{
	heist_ref r[10];
	uint64_t v = 1;
	heist_system *s = start_as(opts, &r[0]);
	for (int i = 1; i < 10; i++)
		EXPECT(heist_spawn(s, &echo, opts, NULL, &r[i]) == HEIST_OK);
	for (int i = 0; i < 10; i++)
		heist_send(r[i], &WORD, &v);
	EXPECT(heist_poll(s, 0, 3) == 3);
	EXPECT(readable(s, 0));
	while (heist_poll(s, 0, 3) == 3)
		EXPECT(readable(s, 0));
	EXPECT(handled == 10 && !readable(s, 0));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(poll, work_left_over_keeps_it_readable)
{
	work_left_over(NULL);
}

TEST(poll, bound_work_left_over_keeps_it_readable)
{
	heist_opts opts = heist_opts_default();
	opts.worker = 1;
	work_left_over(&opts);
}

TEST(poll, background_work_left_over_keeps_it_readable)
{
	heist_opts opts = heist_opts_default();
	opts.priority = HEIST_BACKGROUND;
	work_left_over(&opts);
}

static void *later(void *arg)
{
	uint64_t v = 1;
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	EXPECT(heist_send(*(heist_ref *)arg, &WORD, &v) == HEIST_OK);
	return NULL;
}

static uint64_t hands, looked;

static uint64_t hands_of(void *user, heist_clock which)
{
	(void)user, (void)which;
	return hands;
}

static heist_next late_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	hands += 1000;
	looked = heist_recent(ctx);
	return HEIST_CONTINUE;
}
static const heist_class late_class = { "late", HEIST_ABI, 0, late_recv, NULL };

/* By our own clock, which shows 5000. */
static heist_system *start_by_hand(const heist_class *cls, heist_ref *r)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	c.clock = hands_of;
	hands = 5000;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, cls, NULL, NULL, r) == HEIST_OK);
	return s;
}

TEST(poll, recent_is_the_time_of_the_last_look)
{
	heist_ref r;
	heist_system *s = start_by_hand(&late_class, &r);
	uint64_t v = 1;
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && heist_poll(s, 0, 100) == 1);
	EXPECT(looked == 5000 && heist_now(s) == 6000);
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && heist_poll(s, 0, 100) == 1);
	EXPECT(looked == 6000 && heist_now(s) == 7000);
	for (int i = 0; i < 200; i++) /* and within a batch, now and then */
		EXPECT(heist_send(r, &WORD, &v) == HEIST_OK);
	uint64_t before = hands;
	while (heist_poll(s, 0, 100) > 0)
		;
	EXPECT(hands == before + 200000 && looked >= hands - 65000);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(poll, it_looks_at_the_clock_when_it_begins)
{
	heist_ref r, other;
	heist_system *s = start_by_hand(&late_class, &r);
	uint64_t v = 1;
	EXPECT(heist_spawn(s, &late_class, NULL, NULL, &other) == HEIST_OK);
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && heist_send(other, &WORD, &v) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 1) == 1 && looked == 5000);
	hands += 50000; /* the host was elsewhere */
	EXPECT(heist_poll(s, 0, 1) == 1 && looked == 56000);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static heist_next again_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int *turns = state;
	(void)type, (void)msg;
	EXPECT(heist_recent(ctx) == hands);
	hands += 1000;
	return ++*turns < 5 ? HEIST_AGAIN : HEIST_STOP;
}
static const heist_class again_class = { "again", HEIST_ABI, sizeof(int), again_recv, NULL };

TEST(poll, recent_is_now_when_a_message_runs_again)
{
	heist_ref r;
	heist_system *s = start_by_hand(&again_class, &r);
	uint64_t v = 1;
	EXPECT(heist_send(r, &WORD, &v) == HEIST_OK && heist_poll(s, 0, 100) == 5);
	EXPECT(hands == 10000);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(poll, a_foreign_send_ends_the_wait)
{
	heist_ref r;
	heist_system *s = start(&r);
	pthread_t t;
	heist_poll(s, 0, 100);
	pthread_create(&t, NULL, later, &r);
	EXPECT(readable(s, 10000));
	EXPECT(heist_poll(s, heist_in_ms(s, 10000), 1) == 1 && handled == 1);
	pthread_join(t, NULL);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(poll, a_call_drives_the_loop)
{
	heist_ref r;
	heist_system *s = start(&r);
	uint64_t v = 5, reply = 0;
	EXPECT(heist_call(s, r, &WORD, &v, heist_in_ms(s, 5000), &reply) == HEIST_OK && reply == 5);
	EXPECT(heist_poll_deadline(s) == 0 || heist_poll_deadline(s) > heist_now(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
