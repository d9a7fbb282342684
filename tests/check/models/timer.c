/* SPDX-License-Identifier: BSD-2-Clause
 * A timer that its owner cancels and frees while other workers fire what is due: it is told once or cancelled,
 * and nobody touches it afterwards. */
#include "runtime/timer.h"
#include "tests/check/check.h"

static struct wheel wheel;
static _Atomic int told[2];
static int cancelled[2];

static void setup(void)
{
	heist_wheel_init(&wheel);
	for (int i = 0; i < 2; i++) {
		atomic_store_explicit(&told[i], 0, memory_order_relaxed);
		cancelled[i] = 0;
	}
}

static struct timer *arm(uint64_t id, uint64_t at)
{
	struct timer *t = check_alloc(sizeof *t, 8);
	*t = (struct timer){ .at = at, .id = id };
	heist_timer_arm(&wheel, t, 1);
	return t;
}

static void cancel(struct timer *t)
{
	uint64_t id = t->id;
	cancelled[id] = heist_timer_disarm(&wheel, t);
	t->slot = t->generation = 1; /* a race, if somebody still reads it */
	check_free(t);
}

static void fire(void)
{
	struct timer_due due;
	while (heist_timer_pop(&wheel, 100, &due))
		atomic_fetch_add_explicit(&told[due.id], 1, memory_order_relaxed);
}

static void thread(int t)
{
	if (t == 0) {
		struct timer *first = arm(0, 50);
		struct timer *second = arm(1, 2);
		cancel(first);
		cancel(second);
	} else {
		fire();
	}
}

static void finish(void)
{
	fire();
	for (int i = 0; i < 2; i++)
		CHECK_ASSERT(atomic_load_explicit(&told[i], memory_order_relaxed) + cancelled[i] ==
			     1);
	CHECK_ASSERT(wheel.count == 0 && wheel_next(&wheel) == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "timer", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
