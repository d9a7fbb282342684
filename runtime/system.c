/* SPDX-License-Identifier: BSD-2-Clause
 * system.c - a runtime: configuration, start, shutdown in phases.
 *
 * Shutdown   1 intake off: foreign calls answer ECLOSED; wait for those that are inside
 *            2 drain: wait until every worker is parked and nothing is queued
 *            3 if that takes too long, discard: messages are lost (CLOSED), handlers run no more
 *            4 stop the workers
 *            5 nobody outside may stop or kill any more; end the actors that are left, in slot
 *              order, children before parents, on this thread; wait until the calls that this
 *              answered have left; then free everything
 * One deadline is for all of them.  Whoever keeps a phase from its end by then is told (straggler.c), and
 * the next call goes on where this one was. */
#include "runtime/sim.h"

#include <string.h>

#include "runtime/config.h"
#include "runtime/fork.h"
#include "runtime/line.h"
#include "runtime/path.h"
#include "runtime/roster.h"
#include "runtime/table.h"
#include "sched/cpus.h"

/* ---- what the scheduler asks of us ---- */

#define TIMERS_LATE_NS 1000000u

static bool on_flush(struct worker *w)
{
	if (HEIST_UNLIKELY(heist_forked(rt_worker_of(w)->local.system)))
		heist_fork_returned();
	ctx_set_actor(&rt_worker_of(w)->ctx, NULL); /* it is in no handler */
	return heist_outbox_flush(rt_worker_of(w));
}

/* Timers that a worker in a long handler has missed by a millisecond: another worker each time. */
static void timers_help(struct rt_worker *w)
{
	struct heist_system *s = w->local.system;
	w->watched = (w->watched + 1) % system_crew(s);
	struct rt_worker *v = system_worker(s, w->watched);
	if (v != w && wheel_is_due(&v->wheel, w->base.now - TIMERS_LATE_NS))
		heist_timers_fire(w, v, w->base.now);
}

/* What others gave back to the pools that foreign threads borrow, and nobody has borrowed since. */
static void foreign_trim(struct heist_system *s)
{
	for (uint32_t i = 0; i < FOREIGN_LOCALS; i++)
		if (!inject_is_empty(&s->foreign[i].messages.returned))
			heist_foreign_trim(s, i);
}

/* The same of workers, which may sleep on it. */
static void workers_trim(struct heist_system *s)
{
	uint32_t n = system_crew(s);
	for (uint32_t i = 0; i < n; i++) {
		struct rt_worker *v = system_worker(s, i);
		if (!inject_is_empty(&v->local.messages.returned))
			heist_pool_ask_trim(v->base.pool, v->base.index);
	}
}

static void others_trim(struct heist_system *s)
{
	foreign_trim(s);
	workers_trim(s);
}

/* A worker that does not park looks this often at what the others have to take back. */
#define OTHERS_NS 100000000u

static HEIST_COLD void others_help(struct rt_worker *w)
{
	w->look_at = w->base.now + OTHERS_NS;
	others_trim(w->local.system);
}

static void on_tick(struct worker *base, uint64_t elapsed)
{
	struct rt_worker *w = rt_worker_of(base);
	timers_help(w);
	if (w->home)
		heist_outbox_decide(w, elapsed);
	if (HEIST_UNLIKELY(base->now >= w->look_at))
		others_help(w);
	(void)heist_slabs_decay(&w->local.system->slabs, base->now);
}

static bool on_stuck(struct worker *base, struct worker *stuck)
{
	struct rt_worker *w = rt_worker_of(base), *v = rt_worker_of(stuck);
	bool any = heist_outbox_rescue(w, v);
	return heist_timers_fire(w, v, system_now(w->local.system)) || any;
}

/* Every worker has begun another activation, or is parked, since the chunks were retired. */
static bool grace_is_over(struct heist_system *s, struct worker *self)
{
	for (uint32_t i = 0; i < s->seen_count; i++) {
		struct worker *v = &system_worker(s, i)->base;
		if (v != self && !idle_is_parked(&v->pool->idle, v->index) &&
		    !heist_spare_is_off(v->pool, v->index) &&
		    atomic_load_explicit(&v->activations, memory_order_relaxed) == s->seen[i])
			return false;
	}
	return true;
}

static void slots_return(struct heist_system *s, struct worker *self)
{
	if (!heist_slots_purgeable(&s->slots) || !spin_try(&s->purging))
		return;
	if (s->purge == PURGE_NONE && heist_slots_retire(&s->slots)) {
		heist_fence_heavy(); /* alone: later comparisons of handles see the new generations */
		heist_foreign_grace(s);
		s->purge = PURGE_RETIRED;
	}
	if (s->purge == PURGE_RETIRED && heist_notify_quiet(s)) {
		s->seen_count = system_crew(s); /* whoever is hired later has begun nothing yet */
		for (uint32_t i = 0; i < s->seen_count; i++)
			s->seen[i] = atomic_load_explicit(&system_worker(s, i)->base.activations,
							  memory_order_relaxed);
		s->purge = PURGE_AWAITED;
	}
	if (s->purge == PURGE_AWAITED && grace_is_over(s, self)) {
		heist_slots_purge(&s->slots);
		s->purge = PURGE_NONE;
	}
	spin_unlock(&s->purging);
}

/* Empty slabs go back after a while, for which a worker that sleeps has to wake once more. */
static void slabs_decay(struct rt_worker *w)
{
	uint64_t again = heist_slabs_decay(&w->local.system->slabs, w->base.now);
	if (again && (w->base.timer_next == 0 || again < w->base.timer_next))
		w->base.timer_next = again;
}

heist_status heist_trim(heist_system *s)
{
	if (!s)
		return HEIST_BAD_ARG("the runtime must not be NULL");
	foreign_trim(s);
	heist_slabs_trim(&s->slabs); /* first, so that what workers put goes, too */
	workers_trim(s);
	return HEIST_OK;
}

static void on_trim(struct worker *base)
{
	struct rt_worker *w = rt_worker_of(base);
	if (w->local.system->polled)
		(void)heist_log_tell(w->local.system);
	event_put(&w->local, EVENT_PARK, (heist_ref){ 0 }, NULL, 0);
	heist_local_trim(&w->local);
	others_trim(w->local.system);
	slots_return(w->local.system, base);
	heist_registry_trim(w->local.system);
	heist_rosters_trim(w->local.system);
	heist_paths_trim(w->local.system);
	slabs_decay(w); /* last: it counts what the others have given back */
}

static uint64_t on_timers(struct worker *base, uint64_t now)
{
	struct rt_worker *w = rt_worker_of(base);
	heist_timers_fire(w, w, now);
	return wheel_next(&w->wheel);
}

static void on_hog(struct worker *w, uint64_t n, uint64_t elapsed)
{
	heist_hog_seen(rt_worker_of(w), n, elapsed);
}

static uint64_t on_handled(struct worker *w)
{
	return rt_worker_handled(rt_worker_of(w));
}

static void on_signal_host(struct worker *w)
{
	heist_event_signal(rt_worker_of(w)->local.system->host_fd);
}

static void on_warn(struct pool *p, const char *line)
{
	heist_system_log(rt_worker_of(pool_worker(p, 0))->local.system, HEIST_LOG_WARN, "%s", line);
}

static const struct pool_ops ops = {
	.run = heist_actor_run,
	.flush = on_flush,
	.tick = on_tick,
	.due = heist_sample_arm,
	.stuck = on_stuck,
	.handled = on_handled,
	.trim = on_trim,
	.timers = on_timers,
	.hog = on_hog,
	.guard = heist_panic_guard,
	.signal_host = on_signal_host,
	.warn = on_warn,
};

/* ---- configuration ---- */

/* user: the slabs, once they exist.  Whatever has the size of a block is one. */
static void *default_alloc(void *user, size_t size, size_t align)
{
	return user && size == SLAB_BLOCK ? heist_slabs_get(user)
					  : heist_default_alloc(size, align);
}

static void default_dealloc(void *user, void *p, size_t size)
{
	if (user && size == SLAB_BLOCK)
		heist_slabs_put(user, p);
	else
		heist_default_dealloc(p, size);
}

static const char *config_bad(const heist_config *c)
{
	if (!c->alloc != !c->dealloc)
		return "config: alloc and dealloc come together";
	if (c->mode != HEIST_THREADS && c->mode != HEIST_POLLED)
		return "config: unknown mode";
	if (c->contain == HEIST_ON && heist_fault_bad(c))
		return heist_fault_bad(c);
	if (c->mode == HEIST_POLLED && c->workers > 1)
		return "config: a polled runtime has no workers";
	if (c->clock && c->mode != HEIST_POLLED)
		return "config: a clock of your own needs HEIST_POLLED, since nobody sleeps by it";
	return NULL;
}

/* Workers and pinning, from config and machine. */
static struct cpus_choice choose_workers(const heist_config *c)
{
	uint32_t workers = c->workers == HEIST_WORKERS_ALL ? CPUS_ALL : c->workers;
	enum cpus_pin wish = c->pin == HEIST_ON	   ? CPUS_PIN_ON
			     : c->pin == HEIST_OFF ? CPUS_PIN_OFF
						   : CPUS_PIN_DEFAULT;
	return c->mode == HEIST_POLLED ? (struct cpus_choice){ .workers = 1 }
				       : heist_cpus_choose(workers, wish, "");
}

static void system_configure(struct heist_system *s, const heist_config *c)
{
	s->batch = c->batch;
	s->budget_ns = c->budget_us * (uint64_t)1000;
	s->polled = c->mode == HEIST_POLLED;
	s->user = c->user;
	s->dead_letter = c->dead_letter;
	s->overload = c->overload;
	s->hog = c->hog;
	s->hog_name_ns = c->hog_name_ms * (uint64_t)1000000;
	s->slabs.keep_ns = c->memory_keep_ms * (uint64_t)1000000;
	s->clock = c->clock;
	s->memory = c->alloc ? (struct heist_memory){ c->alloc, c->dealloc, c->user }
			     : (struct heist_memory){ default_alloc, default_dealloc, NULL };
}

/* ---- start ---- */

static uint64_t clock_of_user(void *system)
{
	struct heist_system *s = system;
	uint64_t now = s->clock(s->user, HEIST_CLOCK_MONOTONIC);
	heist_keep_frame();
	return now;
}

static void system_free(struct heist_system *s)
{
	struct heist_memory memory = s->memory;
	heist_log_stop(s);
	heist_log_destroy(s);
	if (s->host_fd >= 0)
		heist_event_close(s->host_fd);
	heist_events_destroy(s);
	heist_sampling_destroy(s);
	heist_fault_destroy(s);
	heist_memory_put(&memory, s->foreign, FOREIGN_LOCALS * sizeof *s->foreign);
	heist_slots_destroy(&s->slots);
	heist_slabs_destroy(&s->slabs);
	heist_memory_put(&memory, s, sizeof *s);
}

uint64_t heist_system_random(struct heist_system *s)
{
	return s->sim ? heist_sim_random(s->sim) : heist_random_seed();
}

/* Workers are numbered up to SCHED_MAX_WORKERS, those of other pools and spares included. */
static uint32_t choose_spares(const heist_config *c, uint32_t workers)
{
	uint32_t left = SCHED_MAX_WORKERS - workers - heist_places_workers(c);
	return c->mode == HEIST_POLLED ? 0 : heist_spares_choose(c->spare_max, workers, left);
}

static int system_workers_init(struct heist_system *s, const heist_config *c,
			       struct cpus_choice cpus)
{
	uint32_t spares = choose_spares(c, cpus.workers);
	struct pool_config pc = {
		.ops = &ops,
		.memory = &s->memory,
		.workers = cpus.workers,
		.spares = spares,
		.hog_ns = heist_hog_limit(c, 0, cpus.workers + spares),
		.pin = cpus.pin,
		.spin = cpus.spin,
		.polled = s->polled,
		.worker_size = sizeof(struct rt_worker),
		.clock = s->clock ? clock_of_user : NULL,
		.clock_user = s,
		.seed = heist_system_random(s),
		.pick = s->sim ? heist_sim_pick : NULL,
	};
	if (heist_pool_init(&s->pool, &pc) != 0)
		return -1;
	if (heist_places_init(s, c) == 0)
		return 0;
	heist_places_destroy(s);
	heist_pool_destroy(&s->pool);
	return -1;
}

/* Everything but threads; NULL: out of memory or address space, nothing is left. */
static struct heist_system *system_new(const heist_config *c, struct heist_sim *sim,
				       struct cpus_choice cpus, uint32_t generation)
{
	struct heist_system boot = { .host_fd = -1, .sim = sim };
	system_configure(&boot, c);
	struct heist_system *s = heist_memory_get(&boot.memory, sizeof *s, HEIST_ISOLATE);
	if (!s)
		return NULL;
	*s = boot;
	if (!c->alloc)
		s->memory.user = &s->slabs;
	if (heist_log_init(s, c) != 0)
		goto fail;
	if (heist_slots_init(&s->slots, c->max_actors, generation) != 0)
		goto fail;
	s->foreign =
		heist_memory_get(&s->memory, FOREIGN_LOCALS * sizeof *s->foreign, HEIST_ISOLATE);
	if (!s->foreign)
		goto fail;
	for (int i = 0; i < FOREIGN_LOCALS; i++)
		heist_local_init(&s->foreign[i], s, &s->memory);
	if (s->polled && (s->host_fd = heist_event_open()) < 0)
		goto fail;
	if (system_workers_init(s, c, cpus) != 0)
		goto fail;
	if ((c->events && heist_events_init(s, c->events) != 0) ||
	    (c->sample && heist_sampling_init(s, c->sample) != 0) ||
	    (c->contain == HEIST_ON && heist_fault_init(s) != 0)) {
		heist_places_destroy(s);
		heist_pool_destroy(&s->pool);
		goto fail;
	}
	return s;
fail:
	system_free(s);
	return NULL;
}

static void system_set_local_id(struct local *l, uint32_t id)
{
	l->id = id;
	l->first_place = ref_place(ref_make(id, 0, 0));
}

static void system_set_id(struct heist_system *s, uint32_t id)
{
	s->id = id;
	for (uint32_t i = 0; i < system_locals(s); i++)
		system_set_local_id(system_local(s, i), id);
}

void heist_worker_init(struct heist_system *s, struct rt_worker *w, uint32_t number)
{
	heist_local_init(&w->local, s, &s->memory);
	system_set_local_id(&w->local, s->id);
	w->local.events = heist_events_of(s, FOREIGN_LOCALS + number);
	heist_sample_join(s, w, number);
	heist_wheel_init(&w->wheel);
	w->base.now = system_now(s);
	w->ctx.system = s;
	w->ctx.worker = w;
	w->number = number;
	w->batch = s->batch;
	w->budget_ns = s->budget_ns;
	w->far_ns = s->clock ? FAR_NEVER : FAR_NS;
}

static heist_status start_refused(const heist_config *c, const char *why)
{
	heist_log_at_once(c, HEIST_LOG_ERROR, "heist_start", why);
	return HEIST_EINVAL;
}

/* Which CPUs were chosen. */
static void system_say_start(struct heist_system *s)
{
	const struct pool *p = &s->pool;
	char cpus[256];
	struct line l = { cpus, sizeof cpus, 0 };
	for (uint32_t i = 0; p->pin && p->topology.machine && i < p->workers; i++) {
		line_text(&l, i ? "," : " on CPUs ");
		line_number(&l, p->topology.places[i].cpu, 10, 1);
	}
	cpus[l.n] = '\0';
	heist_system_log(s, HEIST_LOG_INFO, "a runtime starts: %u %s%s", (unsigned)p->workers,
			 s->polled	  ? "polled worker"
			 : p->workers > 1 ? "workers"
					  : "worker",
			 l.n ? cpus : ", not bound to CPUs");
}

static int system_threads_start(struct heist_system *s)
{
	if (heist_pool_start(&s->pool) != 0)
		return -1;
	if (heist_places_start(s) != 0) {
		(void)heist_pool_stop(&s->pool, 0);
		return -1;
	}
	if (heist_watchdog_start(&s->pool) == 0)
		return 0;
	(void)heist_places_stop(s, 0);
	return -1;
}

/* The whole configuration, from wherever it comes; NULL, or what is wrong. */
static const char *configuration(heist_config *c, const heist_config *from, struct heist_sim *sim,
				 struct cpus_choice *cpus, struct config_error *error)
{
	const char *bad = from ? heist_config_copy(c, from) : NULL;
	if (!bad && sim)
		heist_sim_configure(sim, c);
	if (!bad)
		bad = config_bad(c);
	if (!bad && !heist_config_resolve(c, !sim, error))
		bad = error->text;
	if (bad)
		return bad;
	if (c->mode == HEIST_POLLED)
		c->contain = HEIST_OFF; /* said outside, to all runtimes; as workers */
	if (c->contain == HEIST_ON && heist_fault_bad(c))
		return heist_fault_bad(c);
	*cpus = choose_workers(c);
	return heist_places_bad(c, cpus->workers);
}

heist_status heist_start_with(const heist_config *config, struct heist_sim *sim, heist_system **out)
{
	heist_config c = heist_config_default();
	struct config_error error;
	struct cpus_choice cpus = { 0 };
	uint32_t generation;
	const char *bad = configuration(&c, config, sim, &cpus, &error);
	if (bad)
		return start_refused(&c, bad);
	if (!sim)
		heist_config_strangers(&c);
	heist_seam_init();
	if (heist_fork_watch() != 0)
		return HEIST_ENOMEM;
	uint32_t id = heist_table_claim(sim != NULL, &generation);
	if (id == 0)
		return start_refused(&c, sim ? "another simulation has not ended"
					     : "more than 127 runtimes");
	struct heist_system *s = system_new(&c, sim, cpus, generation);
	if (!s) {
		heist_table_release(id, generation);
		return HEIST_ENOMEM;
	}
	system_set_id(s, id);
	heist_foreign_attach(s, true);
	if (system_threads_start(s) != 0) {
		heist_foreign_attach(s, false);
		heist_places_destroy(s);
		heist_pool_destroy(&s->pool);
		system_free(s);
		heist_table_release(id, generation);
		return HEIST_ENOMEM;
	}
	heist_notify_open(s);
	if (log_is_on(&s->log, HEIST_LOG_INFO))
		system_say_start(s);
	*out = s;
	return HEIST_OK;
}

heist_status heist_start(const heist_config *config, heist_system **out)
{
	return out ? heist_start_with(config, NULL, out) : HEIST_BAD_ARG("out must not be NULL");
}

/* ---- shutdown ---- */

heist_status heist_close(heist_system *s)
{
	uint32_t open = PHASE_OPEN;
	if (!s)
		return HEIST_BAD_ARG("the system must not be NULL");
	if (heist_forked(s))
		return HEIST_EINVAL;
	if (atomic_compare_exchange_strong_explicit(&s->phase, &open, PHASE_CLOSED,
						    memory_order_acq_rel, /* PH1 release */
						    memory_order_acquire)) {
		heist_foreign_grace(s);
		heist_notify_close(s);
	}
	return HEIST_OK;
}

/* Wait until nothing runs and nothing is queued. */
static bool system_drain(struct heist_system *s, uint64_t deadline)
{
	if (!s->polled)
		return heist_pool_wait_quiet(&s->pool, deadline);
	while (heist_pool_poll(&s->pool, 0, 1024) > 0)
		if (deadline && system_now(s) >= deadline)
			return false;
	return true;
}

/* False: late. */
static bool end_left_over(struct rt_worker *w, uint64_t last)
{
	struct heist_system *s = w->local.system;
	uint32_t limit =
		atomic_load_explicit(&s->slots.limit, memory_order_acquire); /* SL2 acquire */
	for (uint32_t c = 0; c < limit / SLOT_CHUNK; c++) {
		if (s->slots.chunks[c].free_count == SLOT_CHUNK)
			continue;
		for (uint32_t i = 0; i < SLOT_CHUNK; i++)
			if (!heist_actor_end_left(w, &s->slots.base[c * SLOT_CHUNK + i], last))
				return false;
	}
	return true;
}

/* With no worker running: this thread plays worker 0 for the last turns.  False: late, there are more. */
static bool system_end_actors(struct heist_system *s, uint64_t last)
{
	struct rt_worker *w = rt_worker_of(pool_worker(&s->pool, 0));
	struct runnable *r;
	heist_worker_self = &w->base;
	heist_outbox_suspend(w); /* stop hooks send, and nobody would deliver */
	if (s->sim)
		heist_sim_let_go(s->sim);
	bool all = end_left_over(w, last);
	for (bool any = all; any;) { /* the end of one may still wake others */
		any = false;
		for (uint32_t i = 0; i < system_crew(s); i++)
			while ((r = heist_worker_next(&system_worker(s, i)->base)) != NULL) {
				heist_count(&w->base.activations, 1);
				heist_actor_discard(&w->base, r);
				any = true;
			}
	}
	ctx_set_actor(&w->ctx, NULL);
	heist_worker_self = NULL;
	return all;
}

/* Every call has its answer by now; wait until the callers have fetched theirs. */
static void callers_grace(struct heist_system *s)
{
	while (atomic_load_explicit(&s->callers, memory_order_acquire)) /* CL3 acquire */
		heist_thread_yield();
}

static uint32_t system_highest_generation(struct heist_system *s)
{
	uint32_t highest = s->slots.first_generation;
	for (uint32_t i = 0; i < system_crew(s); i++) {
		struct rt_worker *w = system_worker(s, i);
		if (w->local.highest_generation > highest)
			highest = w->local.highest_generation;
	}
	return highest;
}

#ifndef NDEBUG
/* Nobody runs and nothing is queued: is each message accounted for, and each timer? */
static bool system_balanced(struct heist_system *s)
{
	heist_stats t = heist_stats_default();
	uint64_t ends = 0;
	(void)heist_get_stats(s, &t);
	for (int c = 0; c < HEIST_CAUSES; c++)
		ends += t.lost[c];
	return t.accepted == t.handled + ends && t.actors == 0 &&
	       t.timers_armed == t.timers_fired + t.timers_cancelled;
}
#endif

static void system_destroy(struct heist_system *s)
{
	if (s->sim)
		heist_sim_account(s->sim);
	HEIST_ASSERT(system_balanced(s));
	uint32_t id = s->id, generation = system_highest_generation(s);
	heist_foreign_attach(s, false);
	heist_log_stop(s);
	heist_notify_forget(s);
	heist_registry_destroy(s);
	heist_rosters_destroy(s);
	heist_paths_destroy(s);
	heist_debts_destroy(s);
	for (uint32_t i = 0; i < system_locals(s); i++)
		heist_local_destroy(system_local(s, i));
	heist_places_destroy(s);
	heist_pool_destroy(&s->pool);
	system_free(s);
	heist_table_release(id, generation);
}

/* Workers that are idle get this long to leave, on a busy machine, and stop hooks that have begun. */
#define SHUTDOWN_GRACE_NS 1000000000u

static heist_status shutdown_late(struct heist_system *s)
{
	heist_stragglers_log(s);
	heist_log_flush(s);
	return HEIST_ETIMEOUT;
}

heist_status heist_shutdown(heist_system *s, heist_time deadline)
{
	if (!s)
		return HEIST_BAD_ARG("the system must not be NULL");
	if (heist_worker_self)
		return HEIST_BAD_ARG("it waits: not allowed inside a handler");
	if (heist_forked(s))
		return HEIST_EINVAL;
	heist_close(s);
	if (s->sim)
		heist_sim_closing(s->sim);
	uint64_t now = system_now(s);
	uint64_t drain = deadline > now ? now + (deadline - now) / 4 * 3 : deadline;
	if (!system_drain(s, drain)) {
		heist_places_run_with(s, heist_actor_discard);
		/* No handler of a polled runtime runs now, so discarding comes to an end. */
		if (!system_drain(s, s->polled ? 0 : deadline))
			return shutdown_late(s);
	}
	uint64_t last =
		deadline ? time_after(deadline > now ? deadline : now, SHUTDOWN_GRACE_NS) : 0;
	if (!heist_places_stop(s, last))
		return shutdown_late(s);
	atomic_store_explicit(&s->phase, PHASE_ENDING, memory_order_release); /* PH1 release */
	heist_foreign_grace(s);
	if (!system_end_actors(s, last))
		return shutdown_late(s);
	callers_grace(s);
	system_destroy(s);
	return HEIST_OK;
}
