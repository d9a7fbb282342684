/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a mailbox queue with its scheduling state: all threads push a few nodes, and whoever finds
 * the queue in the run queue of one place runs it for a small quota.  Each node is handled once, in
 * order per producer, by one runner at a time, and is never touched once it was given back.  In some
 * rounds the queue is closed on the way. */
#include "lockfree/mpsc.h"
#include "tests/support/stress.h"

#include <stdio.h>
#include <string.h>

#define THREADS 2
#define EACH	4
#define TICKET	5u

struct item {
	struct mpsc_node node;
	int producer, sequence; /* plain: the queue publishes them */
};

static struct mpsc q;
static _Atomic int ready;     /* the run queue: holds q at most once */
static _Atomic int unhandled; /* pushed or about to be */
static _Atomic uint32_t ticket;
static int close_after;				     /* so many; 0: never */
static int handled, last[THREADS], refused[THREADS]; /* plain: races mean two runners */
static bool closed;				     /* plain: published by the ticket */
static struct item items[THREADS][EACH];
static struct item nobody; /* `next` of a node that was given back */

static void schedule(void)
{
	STRESS_CHECK(atomic_exchange_explicit(&ready, 1, memory_order_release) == 0);
}

static void give_back(struct mpsc_node *n)
{
	struct mpsc_node *old =
		atomic_exchange_explicit(&n->next, &nobody.node, memory_order_relaxed);
	STRESS_CHECK(old != &nobody.node);
}

static void handle(struct mpsc_node *n)
{
	STRESS_CHECK(n != &nobody.node);
	struct item *i = HEIST_CONTAINER(n, struct item, node);
	STRESS_CHECK(i->sequence == last[i->producer] + 1);
	last[i->producer] = i->sequence;
	if (++handled == close_after) {
		closed = true;
		mpsc_close(&ticket);
	}
	atomic_fetch_sub_explicit(&unhandled, 1, memory_order_relaxed);
}

/* One turn of whoever took q from the run queue: up to `quota` nodes. */
static void run_queue(uint32_t quota)
{
	struct mpsc_node *done, *n = mpsc_first(&q, &done);
	if (done)
		give_back(done);
	if (!n) {
		schedule(); /* late: try again later */
		return;
	}
	for (;;) {
		struct mpsc_node *next = NULL;
		handle(n);
#ifdef MUTANT_EARLY
		give_back(n);
#endif
		enum mpsc_next what = mpsc_next(&q, n, &next);
		if (what == MPSC_LATE) {
			schedule();
			return;
		}
#ifdef MUTANT_CUR_LATE
		if (what == MPSC_IDLE)
			q.cur = 0;
#endif
#ifndef MUTANT_EARLY
		give_back(n);
#endif
		if (what == MPSC_IDLE)
			return;
		n = next;
		if (--quota == 0) {
			mpsc_suspend(&q, n);
			schedule();
			return;
		}
	}
}

static void begin(struct rng *r)
{
	mpsc_init(&q);
	atomic_store_explicit(&ready, 0, memory_order_relaxed);
	atomic_store_explicit(&unhandled, THREADS * EACH, memory_order_relaxed);
	atomic_store_explicit(&ticket, TICKET | MPSC_OPEN, memory_order_relaxed);
	close_after = rng_below(r, 4) ? 0 : 1 + (int)rng_below(r, THREADS * EACH);
	closed = false;
	handled = 0;
	memset(last, 0, sizeof last);
	memset(refused, 0, sizeof refused);
}

static void push(int thread, int i)
{
	struct item *x = &items[thread][i];
	if (mpsc_ticket(&ticket, TICKET) == MPSC_TICKET_CLOSED) {
		STRESS_CHECK(closed);
		refused[thread]++;
		atomic_fetch_sub_explicit(&unhandled, 1, memory_order_relaxed);
		return;
	}
	x->producer = thread;
	x->sequence = i + 1;
	if (mpsc_push(&q, &x->node) == MPSC_WAS_IDLE)
		schedule();
}

static void run(int thread, struct rng *r)
{
	for (int i = 0; i < EACH; i++) {
		stress_delay(r);
		push(thread, i);
		if (rng_below(r, 2) && atomic_exchange_explicit(&ready, 0, memory_order_acquire))
			run_queue(1 + rng_below(r, 3));
	}
	for (int turns = 0; atomic_load_explicit(&unhandled, memory_order_relaxed) > 0;)
		if (atomic_exchange_explicit(&ready, 0, memory_order_acquire))
			run_queue(1 + rng_below(r, 3));
		else
			stress_wait(&turns);
}

static void end(void)
{
	int pushed = THREADS * EACH;
	for (int t = 0; t < THREADS; t++)
		pushed -= refused[t];
	STRESS_CHECK(handled == pushed);
	STRESS_CHECK(closed == (close_after > 0 && close_after <= pushed));
	STRESS_CHECK(mpsc_is_idle(&q));
	STRESS_CHECK(atomic_load_explicit(&ready, memory_order_relaxed) == 0);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH - refused[t]; i++)
			STRESS_CHECK(atomic_load_explicit(&items[t][i].node.next,
							  memory_order_relaxed) == &nobody.node);
}

static void dump(void)
{
	printf("head %p cur %lx ready %d handled %d unhandled %d\n", (void *)q.head,
	       (unsigned long)q.cur, ready, handled, unhandled);
}

int main(int argc, char **argv)
{
	static const struct stress s = { "mpsc", THREADS, 1000000, begin, run, end, dump };
	return stress_main(argc, argv, &s);
}
