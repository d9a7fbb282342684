/* SPDX-License-Identifier: BSD-2-Clause
 * reduce.c - sleep sets: an exhaustive search does not try both orders of two independent steps.
 *
 * When the search has explored everything that begins with thread u's next step at some point, and tries
 * thread t there instead, u sleeps: until somebody does something that depends on u's step, running u
 * would only repeat what was seen.  If everybody who could run sleeps, the execution is given up.
 * Steps are dependent if they touch one location and one of them stores, or if both are seq_cst fences
 * or one is and the other a seq_cst access; whatever is not known that well depends on everything.
 *
 * Without a bound of preemptions nothing is lost.  With one, an execution may be skipped whose equal
 * needs one preemption more (Coons, Musuvathi, McKinley 2013); the suite compares both searches. */
#include "tests/check/engine.h"

static bool on;
static uint32_t sleeping; /* bit per thread */

void reduce_reset(bool reduce)
{
	on = reduce;
	sleeping = 0;
}

void reduce_forget(void)
{
	sleeping = 0;
}

static bool independent(struct access a, struct access b)
{
	if (a.act == ACT_UNKNOWN || b.act == ACT_UNKNOWN)
		return false;
	if (a.act == ACT_NOTHING || b.act == ACT_NOTHING)
		return true;
	if (a.act == ACT_FENCE || b.act == ACT_FENCE)
		return !(a.seq_cst && b.seq_cst);
	if (a.address != b.address)
		return true;
	return a.act == ACT_LOAD && b.act == ACT_LOAD && !(a.seq_cst && b.seq_cst);
}

int reduce_candidates(int *candidates, int n)
{
	int left = 0;
	for (int i = 0; i < n; i++)
		if (!on || !(sleeping >> candidates[i] & 1))
			candidates[left++] = candidates[i];
	return left;
}

void reduce_chosen(const int *candidates, int taken)
{
	if (!on)
		return;
	struct access now = pending(candidates[taken]);
	for (int i = 0; i < taken; i++)
		sleeping |= (uint32_t)1 << candidates[i];
	for (int i = 0; i < threads; i++)
		if (!independent(pending(i), now))
			sleeping &= ~((uint32_t)1 << i);
	sleeping &= ~((uint32_t)1 << candidates[taken]);
}
