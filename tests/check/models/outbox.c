/* SPDX-License-Identifier: BSD-2-Clause
 * The rule of the outbox: A runs on worker 0, which defers its send m1 to C; A is woken again and sends m2
 * on whatever worker runs it then.  C must see m1 first, though a thief may rescue the ring. */
#include "runtime/outbox.h"
#include "tests/check/check.h"

static struct outbox box;
static _Atomic int a_ready;  /* A's right to run is free to take */
static _Atomic int received; /* by C: how many */
static int order[3];

static void receive(int m)
{
	int n = atomic_fetch_add_explicit(&received, 1, memory_order_acq_rel);
	order[n] = m;
}

/* Deliver everything: messages to C, and the end of A's turn, which lets anybody run A. */
static void deliver(void)
{
	while (outbox_count(&box)) {
		struct outbox_entry e = outbox_get(&box);
		if (e.what & OUTBOX_FINISH)
			atomic_store_explicit(&a_ready, 1, memory_order_release);
		else
			receive((int)e.what);
	}
}

static void setup(void)
{
	static const struct outbox empty;
	box = empty;
	atomic_store_explicit(&a_ready, 0, memory_order_relaxed);
	atomic_store_explicit(&received, 0, memory_order_relaxed);
	order[0] = order[1] = 0;
}

static void run_a(int m)
{
	if (atomic_exchange_explicit(&a_ready, 0, memory_order_acquire))
		receive(m);
}

static void thread(int t)
{
	if (t == 0) {
		outbox_enter(&box);
		outbox_put(&box, NULL, 2); /* A's first message, deferred */
		outbox_leave(&box);
#ifdef MUTANT_RELEASE_FIRST
		atomic_store_explicit(&a_ready, 1, memory_order_release);
#else
		outbox_enter(&box);
		outbox_put(&box, NULL, OUTBOX_FINISH);
		outbox_leave(&box);
#endif
		outbox_enter(&box);
		deliver();
		outbox_leave(&box);
	} else if (t == 1) {
		run_a(4);
	} else if (outbox_claim(&box)) {
		deliver();
		outbox_release(&box);
	}
}

static void finish(void)
{
	run_a(4);
	CHECK_ASSERT(atomic_load_explicit(&received, memory_order_relaxed) == 2);
	CHECK_ASSERT(order[0] == 2 && order[1] == 4);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "outbox", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
