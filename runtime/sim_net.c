/* SPDX-License-Identifier: BSD-2-Clause
 * sim_net.c - messages between send and mailbox: delayed, but not past each other on their way from one
 * sender to one receiver.
 *
 * They are kept in the order in which they will arrive.  What is for an actor that has not started waits for
 * its start, which is already in its mailbox.  A stop is an entry like a message: it arrives when all that
 * was accepted before it has. */
#include "runtime/sim.h"

#include <string.h>

static const char *type_name(const struct message *m)
{
	return m->type && m->type->name ? m->type->name : "?";
}

static bool same_receiver(const struct sim_entry *a, const struct sim_entry *b)
{
	return a->slot == b->slot && a->generation == b->generation;
}

/* Not before what is ahead of it. */
static uint64_t not_before(const struct sim_net *net, const struct sim_entry *e)
{
	uint64_t due = e->due;
	for (size_t i = 0; i < net->count; i++) {
		const struct sim_entry *f = &net->entry[i];
#ifdef SIM_MUTANT_OVERTAKE
		continue;
#endif
		bool ahead = same_receiver(f, e) && (!e->m || !f->m || f->sender == e->sender);
		if (ahead && f->due > due)
			due = f->due;
	}
	return due;
}

static void insert(struct heist_sim *sim, struct sim_entry e)
{
	struct sim_net *net = &sim->net;
	if (net->count && net->latest > e.due) /* else nothing is later than this one */
		e.due = not_before(net, &e);
	if (e.due > net->latest)
		net->latest = e.due;
	net->entry = heist_sim_grow(net->entry, &net->room, net->count + 1, sizeof e);
	size_t i = net->count++;
	for (; i > 0 && net->entry[i - 1].due > e.due; i--)
		net->entry[i] = net->entry[i - 1];
	net->entry[i] = e;
}

static uint64_t delay_of(struct heist_sim *sim, uint64_t number)
{
	uint64_t value;
	char text[SIM_DRAW];
	struct sim_actor *k = heist_sim_running(sim);
	struct sim_draw d = { SIM_DELAY, k->number, ++k->sent };
	if (!heist_sim_decide(sim, d, sim->opts.delay, &value))
		return 0;
	uint64_t ns = 1 + value % sim->opts.delay_ns;
	if (sim->opts.trace)
		heist_sim_say(sim, "draw %s m%llu by %llu", heist_sim_draw_name(d, text),
			      (unsigned long long)number, (unsigned long long)ns);
	return ns;
}

static void say_sent(struct heist_sim *sim, const struct sim_entry *e)
{
	char from[SIM_NAME] = "outside", to[SIM_NAME];
	if (!sim->opts.trace)
		return;
	if (sim->running)
		heist_sim_name(sim, slot_index(&sim->system->slots, sim->running),
			       sim->running_generation, from);
	heist_sim_say(sim, "send m%llu %s %s -> %s", (unsigned long long)e->number, type_name(e->m),
		      from, heist_sim_name(sim, e->slot, e->generation, to));
}

/* A call is its caller's: what asks for it keeps the order of what was sent outside before. */
static uint32_t sender_of(const struct heist_sim *sim)
{
	bool is_call = sim->running && actor_class(sim->system, sim->running) == &heist_call_class;
	return is_call ? 0 : sim->running_number;
}

int heist_sim_send(struct rt_worker *w, struct actor *a, struct message *m)
{
	struct heist_sim *sim = w->local.system->sim;
	struct sim_entry e = { .number = ++sim->messages_seen,
			       .sender = sender_of(sim),
			       .slot = slot_index(&sim->system->slots, a),
			       .generation = message_generation(m),
			       .m = m };
	(void)heist_sim_actor(sim, e.slot, e.generation);
	heist_sim_mark(sim, m, e.number);
	say_sent(sim, &e);
	e.due = time_after(sim->now, delay_of(sim, e.number));
	insert(sim, e);
	return 0;
}

void heist_sim_stop(struct heist_sim *sim, struct actor *a, uint32_t generation, heist_status why)
{
	insert(sim, (struct sim_entry){ .due = sim->now,
					.number = ++sim->messages_seen,
					.slot = slot_index(&sim->system->slots, a),
					.generation = generation,
					.why = why });
}

/* ---- arrival ---- */

/* False: its receiver has not started yet. */
static bool arrive(struct heist_sim *sim, const struct sim_entry *e)
{
	struct heist_system *s = sim->system;
	struct actor *a = &s->slots.base[e->slot];
	bool alive = mpsc_ticket(&a->ticket, e->generation) == MPSC_TICKET_VALID;
	if (alive && a->recv == NULL && sim->worker->deferring == SEND_SIMULATED)
		return false;
	if (!alive && e->m)
		heist_message_undeliverable(sim->worker, a, e->m);
#ifdef SIM_MUTANT_LOSE
	else if (alive && e->m && e->number % 512 == 0)
		;
#endif
	else if (alive && e->m)
		actor_push(s, sim->worker, a, e->m);
	else if (alive)
		heist_control_stop(s, sim->worker, a, e->generation, e->why);
	return true;
}

void heist_sim_deliver(struct heist_sim *sim)
{
	struct sim_net *net = &sim->net;
	size_t kept = 0, i = 0;
	/* the end of a message may send others: the table may move and grow */
	for (; i < net->count && net->entry[i].due <= sim->now; i++) {
		struct sim_entry e = net->entry[i];
		if (!arrive(sim, &e))
			net->entry[kept++] = e;
	}
	if (i == kept)
		return;
	memmove(&net->entry[kept], &net->entry[i], (net->count - i) * sizeof *net->entry);
	net->count -= i - kept;
}

uint64_t heist_sim_next_due(const struct heist_sim *sim)
{
	const struct sim_net *net = &sim->net;
	for (size_t i = 0; i < net->count; i++) /* what waits for a start comes first */
		if (net->entry[i].due > sim->now)
			return net->entry[i].due;
	return 0;
}

void heist_sim_hurry(struct heist_sim *sim)
{
	for (size_t i = 0; i < sim->net.count; i++)
		if (sim->net.entry[i].due > sim->now)
			sim->net.entry[i].due = sim->now;
	sim->net.latest = sim->now;
}
