/* SPDX-License-Identifier: BSD-2-Clause
 * One thread makes three classes, of which the table has room for two, and sends an actor of each a message; two
 * workers measure them.  Another, which learns of a class only by looking at what was measured, reads its name,
 * and numbers that began at 0.  In the end each class has had one index, and its message. */
#include <string.h>

#include "tests/check/models/runtime.h"

#define MANY 3

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_class many[MANY]; /* plain: published by the table */
static _Atomic uint32_t sent;

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

static void setup(void)
{
	heist_config c = model_config(2);
	SET(sent, 0);
	memset(many, 0, sizeof many);
	c.threads_max = 1; /* each has a table */
	c.sample = 1;
	CHECK_ASSERT(heist_start(&c, &sys) == HEIST_OK);
}

static heist_class_stats look(uint32_t i)
{
	heist_class_stats t = heist_class_stats_default();
	if (heist_get_class_stats(sys, i, &t) != HEIST_OK)
		return heist_class_stats_default();
	if (t.cls)
		CHECK_ASSERT(t.cls >= many && t.cls < many + MANY &&
			     strcmp(t.cls->name, "many") == 0);
	CHECK_ASSERT(t.messages <= 1 && t.depth.sum <= 2 && t.failures == 0);
	return t;
}

static void reader(void)
{
	uint64_t messages = 0;
	heist_class_stats second = look(1), first = look(0), again = look(0);
	if (second.cls) /* indices are taken in order, and for good */
		CHECK_ASSERT(first.cls && first.cls != second.cls);
	if (first.cls)
		CHECK_ASSERT(again.cls == first.cls && again.messages >= first.messages);
	model_await(&sent, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	for (uint32_t i = 0; i < MANY; i++) {
		heist_class_stats t = look(i);
		CHECK_ASSERT((t.cls == NULL) == (i == SAMPLE_CLASSES) && t.messages == 1);
		messages += t.messages;
	}
	CHECK_ASSERT(messages == MANY && heist_shutdown(sys, 0) == HEIST_OK);
}

static void sender(void)
{
	heist_ref r[MANY];
	uint64_t n = 1;
	for (int i = 0; i < MANY; i++) {
		many[i] = (heist_class){ "", HEIST_ABI, 0, recv, NULL };
		CHECK_ASSERT(heist_spawn(sys, &many[i], NULL, NULL, &r[i]) == HEIST_OK);
	}
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0)); /* their starts are no samples */
	for (int i = 0; i < MANY; i++) {
		many[i].name = "many"; /* only now: by the message, then by the table */
		CHECK_ASSERT(heist_send(r[i], &WORK, &n) == HEIST_OK);
	}
	model_signal(&sent);
}

static void thread(int t)
{
	if (t == 0)
		reader();
	else
		sender();
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "sample", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
