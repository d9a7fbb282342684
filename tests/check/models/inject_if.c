/* SPDX-License-Identifier: BSD-2-Clause
 * The inject queue with one taker, which takes only as long as something has not happened: one pusher comes
 * before that or at any time, another after it.  Nothing of the latter is taken by who knows of nothing; each link
 * exactly once. */
#include "lockfree/inject.h"
#include "tests/check/check.h"

#define EACH 2

struct work {
	struct inject_link link;
	int number; /* plain: the queue publishes it */
	int taken;
};

static struct inject q;
static struct work works[2 * EACH];
static _Atomic bool happened;

static void count(struct inject_link *l, int most)
{
	for (struct inject_link *next; l; l = next) {
		next = l->next;
		struct work *w = HEIST_CONTAINER(l, struct work, link);
		CHECK_ASSERT(w == &works[w->number] && w->number < most);
		CHECK_ASSERT(w->taken++ == 0);
	}
}

static void setup(void)
{
	inject_init(&q);
	atomic_store_explicit(&happened, false, memory_order_relaxed);
	for (int i = 0; i < 2 * EACH; i++)
		works[i].number = works[i].taken = 0;
}

static void push(int pusher)
{
	for (int i = EACH * pusher; i < EACH * (pusher + 1); i++) {
		works[i].number = i;
		inject_push(&q, &works[i].link);
	}
}

static void take(void)
{
#ifdef MUTANT_LOOK_FIRST
	bool yet = atomic_load_explicit(&happened, memory_order_relaxed);
	struct inject_link *newest = inject_newest(&q);
#else
	struct inject_link *newest = inject_newest(&q);
	bool yet = atomic_load_explicit(&happened, memory_order_relaxed); /* read by IJ1 */
#endif
	if (newest && !yet)
		count(inject_take_if(&q, newest), EACH);
}

static void thread(int t)
{
	if (t == 1)
		atomic_store_explicit(&happened, true, memory_order_relaxed); /* IJ1 publishes it */
	if (t < 2) {
		push(t);
		return;
	}
	take();
	take();
}

static void finish(void)
{
	count(inject_take(&q), 2 * EACH);
	for (int i = 0; i < 2 * EACH; i++)
		CHECK_ASSERT(works[i].taken == 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "inject_if", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
