/* SPDX-License-Identifier: BSD-2-Clause
 * Queues from producers to one consumer, ours and libck's: thread 0 consumes, every other one produces its share
 * of the items, numbered.  The consumer checks that it gets each producer's numbers in order. */
#include "bench/micro/race.h"
#include "lockfree/inject.h"
#include "lockfree/mpsc.h"

#if RACE_CK
#include <ck_fifo.h>
#include <ck_ring.h>
#include <ck_stack.h>
#endif

/* One line each, whatever the queue needs of it; made once, so no sample pays for page faults. */
struct item {
	_Alignas(HEIST_CACHELINE) union {
		struct mpsc_node mpsc;
		struct inject_link inject;
#if RACE_CK
		struct ck_fifo_mpmc_entry mpmc;
		struct ck_fifo_spsc_entry spsc;
		struct ck_stack_entry stack;
#endif
	} u;
	uint32_t producer, number;
};

#define ITEMS 200000

static struct item *items;
static uint32_t expected[RACE_THREADS]; /* per producer; the consumer */

static uint32_t producers(const struct bench_row *row)
{
	return row->min_workers - 1;
}

static uint32_t share(const struct bench_row *row)
{
	return (uint32_t)row->operations / producers(row);
}

static struct item *item_of(const struct bench_row *row, int thread, uint32_t i)
{
	struct item *x = &items[(uint32_t)(thread - 1) * share(row) + i];
	x->producer = (uint32_t)thread;
	x->number = i;
	return x;
}

static void prepare(void)
{
	if (!items)
		items = aligned_alloc(HEIST_CACHELINE, ITEMS * sizeof *items);
	if (!items)
		bench_failed("out of memory");
	for (int i = 0; i < RACE_THREADS; i++)
		expected[i] = 0;
}

/* The consumer got an item: in its producer's order? */
static void consumed(const struct item *x)
{
	race_check(x->number == expected[x->producer]++);
}

/* Everything of everybody has come. */
static double finish(const struct bench_row *row, double ns)
{
	for (uint32_t p = 1; p <= producers(row); p++)
		if (expected[p] != share(row))
			return -1;
	return ns;
}

/* ---- mpsc.h: with the hand-over of the right to run that a mailbox has ---- */

static struct mpsc mpsc;
static _Alignas(HEIST_ISOLATE) _Atomic bool scheduled;

static void mpsc_produce(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; i < share(row); i++)
		if (mpsc_push(&mpsc, &item_of(row, thread, i)->u.mpsc) == MPSC_WAS_IDLE)
			atomic_store_explicit(&scheduled, true, memory_order_release);
}

/* From the first node until the queue turns idle; how many. */
static uint32_t mpsc_run(void)
{
	struct mpsc_node *done, *n;
	uint32_t count = 0;
	for (;;) {
		while ((n = mpsc_first(&mpsc, &done)) == NULL)
			heist_relax(); /* a link is late */
		enum mpsc_next what;
		do {
			consumed((struct item *)n);
			count++;
			what = mpsc_next(&mpsc, n, &n);
		} while (what == MPSC_NODE);
		if (what == MPSC_IDLE)
			return count;
	}
}

static void mpsc_body(const struct bench_row *row, int thread)
{
	if (thread) {
		mpsc_produce(row, thread);
		return;
	}
	for (uint32_t left = share(row) * producers(row); left > 0;) {
		while (!atomic_load_explicit(&scheduled, memory_order_acquire))
			heist_relax();
		atomic_store_explicit(&scheduled, false, memory_order_relaxed);
		left -= mpsc_run();
	}
}

static double sample_mpsc(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	mpsc_init(&mpsc);
	atomic_store_explicit(&scheduled, false, memory_order_relaxed);
	return finish(row, race(row, mpsc_body));
}

/* ---- inject.h ---- */

static struct inject inbox;

static void inject_body(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; thread && i < share(row); i++)
		inject_push(&inbox, &item_of(row, thread, i)->u.inject);
	for (uint32_t left = thread ? 0 : share(row) * producers(row); left > 0;) {
		struct inject_link *l = inject_take(&inbox);
		if (!l)
			heist_relax();
		for (struct inject_link *next; l; l = next, left--) {
			next = l->next;
			consumed((struct item *)l);
		}
	}
}

static double sample_inject(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	inject_init(&inbox);
	return finish(row, race(row, inject_body));
}

#if RACE_CK

/* ---- ck_fifo, MPMC with one consumer ---- */

static ck_fifo_mpmc_t mpmc;
static ck_fifo_mpmc_entry_t mpmc_stub;

static void mpmc_body(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; thread && i < share(row); i++) {
		struct item *x = item_of(row, thread, i);
		ck_fifo_mpmc_enqueue(&mpmc, &x->u.mpmc, x);
	}
	for (uint32_t left = thread ? 0 : share(row) * producers(row); left > 0;) {
		ck_fifo_mpmc_entry_t *garbage;
		struct item *x;
		if (ck_fifo_mpmc_dequeue(&mpmc, &x, &garbage)) {
			consumed(x);
			left--;
		} else {
			heist_relax();
		}
	}
}

static double sample_mpmc(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_fifo_mpmc_init(&mpmc, &mpmc_stub);
	return finish(row, race(row, mpmc_body));
}

/* ---- ck_fifo, SPSC ---- */

static ck_fifo_spsc_t spsc;
static ck_fifo_spsc_entry_t spsc_stub;

static void spsc_body(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; thread && i < share(row); i++) {
		struct item *x = item_of(row, thread, i);
		ck_fifo_spsc_enqueue(&spsc, &x->u.spsc, x);
	}
	for (uint32_t left = thread ? 0 : share(row); left > 0;) {
		struct item *x;
		if (ck_fifo_spsc_dequeue(&spsc, &x)) {
			consumed(x);
			left--;
		} else {
			heist_relax();
		}
	}
}

static double sample_spsc(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_fifo_spsc_init(&spsc, &spsc_stub);
	return finish(row, race(row, spsc_body));
}

/* ---- ck_ring, SPSC: bounded, so its producer waits when it is full ---- */

#define RING 1024

static ck_ring_t ring;
static ck_ring_buffer_t ring_buffer[RING];

static void ring_body(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; thread && i < share(row); i++) {
		struct item *x = item_of(row, thread, i);
		while (!ck_ring_enqueue_spsc(&ring, ring_buffer, x))
			heist_relax();
	}
	for (uint32_t left = thread ? 0 : share(row); left > 0;) {
		struct item *x;
		if (ck_ring_dequeue_spsc(&ring, ring_buffer, &x)) {
			consumed(x);
			left--;
		} else {
			heist_relax();
		}
	}
}

static double sample_ring(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_ring_init(&ring, RING);
	return finish(row, race(row, ring_body));
}

/* ---- ck_stack: as an inbox, put into order by the taker, as inject.h does ---- */

static ck_stack_t stack;

static ck_stack_entry_t *reversed(ck_stack_entry_t *l)
{
	ck_stack_entry_t *oldest = NULL;
	for (ck_stack_entry_t *next; l; l = next) {
		next = l->next;
		l->next = oldest;
		oldest = l;
	}
	return oldest;
}

static void stack_body(const struct bench_row *row, int thread)
{
	for (uint32_t i = 0; thread && i < share(row); i++)
		ck_stack_push_upmc(&stack, &item_of(row, thread, i)->u.stack);
	for (uint32_t left = thread ? 0 : share(row) * producers(row); left > 0;) {
		if (CK_STACK_ISEMPTY(&stack)) {
			heist_relax();
			continue;
		}
		ck_stack_entry_t *l = reversed(ck_stack_batch_pop_upmc(&stack));
		for (ck_stack_entry_t *next; l; l = next, left--) {
			next = l->next;
			consumed((struct item *)l);
		}
	}
}

static double sample_stack(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_stack_init(&stack);
	return finish(row, race(row, stack_body));
}

#endif

#define QUEUE(NAME, THREADS, SAMPLE)                                                               \
	{                                                                                          \
		.name = "micro/" NAME, .operation = "item", .min_workers = THREADS,                \
		.operations = ITEMS / (THREADS - 1) * (THREADS - 1), .sample = SAMPLE,             \
		.bare = true                                                                       \
	}

const struct bench_row bench_queues[] = {
	QUEUE("mpsc/producers:1", 2, sample_mpsc),
	QUEUE("mpsc/producers:3", 4, sample_mpsc),
	QUEUE("inject/producers:1", 2, sample_inject),
	QUEUE("inject/producers:3", 4, sample_inject),
#if RACE_CK
	QUEUE("ck_fifo_mpmc/producers:1", 2, sample_mpmc),
	QUEUE("ck_fifo_mpmc/producers:3", 4, sample_mpmc),
	QUEUE("ck_fifo_spsc", 2, sample_spsc),
	QUEUE("ck_ring_spsc", 2, sample_ring),
	QUEUE("ck_stack/producers:1", 2, sample_stack),
	QUEUE("ck_stack/producers:3", 4, sample_stack),
#endif
	{ 0 },
};
