/* SPDX-License-Identifier: BSD-2-Clause
 * A worker whose deques have grown gives their arrays back while another one steals: nothing is read after
 * it has been freed, nothing is lost, nothing is kept for ever. */
#include "sched/pool.h"
#include "tests/check/check.h"

#define ITEMS 3 /* one more than the first array holds */

static struct pool pool;
static struct runnable items[ITEMS];
static _Atomic int taken[ITEMS];

static void use(struct runnable *r)
{
	CHECK_ASSERT(atomic_fetch_add_explicit(&taken[r - items], 1, memory_order_relaxed) == 0);
}

static enum verdict run(struct worker *w, struct runnable *r)
{
	(void)w, (void)r;
	return RUN_DONE;
}

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return check_alloc(size, align);
}

static void put(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	check_free(p);
}

static const struct heist_memory memory = { get, put, NULL };
static const struct pool_ops ops = { .run = run };

static void setup(void)
{
	static const struct pool_config config = { .ops = &ops,
						   .memory = &memory,
						   .workers = 2,
						   .worker_size = sizeof(struct worker),
						   .seed = 1 };
	for (int i = 0; i < ITEMS; i++)
		atomic_store_explicit(&taken[i], 0, memory_order_relaxed);
	CHECK_ASSERT(heist_pool_init(&pool, &config) == 0);
}

static void owner(struct worker *w)
{
	struct runnable *r;
	for (int i = 0; i < ITEMS; i++)
		worker_queue(w, &items[i]);
	while ((r = heist_worker_next(w)) != NULL)
		use(r);
	heist_worker_shrink(w);
	heist_worker_shrink(w); /* now, if not before */
}

static void thief(struct worker *w)
{
	struct runnable *r = heist_worker_steal(w);
	if (r)
		use(r);
}

static void thread(int t)
{
	(t == 0 ? owner : thief)(pool_worker(&pool, (uint32_t)t));
}

static void finish(void)
{
	struct runnable *r;
	while ((r = heist_worker_next(pool_worker(&pool, 1))) !=
	       NULL) /* beyond the first it stole */
		use(r);
	for (int i = 0; i < ITEMS; i++)
		CHECK_ASSERT(atomic_load_explicit(&taken[i], memory_order_relaxed) == 1);
	struct worker *w = pool_worker(&pool, 0);
	heist_worker_shrink(w); /* nobody steals any more */
	CHECK_ASSERT(w->outgrown == NULL && deque_capacity(&w->fifo) == SCHED_DEQUE_CAPACITY);
	heist_pool_destroy(&pool);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "shrink", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
