/* SPDX-License-Identifier: BSD-2-Clause
 * A monitor whose two ends end at the same time: the bond is sent once, to the other side, which frees it
 * once, and sees what the sender wrote. */
#include "runtime/bond.h"
#include "tests/check/check.h"

static struct bond *bond;
static struct inject lists[2]; /* of the owner, of the target */
static int freed;

static void setup(void)
{
	bond = check_alloc(sizeof *bond, 64);
	atomic_store_explicit(&bond->state, BOND_UP, memory_order_relaxed);
	bond->quiet = bond->target_quiet = false;
	bond->end = (struct ending){ HEIST_EXIT_NORMAL, HEIST_OK };
	inject_init(&lists[0]);
	inject_init(&lists[1]);
	freed = 0;
}

/* The slot of side t looks at its signals. */
static void look(int t)
{
	if (!inject_take(&lists[t]))
		return;
	CHECK_ASSERT(bond->end.how == (t == 0 ? HEIST_EXIT_CRASHED : HEIST_EXIT_KILLED));
	check_free(bond);
	freed++;
}

static void thread(int t)
{
	if (bond_win(bond, t == 0 ? BOND_CUT : BOND_DOWN)) {
		bond->end.how = t == 0 ? HEIST_EXIT_KILLED : HEIST_EXIT_CRASHED;
		inject_push(&lists[1 - t], t == 0 ? &bond->cut.link : &bond->to_owner.link);
	} else if (t == 0) {
		bond->quiet = true;
	} else {
		bond->target_quiet = true;
	}
	look(t);
}

static void finish(void)
{
	look(0);
	look(1);
	CHECK_ASSERT(freed == 1);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "bond", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
