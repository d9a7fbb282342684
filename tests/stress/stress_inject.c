/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of an inject queue: each thread pushes a few links and takes now and then.  Each link exactly
 * once, in order per pusher, and one push that found it empty for each take that did not.
 * And of one with a single taker: once `happened` is set it leaves alone what the pusher pushes after that. */
#include "lockfree/inject.h"
#include "tests/support/stress.h"

#define THREADS 2
#define EACH	4

struct work {
	struct inject_link link;
	int pusher, number; /* plain: the queue publishes them */
	_Atomic int taken;
};

static struct inject q, single;
static struct work works[THREADS][EACH], singles[EACH];
static _Atomic int found_empty, found_some;
static _Atomic bool happened;

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

/* The pusher: half of them before, half after. */
static void single_push(int i)
{
	if (i == EACH / 2)
		atomic_store_explicit(&happened, true, memory_order_relaxed);
	singles[i].number = i;
	inject_push(&single, &singles[i].link);
}

static void single_count(struct inject_link *l, int most)
{
	for (struct work *w; l; l = l->next) {
		w = HEIST_CONTAINER(l, struct work, link);
		STRESS_CHECK(w == &singles[w->number] && w->number < most);
		STRESS_CHECK(atomic_fetch_add_explicit(&w->taken, 1, memory_order_relaxed) == 0);
	}
}

static void single_take(void)
{
	struct inject_link *newest = inject_newest(&single);
	if (newest && !atomic_load_explicit(&happened, memory_order_relaxed))
		single_count(inject_take_if(&single, newest), EACH / 2);
}

static void begin(struct rng *r)
{
	(void)r;
	inject_init(&q);
	inject_init(&single);
	atomic_store_explicit(&happened, false, memory_order_relaxed);
	for (int i = 0; i < EACH; i++)
		atomic_store_explicit(&singles[i].taken, 0, memory_order_relaxed);
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
		if (thread == 0)
			single_take();
		else
			single_push(i);
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
	single_count(inject_take(&single), EACH);
	for (int i = 0; i < EACH; i++)
		STRESS_CHECK(atomic_load_explicit(&singles[i].taken, memory_order_relaxed) == 1);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "inject", THREADS, 1000000, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
