/* SPDX-License-Identifier: BSD-2-Clause
 * Waits that double up to a limit. */
#include "lockfree/backoff.h"
#include "tests/support/unit.h"

TEST(backoff, doubles_up_to_the_limit_and_then_says_so)
{
	struct backoff b = BACKOFF_FIRST;
	unsigned last = b.turns, waits = 0;
	while (!backoff_wait(&b)) {
		EXPECT(b.turns == 2 * last);
		last = b.turns;
		EXPECT(++waits < 32);
	}
	EXPECT(last >= BACKOFF_LIMIT);
	unsigned limit = b.turns;
	for (int i = 0; i < 10; i++)
		EXPECT(backoff_wait(&b) && b.turns == limit);
}
