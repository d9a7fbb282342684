/* SPDX-License-Identifier: BSD-2-Clause
 * programs.c - random programs of actors under simulation, over many seeds.
 *
 * usage: sim_programs PROGRAM, with the environment of heist_sim_main; heist-sim for many seeds
 *
 * Nodes do, for each message, a few things by chance, of those that the program has: send, ask, spawn, set
 * timers, take names, fail, stop and kill each other.  Checked: FIFO per pair, one answer per ask, timers
 * only after they are due, and at the end of every seed, by heist_sim_end, the accounts. */
#include <heist/sim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/oracle.h"
#include "tests/support/rng.h"

#define NODES  24  /* places for nodes; a node that has ended leaves its place to another */
#define SPAWNS 220 /* nodes of a seed; the last number stands for the outside */

enum op {
	OP_SEND = 1,
	OP_ASK = 2,
	OP_SPAWN = 4,
	OP_TIMER = 8,
	OP_NAME = 16,
	OP_FAIL = 32,
	OP_STOP = 64,
	OP_WATCH = 128,
	OP_POST = 256,
};

struct program {
	const char *name;
	unsigned ops;
	int children;	      /* of the supervisor; 0: there is none */
	uint32_t mailbox_cap; /* of the nodes */
};

static const struct program programs[] = {
	{ "messages", OP_SEND | OP_POST, 0, 0 },
	{ "asks", OP_SEND | OP_ASK, 0, 0 },
	{ "timers", OP_SEND | OP_TIMER, 0, 0 },
	{ "names", OP_SEND | OP_NAME | OP_SPAWN | OP_STOP, 0, 0 },
	{ "bounds", OP_SEND | OP_ASK | OP_POST | OP_TIMER, 0, 3 },
	{ "supervision", OP_SEND | OP_FAIL | OP_ASK | OP_WATCH, 6, 0 },
	{ "all", 0x1ff, 6, 5 },
};

struct hop {
	uint32_t from, to, n, left; /* the n-th from one node to another; left: hops */
};
struct ask {
	uint32_t left, number;
};
static const heist_type HOP = { .base = &HOP, .name = "hop", .size = sizeof(struct hop) };
static const heist_type ASK = {
	.base = &ASK, .name = "ask", .size = sizeof(struct ask), .reply_size = 4
};
static const heist_type BEAT = { .base = &BEAT, .name = "beat", .size = 8 };

/* What all nodes of a seed share: they run on one thread. */
static struct {
	const struct program *program;
	heist_sim *sim;
	heist_system *system;
	struct rng rng;
	heist_ref node[NODES];
	heist_ref supervisor;
	uint32_t number[NODES]; /* of the node in this place */
	uint16_t sent[SPAWNS + 1][SPAWNS];
	uint64_t got[SPAWNS + 1][SPAWNS];
	uint64_t asked, answered;
	uint32_t spawned;
} all;

struct node {
	uint32_t number, beats;
	heist_timer timer;
};

static const heist_class node_class;

static uint32_t below(uint32_t n)
{
	return rng_below(&all.rng, n);
}

/* ---- what nodes do ---- */

static void send_hop(uint32_t from, uint32_t place, uint32_t left, bool post)
{
	uint32_t to = all.number[place];
	struct hop h = { from, to, all.sent[from][to] + 1u, left };
	void *m = post ? heist_new(all.system, &HOP, below(100)) : NULL;
	heist_status st;
	if (m)
		memcpy(m, &h, sizeof h);
	st = m ? heist_post(all.node[place], &m) : heist_send(all.node[place], &HOP, &h);
	if (st == HEIST_OK)
		all.sent[from][to]++;
	heist_discard(&m);
}

static void on_answer(heist_ctx *c, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)c, (void)state;
	all.answered++;
	if (status == HEIST_OK)
		HEIST_SIM_CHECK(all.sim, *(const uint32_t *)reply == (uint32_t)user);
}

static void ask(heist_ctx *c, uint32_t to, uint32_t left)
{
	struct ask q = { left, (uint32_t)all.asked };
	heist_time deadline = below(3) ? heist_now(all.system) + 1 + below(200000) : 0;
	if (heist_ask(c, all.node[to], &ASK, &q, deadline, on_answer, q.number) == HEIST_OK)
		all.asked++;
}

static void spawn_at(heist_ctx *c, uint32_t place)
{
	heist_opts o = heist_opts_default();
	o.mailbox_cap = all.program->mailbox_cap;
	o.overflow = (heist_overflow)below(3);
	if (all.spawned == SPAWNS)
		return;
	uint32_t number = all.number[place] = all.spawned++;
	heist_status st =
		c && below(2) ? heist_spawn_monitor(c, &node_class, &o, &number, &all.node[place])
			      : heist_spawn(all.system, &node_class, &o, &number, &all.node[place]);
	HEIST_SIM_CHECK(all.sim, st == HEIST_OK || st == HEIST_ENOMEM || st == HEIST_ECLOSED);
}

static void set_timer(heist_ctx *c, struct node *s)
{
	uint64_t due = heist_now(all.system) + 1 + below(300000);
	if (s->timer && below(3) == 0) {
		(void)heist_cancel(c, s->timer);
		s->timer = 0;
	} else if (below(3) == 0) {
		(void)heist_send_every(c, heist_self(c), &BEAT, &(uint64_t){ 0 }, 1 + below(5000),
				       1 + below(50000), (heist_pace)below(2), &s->timer);
	} else {
		(void)heist_send_after(c, below(4) ? heist_self(c) : all.node[below(NODES)], &BEAT,
				       &due, due - heist_now(all.system), &s->timer);
	}
}

static void use_names(heist_ctx *c)
{
	char name[8];
	snprintf(name, sizeof name, "n%u", below(5));
	switch (below(3)) {
	case 0:
		(void)!heist_register(all.system, name, heist_self(c));
		break;
	case 1:
		(void)heist_unregister(all.system, name);
		break;
	default: {
		heist_ref r = heist_whereis(all.system, name);
		if (r.v)
			(void)heist_send(r, &BEAT, &(uint64_t){ 0 });
	}
	}
}

static void watch(heist_ctx *c)
{
	heist_ref other = all.node[below(NODES)];
	if (other.v == heist_self(c).v)
		return;
	switch (below(4)) {
	case 0:
		(void)heist_link(c, other);
		break;
	case 1:
		(void)heist_unlink(c, other);
		break;
	case 2:
		(void)heist_demonitor(c, other);
		break;
	default:
		(void)heist_monitor(c, other);
	}
}

static void stop_one(heist_ctx *c)
{
	uint32_t place = below(NODES);
	if (below(2))
		(void)heist_stop(all.node[place], HEIST_EUSER);
	else
		(void)heist_kill(all.node[place], HEIST_EUSER);
	if (all.program->ops & OP_SPAWN)
		spawn_at(c, place);
}

static heist_next act(heist_ctx *c, struct node *s, uint32_t left)
{
	unsigned ops = all.program->ops;
	uint32_t to = below(NODES);
	if (left == 0)
		return HEIST_CONTINUE;
	for (uint32_t i = 1 + below(2); i > 0; i--)
		switch (1u << below(9) & ops) {
		case OP_ASK:
			ask(c, to, left - 1);
			break;
		case OP_SPAWN:
			spawn_at(c, to);
			break;
		case OP_TIMER:
			set_timer(c, s);
			break;
		case OP_NAME:
			use_names(c);
			break;
		case OP_FAIL:
			if (below(4))
				break;
			if (below(3) == 0)
				heist_panic(c, HEIST_EUSER);
			return below(2) ? HEIST_FAIL : HEIST_STOP;
		case OP_STOP:
			stop_one(c);
			break;
		case OP_WATCH:
			watch(c);
			break;
		default:
			send_hop(s->number, to, left - 1, ops & OP_POST && below(2));
		}
	return HEIST_CONTINUE;
}

/* ---- a node ---- */

static heist_next on_hop(heist_ctx *c, struct node *s, const struct hop *h)
{
	HEIST_SIM_CHECK(all.sim, oracle_later_or_again(&all.got[h->from][h->to], h->n));
	return act(c, s, h->left);
}

static heist_next on_ask(heist_ctx *c, struct node *s, const struct ask *q)
{
	uint32_t number = q->number;
	heist_next v = below(8) ? act(c, s, q->left) : HEIST_CONTINUE;
	if (below(8))
		(void)heist_reply(c, HEIST_OK, &ASK, &number);
	return v;
}

static heist_next on_beat(heist_ctx *c, struct node *s, uint64_t due)
{
	HEIST_SIM_CHECK(all.sim, heist_now(all.system) >= due);
	if (due == 0 && ++s->beats >= 10) {
		if (s->timer)
			(void)heist_cancel(c, s->timer);
		s->timer = 0;
	}
	return HEIST_CONTINUE;
}

static heist_next node_recv(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	if (type == &HOP)
		return on_hop(c, state, msg);
	if (type == &ASK)
		return on_ask(c, state, msg);
	return on_beat(c, state, *(uint64_t *)msg);
}

static heist_next node_init(heist_ctx *c, void *state, const void *arg)
{
	struct node *s = state;
	(void)c;
	s->number = *(const uint32_t *)arg;
	return HEIST_CONTINUE;
}

static void node_stop(heist_ctx *c, void *state, heist_status why)
{
	struct node *s = state;
	(void)c, (void)why;
	if (all.program->ops & OP_ASK)
		send_hop(s->number, below(NODES), 0, false);
}

static heist_next node_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	(void)c, (void)state;
	return sig->how == HEIST_EXIT_CRASHED && below(16) == 0 ? HEIST_FAIL : HEIST_CONTINUE;
}

static const heist_hooks node_hooks = {
	.arg_size = sizeof(uint32_t), .init = node_init, .stop = node_stop, .signal = node_signal
};
static const heist_class node_class = { "node", HEIST_ABI, sizeof(struct node), node_recv,
					&node_hooks };

/* ---- a seed ---- */

static void supervise(void)
{
	heist_child children[NODES];
	uint32_t number[NODES];
	heist_sup sup = heist_sup_default();
	for (int i = 0; i < all.program->children; i++) {
		number[i] = all.number[i] = all.spawned++;
		children[i] = heist_child_default();
		children[i].cls = &node_class;
		children[i].arg = &number[i];
		children[i].restart = (heist_restart)below(3);
		children[i].leftover = below(2) ? HEIST_KEEP : HEIST_DROP;
		children[i].backoff_min_ms = below(2);
		children[i].jitter_percent = 20;
		children[i].poison_retries = below(2);
	}
	sup.strategy = (heist_strategy)below(3);
	sup.intensity = 1 + below(20);
	sup.children = children;
	sup.child_count = (uint32_t)all.program->children;
	HEIST_SIM_CHECK(all.sim,
			heist_supervise(all.system, &sup, &all.supervisor, all.node) == HEIST_OK);
}

static void run_program(void)
{
	if (all.program->children)
		supervise();
	for (uint32_t i = (uint32_t)all.program->children; i < NODES; i++)
		spawn_at(NULL, i);
	for (uint32_t i = 0; i < 8; i++)
		send_hop(SPAWNS, below(NODES), 6 + below(6), false);
	(void)heist_sim_pass(all.sim, below(400000));
	for (uint32_t i = 0; i < 4; i++)
		send_hop(SPAWNS, below(NODES), 8, false);
	if (below(2))
		(void)heist_sim_pass(all.sim, 3000000);
	if (all.supervisor.v && below(2))
		(void)heist_stop(all.supervisor, HEIST_OK);
	if (below(2))
		(void)heist_sim_pass(all.sim, below(100000));
}

static void run(heist_sim *sim, heist_system *s, void *program)
{
	memset(&all, 0, sizeof all);
	all.program = program;
	all.sim = sim;
	all.system = s;
	all.rng = rng_seed(heist_sim_seed(sim));
	run_program();
}

static const struct program *program_find(const char *name)
{
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

int main(int argc, char **argv)
{
	heist_sim_opts o = heist_sim_opts_default();
	const struct program *p = argc == 2 ? program_find(argv[1]) : NULL;
	if (!p) {
		fprintf(stderr, "usage: sim_programs PROGRAM\n");
		return 2;
	}
	o.order = 1000000;
	o.delay = 300000;
	o.crash = o.full = 100000;
	o.slow = 20000;
	o.slow_ns = 3000000;
	o.no_memory = 50000;
	o.vary = 1;
	return heist_sim_main(argc, argv, &o, run, (void *)(uintptr_t)p);
}
