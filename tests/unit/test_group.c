/* SPDX-License-Identifier: BSD-2-Clause
 * Groups and topics: who is in them, what their watchers are told, what is sent to all, and that everything is
 * accounted for. */
#include <string.h>

#include "tests/support/counted.h"

struct blob {
	uint64_t n;
	unsigned char bytes[992];
};
static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type BLOB = {
	.base = &BLOB, .name = "blob", .size = sizeof(struct blob), .reply_size = 1
};
static const heist_type CHANGE = {
	.base = &CHANGE, .name = "change", .size = sizeof(heist_member_event), .reply_size = 1
};
enum { STOP = 1, CRASH, TAKE };

static long handled, blobs, inits;
static const void *seen; /* the payload of the last blob */
static heist_member_event told[100];
static int tellings;
static uint64_t mode; /* what those who get a blob do */

static heist_next member_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	inits++;
	return HEIST_CONTINUE;
}

static heist_next on_blob(heist_ctx *ctx, struct blob *b)
{
	for (size_t i = 0; i < sizeof b->bytes; i++)
		EXPECT(b->bytes[i] == 7);
	blobs++;
	seen = b;
	if (mode == TAKE) {
		struct blob *mine = heist_take(ctx, b);
		void *msg = mine;
		EXPECT(mine && mine->bytes[991] == 7 && heist_take(ctx, b) == NULL);
		memset(mine->bytes, 9, sizeof mine->bytes); /* the others do not see it */
		heist_discard(&msg);
	}
	return HEIST_CONTINUE;
}

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	if (type == &BLOB)
		return on_blob(ctx, msg);
	if (type == &CHANGE) {
		told[tellings++ % 100] = *(heist_member_event *)msg;
		return HEIST_CONTINUE;
	}
	handled++;
	return *(uint64_t *)msg == STOP	   ? HEIST_STOP
	       : *(uint64_t *)msg == CRASH ? HEIST_FAIL
					   : HEIST_CONTINUE;
}
static const heist_hooks hooks = { .init = member_init };
static const heist_class member = { "member", HEIST_ABI, 8, member_recv, &hooks };

static heist_system *start(void)
{
	handled = blobs = inits = tellings = 0;
	mode = 0;
	return counted_start(NULL);
}

static heist_ref spawn(heist_system *s)
{
	heist_ref r = test_spawn(s, &member, NULL);
	test_run(s);
	return r;
}

static size_t count(heist_system *s, const char *group)
{
	return heist_group_members(s, group, NULL, 0);
}

TEST(group, members_come_and_go)
{
	heist_system *s = start();
	heist_ref a = spawn(s), b = spawn(s), out[3] = { { 0 }, { 0 }, { 77 } };
	EXPECT(count(s, "g") == 0 && heist_group_leave(s, "g", a) == HEIST_EDEAD);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", a) == HEIST_EEXIST);
	EXPECT(heist_group_join(s, "g", b) == HEIST_OK);
	EXPECT(heist_group_join(s, "h", b) == HEIST_OK); /* several */
	EXPECT(heist_group_members(s, "g", out, 3) == 2 && out[2].v == 77);
	EXPECT((out[0].v == a.v && out[1].v == b.v) || (out[0].v == b.v && out[1].v == a.v));
	EXPECT(heist_group_members(s, "h", out, 1) == 1 && out[0].v == b.v);
	EXPECT(heist_group_leave(s, "g", b) == HEIST_OK);
	EXPECT(heist_group_leave(s, "g", b) == HEIST_EDEAD);
	EXPECT(count(s, "g") == 1 && count(s, "h") == 1);
	EXPECT(heist_group_join(s, "g", b) ==
	       HEIST_OK); /* again, before its leave has come to it */
	test_run(s);
	EXPECT(count(s, "g") == 2);
	counted_finish(s);
}

TEST(group, names_of_actors_groups_and_topics_are_apart)
{
	heist_system *s = start();
	heist_ref a = spawn(s), b = spawn(s), c = spawn(s), out;
	EXPECT(heist_register(s, "x", a) == HEIST_OK);
	EXPECT(heist_group_join(s, "x", b) == HEIST_OK);
	EXPECT(heist_subscribe(s, "x", c) == HEIST_OK);
	EXPECT(heist_whereis(s, "x").v == a.v);
	EXPECT(heist_group_members(s, "x", &out, 1) == 1 && out.v == b.v);
	EXPECT(heist_subscribers(s, "x", &out, 1) == 1 && out.v == c.v);
	counted_finish(s);
}

TEST(group, an_end_leaves_all_groups_at_once)
{
	heist_system *s = start();
	heist_ref a = spawn(s);
	char name[] = "g0";
	for (; name[1] <= '9'; name[1]++)
		EXPECT(heist_group_join(s, name, a) == HEIST_OK);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK); /* before it has heard of any */
	test_run(s);
	for (name[1] = '0'; name[1] <= '9'; name[1]++)
		EXPECT(count(s, name) == 0 && heist_group_join(s, name, a) == HEIST_EDEAD);
	a = spawn(s); /* perhaps in the same slot */
	EXPECT(heist_group_join(s, "g0", a) == HEIST_OK);
	EXPECT(test_tell(a, &WORD, STOP) == HEIST_OK);
	test_run(s);
	EXPECT(count(s, "g0") == 0);
	counted_finish(s);
}

TEST(group, a_restart_keeps_memberships_and_subscriptions)
{
	heist_system *s = start();
	heist_child spec = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref top, a;
	heist_tally t = heist_tally_default();
	spec.cls = &member;
	sup.children = &spec;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &top, &a) == HEIST_OK);
	test_run(s);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK && heist_subscribe(s, "t", a) == HEIST_OK);
	EXPECT(test_tell(a, &WORD, CRASH) == HEIST_OK);
	test_run(s);
	EXPECT(inits == 2 && count(s, "g") == 1);
	EXPECT(heist_publish(s, "t", &WORD, &(uint64_t){ 0 }, &t) == HEIST_OK && t.accepted == 1);
	test_run(s);
	EXPECT(handled == 2); /* the one that crashed it, too, began */
	EXPECT(heist_kill(top, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(count(s, "g") == 0 && heist_subscribers(s, "t", NULL, 0) == 0);
	counted_finish(s);
}

static bool was_told(int i, heist_ref who, uint64_t user, heist_member_change change)
{
	return told[i].who.v == who.v && told[i].user == user && told[i].change == change;
}

TEST(group, a_watcher_is_told_each_change_once)
{
	heist_system *s = start();
	heist_ref w = spawn(s), a = spawn(s), b = spawn(s);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK);
	EXPECT(heist_group_watch(s, "g", w, &CHANGE, 42) == HEIST_OK);
	EXPECT(heist_group_watch(s, "g", w, &CHANGE, 43) == HEIST_EEXIST);
	EXPECT(count(s, "g") == 1); /* a watcher is no member */
	EXPECT(heist_group_join(s, "g", b) == HEIST_OK);
	EXPECT(heist_group_leave(s, "g", a) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK);
	EXPECT(heist_kill(b, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 5);
	EXPECT(was_told(0, a, 42, HEIST_MEMBER_JOINED) && was_told(1, b, 42, HEIST_MEMBER_JOINED));
	EXPECT(was_told(2, a, 42, HEIST_MEMBER_LEFT) && was_told(3, a, 42, HEIST_MEMBER_JOINED));
	EXPECT(was_told(4, b, 42, HEIST_MEMBER_ENDED));
	EXPECT(heist_group_unwatch(s, "g", w) == HEIST_OK);
	EXPECT(heist_group_unwatch(s, "g", w) == HEIST_EDEAD);
	EXPECT(heist_group_leave(s, "g", a) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 5);
	counted_finish(s);
}

TEST(group, a_watcher_may_end_or_be_a_member_itself)
{
	heist_system *s = start();
	heist_ref w = spawn(s), v = spawn(s), a = spawn(s);
	EXPECT(heist_group_watch(s, "g", w, &CHANGE, 1) == HEIST_OK); /* of nobody yet */
	EXPECT(heist_group_watch(s, "g", v, &CHANGE, 2) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", w) == HEIST_OK);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 4);
	EXPECT(heist_kill(w, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 5 && was_told(4, w, 2, HEIST_MEMBER_ENDED));
	EXPECT(heist_group_leave(s, "g", a) == HEIST_OK);
	test_run(s);
	EXPECT(tellings == 6 && count(s, "g") == 0);
	EXPECT(heist_group_watch(s, "g", w, &CHANGE, 1) == HEIST_EDEAD);
	counted_finish(s); /* v still watches */
}

TEST(group, a_send_to_all_says_what_became_of_each)
{
	heist_system *s = start();
	heist_tally t = heist_tally_default();
	heist_opts o = heist_opts_default();
	heist_ref a = spawn(s), dead = spawn(s), full, all[4];
	o.mailbox_cap = 1;
	EXPECT(heist_spawn(s, &member, &o, NULL, &full) == HEIST_OK);
	EXPECT(heist_kill(dead, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(heist_group_send(s, "g", &WORD, &(uint64_t){ 0 }, &t) == HEIST_OK && t.tried == 0);
	EXPECT(heist_group_join(s, "g", a) == HEIST_OK &&
	       heist_group_join(s, "g", full) == HEIST_OK);
	test_run(s);
	EXPECT(heist_group_send(s, "g", &WORD, &(uint64_t){ 0 }, NULL) == HEIST_OK);
	EXPECT(heist_group_send(s, "g", &BLOB, &(struct blob){ 0 }, &t) == HEIST_OK);
	EXPECT(t.tried == 2 && t.accepted == 1 && t.full == 1);
	all[0] = dead, all[1] = full, all[2] = (heist_ref){ 0 }, all[3] = dead;
	EXPECT(heist_send_all(s, all, 4, &WORD, &(uint64_t){ 0 }, &t) == HEIST_EDEAD);
	EXPECT(t.tried == 4 && t.accepted == 0 && t.dead == 3 && t.full == 1);
	EXPECT(heist_send_all(s, NULL, 0, &WORD, &(uint64_t){ 0 }, &t) == HEIST_OK && t.tried == 0);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK); /* the blob is lost */
	test_run(s);
	EXPECT(handled == 1 && blobs == 0);
	counted_finish(s);
}

/* A payload that has a piece of memory of its own is there once, however many get it. */
TEST(group, a_large_payload_is_copied_once)
{
	enum { MANY = 500 };
	heist_system *s = start();
	heist_tally t = heist_tally_default();
	struct blob b = { .n = 1 };
	heist_ref keeper = { 0 };
	memset(b.bytes, 7, sizeof b.bytes);
	for (int i = 0; i < MANY; i++)
		EXPECT(heist_subscribe(s, "t", keeper = spawn(s)) == HEIST_OK);
	for (int round = 0; round < 2; round++) {
		long bytes = memory.bytes;
		EXPECT(heist_publish(s, "t", &BLOB, &b, &t) == HEIST_OK && t.accepted == MANY);
		EXPECT(memory.bytes - bytes < (MANY / 2) * (long)sizeof b); /* messages are lines */
		mode = round ? TAKE : 0;
		EXPECT(heist_kill(keeper, HEIST_OK) == HEIST_OK); /* its share is given back */
		test_run(s);
		EXPECT(blobs == (round + 1) * (MANY - 1));
		EXPECT(heist_subscribe(s, "t", keeper = spawn(s)) == HEIST_OK);
		memset(&b.n, 0, sizeof b.n); /* and nobody looks at ours */
	}
	counted_finish(s);
}

TEST(group, ten_thousand_members_end)
{
	enum { MANY = 10000 };
	static heist_ref all[MANY], out[MANY];
	heist_system *s = start();
	for (int i = 0; i < MANY; i++) {
		all[i] = test_spawn(s, &member, NULL);
		EXPECT(heist_group_join(s, "g", all[i]) == HEIST_OK);
	}
	test_run(s);
	EXPECT(heist_group_members(s, "g", out, MANY) == MANY);
	EXPECT(heist_group_send(s, "g", &WORD, &(uint64_t){ 0 }, NULL) == HEIST_OK);
	test_run(s);
	EXPECT(handled == MANY);
	for (int i = 0; i < MANY; i += 2)
		EXPECT(heist_group_leave(s, "g", all[i]) == HEIST_OK);
	EXPECT(count(s, "g") == MANY / 2);
	EXPECT(heist_group_send(s, "g", &WORD, &(uint64_t){ STOP }, NULL) == HEIST_OK);
	test_run(s);
	EXPECT(count(s, "g") == 0 && handled == MANY + MANY / 2);
	counted_finish(s);
}

/* The n-th allocation fails, for every n: nothing has changed then, and the next try succeeds. */
TEST(group, without_memory_nothing_changes)
{
	heist_status r = HEIST_ENOMEM;
	for (long n = 1; r == HEIST_ENOMEM; n++) {
		heist_system *s = start();
		heist_ref a = spawn(s), w = spawn(s);
		memory.fail_at = memory.calls + n;
		r = heist_group_watch(s, "g", w, &CHANGE, 1);
		if (r == HEIST_OK)
			r = heist_group_join(s, "g", a);
		memory.fail_at = 0;
		EXPECT(r == HEIST_OK || r == HEIST_ENOMEM);
		EXPECT(count(s, "g") == (r == HEIST_OK));
		test_run(s);
		EXPECT(tellings == (r == HEIST_OK));
		EXPECT(r == HEIST_OK || heist_group_join(s, "g", a) == HEIST_OK);
		EXPECT(count(s, "g") == 1);
		test_run(s);
		counted_finish(s);
	}
	EXPECT(r == HEIST_OK);
}

/* It fails after some of the pairs have been made: they are unmade. */
TEST(group, without_memory_a_watch_of_many_changes_nothing)
{
	enum { MEMBERS = 3000 };
	heist_status r = HEIST_ENOMEM;
	heist_system *s = start();
	heist_ref w = spawn(s);
	for (int i = 0; i < MEMBERS; i++)
		EXPECT(heist_group_join(s, "g", spawn(s)) == HEIST_OK);
	test_run(s);
	for (long n = 1; r == HEIST_ENOMEM; n++) {
		memory.fail_at = memory.calls + n;
		r = heist_group_watch(s, "g", w, &CHANGE, 1);
		memory.fail_at = 0;
		EXPECT(n > 2 || r == HEIST_ENOMEM); /* it takes more than a block of messages */
		EXPECT(r == HEIST_OK || heist_group_unwatch(s, "g", w) == HEIST_EDEAD);
		test_run(s);
		EXPECT(tellings == (r == HEIST_OK ? MEMBERS : 0));
	}
	EXPECT(r == HEIST_OK);
	counted_finish(s);
}

TEST(group, without_memory_a_send_says_so)
{
	heist_system *s = start();
	heist_tally t = heist_tally_default();
	struct blob b = { 0 };
	memset(b.bytes, 7, sizeof b.bytes);
	for (int i = 0; i < 100; i++)
		EXPECT(heist_group_join(s, "g", spawn(s)) == HEIST_OK);
	counted_fail(&memory, true);
	EXPECT(heist_group_send(s, "g", &BLOB, &b, &t) == HEIST_ENOMEM);
	counted_fail(&memory, false);
	test_run(s);
	EXPECT(blobs == 0);
	EXPECT(heist_group_send(s, "g", &BLOB, &b, &t) == HEIST_OK && t.accepted == 100);
	test_run(s);
	EXPECT(blobs == 100);
	counted_finish(s);
}

TEST(group, a_runtime_may_end_with_members_and_watchers)
{
	for (int first = 0; first < 2; first++) { /* who is ended first */
		heist_system *s = start();
		heist_ref w = { 0 };
		if (first)
			w = spawn(s);
		for (int i = 0; i < 5; i++)
			EXPECT(heist_group_join(s, "g", spawn(s)) == HEIST_OK);
		if (!first)
			w = spawn(s);
		EXPECT(heist_group_watch(s, "g", w, &CHANGE, 0) == HEIST_OK);
		EXPECT(heist_group_join(s, "g", w) == HEIST_OK);
		test_run(s);
		EXPECT(tellings == 6);
		counted_finish(s);
	}
}
