/* SPDX-License-Identifier: BSD-2-Clause
 * router_pool.c - a pool of equal workers under a supervisor, in a group.  Whoever sends picks one: there is no
 * router to wait for.  The pool grows and shrinks while it works. */
#include <heist/heist.h>
#include <stdatomic.h>
#include <stdio.h>

#define POOL "squares"

struct worker_job {
	int64_t n;
};
#define WORKER(X, P) X(P, job, int64_t, NULL)
HEIST_PROTOCOL(worker, WORKER);

static atomic_long started, stopped, most;

struct worker {
	int64_t done;
};

static heist_next worker_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c, (void)state, (void)arg;
	atomic_fetch_add(&started, 1);
	return HEIST_CONTINUE;
}

static void worker_stop(heist_ctx *c, void *state, heist_status why)
{
	(void)c, (void)why;
	printf("a worker ends after %lld jobs\n", (long long)((struct worker *)state)->done);
	atomic_fetch_add(&stopped, 1);
}
static const heist_hooks worker_hooks = { .init = worker_init, .stop = worker_stop };

static heist_next worker_on_job(heist_ctx *c, struct worker *w, struct worker_job *m)
{
	if (++w->done > atomic_load(&most))
		atomic_store(&most, w->done);
	worker_reply_job(c, m->n * m->n);
	return HEIST_CONTINUE;
}
HEIST_ACTOR_WITH(worker, struct worker, WORKER, heist_unhandled, &worker_hooks);

static int64_t square(heist_system *sys, heist_route how, int64_t n)
{
	worker_ref w = { heist_pick(sys, POOL, how, (uint64_t)n) };
	int64_t reply = -1;
	if (worker_call_job(sys, w, (struct worker_job){ n }, heist_in_ms(sys, 5000), &reply))
		return -1;
	return reply;
}

static bool squares(heist_system *sys, heist_route how, int64_t first, int64_t count)
{
	for (int64_t n = first; n < first + count; n++)
		if (square(sys, how, n) != n * n)
			return false;
	return true;
}

int main(void)
{
	heist_system *sys;
	heist_sup sup = heist_sup_default();
	heist_child child = heist_child_default();
	heist_opts opts = heist_opts_default();
	heist_ref top;
	opts.mailbox_cap = 1000; /* so that what waits is counted: HEIST_LEAST_LOADED */
	child.cls = &worker_class;
	child.opts = &opts;
	if (heist_start(NULL, &sys) || heist_supervise(sys, &sup, &top, NULL))
		return 1;
	if (heist_resize(sys, top, POOL, &child, 2) || !squares(sys, HEIST_ROUND_ROBIN, 0, 100))
		return 1;
	printf("2 workers, the busiest did %ld of 100\n", atomic_load(&most));
	bool fair = atomic_load(&most) == 50;
	if (heist_resize(sys, top, POOL, &child, 5) || !squares(sys, HEIST_LEAST_LOADED, 100, 100))
		return 1;
	if (heist_resize(sys, top, POOL, &child, 1) ||
	    !squares(sys, HEIST_CONSISTENT_HASH, 200, 50))
		return 1;
	bool one = heist_group_members(sys, POOL, NULL, 0) == 1;
	if (heist_shutdown(sys, heist_in_ms(sys, 5000)))
		return 1;
	printf("%ld were started, %ld stopped\n", atomic_load(&started), atomic_load(&stopped));
	return !fair || !one || atomic_load(&started) != 5 || atomic_load(&stopped) != 5;
}
