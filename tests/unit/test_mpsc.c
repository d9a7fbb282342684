/* SPDX-License-Identifier: BSD-2-Clause
 * The mailbox queue, one thread; a producer in the middle of a push is played by its two halves. */
#include "lockfree/mpsc.h"
#include "tests/support/unit.h"

#include <string.h>

static struct mpsc q;
static struct mpsc_node nodes[8];

static void set_up(void)
{
	mpsc_init(&q);
}

static void push(int i, enum mpsc_push expected)
{
	EXPECT(mpsc_push(&q, &nodes[i]) == expected);
}

/* The first half of a push; the second is finish_push. */
static struct mpsc_node *begin_push(int i)
{
	atomic_store_explicit(&nodes[i].next, NULL, memory_order_relaxed);
	return atomic_exchange_explicit(&q.head, &nodes[i], memory_order_acq_rel);
}

static void finish_push(struct mpsc_node *before, int i)
{
	atomic_store_explicit(&before->next, &nodes[i], memory_order_release);
}

static void expect_first(int i)
{
	struct mpsc_node *done;
	EXPECT(mpsc_first(&q, &done) == &nodes[i]);
	EXPECT(done == NULL);
}

static void expect_next(int i, int next)
{
	struct mpsc_node *n;
	EXPECT(mpsc_next(&q, &nodes[i], &n) == MPSC_NODE);
	EXPECT(n == &nodes[next]);
}

static void expect_idle(int i)
{
	struct mpsc_node *n;
	EXPECT(mpsc_next(&q, &nodes[i], &n) == MPSC_IDLE);
	EXPECT(mpsc_is_idle(&q));
}

TEST(mpsc, zeroed_memory_is_an_idle_queue)
{
	struct mpsc zeroed;
	memset(&zeroed, 0, sizeof zeroed);
	mpsc_init(&q);
	EXPECT(memcmp(&zeroed, &q, sizeof q) == 0);
	EXPECT(mpsc_is_idle(&q));
}

TEST(mpsc, first_push_hands_out_the_right_to_run)
{
	set_up();
	push(0, MPSC_WAS_IDLE);
	EXPECT(!mpsc_is_idle(&q));
	push(1, MPSC_PUSHED);
	push(2, MPSC_PUSHED);
}

TEST(mpsc, one_node_comes_and_goes)
{
	set_up();
	for (int i = 0; i < 3; i++) {
		push(0, MPSC_WAS_IDLE);
		expect_first(0);
		expect_idle(0);
	}
}

TEST(mpsc, nodes_come_in_the_order_of_their_pushes)
{
	set_up();
	push(3, MPSC_WAS_IDLE);
	push(1, MPSC_PUSHED);
	push(2, MPSC_PUSHED);
	expect_first(3);
	expect_next(3, 1);
	expect_next(1, 2);
	expect_idle(2);
}

TEST(mpsc, push_during_the_last_node_is_found)
{
	set_up();
	push(0, MPSC_WAS_IDLE);
	expect_first(0);
	push(1, MPSC_PUSHED); /* 0 is being handled */
	expect_next(0, 1);
	push(0, MPSC_PUSHED); /* 0 was given back: it may come again */
	expect_next(1, 0);
	expect_idle(0);
}

TEST(mpsc, suspended_queue_goes_on_where_it_stopped)
{
	set_up();
	push(0, MPSC_WAS_IDLE);
	push(1, MPSC_PUSHED);
	push(2, MPSC_PUSHED);
	expect_first(0);
	expect_next(0, 1);
	mpsc_suspend(&q, &nodes[1]);
	EXPECT(!mpsc_is_idle(&q));
	expect_first(1);
	expect_next(1, 2);
	mpsc_suspend(&q, &nodes[2]);
	push(3, MPSC_PUSHED); /* the right to run was kept */
	expect_first(2);
	expect_next(2, 3);
	expect_idle(3);
	push(4, MPSC_WAS_IDLE);
	expect_first(4);
}

TEST(mpsc, preempted_producer_is_late_and_not_waited_for)
{
	struct mpsc_node *n, *done;
	set_up();
	push(0, MPSC_WAS_IDLE);
	expect_first(0);
	struct mpsc_node *before = begin_push(1);
	EXPECT(mpsc_next(&q, &nodes[0], &n) == MPSC_LATE);
	EXPECT(mpsc_first(&q, &done) == NULL && done == NULL);
	push(2, MPSC_PUSHED); /* others get through */
	EXPECT(mpsc_first(&q, &done) == NULL && done == NULL);
	finish_push(before, 1);
	EXPECT(mpsc_first(&q, &done) == &nodes[1]);
	EXPECT(done == &nodes[0]); /* given back only now */
	expect_next(1, 2);
	expect_idle(2);
}

TEST(mpsc, late_link_found_by_next_is_no_bail_out)
{
	set_up();
	push(0, MPSC_WAS_IDLE);
	expect_first(0);
	finish_push(begin_push(1), 1);
	expect_next(0, 1);
	expect_idle(1);
}

TEST(mpsc, try_idle_releases_only_the_last_node)
{
	set_up();
	push(0, MPSC_WAS_IDLE);
	push(1, MPSC_PUSHED);
	expect_first(0);
	EXPECT(!mpsc_try_idle(&q, &nodes[0]));
	expect_next(0, 1);
	struct mpsc_node *before = begin_push(2); /* between exchange and link */
	EXPECT(!mpsc_try_idle(&q, &nodes[1]));
	finish_push(before, 2);
	EXPECT(!mpsc_try_idle(&q, &nodes[1]));
	expect_next(1, 2);
	EXPECT(mpsc_try_idle(&q, &nodes[2]));
	EXPECT(mpsc_is_idle(&q));
	push(3, MPSC_WAS_IDLE);
}

/* ---- tickets ---- */

TEST(mpsc, ticket_is_valid_for_its_generation_while_open)
{
	_Atomic uint32_t t;
	atomic_init(&t, 6);
	for (uint32_t g = 0; g < 12; g++)
		EXPECT(mpsc_ticket(&t, g) == MPSC_TICKET_CLOSED);
	EXPECT(mpsc_generation(&t) == 7);
	mpsc_open(&t);
	EXPECT(mpsc_ticket(&t, 7) == MPSC_TICKET_VALID);
	EXPECT(mpsc_ticket(&t, 5) == MPSC_TICKET_CLOSED);
	EXPECT(mpsc_ticket(&t, 9) == MPSC_TICKET_CLOSED);
	EXPECT(mpsc_generation(&t) == 7);
	EXPECT(mpsc_close(&t) == 8);
	for (uint32_t g = 0; g < 12; g++) /* even ones are nobody's: forged */
		EXPECT(mpsc_ticket(&t, g) == MPSC_TICKET_CLOSED);
	EXPECT(mpsc_generation(&t) == 9);
	mpsc_open(&t);
	EXPECT(mpsc_ticket(&t, 7) == MPSC_TICKET_CLOSED);
	EXPECT(mpsc_ticket(&t, 9) == MPSC_TICKET_VALID);
}

TEST(mpsc, opening_twice_is_opening_once)
{
	_Atomic uint32_t t;
	atomic_init(&t, UINT32_MAX - 1); /* the last generation there is */
	mpsc_open(&t);
	mpsc_open(&t);
	EXPECT(mpsc_generation(&t) == UINT32_MAX);
	EXPECT(mpsc_ticket(&t, UINT32_MAX) == MPSC_TICKET_VALID);
}
