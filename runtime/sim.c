/* SPDX-License-Identifier: BSD-2-Clause
 * sim.c - a simulation: begin and end; who runs next, and when (heist/sim.h, sim.h). */
#include "runtime/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config.h"
#include "runtime/send.h"

static _Thread_local char this_thread; /* its address says which thread this is */

/* ---- options ---- */

#define ORDER_CHANCE 500000u
#define STEP_NS	     1000u
#define MOST_TURNS   1000000u
#define DELAY_NS     100000u
#define SLOW_NS	     10000000u
#define TIME_BEGINS  1000000000u
#define WALL_BEGINS  1000000000000000000u /* 2001-09-09 */

static const char *opts_copy(heist_sim_opts *to, const heist_sim_opts *from)
{
	if (from->struct_size < sizeof(uint32_t) || from->struct_size > 4096)
		return "opts: struct_size is wrong (use heist_sim_opts_default)";
	memcpy(to, from, from->struct_size < sizeof *to ? from->struct_size : sizeof *to);
	const uint32_t chances[] = { to->delay, to->crash, to->slow, to->no_memory, to->full };
	for (size_t i = 0; i < sizeof chances / sizeof *chances; i++)
		if (chances[i] > 1000000)
			return "opts: a chance is in parts of a million";
	return NULL;
}

static void opts_default(heist_sim_opts *o)
{
	o->order = o->order ? o->order : ORDER_CHANCE;
	o->order = o->order > 1000000 ? 0 : o->order;
	o->step_ns = o->step_ns ? o->step_ns : STEP_NS;
	o->max_turns = o->max_turns ? o->max_turns : MOST_TURNS;
	o->delay_ns = o->delay_ns ? o->delay_ns : DELAY_NS;
	o->slow_ns = o->slow_ns ? o->slow_ns : SLOW_NS;
	if (o->vary)
		heist_sim_vary(o);
}

/* ---- hooks of the runtime, which has one cookie for all: the simulation ---- */

static void *sim_alloc(void *user, size_t size, size_t align)
{
	struct heist_sim *sim = user;
	if (heist_sim_no_memory(sim))
		return NULL;
	return sim->inner.alloc ? sim->inner.alloc(sim->inner.user, size, align)
				: heist_default_alloc(size, align);
}

static void sim_dealloc(void *user, void *p, size_t size)
{
	struct heist_sim *sim = user;
	if (sim->inner.dealloc)
		sim->inner.dealloc(sim->inner.user, p, size);
	else
		heist_default_dealloc(p, size);
}

static void sim_lost(void *user, const heist_lost *lost)
{
	struct heist_sim *sim = user;
	char to[SIM_NAME];
	if (sim->opts.trace)
		heist_sim_say(sim, "lost %s to %s: %s",
			      lost->type && lost->type->name ? lost->type->name : "?",
			      heist_sim_name(sim, ref_slot(lost->to), ref_generation(lost->to), to),
			      heist_strcause(lost->cause));
	if (sim->inner.dead_letter)
		sim->inner.dead_letter(sim->inner.user, lost);
}

static void sim_log(void *user, const heist_log_line *line)
{
	struct heist_sim *sim = user;
	if (sim->inner.log)
		sim->inner.log(sim->inner.user, line);
	else
		heist_sim_say(sim, "log %s", line->text);
}

static uint64_t sim_clock(void *user, heist_clock which)
{
	struct heist_sim *sim = user;
	return which == HEIST_CLOCK_WALL ? sim->now - TIME_BEGINS + WALL_BEGINS : sim->now;
}

void heist_sim_configure(struct heist_sim *sim, heist_config *c)
{
	sim->inner = *c;
	c->mode = HEIST_POLLED;
	c->workers = 0;
	c->pin = HEIST_DEFAULT;
	c->batch = 1;
	c->pools = NULL;
	c->pool_count = 0;
	c->user = sim;
	c->alloc = sim_alloc;
	c->dealloc = sim_dealloc;
	c->dead_letter = sim_lost;
	c->log = sim_log;
	c->clock = sim_clock;
	c->sample = 0;
}

/* ---- a turn ---- */

/* The behaviour of every actor: its own, in the simulation's frame. */
static heist_next sim_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct heist_sim *sim = ctx->system->sim;
	struct actor *a = ctx_actor(ctx);
	uint32_t slot = slot_index(&sim->system->slots, a);
	struct sim_actor *k = heist_sim_actor(sim, slot, mpsc_generation(&a->ticket));
	a->recv = k->recv;
	ctx_set_recv(ctx, a->recv); /* what heist_become replaces */
	heist_next v = heist_sim_handle(sim, k, ctx, state, type, msg);
	k = &sim->actors[slot]; /* the table may have grown */
	k->recv = a->recv;
	a->recv = sim_recv;
	ctx_set_recv(ctx, sim_recv);
	if (v != HEIST_CONTINUE && sim->opts.trace)
		heist_sim_say(sim, "%s %s#%u",
			      v == HEIST_AGAIN	? "again"
			      : v == HEIST_STOP ? "stop"
						: "fail",
			      k->name, k->number);
	return v;
}

heist_recv_fn **heist_sim_behaviour(struct heist_sim *sim, struct actor *a)
{
	return a->recv == sim_recv ? &sim->actors[slot_index(&sim->system->slots, a)].recv
				   : &a->recv;
}

static bool is_alive(struct actor *a)
{
	return a->recv != NULL && mpsc_is_open(&a->ticket);
}

/* It has a behaviour of its own: it has started, again perhaps, or a panic jumped over sim_recv. */
static void frame(struct heist_sim *sim, struct sim_actor *k, struct actor *a)
{
	if (a->config & CONFIG_EXTRA)
		actor_extra(sim->system, a)->batch = 0;
	if (a->recv == sim_recv)
		return;
	k->recv = a->recv;
	a->recv = sim_recv;
}

static void say_end(struct heist_sim *sim, struct actor *a, uint32_t slot)
{
	char name[SIM_NAME];
	uint32_t generation = sim->running_generation;
	bool ended = mpsc_ticket(&a->ticket, generation) == MPSC_TICKET_CLOSED;
	if (sim->opts.trace && sim->running_number && (ended || a->config & CONFIG_HELD))
		heist_sim_say(sim, "%s %s", ended ? "end" : "rest",
			      heist_sim_name(sim, slot, generation, name));
}

/* After a turn, also one that a panic has left. */
static void turn_end(struct heist_sim *sim)
{
	struct actor *a = sim->running;
	if (!a)
		return;
	uint32_t slot = slot_index(&sim->system->slots, a);
	struct sim_actor *k = heist_sim_actor(sim, slot, mpsc_generation(&a->ticket));
	if (k && is_alive(a))
		frame(sim, k, a);
	say_end(sim, a, slot);
	sim->running = NULL;
	sim->running_number = 0;
	sim->now = time_after(sim->now, sim->opts.step_ns);
	sim->worker->base.now = sim->now;
}

static void say_turn(struct heist_sim *sim, struct actor *a, const char *name)
{
	static const char *const kinds[] = { "message", "init",	  "request",
					     "reply",	"timers", "control" };
	const struct message *m = (struct message *)a->mailbox.cur;
	uint32_t kind = message_kind(m);
	if (a->config & CONFIG_HELD)
		heist_sim_say(sim, "run %s rests", name);
	else if (kind == KIND_USER || kind == KIND_REQUEST || kind == KIND_REPLY)
		heist_sim_say(sim, "run %s %s m%llu %s", name, kinds[kind],
			      (unsigned long long)heist_sim_marked(sim, m),
			      m->type && m->type->name ? m->type->name : "?");
	else
		heist_sim_say(sim, "run %s %s", name, kinds[kind]);
}

static enum verdict sim_run(struct worker *base, struct runnable *r)
{
	struct heist_sim *sim = rt_worker_of(base)->local.system->sim;
	struct actor *a = actor_of(r);
	char name[SIM_NAME];
	uint32_t slot = slot_index(&sim->system->slots, a);
	struct sim_actor *k = heist_sim_actor(sim, slot, mpsc_generation(&a->ticket));
	sim->running = a;
	sim->running_generation = mpsc_generation(&a->ticket);
	sim->running_number = k ? k->number : 0; /* 0: only what is left of one that has ended */
	base->now = sim->now;
	if (sim->opts.trace)
		say_turn(sim, a, heist_sim_name(sim, slot, sim->running_generation, name));
	enum verdict v = heist_actor_run(base, r);
	turn_end(sim);
	return v;
}

/* ---- who is next ---- */

static void ready_add(struct heist_sim *sim, struct runnable *r)
{
	sim->ready = heist_sim_grow(sim->ready, &sim->ready_room, sim->ready_count + 1,
				    sizeof *sim->ready);
	sim->ready[sim->ready_count++] = r;
	struct actor *a = actor_of(r);
	(void)heist_sim_actor(sim, slot_index(&sim->system->slots, a), mpsc_generation(&a->ticket));
}

static void ready_add_all(struct heist_sim *sim, struct inject_link *l)
{
	for (struct inject_link *next; l; l = next) {
		next = l->next;
		ready_add(sim, HEIST_CONTAINER(l, struct runnable, link));
	}
}

/* Whoever has become runnable, in the order in which the worker's queues had them. */
static void collect(struct heist_sim *sim)
{
	struct worker *w = &sim->worker->base;
	struct runnable *r;
	while ((r = deque_take(&w->spawned)) != NULL || (r = deque_take(&w->fifo)) != NULL ||
	       (r = lifo_take(&w->slot)) != NULL)
		ready_add(sim, r);
	ready_add_all(sim, inject_take(&w->bound));
	ready_add_all(sim, inject_take(&w->inbox));
}

static size_t ready_find(const struct heist_sim *sim, const struct runnable *r)
{
	size_t i = 0;
	while (i < sim->ready_count && sim->ready[i] != r)
		i++;
	return i;
}

/* Its place among those that are ready. */
static size_t draw_next(struct heist_sim *sim)
{
	struct sim_draw d = { SIM_ORDER, 0, sim->turns };
	char text[SIM_DRAW];
	uint64_t value;
	size_t i = sim->chosen ? ready_find(sim, sim->chosen) : sim->ready_count;
	sim->chosen = NULL;
	if (i < sim->ready_count)
		return i;
	if (sim->ready_count == 1 || !heist_sim_decide(sim, d, sim->opts.order, &value))
		return 0;
	if (sim->opts.trace)
		heist_sim_say(sim, "draw %s", heist_sim_draw_name(d, text));
#ifdef SIM_MUTANT_ADDRESS
	value ^= (uintptr_t)sim->ready[0] >> 6;
#endif
	return value % sim->ready_count;
}

static struct runnable *ready_take(struct heist_sim *sim)
{
	size_t i = draw_next(sim);
	struct runnable *r = sim->ready[i];
	memmove(&sim->ready[i], &sim->ready[i + 1],
		(sim->ready_count - i - 1) * sizeof *sim->ready);
	sim->ready_count--;
	return r;
}

/* What has come by now. */
static void arrivals(struct heist_sim *sim)
{
	collect(sim);
	heist_sim_deliver(sim);
	if (!sim->closing)
		heist_timers_fire(sim->worker, sim->worker, sim->now);
	collect(sim);
}

/* Nobody can run: to the next thing that will happen.  False: there is none before the horizon. */
static bool jump(struct heist_sim *sim)
{
	uint64_t next = heist_sim_next_due(sim);
	uint64_t timer = sim->closing ? 0 : wheel_next(&sim->worker->wheel);
	if (timer && (!next || timer < next))
		next = timer;
	if (!next || next > sim->horizon)
		return false;
	if (next > sim->now) {
		sim->now = next;
		heist_sim_say(sim, "clock");
	}
	return true;
}

struct runnable *heist_sim_pick(struct worker *w)
{
	struct heist_sim *sim = rt_worker_of(w)->local.system->sim;
	turn_end(sim);
	if (sim->now > sim->horizon)
		return NULL;
	do
		arrivals(sim);
	while (!sim->ready_count && jump(sim));
	if (!sim->ready_count || sim->turns_left == 0)
		return NULL;
	sim->turns++;
	sim->turns_left--;
	return ready_take(sim);
}

/* ---- calls from outside ---- */

bool heist_sim_enter(struct sender *from)
{
	struct heist_sim *sim = from->system->sim;
	if (sim->thread == &this_thread) {
		turn_end(sim); /* a panic may have left one */
		from->worker = sim->worker;
		from->local = &sim->worker->local;
		return true;
	}
	heist_sender_leave(from);
	heist_sim_fail(sim, "a call from another thread, which is refused");
	return false;
}

/* ---- begin ---- */

void heist_sim_attach(struct heist_sim *sim, heist_system *s)
{
	sim->system = s;
	sim->worker = rt_worker_of(pool_worker(&s->pool, 0));
	sim->worker->deferring = SEND_SIMULATED;
	sim->worker->local.direct_limit = 0;
	heist_pool_run_with(&s->pool, sim_run);
}

static heist_status sim_refused(const heist_config *config, const char *why)
{
	heist_config c;
	bool is_config = config && !heist_config_copy(&c, config);
	heist_log_at_once(is_config ? &c : NULL, HEIST_LOG_ERROR, "heist_sim_start", why);
	return HEIST_EINVAL;
}

static void sim_free(struct heist_sim *sim)
{
	heist_default_dealloc(sim->ready, sim->ready_room * sizeof *sim->ready);
	heist_default_dealloc(sim->actors, sim->actors_room * sizeof *sim->actors);
	heist_default_dealloc(sim->marks, sim->marks_room * sizeof *sim->marks);
	heist_default_dealloc(sim->net.entry, sim->net.room * sizeof *sim->net.entry);
	heist_default_dealloc(sim->taken.draw, sim->taken.room * sizeof *sim->taken.draw);
	heist_default_dealloc(sim->kept.draw, sim->kept.room * sizeof *sim->kept.draw);
	heist_default_dealloc(sim, sizeof *sim);
}

heist_status heist_sim_start(const heist_sim_opts *opts, const heist_config *config,
			     heist_sim **out)
{
	heist_sim_opts o = heist_sim_opts_default();
	heist_system *s = NULL;
	if (!out)
		return HEIST_BAD_ARG("out must not be NULL");
	const char *bad = opts ? opts_copy(&o, opts) : NULL;
	if (bad)
		return sim_refused(config, bad);
	opts_default(&o);
	struct heist_sim *sim = heist_default_alloc(sizeof *sim, 16);
	if (!sim)
		return HEIST_ENOMEM;
	*sim = (struct heist_sim){ .opts = o,
				   .thread = &this_thread,
				   .now = TIME_BEGINS,
				   .horizon = UINT64_MAX,
				   .turns_left = o.max_turns };
	sim->outside.name = "outside";
	bad = heist_sim_keep(sim, o.keep);
	sim->opts.keep = NULL; /* the caller's */
	heist_status r = bad ? sim_refused(config, bad) : heist_start_with(config, sim, &s);
	if (r != HEIST_OK) {
		sim_free(sim);
		return r;
	}
	heist_sim_attach(sim, s);
	*out = sim;
	return HEIST_OK;
}

heist_system *heist_sim_system(heist_sim *sim)
{
	return sim ? sim->system : NULL;
}

heist_sim *heist_sim_of(heist_system *s)
{
	return s ? s->sim : NULL;
}

uint64_t heist_sim_seed(const heist_sim *sim)
{
	return sim ? sim->opts.seed : 0;
}

uint64_t heist_sim_turns(const heist_sim *sim)
{
	return sim ? sim->turns : 0;
}

/* ---- run ---- */

bool heist_sim_step(struct heist_sim *sim)
{
	return heist_pool_poll(&sim->system->pool, 0, 1) == 1;
}

/* All that can happen before the horizon. */
static void run_on(struct heist_sim *sim)
{
	while (heist_pool_poll(&sim->system->pool, 0, 1 << 20) == 1 << 20)
		;
}

heist_status heist_sim_run(heist_sim *sim, heist_time until)
{
	if (!sim || !sim->system)
		return HEIST_BAD_ARG("the simulation must not be NULL, and not over");
	if (heist_worker_self)
		return HEIST_BAD_ARG("it runs the actors: not allowed inside a handler");
	sim->horizon = until ? until : UINT64_MAX;
	run_on(sim);
	sim->horizon = UINT64_MAX;
	if (sim->turns_left == 0) {
		heist_sim_fail(sim, "it does not end: more than %llu turns",
			       (unsigned long long)sim->opts.max_turns);
		return HEIST_ETIMEOUT;
	}
	if (until > sim->now)
		sim->now = until;
	return HEIST_OK;
}

heist_status heist_sim_pass(heist_sim *sim, uint64_t ns)
{
	if (!sim || !sim->system)
		return HEIST_BAD_ARG("the simulation must not be NULL, and not over");
	return ns ? heist_sim_run(sim, time_after(sim->now, ns)) : HEIST_OK;
}

/* ---- failure ---- */

void heist_sim_fail(heist_sim *sim, const char *what, ...)
{
	char text[256];
	va_list args;
	if (!sim || sim->failed)
		return;
	sim->failed = true;
	va_start(args, what);
	vsnprintf(text, sizeof text, what, args);
	va_end(args);
	heist_sim_say(sim, "FAILED %s", text);
	char name[64];
	snprintf(name, sizeof name, "simulation with seed %llu failed",
		 (unsigned long long)sim->opts.seed);
	heist_log_at_once(&sim->inner, HEIST_LOG_ERROR, name, text);
}

bool heist_sim_failed(const heist_sim *sim)
{
	return sim && sim->failed;
}

/* ---- end ---- */

void heist_sim_closing(struct heist_sim *sim)
{
	sim->closing = true;
	sim->horizon = UINT64_MAX;
	heist_sim_hurry(sim);
}

void heist_sim_let_go(struct heist_sim *sim)
{
	sim->worker->deferring = SEND_AT_ONCE;
	turn_end(sim);
	heist_sim_deliver(sim);
	for (size_t i = 0; i < sim->ready_count; i++)
		worker_queue(&sim->worker->base, sim->ready[i]);
	sim->ready_count = 0;
}

void heist_sim_account(struct heist_sim *sim)
{
	heist_stats t = heist_stats_default();
	uint64_t lost = 0;
	(void)heist_get_stats(sim->system, &t);
	for (int c = 0; c < HEIST_CAUSES; c++)
		lost += t.lost[c];
	if (t.accepted != t.handled + lost || t.actors != 0)
		heist_sim_fail(sim, "accounts: %llu accepted, %llu handled, %llu lost, %llu actors",
			       (unsigned long long)t.accepted, (unsigned long long)t.handled,
			       (unsigned long long)lost, (unsigned long long)t.actors);
	if (t.timers_armed != t.timers_fired + t.timers_cancelled)
		heist_sim_fail(sim, "accounts: %llu timers armed, %llu fired, %llu cancelled",
			       (unsigned long long)t.timers_armed,
			       (unsigned long long)t.timers_fired,
			       (unsigned long long)t.timers_cancelled);
	sim->system = NULL;
}

/* Actors that never come to rest are ended. */
static void drain(struct heist_sim *sim)
{
	heist_close(sim->system);
	heist_sim_closing(sim);
	sim->turns_left = sim->opts.max_turns;
	run_on(sim);
	if (sim->turns_left == 0) {
		heist_sim_fail(sim, "it does not end: more than %llu turns while it drains",
			       (unsigned long long)sim->opts.max_turns);
		heist_pool_run_with(&sim->system->pool, heist_actor_discard);
		sim->turns_left = UINT64_MAX;
	}
}

heist_status heist_sim_end(heist_sim *sim)
{
	if (!sim || heist_worker_self)
		return HEIST_BAD_ARG("the simulation must not be NULL, and no handler may end it");
	if (sim->system) {
		drain(sim);
		(void)heist_shutdown(sim->system, 0);
	}
	bool failed = sim->failed;
	heist_sim_probes_free(sim);
	sim_free(sim);
	return failed ? HEIST_ECRASH : HEIST_OK;
}
