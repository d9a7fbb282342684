/* SPDX-License-Identifier: BSD-2-Clause
 * A handler that spins for ever on a runtime of two workers: it is named, and all others go on, those too whose
 * messages it had sent before, and which its own worker was about to run.
 *
 * usage: pain_03_hogged_worker [--full]   60 seconds, and 99 % of the messages take less than 20 ms */
#define UNIT_PLAIN /* no test framework */

#include <string.h>

#include "tests/support/runtime.h"

#define OTHERS 8
#define MOST   60000

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
static heist_system *sys;
static heist_ref others[OTHERS], spinner;
static heist_time sent_at[MOST];
static uint64_t took[MOST];
static _Atomic long handled, spinning, named;
static _Atomic bool over;

static heist_next other_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)ctx, (void)state, (void)type;
	took[n] = heist_now(sys) - sent_at[n];
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class other = { "other", HEIST_ABI, 0, other_recv, NULL };

static void say(uint64_t n)
{
	sent_at[n] = heist_now(sys);
	EXPECT(test_tell(others[n % OTHERS], &WORD, n) == HEIST_OK);
}

static heist_next spinner_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	for (uint64_t n = 0; n < OTHERS; n++)
		say(n);
	atomic_store(&spinning, 1);
	while (!atomic_load_explicit(&over, memory_order_relaxed))
		;
	atomic_store(&spinning, 0);
	return HEIST_CONTINUE;
}
static const heist_class spinner_class = { "spinner", HEIST_ABI, 0, spinner_recv, NULL };

static void on_hog(void *user, const heist_hog *hog)
{
	(void)user;
	if (hog->actor.v == spinner.v && strcmp(hog->cls, "spinner") == 0 &&
	    strcmp(hog->message, "word") == 0)
		atomic_store(&named, 1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && strcmp(argv[1], "--full") == 0;
	uint64_t count = full ? MOST : 500;
	heist_config c = heist_config_default();
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.hog = on_hog;
	c.hog_name_ms = 40;
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	for (int i = 0; i < OTHERS; i++)
		others[i] = test_spawn(sys, &other, NULL);
	spinner = test_spawn(sys, &spinner_class, NULL);
	EXPECT(test_tell(spinner, &WORD, 0) == HEIST_OK && wait_for(&spinning, 1));
	for (uint64_t n = OTHERS; n < count; n++) {
		say(n);
		test_sleep_ms(1);
	}
	EXPECT(wait_for(&handled, (long)count) && wait_for(&named, 1));
	EXPECT(spinning == 1); /* all the time */
	qsort(took, count, sizeof *took, by_value);
	printf("%ld messages beside it: median %.3f ms, 99 %% within %.3f ms, the last %.3f ms\n",
	       handled, (double)took[count / 2] / 1e6, (double)took[count / 100 * 99] / 1e6,
	       (double)took[count - 1] / 1e6);
	EXPECT(!full || took[count / 100 * 99] < 20000000);
	over = true;
	return heist_shutdown(sys, 0) != HEIST_OK;
}
