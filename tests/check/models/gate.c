/* SPDX-License-Identifier: BSD-2-Clause
 * The gate: two visitors, one of them twice.  Its owner closes one of two rooms, waits for a moment without
 * visits and takes it away, as the purge of slots does; then shuts the gate, waits, and takes away the rest. */
#include "lockfree/gate.h"
#include "tests/check/check.h"

static struct gate g;
static _Atomic int open_room; /* relaxed: the gate orders it */
static int room, house;	      /* plain: what visitors touch */
static int visits[2];

static void setup(void)
{
	atomic_store_explicit(&g.word, 0, memory_order_relaxed);
	gate_open(&g);
	atomic_store_explicit(&open_room, 1, memory_order_relaxed);
	room = house = 1;
	visits[0] = visits[1] = 0;
}

static void visit(int t)
{
	if (!gate_enter(&g))
		return;
	CHECK_ASSERT(house == 1);
	if (atomic_load_explicit(&open_room, memory_order_relaxed)) /* GT1 */
		CHECK_ASSERT(room == 1);
	visits[t]++;
	gate_leave(&g);
}

static void await_empty(void)
{
#ifdef MUTANT_ONLY_LOOKS
	while (atomic_load_explicit(&g.word, memory_order_acquire) & ~GATE_OPEN)
#elif defined(MUTANT_NO_WAIT)
	while (0)
#else
	while (!gate_is_empty(&g))
#endif
		heist_relax();
}

static void thread(int t)
{
	if (t < 2) {
		for (int i = 0; i <= t; i++)
			visit(t);
		return;
	}
	atomic_store_explicit(&open_room, 0, memory_order_relaxed); /* GT1 */
	await_empty();
	room = 0;
	gate_shut(&g);
	await_empty();
	house = 0;
	CHECK_ASSERT(visits[0] <= 1 && visits[1] <= 2); /* no race: they have left */
}

static void finish(void)
{
	CHECK_ASSERT(atomic_load_explicit(&g.word, memory_order_relaxed) == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "gate", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
