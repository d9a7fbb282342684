/* SPDX-License-Identifier: BSD-2-Clause
 * Paths in the supervision trees: what a pattern means, while children come, restart and go. */
#include <pthread.h>
#include <string.h>

#include "tests/support/counted.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
enum { STOP = 1, CRASH };

static _Atomic long handled, inits;

static heist_next member_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	atomic_fetch_add(&inits, 1);
	return HEIST_CONTINUE;
}

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	atomic_fetch_add(&handled, 1);
	return *(uint64_t *)msg == STOP	   ? HEIST_STOP
	       : *(uint64_t *)msg == CRASH ? HEIST_FAIL
					   : HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = member_init };
static const heist_class member = { "member", HEIST_ABI, 8, member_recv, &hooks };

static heist_system *start(void)
{
	handled = inits = 0;
	return counted_start(NULL);
}

static heist_status try_supervisor(heist_system *s, const char *name, heist_ref parent,
				   heist_ref *out)
{
	heist_sup sup = heist_sup_default();
	sup.name = name;
	sup.parent = parent;
	return heist_supervise(s, &sup, out, NULL);
}

static heist_ref supervisor(heist_system *s, const char *name, heist_ref parent)
{
	heist_ref r;
	EXPECT(try_supervisor(s, name, parent, &r) == HEIST_OK);
	return r;
}

static heist_ref child(heist_system *s, const char *name, heist_ref parent)
{
	heist_child c = heist_child_default();
	heist_ref r;
	c.cls = &member;
	c.restart = HEIST_TRANSIENT;
	c.name = name;
	EXPECT(heist_add_child(s, parent, &c, &r) == HEIST_OK);
	return r;
}

static size_t count(heist_system *s, const char *pattern)
{
	return heist_select(s, pattern, NULL, 0);
}

static bool means(heist_system *s, const char *pattern, heist_ref r)
{
	heist_ref out = { 0 };
	return heist_select(s, pattern, &out, 1) == 1 && out.v == r.v;
}

/* /shop { till, till, office { clerk, boss } }, /depot { till }, and some without a path */
static struct {
	heist_ref shop, till[2], office, clerk, boss, depot, depot_till, unnamed;
} is;

static void build(heist_system *s)
{
	const heist_ref top = { 0 };
	is.shop = supervisor(s, "shop", top);
	is.till[0] = child(s, "till", is.shop);
	is.till[1] = child(s, "till", is.shop);
	is.office = supervisor(s, "office", is.shop);
	is.clerk = child(s, "clerk", is.office);
	is.boss = child(s, "boss", is.office);
	is.depot = supervisor(s, "depot", top);
	is.depot_till = child(s, "till", is.depot);
	is.unnamed = child(s, NULL, is.depot);
	child(s, "till", supervisor(s, NULL, is.depot)); /* below one without a name */
	test_run(s);
}

TEST(path, a_pattern_means_a_set)
{
	heist_system *s = start();
	EXPECT(count(s, "/**") == 0);
	build(s);
	EXPECT(means(s, "/shop", is.shop) && means(s, "/shop/office/clerk", is.clerk));
	EXPECT(means(s, "/depot/till", is.depot_till));
	EXPECT(count(s, "/shop/till") == 2);
	EXPECT(count(s, "/*") == 2 && count(s, "/*/*") == 4 && count(s, "/*/till") == 3);
	EXPECT(count(s, "/shop/*") == 3 && count(s, "/shop/*/*") == 2);
	EXPECT(count(s, "/**") == 8 && count(s, "/**/**") == 8 && count(s, "/**/*") == 8);
	EXPECT(count(s, "/shop/**") == 6); /* itself, too */
	EXPECT(count(s, "/**/till") == 3 && count(s, "/**/office/**") == 3);
	EXPECT(means(s, "/**/boss", is.boss) && means(s, "/*/office/**/boss", is.boss));
	EXPECT(count(s, "/shop/office/clerk/x") == 0 && count(s, "/shop/clerk") == 0);
	EXPECT(count(s, "/sho") == 0 && count(s, "/shopp") == 0);
	counted_finish(s);
}

TEST(path, those_who_have_ended_are_not_there)
{
	heist_system *s = start();
	heist_ref again;
	build(s);
	EXPECT(test_tell(is.clerk, &WORD, CRASH) == HEIST_OK);
	test_run(s);
	EXPECT(means(s, "/shop/office/clerk", is.clerk)); /* a restart is no end */
	EXPECT(test_tell(is.clerk, &WORD, STOP) == HEIST_OK);
	test_run(s);
	EXPECT(count(s, "/shop/office/clerk") == 0 && count(s, "/**") == 7);
	again = child(s, "clerk", is.office);
	EXPECT(means(s, "/shop/office/clerk", again));
	EXPECT(heist_stop(is.office, HEIST_OK) == HEIST_OK); /* with those below it */
	test_run(s);
	EXPECT(count(s, "/**/office/**") == 0 && count(s, "/shop/**") == 3);
	EXPECT(heist_kill(is.shop, HEIST_OK) == HEIST_OK);
	EXPECT(heist_kill(is.depot, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(count(s, "/**") == 0);
	build(s);
	EXPECT(count(s, "/**") == 8);
	counted_finish(s);
}

TEST(path, what_it_means_is_sent_to)
{
	heist_system *s = start();
	heist_tally t = heist_tally_default();
	build(s);
	EXPECT(heist_send_path(s, "/**/till", &WORD, &(uint64_t){ 0 }, &t) == HEIST_OK);
	EXPECT(t.tried == 3 && t.accepted == 3);
	test_run(s);
	EXPECT(handled == 3);
	EXPECT(heist_send_path(s, "/none", &WORD, &(uint64_t){ 0 }, &t) == HEIST_OK &&
	       t.tried == 0);
	counted_finish(s);
}

TEST(path, has_at_most_32_names)
{
	heist_system *s = start();
	heist_ref r = { 0 };
	char pattern[80] = "";
	for (int i = 0; i < 32; i++) {
		r = supervisor(s, "x", r);
		strcat(pattern, "/x");
		EXPECT(means(s, pattern, r));
	}
	EXPECT(count(s, "/**/x") == 32 && count(s, "/**/x/**") == 32);
#ifdef NDEBUG
	heist_ref over;
	EXPECT(try_supervisor(s, "x", r, &over) == HEIST_EINVAL);
#endif
	supervisor(s, NULL, r);
	test_run(s);
	counted_finish(s);
}

TEST(path, without_memory_nothing_changes)
{
	heist_status r = HEIST_ENOMEM;
	for (long n = 1; r == HEIST_ENOMEM; n++) {
		heist_system *s = start();
		heist_ref top;
		memory.fail_once = memory.calls + n;
		r = try_supervisor(s, "top", (heist_ref){ 0 }, &top);
		memory.fail_once = 0;
		EXPECT(r == HEIST_OK || r == HEIST_ENOMEM);
		EXPECT(count(s, "/top") == (r == HEIST_OK));
		test_run(s);
		counted_finish(s);
	}
	EXPECT(r == HEIST_OK);
}

/* ---- searches while children come and go ---- */

static heist_system *shared;
static heist_ref above;
static _Atomic bool over;

static void *comes_and_goes(void *arg)
{
	heist_child c = heist_child_default();
	heist_ref r;
	(void)arg;
	c.cls = &member;
	c.name = "guest";
	for (int i = 0; i < 2000; i++) {
		EXPECT(heist_add_child(shared, above, &c, &r) == HEIST_OK);
		EXPECT(heist_kill(r, HEIST_OK) == HEIST_OK);
	}
	atomic_store(&over, true);
	return NULL;
}

TEST(path, a_search_finds_who_is_there_all_the_while)
{
	pthread_t t;
	heist_ref house, fixed, out[4];
	shared = test_start(2);
	over = false;
	house = supervisor(shared, "house", (heist_ref){ 0 });
	child(shared, "guest", house); /* before and after it in the list */
	above = supervisor(shared, "room", house);
	fixed = child(shared, "host", above);
	EXPECT(pthread_create(&t, NULL, comes_and_goes, NULL) == 0);
	while (!atomic_load(&over)) {
		EXPECT(heist_select(shared, "/house/room/host", out, 4) == 1 &&
		       out[0].v == fixed.v);
		EXPECT(heist_select(shared, "/**/host", out, 4) == 1 && out[0].v == fixed.v);
		EXPECT(count(shared, "/house/**") >= 4);
	}
	pthread_join(t, NULL);
	EXPECT(heist_shutdown(shared, 0) == HEIST_OK);
}
