/* SPDX-License-Identifier: BSD-2-Clause
 * trees.c - see world.h. */
#include "tests/fuzz/world.h"

static bool keep(void *user, const heist_type *type, const void *msg)
{
	(void)user, (void)msg;
	return type->tag % 2;
}

static heist_decision decide(void *user, heist_exit how, heist_status status)
{
	(void)user, (void)how, (void)status;
	return (heist_decision)below(4);
}

/* Of a path. */
static const char *step_of(uint32_t x)
{
	static const char *const names[] = { "a", "b", "c:1" };
	return names[x % 3];
}

static heist_child some_child(const heist_opts *o)
{
	heist_child c = heist_child_default();
	uint32_t x = byte(), y = byte();
	c.cls = &classes[x % 4];
	c.opts = y & 1 ? o : NULL;
	c.arg = &spawn_arg;
	c.restart = (heist_restart)((x >> 2) % 3);
	c.leftover = (heist_leftover)((x >> 4) % 3);
	c.keep = keep;
	c.decide = y & 2 ? decide : NULL;
	c.poison_retries = (y >> 2) % 3;
	c.backoff_min_ms = (y >> 4) % 3;
	c.jitter_percent = (y >> 6) * 20;
	c.stop_ms = x >> 6;
	c.name = y & 1 ? NULL : step_of(x);
	return c;
}

static heist_ref some_supervisor(void)
{
	uint8_t p = some_person();
	return people[p].supervisor ? people[p].ref : (heist_ref){ 0 };
}

void do_supervise(struct actor *me)
{
	heist_sup sup = heist_sup_default();
	heist_opts o[3];
	heist_child specs[3];
	heist_ref r, refs[3];
	uint32_t x = byte(), n = x % 4;
	if (!room_for(n + 1))
		return;
	for (uint32_t i = 0; i < n; i++) {
		o[i] = some_opts();
		specs[i] = some_child(&o[i]);
	}
	heist_child as = some_child(NULL);
	sup.strategy = (heist_strategy)((x >> 2) % 3);
	sup.intensity = 1 + (x >> 4) % 4;
	sup.period_ms = 1000;
	sup.name = x & 1 ? step_of(x) : NULL;
	sup.children = specs;
	sup.child_count = n;
	sup.parent = x & 64 ? some_supervisor() : (heist_ref){ 0 };
	sup.as_child = sup.parent.v && x & 128 ? &as : NULL;
	if (!taken(me, heist_supervise(sys, &sup, &r, refs), 0))
		return;
	born(r, NULL);
	people[population].supervisor = waiting = true;
	for (uint32_t i = 0; i < n; i++)
		born(refs[i], specs[i].opts);
}

void do_add_child(struct actor *me)
{
	heist_opts o = some_opts();
	heist_child spec = some_child(&o);
	heist_ref sup = some_supervisor(), r;
	if (!sup.v || !room_for(1))
		return;
	if (taken(me, heist_add_child(sys, sup, &spec, &r), 0))
		born(r, spec.opts);
}

void do_spawn_child(struct actor *me)
{
	uint32_t x = byte();
	heist_opts o = some_opts();
	const heist_opts *opts = x & 4 ? &o : NULL;
	heist_ref r;
	if (!me->ctx || !room_for(1))
		return;
	if (taken(me, heist_spawn_child(me->ctx, &classes[x % 4], opts, &spawn_arg, &r), 0))
		born(r, opts);
}
