/* SPDX-License-Identifier: BSD-2-Clause
 * Parking: a publisher puts work into an inbox and wakes the worker if it is parked; the worker parks when
 * it finds none.  Nobody sleeps beside work. */
#include "lockfree/eventcount.h"
#include "lockfree/inject.h"
#include "sched/idle.h"
#include "tests/check/check.h"

#ifndef LIGHT
#define LIGHT() heist_fence_light()
#endif
#ifndef HEAVY
#define HEAVY() heist_fence_heavy()
#endif

static struct idle idle;
static struct eventcount wakeup;
static struct inject inbox;
static struct inject_link links[2];

static void setup(void)
{
	idle_init(&idle);
	eventcount_init(&wakeup);
	inject_init(&inbox);
}

static void submit(struct inject_link *l)
{
	inject_push(&inbox, l);
	LIGHT(); /* ID1 */
	if (idle_is_parked(&idle, 0) && idle_claim(&idle, 0))
		eventcount_notify(&wakeup, 1);
}

static int take(void)
{
	int n = 0;
	for (struct inject_link *l = inject_take(&inbox); l; l = l->next)
		n++;
	return n;
}

static void worker(void)
{
	for (int got = 0; got < 2;) {
		int n = take();
		got += n;
		if (n)
			continue;
		uint32_t key = eventcount_prepare(&wakeup);
		idle_search_join(&idle);
		idle_park(&idle, 0);
		HEAVY(); /* ID1 */
#ifdef MUTANT_NO_RECHECK
		eventcount_wait(&wakeup, key, 0);
#else
		if (inject_is_empty(&inbox))
			eventcount_wait(&wakeup, key, 0);
		else
			eventcount_cancel(&wakeup);
#endif
		idle_claim(&idle, 0);
		idle_search_end(&idle);
	}
}

static void thread(int t)
{
	if (t == 0)
		worker();
	else
		submit(&links[t - 1]);
}

static void finish(void)
{
	CHECK_ASSERT(idle_parked(&idle) == 0 && idle_searching(&idle) == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "park", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
