/* SPDX-License-Identifier: BSD-2-Clause
 * A handler that spins for ever: everything else goes on, it is named, and a shutdown returns it. */
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };

enum { COUNT, SPIN };

static _Atomic uint64_t wanted, unwanted; /* the hog; on a busy machine others may be slow, too */
static _Atomic long handled, spinning, gate, named, named_unwanted, ticks;
static heist_ref others[4];
static heist_hog seen;
static char seen_class[48], seen_message[48];
static void *mine[64]; /* the call chain of the hog, from itself */
static bool seen_caller;

static void on_hog(void *user, const heist_hog *hog)
{
	(void)user;
	if (hog->actor.v == atomic_load(&unwanted))
		atomic_fetch_add(&named_unwanted, 1);
	if (atomic_load(&named) || hog->actor.v != atomic_load(&wanted))
		return;
	seen = *hog;
	strncpy(seen_class, hog->cls, sizeof seen_class - 1);
	strncpy(seen_message, hog->message, sizeof seen_message - 1);
	/* frames[0] is somewhere in the handler, mine[1] who called it: mine[2] under a sanitizer, which has a
	 * backtrace() of its own. */
	for (uint32_t i = 1; i < hog->frame_count; i++)
		seen_caller |= hog->frames[i] == mine[1] || hog->frames[i] == mine[2];
	atomic_store(&named, 1);
}

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t what = *(uint64_t *)msg, n = COUNT;
	(void)ctx, (void)state;
	atomic_fetch_add(&handled, 1);
	if (what != SPIN)
		return HEIST_CONTINUE;
	for (int i = 0; i < 4; i++) /* its slot and queue are full */
		EXPECT(heist_send(others[i], type, &n) == HEIST_OK);
	EXPECT(backtrace(mine, 64) > 1);
	atomic_fetch_add(&spinning, 1);
	while (!atomic_load_explicit(&gate, memory_order_relaxed))
		;
	return HEIST_CONTINUE;
}
static const heist_class cls = { "spinner", HEIST_ABI, 0, recv, NULL };

/* It sends nothing. */
static heist_next quiet_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type;
	atomic_fetch_add(&handled, 1);
	if (*(uint64_t *)msg != SPIN)
		return HEIST_CONTINUE;
	atomic_fetch_add(&spinning, 1);
	while (!atomic_load_explicit(&gate, memory_order_relaxed))
		;
	return HEIST_CONTINUE;
}
static const heist_class quiet = { "quiet", HEIST_ABI, 0, quiet_recv, NULL };

/* Each time it runs it sets itself a timer, and sends itself a message. */
static heist_next ticking_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	atomic_fetch_add(&ticks, 1);
	EXPECT(heist_send_after(ctx, heist_self(ctx), type, msg, 1000000, NULL) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class ticking = { "ticking", HEIST_ABI, 0, ticking_recv, NULL };

static heist_system *start_as(uint32_t workers, uint32_t spares, uint32_t hog_ms,
			      const heist_pool *pool)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.workers = workers;
	c.spare_max = spares;
	c.pin = HEIST_OFF;
	c.pools = pool;
	c.pool_count = pool != NULL;
	c.hog_ms = hog_ms;
	c.hog_name_ms = 4;
	c.hog = on_hog;
	handled = spinning = gate = named = ticks = named_unwanted = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	for (int i = 0; i < 4; i++)
		others[i] = test_spawn(s, &cls, NULL);
	EXPECT(test_balanced(s));
	return s;
}

static heist_system *start(uint32_t workers, uint32_t spares)
{
	return start_as(workers, spares, 2, NULL);
}

static void go_on(long n)
{
	long before = atomic_load(&handled);
	for (long i = 0; i < n; i++)
		EXPECT(test_tell(others[i % 4], &WORD, COUNT) == HEIST_OK);
	EXPECT(wait_for(&handled, before + n));
}

static void spin(heist_system *s, long hogs, heist_ref *out)
{
	for (long i = 0; i < hogs; i++) {
		out[i] = test_spawn(s, &cls, NULL);
		EXPECT(test_tell(out[i], &WORD, SPIN) == HEIST_OK && wait_for(&spinning, i + 1));
		EXPECT(wait_for(&handled, 5 * (i + 1))); /* what was in its slot and queue */
	}
}

static void finish(heist_system *s)
{
	atomic_store(&gate, 1);
	EXPECT(test_balanced(s));
	go_on(100);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(hog, on_two_workers_everything_else_goes_on)
{
	heist_system *s = start(2, 0);
	heist_ref t = test_spawn(s, &ticking, NULL), hog[2];
	EXPECT(test_tell(t, &WORD, COUNT) == HEIST_OK && wait_for(&ticks, 3));
	spin(s, 2, hog); /* and then both workers are gone */
	for (int i = 0; i < 20; i++)
		go_on(100);
	EXPECT(wait_for(&ticks, atomic_load(&ticks) + 10));
	EXPECT(heist_kill(t, HEIST_OK) == HEIST_OK);
	finish(s);
}

/* Two messages to the runtime's only worker, of which the second lies behind a hog. */
TEST(hog, what_lies_behind_it_in_an_inbox_goes_on)
{
	for (int round = 0; round < 20; round++) {
		heist_system *s = start_as(2, 0, round % 2 ? UINT32_MAX : 2, NULL);
		heist_ref hog = test_spawn(s, &quiet, NULL);
		EXPECT(test_balanced(s)); /* all are parked */
		EXPECT(test_tell(hog, &WORD, SPIN) == HEIST_OK);
		for (int i = 0; i < 4; i++) /* every inbox in turn */
			EXPECT(test_tell(others[i], &WORD, COUNT) == HEIST_OK);
		EXPECT(wait_for(&handled, 5));
		finish(s);
	}
}

static heist_ref in_pool(heist_system *s, const heist_class *c, const char *name)
{
	heist_opts o = heist_opts_default();
	heist_ref r = { 0 };
	o.pool = name;
	EXPECT(heist_spawn(s, c, &o, NULL, &r) == HEIST_OK);
	return r;
}

TEST(hog, in_a_named_pool_everything_else_goes_on)
{
	heist_pool p = heist_pool_default();
	p.name = "crowd";
	p.workers = 2;
	heist_system *s = start_as(1, 0, 2, &p);
	heist_ref t = in_pool(s, &ticking, "crowd");
	for (int i = 0; i < 4; i++)
		others[i] = in_pool(s, &cls, "crowd");
	EXPECT(test_tell(t, &WORD, COUNT) == HEIST_OK && wait_for(&ticks, 3));
	for (long i = 0; i < 2; i++) { /* both of its workers */
		heist_ref hog = in_pool(s, &cls, "crowd");
		atomic_store(&wanted, hog.v);
		atomic_store(&named, 0);
		EXPECT(test_tell(hog, &WORD, SPIN) == HEIST_OK && wait_for(&spinning, i + 1));
		EXPECT(wait_for(&handled, 5 * (i + 1)) && wait_for(&named, 1));
		EXPECT(seen.actor.v == hog.v && strcmp(seen_class, "spinner") == 0);
	}
	go_on(1000);
	EXPECT(wait_for(&ticks, atomic_load(&ticks) + 10));
	EXPECT(heist_kill(t, HEIST_OK) == HEIST_OK);
	finish(s);
}

TEST(hog, a_named_pool_has_its_own_time)
{
	heist_pool p = heist_pool_default();
	p.name = "patient";
	p.hog_ms = UINT32_MAX; /* nobody watches it */
	heist_system *s = start_as(1, 0, 2, &p);
	heist_ref patient = in_pool(s, &quiet, "patient"), hog = test_spawn(s, &quiet, NULL);
	atomic_store(&unwanted, patient.v);
	EXPECT(test_tell(patient, &WORD, SPIN) == HEIST_OK && wait_for(&spinning, 1));
	atomic_store(&wanted, hog.v); /* which began later */
	EXPECT(test_tell(hog, &WORD, SPIN) == HEIST_OK && wait_for(&named, 1));
	EXPECT(seen.actor.v == hog.v && named_unwanted == 0);
	finish(s);
}

TEST(hog, one_worker_has_a_spare_if_asked)
{
	heist_system *s = start(1, 2);
	heist_ref hog[2];
	spin(s, 2, hog); /* the second one on the spare */
	go_on(100);
	finish(s);
}

TEST(hog, is_named)
{
	for (uint32_t spares = 0; spares < 2; spares++) {
		heist_system *s = start(1, spares);
		heist_ref hog = test_spawn(s, &cls, NULL);
		atomic_store(&wanted, hog.v);
		EXPECT(test_tell(hog, &WORD, SPIN) == HEIST_OK && wait_for(&named, 1));
		EXPECT(seen.actor.v == hog.v && seen.elapsed_ns >= 4000000 &&
		       seen.worker <= spares);
		EXPECT(strcmp(seen_class, "spinner") == 0 && strcmp(seen_message, "word") == 0);
		EXPECT(seen_caller);
		finish(s);
	}
}

static _Atomic long urgent, frames_logged;

static void on_urgent(int signal)
{
	(void)signal;
	atomic_fetch_add(&urgent, 1);
}

/* Before the first hog of the process, whichever test has it. */
__attribute__((constructor)) static void be_there_before(void)
{
	struct sigaction ours = { .sa_handler = on_urgent };
	if (sigaction(SIGURG, &ours, NULL) != 0)
		abort();
}

/* Who handled its signal before still gets those that are not its own. */
TEST(hog, is_named_by_a_signal_that_others_may_use)
{
	for (int round = 0; round < 3; round++) {
		heist_system *s = start(2, 0);
		heist_ref hog = test_spawn(s, &cls, NULL);
		atomic_store(&wanted, hog.v);
		EXPECT(test_tell(hog, &WORD, SPIN) == HEIST_OK && wait_for(&named, 1));
		EXPECT(seen.frame_count > 1 && urgent == round);
		EXPECT(raise(SIGURG) == 0 && urgent == round + 1);
		finish(s);
	}
}

static void on_log(void *user, const heist_log_line *line)
{
	(void)user;
	if (strstr(line->text, "a handler runs for"))
		atomic_fetch_add(&named, 1);
	if (strncmp(line->text, "  ", 2) == 0)
		atomic_fetch_add(&frames_logged, 1);
}

TEST(hog, is_logged_with_its_call_chain)
{
	heist_config c = heist_config_default();
	heist_system *s;
	uint64_t n = SPIN;
	c.workers = 1;
	c.hog_name_ms = 4;
	c.log = on_log;
	gate = named = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_send(test_spawn(s, &quiet, NULL), &WORD, &n) == HEIST_OK);
	EXPECT(wait_for(&named, 1) && wait_for(&frames_logged, 3));
	atomic_store(&gate, 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(hog, is_what_a_shutdown_returns)
{
	heist_system *s = start(2, 0);
	heist_ref hog;
	heist_straggler found[3];
	spin(s, 1, &hog);
	EXPECT(heist_shutdown(s, heist_in_ms(s, 1)) == HEIST_ETIMEOUT);
	size_t n = heist_stragglers(s, found, 3);
	EXPECT(n >= 1 && n <= 3);
	while (n > 0 && found[n - 1].actor.v != hog.v)
		n--;
	EXPECT(n > 0);
	atomic_store(&gate, 1);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(hog, returns_and_works_on)
{
	heist_system *s = start(2, 0);
	for (int i = 0; i < 5; i++) {
		heist_ref hog;
		atomic_store(&gate, 0);
		atomic_store(&spinning, 0);
		atomic_store(&handled, 0);
		spin(s, 1, &hog);
		go_on(50);
		atomic_store(&gate, 1);
		go_on(50);
		long before = atomic_load(&handled); /* it must have left before the gate closes */
		EXPECT(test_tell(hog, &WORD, COUNT) == HEIST_OK && wait_for(&handled, before + 1));
	}
	finish(s);
}
