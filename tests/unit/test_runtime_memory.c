/* SPDX-License-Identifier: BSD-2-Clause
 * No memory: each allocation, and each system call that makes pages usable, fails once, and from some
 * point on for ever.  Whatever is refused has changed nothing, nothing accepted is forgotten, nothing leaks. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/support/runtime.h"

/* ---- what fails ---- */

static _Atomic long calls, balance, pages;
static _Atomic long fail_at, fail_from; /* the n-th call; every call from the n-th on; 0 = never */
static _Atomic long fail_page;		/* the n-th mprotect or mmap; 0 = never */

static bool denied(void)
{
	long n = atomic_fetch_add(&calls, 1) + 1;
	return n == fail_at || (fail_from && n >= fail_from);
}

static void *hook_alloc(void *user, size_t size, size_t align)
{
	void *p = NULL;
	(void)user;
	if (denied() || posix_memalign(&p, align < sizeof p ? sizeof p : align, size) != 0)
		return NULL;
	atomic_fetch_add(&balance, (long)size);
	return p;
}

static void hook_dealloc(void *user, void *p, size_t size)
{
	(void)user;
	atomic_fetch_sub(&balance, (long)size);
	free(p);
}

/* The linker hands us the runtime's calls (--wrap); mmap64 is mmap with 64-bit offsets. */
int __real_mprotect(void *p, size_t size, int protection);
int __wrap_mprotect(void *p, size_t size, int protection);
void *__real_mmap64(void *p, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *p, size_t size, int protection, int flags, int fd, off_t offset);

int __wrap_mprotect(void *p, size_t size, int protection)
{
	if (atomic_fetch_add(&pages, 1) + 1 == fail_page)
		return -1;
	return __real_mprotect(p, size, protection);
}

void *__wrap_mmap64(void *p, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (atomic_fetch_add(&pages, 1) + 1 == fail_page)
		return MAP_FAILED;
	return __real_mmap64(p, size, protection, flags, fd, offset);
}

/* ---- the scenario ---- */

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type BIG = { .base = &BIG, .name = "big", .size = 500, .reply_size = 500 };

static _Atomic long started, ended, handled, asked, answered, refused;

static bool accepted(heist_status s)
{
	EXPECT(s == HEIST_OK || s == HEIST_ENOMEM);
	if (s != HEIST_OK)
		atomic_fetch_add(&refused, 1);
	return s == HEIST_OK;
}

struct actor {
	char room[200];
};

static heist_next actor_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state;
	EXPECT(((const uint64_t *)arg)[15] == 15);
	atomic_fetch_add(&started, 1);
	return HEIST_CONTINUE;
}

static void actor_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&ended, 1);
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)user;
	EXPECT((status == HEIST_OK) == (reply != NULL));
	EXPECT(status == HEIST_OK || status == HEIST_ENOREPLY || status == HEIST_ETIMEOUT);
	atomic_fetch_add(&answered, 1);
}

static const heist_class actor_class;

static void spawn_more(heist_system *s)
{
	uint64_t arg[16] = { [15] = 15 };
	heist_ref r;
	if (accepted(heist_spawn(s, &actor_class, NULL, arg, &r)))
		EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK); /* needs no memory */
}

static void ask_self(heist_ctx *ctx, const heist_type *type, const void *msg, heist_time deadline)
{
	if (accepted(heist_ask(ctx, heist_self(ctx), type, msg, deadline, on_answer, 0)))
		atomic_fetch_add(&asked, 1);
}

static heist_next actor_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t *n = msg;
	(void)state, (void)type;
	atomic_fetch_add(&handled, 1);
	if (*n == 0)
		return HEIST_CONTINUE;
	*n = 0;
	void *mine = heist_take(ctx, msg);
	if (!mine)
		atomic_fetch_add(&refused, 1);
	else if (!accepted(heist_post(heist_self(ctx), &mine)))
		heist_discard(&mine);
	return HEIST_CONTINUE;
}

static heist_next driver_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t big[63] = { 0 }, *n = msg;
	heist_system *s = heist_system_of(ctx);
	(void)state;
	if (type == &BIG || *n == 0) {
		heist_reply(ctx, HEIST_OK, type, type == &BIG ? (void *)big : msg);
		return HEIST_CONTINUE;
	}
	uint64_t zero = 0;
	for (uint32_t i = 0; i < 6; i++) {
		ask_self(ctx, &WORD, &zero, i % 2 ? heist_in_ms(s, 60000) : 0);
		ask_self(ctx, &BIG, big, heist_in_ms(s, 60000 - i));
		accepted(heist_send(heist_self(ctx), &BIG, big));
		spawn_more(s);
	}
	heist_reply(ctx, HEIST_OK, type, msg);
	return HEIST_CONTINUE;
}
static const heist_hooks actor_hooks = { .arg_size = 128, .init = actor_init, .stop = actor_stop };
static const heist_class actor_class = { "actor", HEIST_ABI, sizeof(struct actor), actor_recv,
					 &actor_hooks };
static const heist_class driver_class = { "driver", HEIST_ABI, 8, driver_recv, NULL };

/* The asked could not get the memory for its reply: the caller learns that there is none. */
static bool called(heist_status s)
{
	return accepted(s == HEIST_ENOREPLY ? HEIST_ENOMEM : s);
}

static void calls_from_outside(heist_system *s, heist_ref r)
{
	uint64_t one = 1, zero = 0, reply = 7;
	heist_status st = heist_call(s, r, &WORD, &one, heist_in_ms(s, 60000), &reply);
	EXPECT(called(st) ? reply == 1 : reply == 7);
	(void)called(heist_call(s, r, &WORD, &zero, 0, NULL));
	void *m = heist_new(s, &BIG, 100);
	if (!m)
		atomic_fetch_add(&refused, 1);
	else if (!accepted(heist_post(r, &m)))
		heist_discard(&m);
	EXPECT(m == NULL);
}

static void scenario(bool hooks)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	uint64_t arg[16] = { [15] = 15 }, big[63] = { 1 }, one = 1;
	heist_opts o = heist_opts_default();
	heist_ref r, driver;
	calls = balance = pages = started = ended = handled = asked = answered = refused = 0;
	c.workers = 1;
	c.pin = HEIST_OFF;
	c.events = 20;
	if (hooks) {
		c.alloc = hook_alloc;
		c.dealloc = hook_dealloc;
	}
	if (!accepted(heist_start(&c, &s))) {
		EXPECT(s == NULL);
		return;
	}
	for (o.batch = 0; o.batch < 2; o.batch++)
		if (accepted(heist_spawn(s, &actor_class, &o, arg, &r))) {
			accepted(heist_send(r, &WORD, &one));
			accepted(heist_send(r, &BIG, big));
			EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK);
		}
	if (accepted(heist_spawn(s, &driver_class, NULL, NULL, &driver)))
		calls_from_outside(s, driver);
	EXPECT(test_balanced(s));
	EXPECT(answered == asked); /* every request that was accepted */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(started == ended);
}

TEST(no_memory, each_allocation_fails_once)
{
	long told =
		0; /* some are made up for: a queue that cannot grow, a cache that stays empty */
	fail_from = fail_page = 0;
	for (fail_at = 1;; fail_at++) {
		scenario(true);
		EXPECT(balance == 0);
		if (calls < fail_at)
			break;
		told += refused > 0;
	}
	EXPECT(refused == 0 && told > 20);
}

TEST(no_memory, every_allocation_fails_from_some_point_on)
{
	fail_at = fail_page = 0;
	for (fail_from = 1;; fail_from++) {
		scenario(true);
		EXPECT(balance == 0);
		if (calls < fail_from)
			break;
	}
	EXPECT(refused == 0 && fail_from > 20);
}

TEST(no_memory, pages_are_refused)
{
	fail_at = fail_from = 0;
	for (fail_page = 1;; fail_page++) {
		scenario(false);
		if (pages < fail_page)
			break;
	}
	EXPECT(refused == 0 && fail_page > 5);
}

/* ---- deadlines ---- */

static _Atomic long timeouts;
static heist_time soon;

struct plan {
	heist_ref server;
	uint64_t asks, step;
	heist_time first;
	uint64_t user;
};
static const heist_type PLAN = {
	.base = &PLAN, .name = "plan", .size = sizeof(struct plan), .reply_size = 1
};

static void on_timeout(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		       uint64_t user)
{
	struct plan *p = state;
	uint64_t one = 1;
	(void)reply;
	EXPECT(status == HEIST_ETIMEOUT || status == HEIST_EDEAD);
	if (user == 1 && heist_now(heist_system_of(ctx)) < soon + 20000000) {
		fail_from = 1; /* from now on there is no memory: fill the heap of deadlines up */
		for (uint64_t i = 1; i < 16; i++)
			if (heist_ask(ctx, p->server, &WORD, &one, soon + 900000000000u - i,
				      on_timeout, 0) != HEIST_OK)
				break;
	}
	if (status == HEIST_ETIMEOUT)
		atomic_fetch_add(&timeouts, 1);
}

/* Ask as often as told; a deadline before the earliest one so far needs its timer set again. */
static heist_next planner_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct plan *p = msg;
	uint64_t one = 1;
	(void)type;
	*(struct plan *)state = *p;
	for (uint64_t i = 0; i < p->asks; i++)
		EXPECT(heist_ask(ctx, p->server, &WORD, &one, p->first + i * p->step, on_timeout,
				 p->user) == HEIST_OK);
	while (p->user == 3 && heist_now(heist_system_of(ctx)) < soon + 1000000)
		; /* both deadlines below pass meanwhile */
	return HEIST_CONTINUE;
}

static heist_next silent_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	EXPECT(heist_reply_later(ctx, type).v[0] != 0);
	return HEIST_CONTINUE;
}

TEST(no_memory, deadlines_are_kept)
{
	static const heist_class planner = { "planner", HEIST_ABI, sizeof(struct plan),
					     planner_recv, NULL };
	static const heist_class silent = { "silent", HEIST_ABI, 0, silent_recv, NULL };
	heist_config c = heist_config_default();
	heist_system *s;
	fail_at = fail_from = fail_page = 0;
	calls = balance = timeouts = 0;
	c.workers = 1;
	c.alloc = hook_alloc;
	c.dealloc = hook_dealloc;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	heist_ref server = test_spawn(s, &silent, NULL);
	soon = heist_in_ms(s, 50);
	const struct plan plans[] = {
		/* the heap has room for 16: 14 far away, then those of two actors at one time */
		{ server, 14, (uint64_t)-1, soon + 1000000000000u, 0 },
		{ server, 2, 30000000, soon, 1 },
		{ server, 2, 30000000, soon, 1 },
		{ server, 0, 0, 0, 3 },
	};
	for (int i = 0; i < 4; i++)
		EXPECT(heist_send(test_spawn(s, &planner, NULL), &PLAN, &plans[i]) == HEIST_OK);
	EXPECT(wait_for(&timeouts, 2)); /* and now the heap is full and cannot grow */
	test_sleep_ms(50);
	fail_from = 0;
	EXPECT(wait_for(&timeouts, 4)); /* the second ones of both */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(balance == 0);
}

/* ---- limits ---- */

TEST(no_memory, no_more_actors_than_there_is_room_for)
{
	heist_config c = heist_config_default();
	heist_system *s;
	uint64_t arg[16] = { [15] = 15 };
	heist_ref r;
	long n, total = 0;
	fail_at = fail_from = fail_page = 0;
	started = ended = 0;
	c.workers = 1;
	c.max_actors = 1000;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int round = 0; round < 3; round++) {
		heist_ref *all = calloc(1000000, sizeof *all);
		heist_status st = HEIST_OK;
		for (n = 0; n < 1000000; n++)
			if ((st = heist_spawn(s, &actor_class, NULL, arg, &all[n])) != HEIST_OK)
				break;
		EXPECT(st == HEIST_ENOMEM && n >= 1000);
		EXPECT(heist_spawn(s, &actor_class, NULL, arg, &r) == HEIST_ENOMEM);
		for (long i = 0; i < n; i++)
			EXPECT(heist_stop(all[i], HEIST_OK) == HEIST_OK);
		total += n;
		EXPECT(wait_for(&ended, total));
		free(all);
	}
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(started == ended);
}
