/* SPDX-License-Identifier: BSD-2-Clause
 * sim_probe.c - actors that keep what they are sent, for a test to look at. */
#include "runtime/sim.h"

#include <string.h>

/* A message that was not looked at. */
struct item {
	const heist_type *type;
	heist_token token; /* {0}: no reply is owed */
	void *payload;
};

struct sim_probe {
	struct sim_probe *next;
	heist_ref ref;
	struct item *item; /* oldest first, from `seen` on */
	size_t count, seen, room;
	heist_signal *end; /* of actors that it watches */
	size_t ends, ends_room;
	heist_token token; /* of the request that was expected last ... */
	const heist_type *asked;
};

/* ---- the actor ---- */

static heist_next probe_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	memcpy(state, arg, sizeof(struct sim_probe *));
	return HEIST_CONTINUE;
}

static heist_next probe_recv(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	struct sim_probe *p = *(struct sim_probe **)state;
	struct item it = { type, heist_reply_later(c, type), NULL };
	size_t room = 0;
	it.payload = heist_sim_grow(NULL, &room, (size_t)type->size + 1, 1);
	memcpy(it.payload, msg, type->size);
	p->item = heist_sim_grow(p->item, &p->room, p->count + 1, sizeof it);
	p->item[p->count++] = it;
	return HEIST_CONTINUE;
}

static heist_next probe_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	struct sim_probe *p = *(struct sim_probe **)state;
	(void)c;
	p->end = heist_sim_grow(p->end, &p->ends_room, p->ends + 1, sizeof *sig);
	p->end[p->ends++] = *sig;
	return HEIST_CONTINUE;
}

static const heist_hooks probe_hooks = { .arg_size = sizeof(struct sim_probe *),
					 .init = probe_init,
					 .signal = probe_signal };
static const heist_class probe_class = { "probe", HEIST_ABI, sizeof(struct sim_probe *), probe_recv,
					 &probe_hooks };

/* ---- the table ---- */

static bool is_outside(const struct heist_sim *sim)
{
	return sim && sim->system && !heist_worker_self;
}

static struct sim_probe *probe_find(const struct heist_sim *sim, heist_ref ref)
{
	struct sim_probe *p = is_outside(sim) ? sim->probes : NULL;
	while (p && p->ref.v != ref.v)
		p = p->next;
	return p;
}

#define NO_PROBE                                                                                   \
	HEIST_BAD_ARG("it must be a probe of a simulation that is not over, outside of handlers")

heist_status heist_sim_probe(heist_sim *sim, heist_ref *out)
{
	size_t room = 0;
	if (!is_outside(sim) || !out)
		return HEIST_BAD_ARG("simulation and out must not be NULL; not inside a handler");
	struct sim_probe *p = heist_sim_grow(NULL, &room, 1, sizeof *p);
	p->next = sim->probes;
	heist_status r = heist_spawn(sim->system, &probe_class, NULL, &p, &p->ref);
	if (r != HEIST_OK) {
		heist_default_dealloc(p, room * sizeof *p);
		return r;
	}
	sim->probes = p;
	*out = p->ref;
	(void)heist_sim_spare(sim, p->ref);
	sim->chosen =
		&sim->system->slots.base[ref_slot(p->ref)].run; /* it starts before all others */
	(void)heist_sim_step(sim);
	return HEIST_OK;
}

static void item_drop(struct item *it)
{
	payload_drop(it->type, it->payload);
	heist_default_dealloc(it->payload, it->type->size);
}

void heist_sim_probes_free(struct heist_sim *sim)
{
	for (struct sim_probe *p = sim->probes, *next; p; p = next) {
		next = p->next;
		for (size_t i = p->seen; i < p->count; i++)
			item_drop(&p->item[i]);
		heist_default_dealloc(p->item, p->room * sizeof *p->item);
		heist_default_dealloc(p->end, p->ends_room * sizeof *p->end);
		heist_default_dealloc(p, sizeof *p);
	}
}

/* ---- to expect ---- */

/* Run until ready(p, arg), or no longer than `within`. */
static bool wait_until(struct heist_sim *sim, struct sim_probe *p, uint64_t within,
		       bool (*ready)(const struct sim_probe *, heist_ref), heist_ref arg)
{
	uint64_t end = within ? time_after(sim->now, within) : UINT64_MAX;
	sim->horizon = end;
	while (!ready(p, arg) && heist_sim_step(sim))
		;
	sim->horizon = UINT64_MAX;
	if (!ready(p, arg) && within && end > sim->now)
		sim->now = end;
	return ready(p, arg);
}

static bool has_item(const struct sim_probe *p, heist_ref unused)
{
	(void)unused;
	return p->seen < p->count;
}

static const char *name_of(const heist_type *type)
{
	return type->name ? type->name : "?";
}

heist_status heist_sim_expect(heist_sim *sim, heist_ref probe, const heist_type *type,
			      uint64_t within, void *out)
{
	struct sim_probe *p = probe_find(sim, probe);
	if (!p || !type)
		return NO_PROBE;
	if (!wait_until(sim, p, within, has_item, probe)) {
		heist_sim_fail(sim, "expected %s: nothing came", name_of(type));
		return HEIST_ETIMEOUT;
	}
	struct item *it = &p->item[p->seen++];
	p->token = it->token;
	p->asked = it->type;
	if (it->type != type) {
		heist_sim_fail(sim, "expected %s: %s came", name_of(type), name_of(it->type));
		item_drop(it);
		return HEIST_EUSER;
	}
	if (!out) {
		item_drop(it);
		return HEIST_OK;
	}
	memcpy(out, it->payload, type->size);
	heist_default_dealloc(it->payload, type->size);
	return HEIST_OK;
}

heist_status heist_sim_expect_none(heist_sim *sim, heist_ref probe, uint64_t ns)
{
	struct sim_probe *p = probe_find(sim, probe);
	if (!p || ns == 0)
		return NO_PROBE;
	if (!wait_until(sim, p, ns, has_item, probe))
		return HEIST_OK;
	heist_sim_fail(sim, "expected nothing: %s came", name_of(p->item[p->seen].type));
	return HEIST_EUSER;
}

heist_status heist_sim_reply(heist_sim *sim, heist_ref probe, heist_status status,
			     const void *reply)
{
	struct sim_probe *p = probe_find(sim, probe);
	if (!p)
		return NO_PROBE;
	if (p->token.v[0] == 0)
		return HEIST_EDEAD;
	heist_status r = heist_reply_to(p->token, status, p->asked, reply);
	if (r == HEIST_OK)
		p->token = (heist_token){ { 0, 0, 0 } };
	return r;
}

/* ---- ends ---- */

heist_status heist_sim_watch(heist_sim *sim, heist_ref probe, heist_ref who)
{
	struct sim_probe *p = probe_find(sim, probe);
	if (!p)
		return NO_PROBE;
	struct rt_worker *w = sim->worker;
	struct actor *a = &sim->system->slots.base[ref_slot(probe)];
	if (mpsc_ticket(&a->ticket, ref_generation(probe)) != MPSC_TICKET_VALID)
		return HEIST_EDEAD;
	heist_worker_self = &w->base; /* nothing runs: the probe may have a turn in between */
	ctx_set_actor(&w->ctx, a);
	heist_status r = heist_monitor(&w->ctx, who);
	heist_worker_self = NULL;
	return r;
}

static bool has_ended(const struct sim_probe *p, heist_ref who)
{
	size_t i = 0;
	while (i < p->ends && p->end[i].who.v != who.v)
		i++;
	return i < p->ends;
}

heist_status heist_sim_expect_end(heist_sim *sim, heist_ref probe, heist_ref who, uint64_t within,
				  heist_signal *out)
{
	struct sim_probe *p = probe_find(sim, probe);
	if (!p)
		return NO_PROBE;
	if (!wait_until(sim, p, within, has_ended, who)) {
		heist_sim_fail(sim, "expected the end of an actor: it goes on");
		return HEIST_ETIMEOUT;
	}
	for (size_t i = 0; out && i < p->ends; i++)
		if (p->end[i].who.v == who.v)
			*out = p->end[i];
	return HEIST_OK;
}
