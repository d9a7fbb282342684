/* SPDX-License-Identifier: BSD-2-Clause
 * place.c - the named pools of a runtime and the threads of single actors: make, find, hire, submit to. */
#include "runtime/place.h"

#include <string.h>

#include "runtime/system.h"

static struct pool *pool_at(struct heist_system *s, uint32_t i)
{
	(void)atomic_load_explicit(&s->places.count, memory_order_acquire); /* PP1 acquire */
	return i ? &s->places.entry[i]->pool : &s->pool;
}

/* ---- configuration ---- */

static bool name_is_good(const char *name)
{
	size_t n = name ? strlen(name) : 0;
	return n > 0 && n <= HEIST_NAME_MAX;
}

/* What the caller knows of pool i; the rest stays at its default. */
static heist_pool pool_read(const heist_config *c, uint32_t i)
{
	heist_pool p = heist_pool_default();
	uint32_t size = c->pools->struct_size;
	memcpy(&p, (const char *)c->pools + (size_t)i * size, size < sizeof p ? size : sizeof p);
	return p;
}

/* The first fields that there ever were. */
#define POOL_FIRST_SIZE offsetof(heist_pool, spare_max)

static const char *pool_bad(const heist_config *c, uint32_t i, uint32_t *workers)
{
	uint32_t size = c->pools->struct_size;
	heist_pool one, *p = &one;
	if (size >= POOL_FIRST_SIZE && size <= 4096 && size % sizeof(void *) == 0)
		one = pool_read(c, i);
	else
		size = 0;
	if (size == 0 || p->struct_size != size)
		return "pools: struct_size is wrong (use heist_pool_default)";
	if (!name_is_good(p->name))
		return "pools: each needs a name of 1 to 47 characters";
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(pool_read(c, k).name, p->name) == 0)
			return "pools: two have the same name";
	if (p->spare_max > SPARES_MAX)
		return "pools: spare_max is more than 64";
	if (p->batch > UINT16_MAX)
		return "pools: batch is more than 65535";
	if (p->workers > SCHED_MAX_WORKERS)
		return "pools: more than 256 workers";
	if (p->cpus && !heist_topology_allows(p->cpus))
		return "pools: cpus is no list like 0-3,8 of CPUs that this process may use";
	*workers += p->workers ? p->workers : 1;
	return NULL;
}

const char *heist_places_bad(const heist_config *c, uint32_t workers)
{
	const char *bad = NULL;
	if (!c->pools != !c->pool_count || c->pool_count > POOLS_MAX)
		return "config: pools and pool_count (at most 63) come together";
	if (c->mode == HEIST_POLLED && c->pool_count)
		return "config: a polled runtime has no threads, so no pools";
	for (uint32_t i = 0; i < c->pool_count && !bad; i++)
		bad = pool_bad(c, i, &workers);
	if (!bad && workers > SCHED_MAX_WORKERS)
		bad = "config: more than 256 workers in all pools";
	return bad;
}

uint32_t heist_places_workers(const heist_config *c)
{
	uint32_t all = 0;
	for (uint32_t i = 0; i < c->pool_count; i++) {
		heist_pool p = pool_read(c, i);
		all += p.workers ? p.workers : 1;
	}
	return all;
}

uint32_t heist_spares_choose(uint32_t asked, uint32_t workers, uint32_t left)
{
	uint32_t spares = asked ? asked : workers > 1 ? workers : 0;
	if (spares > SPARES_MAX)
		spares = SPARES_MAX;
	return spares < left ? spares : left;
}

/* ---- make ---- */

/* Number the workers of p, NULL: of the runtime's own pool. */
static void crew_init(struct heist_system *s, struct place *p)
{
	struct pool *pool = p ? &p->pool : &s->pool;
	uint32_t n = atomic_load_explicit(&s->places.crew_count, memory_order_relaxed); /* locked */
	for (uint32_t i = 0; i < pool->crew; i++) {
		struct rt_worker *w = rt_worker_of(pool_worker(pool, i));
		heist_worker_init(s, w, n + i);
		w->home = p ? NULL : s;
		if (p && p->batch)
			w->batch = p->batch;
		if (p && p->budget_ns)
			w->budget_ns = p->budget_ns;
	}
}

/* Whoever looks at every worker sees them from now on. */
static void crew_publish(struct heist_system *s, struct pool *pool)
{
	uint32_t n = atomic_load_explicit(&s->places.crew_count, memory_order_relaxed); /* locked */
	for (uint32_t i = 0; i < pool->crew; i++)
		s->places.crew[n++] = rt_worker_of(pool_worker(pool, i));
	atomic_store_explicit(&s->places.crew_count, n, memory_order_release); /* PP1 release */
}

/* like: workers, spares, pin, hog_ns. */
static struct place *place_new(struct heist_system *s, const struct pool_config *like)
{
	struct place *p = heist_memory_get(&s->memory, sizeof *p, HEIST_ISOLATE);
	if (!p)
		return NULL;
	memset(p, 0, sizeof *p);
	struct pool_config pc = *like;
	pc.ops = s->pool.ops;
	pc.memory = &s->memory;
	pc.worker_size = sizeof(struct rt_worker);
	pc.seed = heist_random_seed();
	pc.group = &s->pool;
	if (heist_pool_init(&p->pool, &pc) == 0)
		return p;
	heist_memory_put(&s->memory, p, sizeof *p);
	return NULL;
}

static void place_free(struct heist_system *s, struct place *p)
{
	heist_pool_destroy(&p->pool);
	heist_memory_put(&s->memory, p, sizeof *p);
}

/* It can be found from here on. */
static void place_publish(struct heist_system *s, struct place *p)
{
	struct places *t = &s->places;
	p->index = atomic_load_explicit(&t->count, memory_order_relaxed) + 1; /* locked */
	t->entry[p->index] = p;
	crew_publish(s, &p->pool);
	atomic_store_explicit(&t->count, p->index, memory_order_release); /* PP1 release */
}

/* Pool i of c; *left: numbers of workers that are left for its spares.  False: no memory. */
static bool named_new(struct heist_system *s, const heist_config *c, uint32_t i, uint32_t *left)
{
	heist_pool from = pool_read(c, i);
	struct pool_config like = {
		.workers = from.workers ? from.workers : 1, .pin = from.cpus != NULL
	}; /* no spin: others run on its CPUs */
	like.spares = heist_spares_choose(from.spare_max, like.workers, *left);
	like.hog_ns = heist_hog_limit(c, from.hog_ms, like.workers + like.spares);
	struct place *p = place_new(s, &like);
	if (!p)
		return false;
	*left -= like.spares;
	if (from.cpus && !heist_topology_use(&p->pool.topology, from.cpus)) {
		place_free(s, p);
		return false;
	}
	memcpy(p->name, from.name, strlen(from.name));
	p->batch = from.batch;
	p->budget_ns = from.budget_us * (uint64_t)1000;
	crew_init(s, p);
	place_publish(s, p);
	return true;
}

int heist_places_init(struct heist_system *s, const heist_config *c)
{
	s->places.threads_max = s->polled ? 0 : c->threads_max;
	s->places.run = s->pool.ops->run;
	crew_init(s, NULL);
	crew_publish(s, &s->pool);
	uint32_t left = SCHED_MAX_WORKERS - s->pool.crew - heist_places_workers(c);
	for (uint32_t i = 0; i < c->pool_count; i++)
		if (!named_new(s, c, i, &left))
			return -1;
	s->places.crew_first =
		atomic_load_explicit(&s->places.crew_count, memory_order_relaxed); /* alone */
	return 0;
}

int heist_places_start(struct heist_system *s)
{
	uint32_t n = atomic_load_explicit(&s->places.count, memory_order_relaxed); /* alone */
	for (uint32_t i = 1; i <= n; i++) {
		if (heist_pool_start(&s->places.entry[i]->pool) != 0) {
			while (--i >= 1)
				(void)heist_pool_stop(&s->places.entry[i]->pool, 0);
			return -1;
		}
		heist_pool_join(&s->places.entry[i]->pool);
	}
	return 0;
}

void heist_places_destroy(struct heist_system *s)
{
	uint32_t n = atomic_load_explicit(&s->places.count, memory_order_relaxed); /* alone */
	for (uint32_t i = 1; i <= n; i++)
		place_free(s, s->places.entry[i]);
}

/* ---- all of them ---- */

void heist_places_run_with(struct heist_system *s, run_fn *run)
{
	struct places *t = &s->places;
	spin_lock(&t->lock);
	t->run = run;
	heist_pool_run_with(&s->pool, run);
	uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed); /* locked */
	for (uint32_t i = 1; i <= n; i++)
		heist_pool_run_with(&t->entry[i]->pool, run);
	spin_unlock(&t->lock);
}

bool heist_places_stop(struct heist_system *s, uint64_t deadline)
{
	spin_lock(&s->places.lock);
	s->places.closed = true;
	spin_unlock(&s->places.lock);
	uint32_t n = atomic_load_explicit(&s->places.count, memory_order_acquire); /* PP1 acquire */
	bool all = heist_pool_stop(&s->pool, deadline);
	for (uint32_t i = 1; i <= n; i++)
		all = heist_pool_stop(&s->places.entry[i]->pool, deadline) && all;
	return all;
}

/* ---- find and hire ---- */

uint32_t heist_place_find(struct heist_system *s, const char *name)
{
	uint32_t n = atomic_load_explicit(&s->places.count, memory_order_acquire); /* PP1 acquire */
	for (uint32_t i = 1; i <= n; i++)
		if (*s->places.entry[i]->name && strcmp(s->places.entry[i]->name, name) == 0)
			return i;
	return 0;
}

/* Under the lock. */
static struct place *thread_new(struct heist_system *s)
{
	struct places *t = &s->places;
	if (t->threads == t->threads_max)
		return NULL;
	static const struct pool_config alone = { .workers = 1 };
	struct place *p = place_new(s, &alone);
	if (!p)
		return NULL;
	heist_pool_run_with(&p->pool, t->run);
	crew_init(s, p);
	if (heist_pool_start(&p->pool) != 0) {
		place_free(s, p);
		return NULL;
	}
	heist_pool_join(&p->pool);
	t->threads++;
	place_publish(s, p);
	return p;
}

/* Under the lock; NULL: no memory, no thread, or too many. */
static struct place *thread_take(struct heist_system *s)
{
	struct place *p = s->places.free;
	if (!p)
		return thread_new(s);
	s->places.free = p->free;
	return p;
}

heist_status heist_place_hire(struct heist_system *s, uint32_t *place)
{
	struct places *t = &s->places;
	spin_lock(&t->lock);
	bool closed = t->closed;
	struct place *p = closed ? NULL : thread_take(s);
	spin_unlock(&t->lock);
	if (!p)
		return closed ? HEIST_ECLOSED : HEIST_ENOMEM;
	*place = p->index;
	return HEIST_OK;
}

void heist_place_retire(struct heist_system *s, uint32_t place)
{
	struct places *t = &s->places;
	spin_lock(&t->lock);
	t->entry[place]->free = t->free;
	t->free = t->entry[place];
	spin_unlock(&t->lock);
}

/* ---- submit ---- */

bool heist_place_is_here(struct rt_worker *w, uint16_t config)
{
	if (config & CONFIG_PLACED)
		return w->base.pool == pool_at(w->local.system, config >> 8 & 127);
	return w->home && w->base.index == config >> 8;
}

void heist_place_submit(struct heist_system *s, struct rt_worker *w, uint16_t config,
			struct runnable *r)
{
	if (!(config & CONFIG_PLACED)) {
		heist_pool_submit_bound(&s->pool, config >> 8, r);
		return;
	}
	struct pool *p = pool_at(s, config >> 8 & 127);
	bool here = w && w->base.pool == p, low = config & CONFIG_LOW;
	if (here && low)
		worker_queue_low(&w->base, r);
	else if (here)
		worker_wake(&w->base, r);
	else if (low)
		heist_pool_submit_low(p, r);
	else
		heist_pool_submit(p, r);
}
