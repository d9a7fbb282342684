/* SPDX-License-Identifier: BSD-2-Clause
 * The marks of a mailbox: two senders count in, the consumer out.  Crossings are told by one party each and take
 * turns: up, down, up ...; the last one told is what is so. */
#include "runtime/bound.h"
#include "tests/check/check.h"

#define SENDS 2

static struct control c;
static _Atomic int in; /* messages in the mailbox */
static _Atomic int ups, downs;

static void setup(void)
{
	atomic_store_explicit(&c.queued, 0, memory_order_relaxed);
	bound_set(&c, 1, &(struct bound_terms){ .high = 2, .low = 1 });
	atomic_store_explicit(&in, 0, memory_order_relaxed);
	atomic_store_explicit(&ups, 0, memory_order_relaxed);
	atomic_store_explicit(&downs, 0, memory_order_relaxed);
}

static void add(_Atomic int *n, int by)
{
	atomic_fetch_add_explicit(n, by, memory_order_acq_rel);
}

static void thread(int t)
{
	if (t < 2) {
		for (int i = 0; i < SENDS; i++) {
			if (bound_enter(&c, false) == BOUND_ENTERED_HIGH)
				add(&ups, 1);
			add(&in, 1);
		}
		return;
	}
	for (int i = 0; i < SENDS; i++) {
		while (atomic_load_explicit(&in, memory_order_acquire) == 0)
			heist_relax();
		add(&in, -1);
		if (bound_leave(&c))
			add(&downs, 1);
	}
}

static void finish(void)
{
	CHECK_ASSERT(atomic_load_explicit(&c.queued, memory_order_relaxed) ==
		     (SENDS | BOUND_OVERLOADED)); /* as many as the high mark are left */
	CHECK_ASSERT(atomic_load_explicit(&ups, memory_order_relaxed) ==
		     atomic_load_explicit(&downs, memory_order_relaxed) + 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "overload", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
