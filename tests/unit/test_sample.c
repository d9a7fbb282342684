/* SPDX-License-Identifier: BSD-2-Clause
 * What is measured of activations: exact numbers under a clock that handlers move, the error of histograms,
 * classes beyond the table, failures, and reading while workers write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/histogram.h"
#include "runtime/sample.h"
#include "runtime/system.h"
#include "tests/support/runtime.h"

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };
static const heist_type FAIL = { .base = &FAIL, .name = "fail", .size = 8, .reply_size = 1 };
static const heist_type PANIC = { .base = &PANIC, .name = "panic", .size = 8, .reply_size = 1 };

static uint64_t now;

static uint64_t clock_of(void *user, heist_clock which)
{
	(void)user, (void)which;
	return now;
}

/* Takes as long as the message says. */
static heist_next worker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	now += *(uint64_t *)msg;
	if (type == &PANIC)
		heist_panic(ctx, HEIST_ECRASH);
	return type == &FAIL ? HEIST_FAIL : HEIST_CONTINUE;
}
static const heist_class worker = { "worker", HEIST_ABI, 0, worker_recv, NULL };

static heist_system *start(uint32_t sample, uint32_t batch, uint32_t events)
{
	heist_config c = heist_config_default();
	heist_system *s;
	now = 1000;
	c.mode = HEIST_POLLED;
	c.clock = clock_of;
	c.sample = sample;
	c.batch = batch;
	c.events = events;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void run(heist_system *s)
{
	while (heist_poll(s, 0, 1000) > 0)
		;
}

static heist_ref started(heist_system *s, const heist_class *cls)
{
	heist_ref r = test_spawn(s, cls, NULL);
	run(s);
	return r;
}

static void end(heist_system *s)
{
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Class i; cls NULL: there is none. */
static const heist_class_stats *look(const heist_system *s, uint32_t i)
{
	static heist_class_stats t;
	t = heist_class_stats_default();
	if (heist_get_class_stats(s, i, &t) != HEIST_OK)
		t.cls = NULL;
	return &t;
}

/* Three messages of 100, 200 and 300 ns wait when the one activation begins. */
TEST(sample, one_activation)
{
	heist_system *s = start(1, 0, 0);
	heist_ref r = started(s, &worker);
	EXPECT(look(s, 0)->cls == NULL); /* the start is no sample */
	for (uint64_t n = 100; n <= 300; n += 100)
		EXPECT(test_tell(r, &WORK, n) == HEIST_OK);
	run(s);
	const heist_class_stats *t = look(s, 0);
	EXPECT(t->cls == &worker && t->messages == 3 && t->failures == 0);
	EXPECT(t->run_ns.count == 1 && t->run_ns.sum == 600);
	EXPECT(t->wait_ns.count == 1 && t->wait_ns.sum == 600);
	EXPECT(t->depth.count == 1 && t->depth.sum == 3 && t->depth.bucket[3] == 1);
	EXPECT(look(s, 1)->cls == NULL);
	end(s);
}

/* Four messages of a batch of 2 at most: a probe waits behind a backlog for a later activation. */
TEST(sample, a_backlog)
{
	heist_system *s = start(1, 2, 0);
	heist_ref r = started(s, &worker);
	for (int i = 0; i < 4; i++)
		EXPECT(test_tell(r, &WORK, 100) == HEIST_OK);
	run(s);
	const heist_class_stats *t = look(s, 0);
	EXPECT(t->messages == 4 && t->run_ns.sum == 400);
	EXPECT(t->depth.bucket[4] == 1 && t->depth.bucket[3] == 1); /* the second: 2 and a probe */
	EXPECT(t->wait_ns.count == t->run_ns.count);
	EXPECT(heist_quantile(&t->wait_ns, 1) >= 400 && heist_quantile(&t->wait_ns, 1) <= 450);
	end(s);
}

/* An answer, a panic out of a single message and one in the middle of a batch; with and without the recorder. */
TEST(sample, failures_end_a_sample)
{
	for (uint32_t events = 0; events <= 8; events += 8) {
		heist_system *s = start(1, 0, events);
		heist_ref r = started(s, &worker);
		EXPECT(test_tell(r, &FAIL, 10) == HEIST_OK);
		run(s);
		r = started(s, &worker);
		EXPECT(test_tell(r, &PANIC, 20) == HEIST_OK);
		run(s);
		r = started(s, &worker);
		EXPECT(test_tell(r, &WORK, 30) == HEIST_OK);
		EXPECT(test_tell(r, &PANIC, 40) == HEIST_OK);
		EXPECT(test_tell(r, &WORK, 50) == HEIST_OK); /* is lost */
		run(s);
		const heist_class_stats *t = look(s, 0);
		EXPECT(t->failures == 3 && t->messages == 1);
		EXPECT(t->run_ns.count == 3 && t->run_ns.sum == 10 + 20 + 30 + 40);
		EXPECT(t->wait_ns.count == 0); /* probes end with their actors */
		end(s);
	}
}

TEST(sample, failures_with_messages_of_a_lane)
{
	heist_system *s = start(1, 0, 0);
	for (int i = 0; i < 2; i++) {
		heist_ref r = started(s, &worker);
		uint64_t n = 10;
		EXPECT(heist_send_urgent(r, i ? &PANIC : &FAIL, &n) == HEIST_OK);
		run(s);
		EXPECT(look(s, 0)->cls == &worker && look(s, 0)->failures == (uint64_t)i + 1);
	}
	end(s);
}

/* One in ten is one in ten, about: of 20,000, by chance between 1 and 19 apart. */
TEST(sample, one_of_many)
{
	heist_system *s = start(10, 0, 0);
	heist_ref r = started(s, &worker);
	for (int i = 0; i < 20000; i++) {
		EXPECT(test_tell(r, &WORK, 1) == HEIST_OK);
		run(s);
	}
	const heist_class_stats *t = look(s, 0);
	EXPECT(t->run_ns.count > 1500 && t->run_ns.count < 2500);
	EXPECT(t->messages == t->run_ns.count && t->run_ns.sum == t->messages);
	end(s);
}

/* Not from sample to sample, only from the slot's turn before it. */
TEST(sample, stands_in_front_for_a_moment)
{
	static const uint32_t periods[] = { 1, 1u << 30 };
	for (int i = 0; i < 2; i++) {
		heist_system *s = start(periods[i], 0, 0);
		struct worker *w = &system_worker(s, 0)->base;
		heist_ref r = started(s, &worker);
		w->due = i ? 96 : w->due; /* the draw is far beyond */
		system_worker(s, 0)->samples->at = i ? 100 : 2;
		for (int k = 0; k < 200; k++) {
			EXPECT(test_tell(r, &WORK, 1) == HEIST_OK);
			run(s);
			uint64_t n = atomic_load(&w->activations);
			bool in_front = atomic_load(&w->run) == heist_actor_run_sampled;
			EXPECT(in_front == (i == 0 || (n >= 96 && n < 100)));
			EXPECT(look(s, 0)->run_ns.count == (i == 0 ? n - 1 : n >= 100));
		}
		end(s);
	}
}

TEST(sample, off_is_off)
{
	heist_system *s = start(0, 0, 0);
	heist_ref r = started(s, &worker);
	heist_class_stats t = heist_class_stats_default();
	EXPECT(test_tell(r, &WORK, 1) == HEIST_OK);
	EXPECT(test_tell(r, &FAIL, 1) == HEIST_OK);
	run(s);
	EXPECT(heist_get_class_stats(s, 0, &t) == HEIST_EINVAL);
	end(s);
}

/* Each of 70 classes has as many nanoseconds as its number says; the last six are told together. */
TEST(sample, classes_beyond_the_table)
{
	enum { MANY = 70, KEPT = 64 };
	static heist_class many[MANY];
	heist_system *s = start(1, 0, 0);
	for (uint64_t i = 0; i < MANY; i++) {
		many[i] = worker;
		heist_ref r = started(s, &many[i]);
		EXPECT(test_tell(r, &WORK, i) == HEIST_OK);
		run(s);
	}
	for (uint32_t i = 0; i < KEPT; i++) {
		const heist_class_stats *t = look(s, i);
		EXPECT(t->cls == &many[i] && t->run_ns.count == 1 && t->run_ns.sum == i);
	}
	heist_class_stats t = heist_class_stats_default();
	EXPECT(heist_get_class_stats(s, KEPT, &t) == HEIST_OK && t.cls == NULL);
	EXPECT(t.run_ns.count == MANY - KEPT && t.run_ns.sum == 64 + 65 + 66 + 67 + 68 + 69);
	EXPECT(heist_get_class_stats(s, KEPT + 1, &t) == HEIST_EINVAL);
	end(s);
}

static heist_next quiet_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

/* Workers of a named pool, and a thread that is hired later, sample like the others. */
TEST(sample, every_place)
{
	static heist_class cls[3];
	heist_pool pool = heist_pool_default();
	heist_config c = heist_config_default();
	heist_system *s;
	pool.name = "pool";
	c.pools = &pool;
	c.pool_count = c.workers = c.sample = 1;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (uint32_t i = 0; i < 3; i++) {
		heist_opts o = heist_opts_default();
		heist_ref r;
		cls[i] = (heist_class){ "quiet", HEIST_ABI, 0, quiet_recv, NULL };
		o.pool = i == 1 ? pool.name : NULL;
		o.own_thread = i == 2;
		EXPECT(heist_spawn(s, &cls[i], &o, NULL, &r) == HEIST_OK);
		EXPECT(test_balanced(s)); /* it has started */
		for (int n = 0; n < 100; n++)
			EXPECT(test_tell(r, &WORK, 0) == HEIST_OK);
		EXPECT(test_balanced(s));
		while (look(s, i)->wait_ns.count == 0)
			test_sleep_ms(1);
		EXPECT(look(s, i)->cls == &cls[i] && look(s, i)->depth.count > 0);
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- the text ---- */

static char text[1 << 17];

static bool collect(void *user, const char *piece, size_t size)
{
	size_t *used = user;
	EXPECT(*used + size < sizeof text);
	memcpy(text + *used, piece, size);
	text[ *used += size] = '\0';
	return true;
}

static bool has_line(const char *line)
{
	const char *at = strstr(text, line);
	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

/* Two classes with one name are one series. */
TEST(sample, as_text)
{
	static const heist_class twin = { "worker", HEIST_ABI, 0, worker_recv, NULL };
	heist_system *s = start(1, 0, 0);
	size_t used = 0;
	heist_ref a = started(s, &worker), b = started(s, &twin);
	EXPECT(test_tell(a, &WORK, 255) == HEIST_OK);
	run(s);
	EXPECT(test_tell(b, &WORK, 256) == HEIST_OK);
	run(s);
	EXPECT(test_tell(b, &WORK, 20000000000) == HEIST_OK);
	run(s);
	EXPECT(heist_metrics(s, collect, &used) == HEIST_OK);
	EXPECT(strstr(text, "# TYPE heist_class_run_seconds histogram\n"
			    "# UNIT heist_class_run_seconds seconds\n"
			    "# HELP heist_class_run_seconds ") != NULL);
	EXPECT(has_line("heist_class_sampled_messages_total{class=\"worker\"} 3"));
	EXPECT(has_line("heist_class_failures_total{class=\"worker\"} 0"));
	EXPECT(has_line("heist_class_run_seconds_bucket{class=\"worker\",le=\"0.000000255\"} 1"));
	EXPECT(has_line("heist_class_run_seconds_bucket{class=\"worker\",le=\"0.000001023\"} 2"));
	EXPECT(has_line("heist_class_run_seconds_bucket{class=\"worker\",le=\"17.179869183\"} 2"));
	EXPECT(has_line("heist_class_run_seconds_bucket{class=\"worker\",le=\"+Inf\"} 3"));
	EXPECT(has_line("heist_class_run_seconds_count{class=\"worker\"} 3"));
	EXPECT(has_line("heist_class_run_seconds_sum{class=\"worker\"} 20.000000511"));
	EXPECT(has_line("heist_class_mailbox_depth_bucket{class=\"worker\",le=\"1.0\"} 3"));
	EXPECT(has_line("heist_class_mailbox_depth_sum{class=\"worker\"} 3.0"));
	end(s);
}

/* ---- histograms ---- */

/* Every range begins behind the one before it, and has no value in it whose limit is an eighth too great. */
TEST(sample, histograms_have_a_known_error)
{
	uint64_t first = 0;
	for (uint32_t i = 0; i < HEIST_HISTOGRAM_BUCKETS; i++) {
		uint64_t last = histogram_last(i);
		EXPECT(last >= first && last - first <= first / 8);
		EXPECT(histogram_index(first) == i && histogram_index(last) == i);
		first = last + 1;
	}
	EXPECT(first == (uint64_t)1 << 40);
	EXPECT(histogram_index(first) == HEIST_HISTOGRAM_BUCKETS - 1);
	EXPECT(histogram_index(UINT64_MAX) == HEIST_HISTOGRAM_BUCKETS - 1);
}

/* 1 to 1000, each once. */
TEST(sample, quantiles)
{
	static struct sample_histogram from;
	heist_histogram h = { 0 };
	EXPECT(heist_quantile(&h, 0.5) == 0);
	for (uint64_t v = 1; v <= 1000; v++)
		sample_put(&from, v);
	heist_sample_add(&h, &from);
	EXPECT(h.count == 1000 && h.sum == 500500);
	for (int q = 0; q <= 1000; q++) {
		uint64_t got = heist_quantile(&h, q / 1000.0), exact = q ? (uint64_t)q : 1;
		EXPECT(got >= exact && got <= exact + exact / 8);
	}
	for (int k = 0; k < 12; k++)
		EXPECT(heist_histogram_below(&h, 1u << k) == (k < 10 ? (1u << k) - 1 : 1000));
}

/* ---- threads ---- */

/* Bounces a number between two actors until it is 0. */
static heist_next bounce_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref *peer = state;
	uint64_t n = *(uint64_t *)msg;
	(void)ctx, (void)type;
	if (!peer->v)
		peer->v = n;
	else if (n)
		(void)test_tell(*peer, &WORK, n - 1);
	return HEIST_CONTINUE;
}
static const heist_class bouncer = { "bouncer", HEIST_ABI, sizeof(heist_ref), bounce_recv, NULL };

/* Snapshots and text while two workers write, the first entries of classes included; nothing is lost, and what is
 * told at the end is consistent. */
TEST(sample, reading_while_it_is_written)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref r[8];
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.sample = 2;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 8; i++)
		r[i] = test_spawn(s, &bouncer, NULL);
	for (int i = 0; i < 8; i++)
		EXPECT(test_tell(r[i], &WORK, r[i ^ 1].v) == HEIST_OK);
	for (int i = 0; i < 8; i++)
		EXPECT(test_tell(r[i], &WORK, 20000) == HEIST_OK);
	heist_stats t = heist_stats_default();
	uint64_t last = 0;
	do {
		size_t used = 0;
		const heist_class_stats *k = look(s, 0);
		EXPECT(k->run_ns.count >= last);
		last = k->run_ns.count;
		EXPECT(heist_metrics(s, collect, &used) == HEIST_OK);
		EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	} while (t.handled < 8 * 20002);
	EXPECT(test_balanced(s));
	const heist_class_stats *k = look(s, 0);
	EXPECT(k->cls == &bouncer && k->run_ns.count > 0 && k->messages <= t.handled);
	EXPECT(k->wait_ns.count <= k->depth.count && k->wait_ns.count > 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
