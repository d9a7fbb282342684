/* SPDX-License-Identifier: BSD-2-Clause
 * What an owner puts down and others take, oldest first: the deque that workers steal from, and libck's ring with
 * one writer and many readers.  Thread 0 owns and then helps; the others take.  Each number exactly once. */
#include "bench/micro/race.h"
#include "lockfree/deque.h"
#include "lockfree/memory.h"

#if RACE_CK
#include <ck_ring.h>
#endif

#define ITEMS 200000
#define ROOM  (1u << 18) /* so much that nothing grows and nothing fills up */

static char numbers[ITEMS]; /* their addresses are the items */
static _Atomic bool taken[ITEMS];
static _Atomic uint64_t count; /* how often something was taken */
static _Atomic bool all_there; /* the owner puts nothing more down */

static void took(void *item)
{
	size_t i = (size_t)((char *)item - numbers);
	if (i < ITEMS)
		atomic_store_explicit(&taken[i], true, memory_order_relaxed);
}

static void prepare(void)
{
	for (size_t i = 0; i < ITEMS; i++)
		atomic_store_explicit(&taken[i], false, memory_order_relaxed);
	atomic_store_explicit(&count, 0, memory_order_relaxed);
	atomic_store_explicit(&all_there, false, memory_order_relaxed);
}

/* As many were taken as there are, and each of them was: so each once. */
static double finish(double ns)
{
	bool each = atomic_load_explicit(&count, memory_order_relaxed) == ITEMS;
	for (size_t i = 0; i < ITEMS; i++)
		each &= atomic_load_explicit(&taken[i], memory_order_relaxed);
	return each ? ns : -1;
}

/* ---- deque.h ---- */

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return heist_mem_alloc(size, align);
}

static void put(void *user, void *p, size_t size)
{
	(void)user;
	heist_mem_free(p, size);
}

static const struct heist_memory memory = { get, put, NULL };
static struct deque deque;

static void deque_body(const struct bench_row *row, int thread)
{
	void *item;
	uint64_t n = 0;
	for (uint64_t i = 0; thread == 0 && i < row->operations; i++)
		if (!deque_push(&deque, &numbers[i]))
			bench_failed("out of memory");
	if (thread == 0)
		atomic_store_explicit(&all_there, true, memory_order_release);
	deque_thief_enter(&deque);
	for (;;) {
		bool last = atomic_load_explicit(&all_there, memory_order_acquire);
		enum deque_steal what = deque_steal(&deque, &item);
		if (what == STEAL_OK) {
			took(item);
			n++;
		} else if (what == STEAL_EMPTY && last) {
			break;
		}
	}
	deque_thief_leave(&deque);
	atomic_fetch_add_explicit(&count, n, memory_order_relaxed);
}

static double sample_deque(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	if (heist_deque_init(&deque, &memory, ROOM) != 0)
		bench_failed("out of memory");
	double ns = finish(race(row, deque_body));
	heist_deque_destroy(&deque);
	return ns;
}

#if RACE_CK

/* ---- ck_ring, SPMC; as large as all items ---- */

static ck_ring_t ring;
static ck_ring_buffer_t ring_buffer[ROOM];

static void ring_body(const struct bench_row *row, int thread)
{
	void *item;
	uint64_t n = 0;
	for (uint64_t i = 0; thread == 0 && i < row->operations; i++)
		race_check(ck_ring_enqueue_spmc(&ring, ring_buffer, &numbers[i]));
	if (thread == 0)
		atomic_store_explicit(&all_there, true, memory_order_release);
	for (;;) {
		bool last = atomic_load_explicit(&all_there, memory_order_acquire);
		if (ck_ring_trydequeue_spmc(&ring, ring_buffer, &item)) {
			took(item);
			n++;
		} else if (last && ck_ring_size(&ring) == 0) {
			break;
		}
	}
	atomic_fetch_add_explicit(&count, n, memory_order_relaxed);
}

static double sample_ring(const struct bench_row *row, heist_system *s)
{
	(void)s;
	prepare();
	ck_ring_init(&ring, ROOM);
	return finish(race(row, ring_body));
}

#endif

#define DEQUE(NAME, THREADS, SAMPLE)                                                               \
	{                                                                                          \
		.name = "micro/" NAME, .operation = "item", .min_workers = THREADS,                \
		.operations = ITEMS, .sample = SAMPLE, .bare = true                                \
	}

const struct bench_row bench_deques[] = {
	DEQUE("deque/thieves:1", 2, sample_deque),
	DEQUE("deque/thieves:3", 4, sample_deque),
#if RACE_CK
	DEQUE("ck_ring_spmc/thieves:1", 2, sample_ring),
	DEQUE("ck_ring_spmc/thieves:3", 4, sample_ring),
#endif
	{ 0 },
};
