/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a runtime that measures every activation: two threads make classes and actors of them, which two
 * workers measure, while a third reads what there is.  It learns of a class by reading only, sees its name and
 * numbers that were never greater; in the end each class has one entry, and messages: not
 * all of them, if a producer was late with its link, since what is left of a run is no sample. */
#include <string.h>

#include "runtime/system.h"
#include "tests/support/stress.h"

#define MAKERS	 2
#define OF_EACH	 3 /* classes that a thread makes */
#define CLASSES	 (MAKERS * OF_EACH)
#define MESSAGES 4 /* to each actor */

static const heist_type WORK = { .base = &WORK, .name = "work", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_class classes[CLASSES]; /* plain: published by the table */
static _Atomic int made, sending;    /* by so many makers; the reader is told nothing by them */
static _Atomic bool started;

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

static void begin(struct rng *r)
{
	heist_config c = heist_config_default();
	(void)r;
	c.workers = 2;
	c.threads_max = 1; /* each has a table */
	c.sample = 1;
	c.pin = HEIST_OFF;
	c.hog_ms = UINT32_MAX;
	STRESS_CHECK(heist_start(&c, &sys) == HEIST_OK);
	memset(classes, 0, sizeof classes);
	atomic_store_explicit(&made, 0, memory_order_relaxed);
	atomic_store_explicit(&started, false, memory_order_relaxed);
	atomic_store_explicit(&sending, MAKERS, memory_order_relaxed);
}

/* All actors have started: that is no sample. */
static void await_start(int thread)
{
	int turns = 0;
	atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
	while (thread == 0 && atomic_load_explicit(&made, memory_order_relaxed) < MAKERS)
		stress_wait(&turns);
	if (thread == 0) /* one thread at a time */
		atomic_store_explicit(&started, heist_pool_wait_quiet(&sys->pool, 0),
				      memory_order_relaxed);
	while (!atomic_load_explicit(&started, memory_order_relaxed))
		stress_wait(&turns);
}

static void make(int thread, struct rng *r)
{
	heist_ref ref[OF_EACH];
	for (int i = 0; i < OF_EACH; i++) {
		heist_class *cls = &classes[thread * OF_EACH + i];
		*cls = (heist_class){ "", HEIST_ABI, 0, recv, NULL };
		STRESS_CHECK(heist_spawn(sys, cls, NULL, NULL, &ref[i]) == HEIST_OK);
	}
	await_start(thread);
	for (int i = 0; i < OF_EACH; i++)
		classes[thread * OF_EACH + i].name =
			"made"; /* only now: by the message, then by the table */
	stress_delay(r);
	for (uint64_t n = 0; n < (uint64_t)OF_EACH * MESSAGES; n++)
		STRESS_CHECK(heist_send(ref[n % OF_EACH], &WORK, &n) == HEIST_OK);
	atomic_fetch_sub_explicit(&sending, 1, memory_order_relaxed);
}

/* How many classes there are; none has fewer messages than `messages` says, or more than it was sent. */
static uint32_t look(uint64_t messages[CLASSES])
{
	heist_class_stats t = heist_class_stats_default();
	uint32_t n = 0;
	for (; heist_get_class_stats(sys, n, &t) == HEIST_OK; n++) {
		STRESS_CHECK(n < CLASSES && t.cls >= classes && t.cls < classes + CLASSES);
		STRESS_CHECK(strcmp(t.cls->name, "made") == 0);
		uint64_t *before = &messages[t.cls - classes];
		STRESS_CHECK(t.messages >= *before && t.messages <= MESSAGES);
		STRESS_CHECK(t.depth.sum <= 2 * MESSAGES * MESSAGES && t.failures == 0);
		*before = t.messages;
	}
	return n;
}

static void run(int thread, struct rng *r)
{
	uint64_t messages[CLASSES] = { 0 };
	uint32_t n = 0;
	if (thread < MAKERS) {
		make(thread, r);
		return;
	}
	for (int turns = 0; atomic_load_explicit(&sending, memory_order_relaxed);
	     stress_wait(&turns)) {
		uint32_t now = look(messages);
		STRESS_CHECK(now >= n);
		n = now;
	}
}

static void end(void)
{
	uint64_t messages[CLASSES] = { 0 };
	STRESS_CHECK(heist_pool_wait_quiet(&sys->pool, 0));
	STRESS_CHECK(look(messages) == CLASSES);
	for (int i = 0; i < CLASSES; i++)
		STRESS_CHECK(messages[i] > 0 && messages[i] <= MESSAGES);
	STRESS_CHECK(heist_shutdown(sys, 0) == HEIST_OK);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "sample", MAKERS + 1, 20000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
