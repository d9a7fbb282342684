/* SPDX-License-Identifier: BSD-2-Clause
 * Names of actors: who has one, who may have it next, and that nothing of it is left. */
#include <stdio.h>
#include <string.h>

#include "tests/support/memory.h"
#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

static _Atomic long stopped, handled;
static _Atomic bool named_in_stop;

static bool same(heist_ref a, heist_ref b)
{
	return a.v == b.v;
}

static heist_next named_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state;
	atomic_fetch_add(&handled, 1);
	if (n == 1) { /* ask in here */
		uint64_t found = heist_whereis(heist_system_of(ctx), "me").v;
		heist_reply(ctx, HEIST_OK, type, &found);
	}
	return n == 2 ? HEIST_STOP : HEIST_CONTINUE;
}

static void named_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)state, (void)why;
	atomic_store(&named_in_stop,
		     same(heist_whereis(heist_system_of(ctx), "me"), heist_self(ctx)));
	atomic_fetch_add(&stopped, 1);
}
static const heist_hooks hooks = { .stop = named_stop };
static const heist_class named = { "named", HEIST_ABI, 0, named_recv, &hooks };

static heist_system *start(void)
{
	atomic_store(&stopped, 0);
	atomic_store(&handled, 0);
	return test_start(2);
}

/* End an actor, and wait until everybody can see that. */
static void end_actor(heist_ref r)
{
	EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK);
	for (int i = 0; i < 20000 && test_tell(r, &WORD, 0) != HEIST_EDEAD; i++)
		test_sleep_ms(1);
	EXPECT(test_tell(r, &WORD, 0) == HEIST_EDEAD);
}

static void shut_down(heist_system *s)
{
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_names, a_name_leads_to_its_actor)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(s, &named, NULL);
	uint64_t one = 1, found = 0;
	EXPECT(heist_whereis(s, "me").v == 0);
	EXPECT(heist_unregister(s, "me") == HEIST_EDEAD);
	EXPECT(heist_register(s, "me", a) == HEIST_OK);
	EXPECT(heist_register(s, "other", b) == HEIST_OK);
	EXPECT(same(heist_whereis(s, "me"), a));
	EXPECT(same(heist_whereis(s, "other"), b));
	EXPECT(heist_whereis(s, "m").v == 0 && heist_whereis(s, "mee").v == 0);
	EXPECT(heist_call(s, b, &WORD, &one, 0, &found) == HEIST_OK);
	EXPECT(found == a.v);
	shut_down(s);
}

TEST(runtime_names, a_taken_name_is_refused)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(s, &named, NULL);
	EXPECT(heist_register(s, "me", a) == HEIST_OK);
	EXPECT(heist_register(s, "me", b) == HEIST_EEXIST);
	EXPECT(heist_register(s, "me", a) == HEIST_EEXIST);
	EXPECT(same(heist_whereis(s, "me"), a));
	EXPECT(heist_register(s, "alias", a) == HEIST_OK);
	EXPECT(same(heist_whereis(s, "alias"), a));
	EXPECT(strcmp(heist_strstatus(HEIST_EEXIST), "unknown status") != 0);
	shut_down(s);
}

TEST(runtime_names, a_name_that_was_taken_away_can_be_given_again)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(s, &named, NULL);
	for (int i = 0; i < 1000; i++) {
		heist_ref r = i % 2 ? a : b;
		EXPECT(heist_register(s, "me", r) == HEIST_OK);
		EXPECT(same(heist_whereis(s, "me"), r));
		EXPECT(heist_unregister(s, "me") == HEIST_OK);
		EXPECT(heist_whereis(s, "me").v == 0);
		EXPECT(heist_unregister(s, "me") == HEIST_EDEAD);
	}
	shut_down(s);
}

TEST(runtime_names, end_with_their_actor)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(s, &named, NULL);
	EXPECT(heist_register(s, "me", a) == HEIST_OK);
	EXPECT(heist_register(s, "alias", a) == HEIST_OK);
	end_actor(a);
	EXPECT(atomic_load(&named_in_stop)); /* it had them to its last turn */
	EXPECT(heist_whereis(s, "me").v == 0 && heist_whereis(s, "alias").v == 0);
	EXPECT(heist_unregister(s, "alias") == HEIST_EDEAD);
	EXPECT(heist_register(s, "me", b) == HEIST_OK);
	EXPECT(same(heist_whereis(s, "me"), b));
	shut_down(s);
}

TEST(runtime_names, the_dead_get_none)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL), nobody = { 0 };
	end_actor(a);
	EXPECT(heist_register(s, "me", a) == HEIST_EDEAD);
	EXPECT(heist_register(s, "me", nobody) == HEIST_EDEAD);
	EXPECT(heist_whereis(s, "me").v == 0);
	shut_down(s);
}

TEST(runtime_names, of_two_runtimes_have_nothing_to_do_with_each_other)
{
	heist_system *s = start(), *t = test_start(1);
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(t, &named, NULL);
	EXPECT(heist_register(s, "me", a) == HEIST_OK);
	EXPECT(heist_whereis(t, "me").v == 0);
	EXPECT(heist_register(t, "me", b) == HEIST_OK);
	EXPECT(same(heist_whereis(s, "me"), a) && same(heist_whereis(t, "me"), b));
	shut_down(t);
	shut_down(s);
}

TEST(runtime_names, nobody_outside_is_named_any_more_after_close)
{
	heist_system *s = start();
	heist_ref a = test_spawn(s, &named, NULL);
	EXPECT(heist_register(s, "me", a) == HEIST_OK);
	EXPECT(heist_close(s) == HEIST_OK);
	EXPECT(heist_register(s, "you", a) == HEIST_ECLOSED);
	EXPECT(same(heist_whereis(s, "me"), a));
	EXPECT(heist_unregister(s, "me") == HEIST_OK);
	shut_down(s);
}

static heist_ref by_itself;

static heist_next registrar_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)state, (void)arg;
	by_itself = heist_self(ctx);
	EXPECT(heist_register(heist_system_of(ctx), "itself", by_itself) == HEIST_OK);
	return HEIST_CONTINUE;
}

TEST(runtime_names, in_a_polled_runtime_by_its_handlers_and_its_host)
{
	static const heist_hooks h = { .init = registrar_init };
	static const heist_class c = { "registrar", HEIST_ABI, 0, named_recv, &h };
	heist_config config = heist_config_default();
	heist_system *s;
	config.mode = HEIST_POLLED;
	EXPECT(heist_start(&config, &s) == HEIST_OK);
	heist_ref a = test_spawn(s, &c, NULL);
	EXPECT(heist_register(s, "a", a) == HEIST_OK); /* before its first turn */
	while (heist_poll(s, 0, 100) > 0)
		;
	EXPECT(same(by_itself, a));
	EXPECT(same(heist_whereis(s, "itself"), a) && same(heist_whereis(s, "a"), a));
	EXPECT(test_tell(a, &WORD, 2) == HEIST_OK);
	while (heist_poll(s, 0, 100) > 0)
		;
	EXPECT(heist_whereis(s, "itself").v == 0 && heist_whereis(s, "a").v == 0);
	shut_down(s);
}

#ifdef NDEBUG /* debug builds abort on wrong arguments */
TEST(runtime_names, wrong_arguments_are_refused)
{
	static const char *const bad[] = { "", " ", "a b", "a*", "a\n", "\xc3\xa4", "what?", NULL };
	heist_system *s = start(), *t = test_start(1);
	heist_ref a = test_spawn(s, &named, NULL), b = test_spawn(t, &named, NULL);
	char longest[HEIST_NAME_MAX + 2];
	for (int i = 0; bad[i]; i++)
		EXPECT(heist_register(s, bad[i], a) == HEIST_EINVAL);
	EXPECT(heist_register(s, NULL, a) == HEIST_EINVAL);
	EXPECT(heist_register(NULL, "me", a) == HEIST_EINVAL);
	EXPECT(heist_register(s, "me", b) == HEIST_EINVAL); /* of another runtime */
	EXPECT(heist_unregister(NULL, "me") == HEIST_EINVAL);
	EXPECT(heist_unregister(s, NULL) == HEIST_EINVAL);
	EXPECT(heist_whereis(NULL, "me").v == 0 && heist_whereis(s, NULL).v == 0);
	memset(longest, 'x', sizeof longest);
	longest[HEIST_NAME_MAX + 1] = '\0';
	EXPECT(heist_register(s, longest, a) == HEIST_EINVAL);
	EXPECT(heist_whereis(s, longest).v == 0);
	longest[HEIST_NAME_MAX] = '\0';
	EXPECT(heist_register(s, longest, a) == HEIST_OK);
	EXPECT(same(heist_whereis(s, longest), a));
	shut_down(t);
	shut_down(s);
}
#endif

/* ---- memory ---- */

static heist_system *start_counted(struct counted_memory *m)
{
	heist_config c = heist_config_default();
	heist_system *s;
	counted_init(m);
	c.workers = 1;
	c.pin = HEIST_OFF;
	c.user = m;
	c.alloc = m->hook.alloc;
	c.dealloc = m->hook.dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void name_of(char *out, int i)
{
	snprintf(out, HEIST_NAME_MAX + 1, "actor/%d", i);
}

TEST(runtime_names, of_the_dead_do_not_pile_up)
{
	enum { ROUNDS = 200, BATCH = 50 };
	static struct counted_memory m;
	heist_system *s = start_counted(&m);
	long peak = 0;
	for (int round = 0; round < ROUNDS; round++) {
		heist_ref r[BATCH];
		char name[HEIST_NAME_MAX + 1];
		for (int i = 0; i < BATCH; i++) {
			r[i] = test_spawn(s, &named, NULL);
			name_of(name, round * BATCH + i);
			EXPECT(heist_register(s, name, r[i]) == HEIST_OK);
		}
		for (int i = 0; i < BATCH; i++)
			EXPECT(heist_stop(r[i], HEIST_OK) == HEIST_OK);
		EXPECT(wait_for(&stopped, (round + 1) * BATCH));
		if (round == 10)
			peak = atomic_load(&m.pieces);
	}
	EXPECT(atomic_load(&m.pieces) < peak + 5 * BATCH); /* of 10,000 names given */
	shut_down(s);
	EXPECT(counted_balanced(&m));
}

/* Give names to one actor while memory is short; what is said to be so, is so. */
static void name_without_memory(heist_system *s, heist_ref a, int names, int *refused)
{
	bool given[64];
	char name[HEIST_NAME_MAX + 1];
	*refused = 0;
	for (int i = 0; i < names; i++) {
		name_of(name, i);
		heist_status st = heist_register(s, name, a);
		EXPECT(st == HEIST_OK || st == HEIST_ENOMEM);
		given[i] = st == HEIST_OK;
		*refused += !given[i];
		if (i % 3 == 0)
			EXPECT(heist_unregister(s, name) == (given[i] ? HEIST_OK : HEIST_EDEAD));
	}
	for (int i = 0; i < names; i++) {
		name_of(name, i);
		EXPECT(heist_whereis(s, name).v == (given[i] && i % 3 ? a.v : 0));
	}
}

TEST(runtime_names, each_allocation_fails_in_turn)
{
	static struct counted_memory m;
	int refused, at = 0, never = 0;
	do {
		heist_system *s = start_counted(&m);
		heist_ref a = test_spawn(s, &named, NULL);
		EXPECT(test_balanced(s));
		atomic_store(&m.fail_at, atomic_load(&m.calls) + ++at);
		name_without_memory(s, a, 64, &refused);
		never += refused == 0;
		atomic_store(&m.fail_at, 0);
		EXPECT(heist_register(s, "after", a) == HEIST_OK);
		shut_down(s);
		EXPECT(counted_balanced(&m));
	} while (refused);
	EXPECT(at > 60 && never == 1);
}
