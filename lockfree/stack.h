/* SPDX-License-Identifier: BSD-2-Clause
 * stack.h - links pushed by many, taken all at once.  Adapter of ck_stack (push_upmc, batch_pop_upmc).
 *
 * For what is given up here and there and cleaned up now and then.  On the path of a message it is
 * inject.h, whose every access the models of the scheduler see.
 *
 * Who may call        everything: any thread.
 * Progress            push: lock-free.  take_all: wait-free.
 * Linearizes at       push: the CAS ST1.  take_all: the exchange ST1.
 * Edges               ST1 release CAS of head in push -> acquire exchange of head in take_all: the link
 *                         and whatever its pusher wrote before
 * Invariant           a link is in at most one stack.  Nothing is popped singly, so there is no ABA.
 *
 * Proof: lockfree/README.md, "Adapters".  Model: tests/check/models/stack.c. */
#ifndef HEIST_LOCKFREE_STACK_H
#define HEIST_LOCKFREE_STACK_H

#include "lockfree/adapter.h"

#if HEIST_CK
#include <ck_stack.h>

struct stack_link {
	ck_stack_entry_t ck;
};

struct stack {
	ck_stack_t ck;
};

static inline void stack_init(struct stack *s)
{
	ck_stack_init(&s->ck);
}

/* Any thread, lock-free. */
static inline void stack_push(struct stack *s, struct stack_link *l)
{
	ck_stack_push_upmc(&s->ck, &l->ck);
}

/* Any thread; advisory. */
static inline bool stack_is_empty(struct stack *s)
{
	return CK_STACK_ISEMPTY(&s->ck);
}

/* Any thread, wait-free: all links, newest first; NULL if there are none. */
static inline struct stack_link *stack_take_all(struct stack *s)
{
	return (struct stack_link *)ck_stack_batch_pop_upmc(&s->ck);
}

/* Whoever took it. */
static inline struct stack_link *stack_next(struct stack_link *l)
{
	return (struct stack_link *)CK_STACK_NEXT(&l->ck);
}

#else

#ifndef STACK_ORDER_PUSH
#define STACK_ORDER_PUSH memory_order_release
#endif
#ifndef STACK_ORDER_TAKE
#define STACK_ORDER_TAKE memory_order_acquire
#endif

struct stack_link {
	struct stack_link *next; /* owned by whoever holds the link */
};

struct stack {
	_Atomic(struct stack_link *) head;
};

static inline void stack_init(struct stack *s)
{
	atomic_init(&s->head, NULL);
}

static inline void stack_push(struct stack *s, struct stack_link *l)
{
	struct stack_link *old = atomic_load_explicit(&s->head, memory_order_relaxed);
	do
		l->next = old; /* validated by ST1 */
	while (!atomic_compare_exchange_weak_explicit(&s->head, &old, l, STACK_ORDER_PUSH,
						      memory_order_relaxed)); /* ST1 release */
}

static inline bool stack_is_empty(struct stack *s)
{
	return atomic_load_explicit(&s->head, memory_order_relaxed) == NULL;
}

static inline struct stack_link *stack_take_all(struct stack *s)
{
	return atomic_exchange_explicit(&s->head, NULL, STACK_ORDER_TAKE); /* ST1 acquire */
}

static inline struct stack_link *stack_next(struct stack_link *l)
{
	return l->next;
}

#endif
#endif
