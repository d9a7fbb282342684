/* SPDX-License-Identifier: BSD-2-Clause
 * sim_trace.c - names that are the same in every process, and the lines of the trace.
 *
 * Actors and messages are numbered as they are met.  Addresses serve to find a number, no more: no line and
 * no order depends on one. */
#include "runtime/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lockfree/check.h"

void *heist_sim_grow(void *items, size_t *room, size_t need, size_t size)
{
	size_t n = *room ? *room : 64;
	if (need <= *room)
		return items;
	while (n < need)
		n *= 2;
	char *grown = heist_default_alloc(n * size, 16);
	HEIST_ENSURE(grown != NULL); /* a simulation without memory proves nothing */
	if (*room)
		memcpy(grown, items, *room * size);
	memset(grown + *room * size, 0, (n - *room) * size);
	if (items)
		heist_default_dealloc(items, *room * size);
	*room = n;
	return grown;
}

/* ---- actors ---- */

static void meet(struct heist_sim *sim, struct sim_actor *k, uint32_t slot, uint32_t generation)
{
	struct heist_system *s = sim->system;
	const heist_class *cls = actor_class(s, &s->slots.base[slot]);
	*k = (struct sim_actor){ .generation = generation,
				 .number = ++sim->actors_seen,
				 .name = cls->name ? cls->name : "?" };
	heist_sim_say(sim, "new %s#%u", k->name, k->number);
}

struct sim_actor *heist_sim_actor(struct heist_sim *sim, uint32_t slot, uint32_t generation)
{
	sim->actors = heist_sim_grow(sim->actors, &sim->actors_room, (size_t)slot + 1,
				     sizeof *sim->actors);
	struct sim_actor *k = &sim->actors[slot];
	struct actor *a = &sim->system->slots.base[slot];
	if (k->generation < generation && mpsc_ticket(&a->ticket, generation) == MPSC_TICKET_VALID)
		meet(sim, k, slot, generation);
	return k->generation == generation ? k : NULL;
}

struct sim_actor *heist_sim_running(struct heist_sim *sim)
{
	struct actor *a = sim->running;
	struct sim_actor *k = a ? &sim->actors[slot_index(&sim->system->slots, a)] : NULL;
	return k && k->generation == sim->running_generation ? k : &sim->outside;
}

const char *heist_sim_name(struct heist_sim *sim, uint32_t slot, uint32_t generation,
			   char text[SIM_NAME])
{
	/* whoever is spoken of has been met, so that a trace changes nothing */
	const struct sim_actor *k = slot < sim->actors_room ? &sim->actors[slot] : NULL;
	if (k && k->generation == generation)
		snprintf(text, SIM_NAME, "%.48s#%u", k->name, k->number);
	else
		snprintf(text, SIM_NAME, "gone");
	return text;
}

/* ---- messages ---- */

static struct sim_mark *mark_find(struct sim_mark *marks, size_t room, const struct message *m)
{
	size_t i = (uintptr_t)m / sizeof *m * 0x9E3779B97F4A7C15u >> 20;
	while (marks[i &= room - 1].m && marks[i].m != m)
		i++;
	return &marks[i];
}

static void marks_double(struct heist_sim *sim)
{
	struct sim_mark *old = sim->marks;
	size_t had = sim->marks_room;
	sim->marks = NULL;
	sim->marks_room = 0;
	sim->marks = heist_sim_grow(NULL, &sim->marks_room, had ? had * 2 : 256, sizeof *old);
	for (size_t i = 0; i < had; i++)
		if (old[i].m)
			*mark_find(sim->marks, sim->marks_room, old[i].m) = old[i];
	if (old)
		heist_default_dealloc(old, had * sizeof *old);
}

void heist_sim_mark(struct heist_sim *sim, const struct message *m, uint64_t number)
{
	if (sim->marks_count * 2 >= sim->marks_room)
		marks_double(sim);
	struct sim_mark *mark = mark_find(sim->marks, sim->marks_room, m);
	sim->marks_count += !mark->m;
	*mark = (struct sim_mark){ m, number };
}

uint64_t heist_sim_marked(const struct heist_sim *sim, const struct message *m)
{
	return sim->marks_room ? mark_find(sim->marks, sim->marks_room, m)->number : 0;
}

/* ---- lines ---- */

void heist_sim_say(struct heist_sim *sim, const char *format, ...)
{
	char line[320];
	va_list args;
	if (!sim->opts.trace)
		return;
	int n = snprintf(line, sizeof line, "%llu ", (unsigned long long)sim->now);
	va_start(args, format);
	vsnprintf(line + n, sizeof line - (size_t)n, format, args);
	va_end(args);
	sim->opts.trace(sim->opts.user, line);
}
