/* SPDX-License-Identifier: BSD-2-Clause
 * sim_draw.c - decisions of a simulation.
 *
 * A number depends on the seed and on what it is for, not on how many were drawn before: so a decision
 * stays what it was when another one is taken back, which is what makes schedules shrink.  Based on:
 * Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011 (a counter through a
 * mixer); the mixer is that of Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators,
 * OOPSLA 2014. */
#include "runtime/sim.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

static const char *const kinds[SIM_KINDS] = {
	[SIM_ORDER] = "order", [SIM_DELAY] = "delay",	[SIM_CRASH] = "crash",
	[SIM_SLOW] = "slow",   [SIM_MEMORY] = "memory", [SIM_FULL] = "full",
};

const char *heist_sim_draw_name(struct sim_draw d, char text[SIM_DRAW])
{
	snprintf(text, SIM_DRAW, "%s:%llu:%llu", kinds[d.kind], (unsigned long long)d.subject,
		 (unsigned long long)d.n);
	return text;
}

static int compare(const void *a, const void *b)
{
	const struct sim_draw *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static void append(struct sim_draws *list, struct sim_draw d)
{
	list->draw = heist_sim_grow(list->draw, &list->room, list->count + 1, sizeof d);
	list->draw[list->count++] = d;
}

static bool is_kept(const struct heist_sim *sim, struct sim_draw d)
{
	return !sim->keeps || (sim->kept.count && bsearch(&d, sim->kept.draw, sim->kept.count,
							  sizeof d, compare) != NULL);
}

bool heist_sim_decide(struct heist_sim *sim, struct sim_draw d, uint32_t chance, uint64_t *value)
{
	if (chance == 0 || sim->closing)
		return false;
	uint64_t x = mix(mix(mix(mix(sim->opts.seed) ^ d.kind) ^ d.subject) ^ d.n);
	if (x % 1000000 >= chance || !is_kept(sim, d))
		return false;
	*value = mix(x);
	append(&sim->taken, d);
	return true;
}

/* One entry of a list; NULL: it is none.  Else what follows it. */
static const char *parse(const char *text, struct sim_draw *d)
{
	size_t n = strcspn(text, ":");
	char *end;
	d->kind = 0;
	while (d->kind < SIM_KINDS &&
	       (strlen(kinds[d->kind]) != n || strncmp(kinds[d->kind], text, n) != 0))
		d->kind++;
	if (d->kind == SIM_KINDS || text[n] != ':' || !isdigit((unsigned char)text[n + 1]))
		return NULL;
	d->subject = strtoull(text + n + 1, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]))
		return NULL;
	d->n = strtoull(end + 1, &end, 10);
	return *end == ',' ? end + 1 : *end == '\0' ? end : NULL;
}

const char *heist_sim_keep(struct heist_sim *sim, const char *list)
{
	struct sim_draw d;
	sim->keeps = list != NULL;
	while (list && *list) {
		list = parse(list, &d);
		if (!list)
			return "opts: keep is not a list of kind:subject:count";
		append(&sim->kept, d);
	}
	if (sim->kept.count)
		qsort(sim->kept.draw, sim->kept.count, sizeof d, compare);
	return NULL;
}

size_t heist_sim_deviations(const heist_sim *sim, char *text, size_t size)
{
	char name[SIM_DRAW];
	size_t used = 0;
	if (size)
		*text = '\0';
	for (size_t i = 0; sim && i < sim->taken.count; i++) {
		int n = snprintf(used < size ? text + used : NULL, used < size ? size - used : 0,
				 "%s%s", i ? "," : "",
				 heist_sim_draw_name(sim->taken.draw[i], name));
		used += (size_t)n;
	}
	return used;
}

void heist_sim_vary(heist_sim_opts *o)
{
	uint32_t *const chances[] = { &o->order, &o->delay,	&o->crash,
				      &o->slow,	 &o->no_memory, &o->full };
	for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
		uint64_t x = mix(mix(o->seed ^ 0xABCD) ^ i);
		uint64_t part = x & 1 ? 0 : 1 + (x >> 1) % 1000; /* of a thousand */
		*chances[i] = (uint32_t)(*chances[i] * part / 1000);
	}
}

uint64_t heist_sim_random(struct heist_sim *sim)
{
	return mix(~sim->opts.seed);
}
