/* SPDX-License-Identifier: BSD-2-Clause
 * The checker's own test: what C11 forbids must not be seen, what it allows must be.  -DTEST=n picks. */
#include "lockfree/seam.h"
#include "tests/check/check.h"

static _Atomic int x, y;
static int plain, r[4];

#define L(v, o)	   atomic_load_explicit(&v, memory_order_##o)
#define S(v, n, o) atomic_store_explicit(&v, n, memory_order_##o)
#define X(v, n, o) atomic_exchange_explicit(&v, n, memory_order_##o)

static void setup(void)
{
	S(x, 0, relaxed);
	S(y, 0, relaxed);
	plain = r[0] = r[1] = r[2] = r[3] = 0;
}

/* One test, one line. */
/* clang-format off */
static void thread(int t)
{
#if TEST == 1 /* message passing, relaxed: may be seen out of order */
	if (t == 0) { S(x, 1, relaxed); S(y, 1, relaxed); } else { r[0] = L(y, relaxed); r[1] = L(x, relaxed); }
#elif TEST == 2 /* message passing, release and acquire: must not */
	if (t == 0) { S(x, 1, relaxed); S(y, 1, release); } else { r[0] = L(y, acquire); r[1] = L(x, relaxed); }
#elif TEST == 3 /* store buffering, relaxed: both may miss */
	if (t == 0) { S(x, 1, relaxed); r[0] = L(y, relaxed); } else { S(y, 1, relaxed); r[1] = L(x, relaxed); }
#elif TEST == 4 /* with fences: not both */
	if (t == 0) { S(x, 1, relaxed); heist_fence_full(); r[0] = L(y, relaxed); }
	else { S(y, 1, relaxed); heist_fence_full(); r[1] = L(x, relaxed); }
#elif TEST == 5 /* a read-modify-write is no fence: both may miss */
	if (t == 0) { X(x, 1, seq_cst); r[0] = L(y, relaxed); }
	else { S(y, 1, relaxed); heist_fence_full(); r[1] = L(x, relaxed); }
#elif TEST == 6 /* light and heavy fence: not both */
	if (t == 0) { S(x, 1, relaxed); heist_fence_light(); r[0] = L(y, relaxed); }
	else { S(y, 1, relaxed); heist_fence_heavy(); r[1] = L(x, relaxed); }
#elif TEST == 7 /* plain data behind release and acquire: no race */
	if (t == 0) { plain = 1; S(y, 1, release); } else if (L(y, acquire)) r[0] = plain;
#elif TEST == 8 /* behind relaxed: a race */
	if (t == 0) { plain = 1; S(y, 1, relaxed); } else if (L(y, relaxed)) r[0] = plain;
#elif TEST == 9 /* a release sequence goes on through a read-modify-write: no race */
	if (t == 0) { plain = 1; S(y, 1, release); }
	else if (t == 1) atomic_fetch_add_explicit(&y, 2, memory_order_relaxed);
	else if (L(y, acquire) & 1) r[0] = plain;
#elif TEST == 10 /* coherence: one location is never read backwards */
	if (t == 0) { S(x, 1, relaxed); S(x, 2, relaxed); } else { r[0] = L(x, relaxed); r[1] = L(x, relaxed); }
#endif
}
/* clang-format on */

static void finish(void)
{
#if TEST == 1 || TEST == 2
	CHECK_ASSERT(!(r[0] == 1 && r[1] == 0));
#elif TEST >= 3 && TEST <= 6
	CHECK_ASSERT(!(r[0] == 0 && r[1] == 0));
#elif TEST >= 7 && TEST <= 9
	CHECK_ASSERT(r[0] <= 1);
#elif TEST == 10
	CHECK_ASSERT(r[0] <= r[1]);
#endif
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "litmus", TEST == 9 ? 3 : 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
