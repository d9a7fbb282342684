/* SPDX-License-Identifier: BSD-2-Clause
 * sim_fault.c - what a machine does to a program on a bad day: handlers that fail or are slow, no memory,
 * mailboxes that are full.
 *
 * Faults happen where the program must expect them: in its turns, and not while the simulation drains. */
#include "runtime/sim.h"

static void say(struct heist_sim *sim, struct sim_draw d, const char *who)
{
	char text[SIM_DRAW];
	if (sim->opts.trace)
		heist_sim_say(sim, "draw %s %s", heist_sim_draw_name(d, text), who);
}

/* ---- handlers ---- */

static void maybe_slow(struct heist_sim *sim, struct sim_actor *k, uint64_t n)
{
	struct sim_draw d = { SIM_SLOW, k->number, n };
	uint64_t value;
	if (!heist_sim_decide(sim, d, sim->opts.slow, &value))
		return;
	say(sim, d, k->name);
	sim->now = time_after(sim->now, 1 + value % sim->opts.slow_ns);
}

static bool is_supervised(struct heist_sim *sim, struct actor *a)
{
	return a->config & CONFIG_CHILD && !actor_extra(sim->system, a)->supervisor;
}

static uint64_t unhandled(const struct heist_sim *sim)
{
	return atomic_load_explicit(&sim->worker->local.lost[HEIST_LOST_UNHANDLED],
				    memory_order_relaxed); /* own */
}

/* A handler that has run owns what its message owned, or has counted it as lost: then it cannot fail. */
static heist_next fail_after(struct heist_sim *sim, struct sim_actor *k, heist_ctx *ctx,
			     void *state, const heist_type *type, void *msg)
{
	uint64_t before = unhandled(sim);
	heist_next v = k->recv(ctx, state, type, msg);
	return v == HEIST_CONTINUE && !type_owns(type) && unhandled(sim) == before ? HEIST_FAIL : v;
}

heist_next heist_sim_handle(struct heist_sim *sim, struct sim_actor *k, heist_ctx *ctx, void *state,
			    const heist_type *type, void *msg)
{
	struct sim_draw d = { SIM_CRASH, k->number, ++k->handled };
	uint64_t value;
	if (k->spared)
		return k->recv(ctx, state, type, msg);
	maybe_slow(sim, k, d.n);
	if (!sim->opts.crash || !is_supervised(sim, ctx_actor(ctx)) ||
	    !heist_sim_decide(sim, d, sim->opts.crash, &value))
		return k->recv(ctx, state, type, msg);
	say(sim, d, k->name);
	return value & 1 ? HEIST_FAIL : fail_after(sim, k, ctx, state, type, msg);
}

/* ---- memory, mailboxes ---- */

bool heist_sim_no_memory(struct heist_sim *sim)
{
	uint64_t value;
	if (!sim->opts.no_memory || !sim->running)
		return false;
	struct sim_actor *k = heist_sim_running(sim);
	struct sim_draw d = { SIM_MEMORY, k->number, ++k->built };
	if (!heist_sim_decide(sim, d, sim->opts.no_memory, &value))
		return false;
	say(sim, d, k->name);
	return true;
}

bool heist_sim_full(struct heist_sim *sim, heist_ref to)
{
	uint64_t value;
	struct sim_actor *k = heist_sim_actor(sim, ref_slot(to), ref_generation(to));
	if (!k)
		return false;
	struct sim_draw d = { SIM_FULL, k->number, ++k->received };
	if (!heist_sim_decide(sim, d, sim->opts.full, &value))
		return false;
	say(sim, d, k->name);
	return true;
}

heist_status heist_sim_spare(heist_sim *sim, heist_ref who)
{
	if (!sim || !sim->system || ref_runtime(who) != sim->system->id)
		return HEIST_BAD_ARG(
			"the simulation must not be over, the actor must be one of it");
	struct actor *a = system_actor(sim->system, who);
	struct sim_actor *k = a ? heist_sim_actor(sim, ref_slot(who), ref_generation(who)) : NULL;
	if (!k || mpsc_ticket(&a->ticket, ref_generation(who)) != MPSC_TICKET_VALID)
		return HEIST_EDEAD;
	k->spared = true;
	return HEIST_OK;
}
