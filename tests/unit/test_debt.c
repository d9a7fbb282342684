/* SPDX-License-Identifier: BSD-2-Clause
 * Replies owed beyond a handler: tokens used twice, late, by others or never, and owners that end first. */
#include <pthread.h>
#include <string.h>

#include "runtime/system.h"
#include "tests/support/counted.h"

struct value {
	uint64_t n, words[15];
};
static _Atomic long drops;
static void on_drop(void *value)
{
	(void)value;
	atomic_fetch_add(&drops, 1);
}
static const heist_drops dropping = { NULL, on_drop };
static const heist_type QUERY = { .base = &QUERY,
				  .name = "query",
				  .size = 8,
				  .reply_size = sizeof(struct value),
				  .drops = &dropping };
static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 8 };
static const heist_type CRASH = { .base = &CRASH, .name = "crash", .size = 8, .reply_size = 8 };

/* ---- who owes ---- */

#define MOST 20000
static heist_token tokens[MOST];
static _Atomic uint32_t token_count;

static heist_next owner_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	if (type == &CRASH)
		return HEIST_FAIL;
	heist_token t = heist_reply_later(ctx, type);
	if (t.v[0] == 0)
		return HEIST_CONTINUE; /* no memory */
	uint32_t i = atomic_load(&token_count);
	tokens[i] = t;
	atomic_store(&token_count, i + 1);
	return HEIST_CONTINUE;
}
static const heist_class owner = { "owner", HEIST_ABI, 0, owner_recv, NULL };

/* ---- who asks: as often as it is told ---- */

static heist_ref the_owner;
static heist_time until;
static _Atomic long continued, refused, settled; /* settled: either of them */
static _Atomic int last;

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)user;
	EXPECT((reply != NULL) == (status == HEIST_OK));
	last = status;
	atomic_fetch_add(&continued, 1);
	atomic_fetch_add(&settled, 1);
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	for (uint64_t i = 0; i < *(uint64_t *)msg; i++)
		if (heist_ask(ctx, the_owner, &QUERY, &i, until, on_answer, 0) != HEIST_OK) {
			atomic_fetch_add(&refused, 1);
			atomic_fetch_add(&settled, 1);
		}
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, 0, asker_recv, NULL };

static heist_system *start(void)
{
	continued = refused = settled = drops = 0;
	token_count = 0;
	last = 1;
	until = 0;
	heist_system *s = counted_start(NULL);
	the_owner = test_spawn(s, &owner, NULL);
	return s;
}

/* A new asker asks n times. */
static heist_ref ask(heist_system *s, uint64_t n)
{
	heist_ref a = test_spawn(s, &asker, NULL);
	EXPECT(test_tell(a, &GO, n) == HEIST_OK);
	test_run(s);
	return a;
}

static heist_status use(uint32_t i)
{
	struct value v = { .n = i };
	return heist_reply_to(tokens[i], HEIST_OK, &QUERY, &v);
}

static uint64_t late(heist_system *s)
{
	return heist_lost_count(s, HEIST_LOST_LATE);
}

TEST(debt, a_token_is_for_one_use)
{
	heist_system *s = start();
	ask(s, 2);
	EXPECT(use(0) == HEIST_OK && use(0) == HEIST_OK && use(1) == HEIST_OK);
	EXPECT(late(s) == 1 && drops == 1);
	test_run(s);
	EXPECT(continued == 2 && last == HEIST_OK && use(1) == HEIST_OK && late(s) == 2);
	ask(s, 1); /* in the same entry, perhaps */
	EXPECT(use(0) == HEIST_OK && use(1) == HEIST_OK && late(s) == 4);
	test_run(s);
	EXPECT(continued == 2 && use(2) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 3 && drops == 4);
	counted_finish(s);
}

TEST(debt, an_owner_that_ends_tells_its_askers)
{
	heist_system *s = start();
	ask(s, 100);
	EXPECT(use(50) == HEIST_OK);
	EXPECT(heist_kill(the_owner, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 100 && last == HEIST_EDEAD && late(s) == 0);
	EXPECT(use(7) == HEIST_OK && late(s) == 1 && drops == 1);
	test_run(s);
	EXPECT(continued == 100);
	counted_finish(s);
}

TEST(debt, of_an_asker_that_has_ended_is_nobodys)
{
	heist_system *s = start();
	heist_ref a = ask(s, 3);
	EXPECT(heist_kill(a, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(use(0) == HEIST_OK && late(s) == 1);
	EXPECT(heist_kill(the_owner, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 0 && late(s) == 3);
	counted_finish(s);
}

TEST(debt, a_restart_ends_debts_too)
{
	heist_system *s = start();
	heist_child c = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref top;
	c.cls = &owner;
	sup.children = &c;
	sup.child_count = 1;
	EXPECT(heist_supervise(s, &sup, &top, &the_owner) == HEIST_OK);
	test_run(s);
	ask(s, 2);
	EXPECT(test_tell(the_owner, &CRASH, 0) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 2 && last == HEIST_ECRASH);
	EXPECT(use(0) == HEIST_OK && late(s) == 1);
	ask(s, 1); /* it goes on */
	EXPECT(use(2) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 3 && last == HEIST_OK);
	counted_finish(s);
}

TEST(debt, a_dropped_token_leaves_it_to_the_deadline)
{
	heist_system *s = start();
	until = heist_in_ms(s, 10);
	ask(s, 1);
	test_pass(s, 20 * TEST_MS);
	EXPECT(continued == 1 && last == HEIST_ETIMEOUT);
	EXPECT(heist_kill(the_owner, HEIST_OK) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 1 && late(s) == 0); /* there is nobody to tell */
	EXPECT(use(0) == HEIST_OK && late(s) == 1);
	counted_finish(s);
}

TEST(debt, is_paid_back_entry_by_entry)
{
	heist_system *s = start();
	ask(s, 10);
	for (uint32_t i = 0; i < 10; i++)
		EXPECT(use(i) == HEIST_OK);
	test_run(s);
	long bytes = memory.bytes;
	heist_ref a = test_spawn(s, &asker, NULL);
	for (uint32_t i = 10; i < MOST; i++) {
		EXPECT(test_tell(a, &GO, 1) == HEIST_OK);
		test_run(s);
		EXPECT(use(i) == HEIST_OK);
		test_run(s);
	}
	/* a few blocks; a line and an entry for each would be six times as much */
	EXPECT(continued == MOST && memory.bytes < bytes + 400000);
	counted_finish(s);
}

/* The n-th allocation fails: an answer comes all the same, be it that there is none. */
TEST(debt, without_memory_the_asker_hears)
{
	for (long n = 1;; n++) {
		heist_system *s = start();
		long before = memory.calls;
		memory.fail_once = before + n;
		heist_ref a = { 0 };
		if (heist_spawn(s, &asker, NULL, NULL, &a) == HEIST_OK)
			(void)test_tell(a, &GO, 100);
		test_run(s);
		bool done = memory.calls < before + n;
		memory.fail_once = 0;
		EXPECT(heist_kill(the_owner, HEIST_OK) == HEIST_OK);
		test_run(s);
		EXPECT(continued + refused == 100 || continued + refused == 0);
		counted_finish(s);
		if (done)
			break;
	}
}

/* ---- tokens used outside, while owners end ---- */

static heist_status own_mind(heist_system *s)
{
	uint64_t n = 1;
	return heist_call(s, the_owner, &QUERY, &n, 0, NULL);
}

static void *calls(void *arg)
{
	heist_status st = own_mind(arg);
	EXPECT(st == HEIST_OK || st == HEIST_EDEAD);
	return NULL;
}

static void *uses(void *arg)
{
	for (uint32_t i = 0; i < (uint32_t)(uintptr_t)arg; i++) {
		while (atomic_load(&token_count) <= i && continued + refused < (long)(uintptr_t)arg)
			sched_yield();
		if (atomic_load(&token_count) > i)
			EXPECT(use(i) == HEIST_OK);
	}
	return NULL;
}

TEST(debt, each_ask_is_answered_once_whoever_is_first)
{
	enum { ASKS = 200, ROUNDS = 50 };
	for (int round = 0; round < ROUNDS; round++) {
		pthread_t user, caller;
		heist_system *s = test_start(2);
		continued = refused = settled = drops = 0;
		token_count = 0;
		until = 0;
		the_owner = test_spawn(s, &owner, NULL);
		heist_ref a = test_spawn(s, &asker, NULL);
		EXPECT(pthread_create(&user, NULL, uses, (void *)(uintptr_t)ASKS) == 0);
		EXPECT(pthread_create(&caller, NULL, calls, s) == 0);
		EXPECT(test_tell(a, &GO, ASKS) == HEIST_OK);
		while (atomic_load(&token_count) < (uint32_t)(round * 3))
			sched_yield();
		EXPECT(heist_kill(the_owner, HEIST_OK) == HEIST_OK);
		pthread_join(caller, NULL);
		EXPECT(wait_for(&settled, ASKS));
		pthread_join(user, NULL);
		EXPECT(test_balanced(s) && continued == ASKS - refused);
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	}
}

/* ---- a later runtime with the number of one that has ended ---- */

TEST(debt, a_token_is_for_one_runtime)
{
	heist_system *s = start();
	uint32_t id = s->id;
	ask(s, 1);
	heist_token old = tokens[0];
	counted_finish(s);
	for (int i = 0; i < RUNTIMES; i++) { /* numbers go round */
		s = start();
		if (s->id == id)
			break;
		counted_finish(s);
	}
	EXPECT(s->id == id);
	ask(s, 1); /* in the same entry */
	EXPECT(old.v[3] >> 32 == tokens[0].v[3] >> 32);
	EXPECT(heist_reply_to(old, HEIST_OK, &QUERY, &(struct value){ .n = 1 }) == HEIST_OK);
	EXPECT(late(s) == 1 && use(0) == HEIST_OK);
	test_run(s);
	EXPECT(continued == 1 && last == HEIST_OK && late(s) == 1);
	counted_finish(s);
}

/* ---- a runtime that ends while somebody owes ---- */

TEST(debt, may_be_left_when_the_runtime_ends)
{
	for (int first = 0; first < 2; first++) { /* who is ended first */
		heist_system *s = start();
		if (first)
			ask(s, 10);
		the_owner = test_spawn(s, &owner, NULL);
		ask(s, 10);
		EXPECT(use(0) == HEIST_OK);
		test_run(s);
		counted_finish(s);
	}
	heist_system *s = test_start(2);
	continued = 0;
	the_owner = test_spawn(s, &owner, NULL);
	heist_ref a = test_spawn(s, &asker, NULL);
	EXPECT(test_tell(a, &GO, 100) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}
