/* SPDX-License-Identifier: BSD-2-Clause
 * The mailbox queue with its scheduling state: two producers; whoever is handed the right to run drains in
 * quotas of one, through a run queue of one place, suspending and meeting late links. */
#include "lockfree/mpsc.h"
#include "tests/check/check.h"

#define PRODUCERS 2
#define EACH	  2

struct item {
	struct mpsc_node node;
	int producer, sequence;
};

static struct mpsc q;
static _Atomic int ready; /* the run queue: holds q at most once */
static _Atomic uint32_t ticket;
static int handled, last[PRODUCERS]; /* plain: races mean two runners */

static void schedule(void)
{
	CHECK_ASSERT(atomic_exchange_explicit(&ready, 1, memory_order_release) == 0);
}

static void give_back(struct mpsc_node *n)
{
	check_free(n);
}

static void handle(struct mpsc_node *n)
{
	struct item *i = (struct item *)n;
	CHECK_ASSERT(i->sequence == last[i->producer] + 1);
	last[i->producer] = i->sequence;
	handled++;
}

/* One turn of whoever took q from the run queue. */
static void run(void)
{
	struct mpsc_node *done, *next, *n = mpsc_first(&q, &done);
	if (done)
		give_back(done);
	if (!n) {
		schedule(); /* late: try again later */
		heist_relax();
		return;
	}
	handle(n);
#ifdef MUTANT_EARLY
	give_back(n);
#endif
#ifndef MUTANT_TRY_ALWAYS
	if (mpsc_is_idle(&q))
		CHECK_ASSERT(!"a running queue looks idle");
#endif
	switch (mpsc_next(&q, n, &next)) {
	case MPSC_IDLE:
#ifdef MUTANT_CUR_LATE
		q.cur = 0;
#endif
		break;
	case MPSC_LATE:
		schedule();
		heist_relax();
		return;
	case MPSC_NODE:
		mpsc_suspend(&q, next);
		schedule();
		break;
	}
#ifndef MUTANT_EARLY
	give_back(n);
#endif
}

static void drain(int turns)
{
	while (turns-- > 0)
		if (atomic_exchange_explicit(&ready, 0, memory_order_acquire)) {
			run();
			turns++;
		}
}

static void setup(void)
{
	mpsc_init(&q);
	atomic_store_explicit(&ready, 0, memory_order_relaxed);
	atomic_store_explicit(&ticket, 5 | MPSC_OPEN, memory_order_relaxed);
	handled = last[0] = last[1] = 0;
}

static void thread(int p)
{
	for (int i = 1; i <= EACH; i++) {
		struct item *n = check_alloc(sizeof *n, 16);
		n->producer = p;
		n->sequence = i;
		CHECK_ASSERT(mpsc_ticket(&ticket, 5) == MPSC_TICKET_VALID);
		if (mpsc_push(&q, &n->node) == MPSC_WAS_IDLE)
			schedule();
	}
	drain(1);
}

static void finish(void)
{
	drain(1);
	CHECK_ASSERT(handled == PRODUCERS * EACH);
	CHECK_ASSERT(mpsc_is_idle(&q));
	mpsc_close(&ticket);
	CHECK_ASSERT(mpsc_ticket(&ticket, 5) == MPSC_TICKET_CLOSED);
	CHECK_ASSERT(mpsc_ticket(&ticket, 7) == MPSC_TICKET_CLOSED);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "mpsc", PRODUCERS, setup, thread, finish };
	return check_main(argc, argv, &m);
}
