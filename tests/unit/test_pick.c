/* SPDX-License-Identifier: BSD-2-Clause
 * Routing: who is picked, by each route, while members come and go; and pools that grow and shrink. */
#include <pthread.h>
#include <string.h>

#include "tests/support/counted.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

static _Atomic long handled, inits, stops;

static heist_next member_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	atomic_fetch_add(&inits, 1);
	return HEIST_CONTINUE;
}

static void member_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&stops, 1);
}

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = member_init, .stop = member_stop };
static const heist_class member = { "member", HEIST_ABI, 8, member_recv, &hooks };

static heist_system *start(void)
{
	handled = inits = stops = 0;
	return counted_start(NULL);
}

#define MOST 100
static heist_ref all[MOST];

/* n members with a bound of `cap`, 0: none. */
static void join(heist_system *s, int n, uint32_t cap)
{
	heist_opts o = heist_opts_default();
	o.mailbox_cap = cap;
	for (int i = 0; i < n; i++) {
		EXPECT(heist_spawn(s, &member, &o, NULL, &all[i]) == HEIST_OK);
		EXPECT(heist_group_join(s, "g", all[i]) == HEIST_OK);
	}
	test_run(s);
}

static int index_of(heist_ref r)
{
	int i = 0;
	while (i < MOST && all[i].v != r.v)
		i++;
	EXPECT(i < MOST);
	return i;
}

static void count_picks(heist_system *s, heist_route how, int picks, int *counts)
{
	memset(counts, 0, MOST * sizeof *counts);
	for (int i = 0; i < picks; i++)
		counts[index_of(heist_pick(s, "g", how, (uint64_t)i))]++;
}

TEST(pick, from_nobody_is_nobody)
{
	heist_system *s = start();
	for (int how = HEIST_ROUND_ROBIN; how <= HEIST_CONSISTENT_HASH; how++)
		EXPECT(heist_pick(s, "g", (heist_route)how, 1).v == 0);
	join(s, 1, 0);
	for (int how = HEIST_ROUND_ROBIN; how <= HEIST_CONSISTENT_HASH; how++)
		EXPECT(heist_pick(s, "g", (heist_route)how, 1).v == all[0].v);
	EXPECT(heist_kill(all[0], HEIST_OK) == HEIST_OK);
	test_run(s);
	for (int how = HEIST_ROUND_ROBIN; how <= HEIST_CONSISTENT_HASH; how++)
		EXPECT(heist_pick(s, "g", (heist_route)how, 1).v == 0);
	counted_finish(s);
}

TEST(pick, from_a_group_that_is_only_watched_is_nobody)
{
	static const heist_type change = { .base = &change,
					   .name = "change",
					   .size = sizeof(heist_member_event),
					   .reply_size = 1 };
	heist_system *s = start();
	heist_ref w = test_spawn(s, &member, NULL);
	EXPECT(heist_group_watch(s, "g", w, &change, 0) == HEIST_OK);
	for (int how = HEIST_ROUND_ROBIN; how <= HEIST_CONSISTENT_HASH; how++)
		EXPECT(heist_pick(s, "g", (heist_route)how, 1).v == 0);
	test_run(s);
	counted_finish(s);
}

TEST(pick, round_robin_gives_each_the_same)
{
	heist_system *s = start();
	int counts[MOST];
	join(s, 10, 0);
	count_picks(s, HEIST_ROUND_ROBIN, 1000, counts);
	for (int i = 0; i < 10; i++)
		EXPECT(counts[i] == 100);
	EXPECT(heist_group_leave(s, "g", all[3]) == HEIST_OK);
	EXPECT(heist_kill(all[7], HEIST_OK) == HEIST_OK);
	test_run(s);
	count_picks(s, HEIST_ROUND_ROBIN, 800, counts);
	for (int i = 0; i < 10; i++)
		EXPECT(counts[i] == (i == 3 || i == 7 ? 0 : 100));
	counted_finish(s);
}

/* A gap that stays in the array is no gain for the one after it. */
TEST(pick, round_robin_passes_over_gaps)
{
	heist_system *s = start();
	int counts[MOST];
	join(s, MOST, 0);
	for (int i = 0; i < 10; i++) /* less than an eighth */
		EXPECT(heist_group_leave(s, "g", all[9 * i]) == HEIST_OK);
	count_picks(s, HEIST_ROUND_ROBIN, 10 * (MOST - 10), counts);
	for (int i = 0; i < MOST; i++)
		EXPECT(counts[i] == (i % 9 == 0 && i < 90 ? 0 : 10));
	count_picks(s, HEIST_RANDOM, 100 * (MOST - 10), counts);
	for (int i = 0; i < MOST; i++) /* 100 expected: 10 sigma either way */
		EXPECT(i % 9 == 0 && i < 90 ? counts[i] == 0 : counts[i] > 0 && counts[i] < 200);
	counted_finish(s);
}

TEST(pick, random_gives_each_its_share)
{
	heist_system *s = start();
	int counts[MOST];
	join(s, 4, 0);
	count_picks(s, HEIST_RANDOM, 40000, counts);
	for (int i = 0; i < 4; i++) /* 87 is a sigma */
		EXPECT(counts[i] > 9000 && counts[i] < 11000);
	counted_finish(s);
}

TEST(pick, least_loaded_finds_the_shortest_mailbox)
{
	heist_system *s = start();
	int counts[MOST];
	join(s, 5, 1000);
	for (int i = 0; i < 5; i++)
		for (int n = 0; n < (i == 2 ? 3 : 10); n++)
			EXPECT(test_tell(all[i], &WORD, 0) == HEIST_OK);
	count_picks(s, HEIST_LEAST_LOADED, 100, counts);
	EXPECT(counts[2] == 100);
	for (int n = 0; n < 7 * 5; n++) /* now each gets as much as keeps them level */
		EXPECT(test_tell(heist_pick(s, "g", HEIST_LEAST_LOADED, 0), &WORD, 0) == HEIST_OK);
	test_run(s);
	EXPECT(handled == 43 + 35);
	counted_finish(s);
}

TEST(pick, least_loaded_counts_messages_not_marks)
{
	heist_system *s = start();
	heist_opts o = heist_opts_default();
	int counts[MOST];
	join(s, 1, 1000);
	o.overload_high = 2;
	o.overload_low = 1;
	EXPECT(heist_spawn(s, &member, &o, NULL, &all[1]) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", all[1]) == HEIST_OK);
	test_run(s);
	for (int n = 0; n < 5; n++) /* the second is overloaded, but has less */
		EXPECT(test_tell(all[n < 3 ? 0 : 1], &WORD, 0) == HEIST_OK);
	count_picks(s, HEIST_LEAST_LOADED, 100, counts);
	EXPECT(counts[1] == 100);
	test_run(s);
	counted_finish(s);
}

TEST(pick, least_loaded_prefers_the_idle_where_nothing_is_counted)
{
	heist_system *s = start();
	int counts[MOST];
	join(s, 5, 0);
	for (int i = 0; i < 5; i++)
		if (i != 4)
			EXPECT(test_tell(all[i], &WORD, 0) == HEIST_OK);
	count_picks(s, HEIST_LEAST_LOADED, 100, counts);
	EXPECT(counts[4] == 100);
	test_run(s);
	counted_finish(s);
}

TEST(pick, a_key_stays_with_its_member)
{
	enum { KEYS = 2000 };
	static heist_ref before[KEYS];
	heist_system *s = start();
	int counts[MOST], moved = 0;
	join(s, 10, 0);
	count_picks(s, HEIST_CONSISTENT_HASH, KEYS, counts);
	for (int i = 0; i < 10;
	     i++) /* 200 expected; 13 is a sigma, and handles are no random numbers */
		EXPECT(counts[i] > 100 && counts[i] < 300);
	for (int k = 0; k < KEYS; k++)
		before[k] = heist_pick(s, "g", HEIST_CONSISTENT_HASH, (uint64_t)k);
	EXPECT(heist_group_leave(s, "g", all[5]) == HEIST_OK);
	for (int k = 0; k < KEYS; k++) { /* only his keys have moved */
		heist_ref now = heist_pick(s, "g", HEIST_CONSISTENT_HASH, (uint64_t)k);
		EXPECT((now.v == before[k].v) == (before[k].v != all[5].v));
	}
	EXPECT(heist_group_join(s, "g", all[5]) == HEIST_OK);
	all[10] = test_spawn(s, &member, NULL);
	EXPECT(heist_group_join(s, "g", all[10]) == HEIST_OK);
	for (int k = 0; k < KEYS; k++) { /* and those that moved now are the new one's */
		heist_ref now = heist_pick(s, "g", HEIST_CONSISTENT_HASH, (uint64_t)k);
		EXPECT(now.v == before[k].v || now.v == all[10].v);
		moved += now.v == all[10].v;
	}
	EXPECT(moved > 80 && moved < 300);
	test_run(s);
	counted_finish(s);
}

TEST(pick, without_memory_somebody_is_picked)
{
	heist_system *s = start();
	join(s, 3, 0);
	counted_fail(&memory, true);
	for (int how = HEIST_ROUND_ROBIN; how <= HEIST_CONSISTENT_HASH; how++)
		EXPECT(index_of(heist_pick(s, "g", (heist_route)how, 1)) < 3);
	counted_fail(&memory, false);
	counted_finish(s);
}

/* ---- pools ---- */

static heist_ref supervisor(heist_system *s)
{
	heist_sup sup = heist_sup_default();
	heist_ref top;
	EXPECT(heist_supervise(s, &sup, &top, NULL) == HEIST_OK);
	test_run(s);
	return top;
}

static heist_child pool_child(void)
{
	heist_child c = heist_child_default();
	c.cls = &member;
	return c;
}

static size_t size(heist_system *s)
{
	return heist_group_members(s, "g", NULL, 0);
}

TEST(pool, grows_and_shrinks)
{
	heist_system *s = start();
	heist_ref top = supervisor(s);
	heist_child c = pool_child();
	for (uint32_t n = 0; n <= 64; n = 2 * n + 1) {
		EXPECT(heist_resize(s, top, "g", &c, n) == HEIST_OK && size(s) == n);
		test_run(s);
		EXPECT(inits == (long)n && stops == 0);
	}
	EXPECT(heist_group_members(s, "g", all, MOST) == 63);
	for (int i = 0; i < 630; i++)
		EXPECT(test_tell(heist_pick(s, "g", HEIST_ROUND_ROBIN, 0), &WORD, 0) == HEIST_OK);
	EXPECT(heist_resize(s, top, "g", &c, 3) == HEIST_OK && size(s) == 3);
	test_run(s);
	EXPECT(stops == 60 && handled == 630); /* what they had, they handled */
	heist_ref left[3];
	EXPECT(heist_group_members(s, "g", left, 3) == 3);
	for (int i = 0; i < 3; i++)
		EXPECT(left[i].v == all[i].v); /* the oldest stay */
	EXPECT(heist_resize(s, top, "g", &c, 0) == HEIST_OK && size(s) == 0);
	test_run(s);
	EXPECT(stops == 63);
	EXPECT(heist_kill(top, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(heist_resize(s, top, "g", &c, 1) == HEIST_EDEAD && size(s) == 0);
	counted_finish(s);
}

TEST(pool, without_memory_it_stays_as_it_is_or_on_the_way)
{
	heist_system *s = start();
	heist_ref top = supervisor(s);
	heist_child c = pool_child();
	heist_status r = HEIST_ENOMEM;
	for (long n = 1; r == HEIST_ENOMEM; n++) {
		memory.fail_once = memory.calls + n;
		r = heist_resize(s, top, "g", &c, 5);
		memory.fail_once = 0;
		EXPECT(r == HEIST_OK ? size(s) == 5 : r == HEIST_ENOMEM && size(s) < 5);
		test_run(s);
		EXPECT(heist_resize(s, top, "g", &c, 0) == HEIST_OK && size(s) == 0);
		test_run(s);
		EXPECT(inits == stops);
	}
	EXPECT(r == HEIST_OK);
	counted_finish(s);
}

static heist_system *shared;
static heist_ref shared_top;
static heist_child shared_child;

static void *resizes(void *arg)
{
	for (uint32_t i = 0; i < 200; i++)
		EXPECT(heist_resize(shared, shared_top, "g", &shared_child,
				    (i + (uint32_t)(uintptr_t)arg) % 7) == HEIST_OK);
	return NULL;
}

TEST(pool, is_resized_by_many_threads)
{
	pthread_t t[3];
	handled = inits = stops = 0;
	shared = test_start(2);
	heist_sup sup = heist_sup_default();
	EXPECT(heist_supervise(shared, &sup, &shared_top, NULL) == HEIST_OK);
	shared_child = pool_child();
	for (uintptr_t i = 0; i < 3; i++)
		EXPECT(pthread_create(&t[i], NULL, resizes, (void *)i) == 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EXPECT(size(shared) < 7); /* what the last one wanted */
	EXPECT(heist_resize(shared, shared_top, "g", &shared_child, 4) == HEIST_OK);
	EXPECT(size(shared) == 4);
	EXPECT(heist_shutdown(shared, 0) == HEIST_OK);
	EXPECT(inits == stops);
}
