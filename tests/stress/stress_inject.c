/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of an inject queue: each thread pushes a few links and takes now and then.  Each link exactly
 * once, in order per pusher, and one push that found it empty for each take that did not. */
#include "lockfree/inject.h"
#include "tests/support/stress.h"

#define THREADS 2
#define EACH	4

struct work {
	struct inject_link link;
	int pusher, number; /* plain: the queue publishes them */
	_Atomic int taken;
};

static struct inject q;
static struct work works[THREADS][EACH];
static _Atomic int found_empty, found_some;

static void take(void)
{
	struct inject_link *l = inject_take(&q);
	int last[THREADS] = { -1, -1 };
	if (l)
		atomic_fetch_add_explicit(&found_some, 1, memory_order_relaxed);
	while (l) {
		struct work *w = HEIST_CONTAINER(l, struct work, link);
		l = l->next;
		STRESS_CHECK(w == &works[w->pusher][w->number]);
		STRESS_CHECK(atomic_fetch_add_explicit(&w->taken, 1, memory_order_relaxed) == 0);
		STRESS_CHECK(w->number > last[w->pusher]);
		last[w->pusher] = w->number;
	}
}

static void begin(struct rng *r)
{
	(void)r;
	inject_init(&q);
	atomic_store_explicit(&found_empty, 0, memory_order_relaxed);
	atomic_store_explicit(&found_some, 0, memory_order_relaxed);
	for (int i = 0; i < THREADS * EACH; i++)
		atomic_store_explicit(&works[i / EACH][i % EACH].taken, 0, memory_order_relaxed);
}

static void run(int thread, struct rng *r)
{
	for (int i = 0; i < EACH; i++) {
		struct work *w = &works[thread][i];
		stress_delay(r);
		w->pusher = thread;
		w->number = i;
		if (inject_push(&q, &w->link))
			atomic_fetch_add_explicit(&found_empty, 1, memory_order_relaxed);
		if (rng_below(r, 2))
			take();
	}
}

static void end(void)
{
	take();
	STRESS_CHECK(inject_is_empty(&q));
	STRESS_CHECK(atomic_load_explicit(&found_empty, memory_order_relaxed) ==
		     atomic_load_explicit(&found_some, memory_order_relaxed));
	for (int i = 0; i < THREADS * EACH; i++)
		STRESS_CHECK(atomic_load_explicit(&works[i / EACH][i % EACH].taken,
						  memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "inject", THREADS, 1000000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
