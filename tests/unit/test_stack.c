/* SPDX-License-Identifier: BSD-2-Clause
 * The stack that is taken whole, one thread. */
#include "lockfree/stack.h"
#include "tests/support/unit.h"

#define MOST 1000

static struct stack s;
static struct stack_link links[MOST];

TEST(stack, new_stack_is_empty)
{
	stack_init(&s);
	EXPECT(stack_is_empty(&s));
	EXPECT(stack_take_all(&s) == NULL);
}

TEST(stack, gives_all_newest_first)
{
	stack_init(&s);
	for (int i = 0; i < MOST; i++)
		stack_push(&s, &links[i]);
	EXPECT(!stack_is_empty(&s));
	struct stack_link *l = stack_take_all(&s);
	for (int i = MOST; i-- > 0; l = stack_next(l))
		EXPECT(l == &links[i]);
	EXPECT(l == NULL);
	EXPECT(stack_is_empty(&s));
}

TEST(stack, links_can_be_pushed_again)
{
	stack_init(&s);
	for (int round = 0; round < 3; round++) {
		stack_push(&s, &links[0]);
		stack_push(&s, &links[1]);
		struct stack_link *l = stack_take_all(&s);
		EXPECT(l == &links[1] && stack_next(l) == &links[0]);
		EXPECT(stack_next(&links[0]) == NULL);
	}
}
