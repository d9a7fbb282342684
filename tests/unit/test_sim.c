/* SPDX-License-Identifier: BSD-2-Clause
 * Simulation: what it promises to a program (tests/sim has the random ones). */
#include <heist/sim.h>

#include <pthread.h>
#include <string.h>

#include "tests/support/unit.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type LATER = { .base = &LATER, .name = "later", .size = 8 };

#define MS 1000000u

static heist_sim *sim;
static heist_system *sys;
static uint64_t log_of[256];
static int logged, refusals, lines;

static void on_log(void *user, const heist_log_line *line)
{
	(void)user;
	refusals += strstr(line->text, "another") != NULL || strstr(line->text, "opts") != NULL;
	if (strncmp(line->text, "simulation with", 15) == 0)
		lines++;
}

static void begin(const heist_sim_opts *opts)
{
	heist_config c = heist_config_default();
	c.log = on_log;
	logged = refusals = lines = 0;
	EXPECT(heist_sim_start(opts, &c, &sim) == HEIST_OK);
	sys = heist_sim_system(sim);
	EXPECT(heist_sim_of(sys) == sim);
}

static heist_next recv(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state;
	log_of[logged++ % 256] = n;
	if (type == &WORD && heist_sender(c).v)
		return heist_reply(c, HEIST_OK, &WORD, &n) == HEIST_OK ? HEIST_CONTINUE
								       : HEIST_FAIL;
	if (type == &LATER)
		log_of[logged++ % 256] = heist_now(heist_system_of(c));
	return HEIST_CONTINUE;
}

static const heist_class echo = { "echo", HEIST_ABI, 0, recv, NULL };

static heist_ref spawn(void)
{
	heist_ref r;
	EXPECT(heist_spawn(sys, &echo, NULL, NULL, &r) == HEIST_OK);
	return r;
}

static void send(heist_ref to, uint64_t n)
{
	EXPECT(heist_send(to, &WORD, &n) == HEIST_OK);
}

TEST(sim, what_is_sent_is_handled_in_order)
{
	heist_sim_opts o = heist_sim_opts_default();
	o.delay = 500000;
	for (o.seed = 1; o.seed <= 50; o.seed++) {
		begin(&o);
		heist_ref r = spawn();
		for (uint64_t i = 0; i < 100; i++)
			send(r, i);
		EXPECT(heist_stop(r, HEIST_OK) == HEIST_OK); /* behind all of them */
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK && logged == 100);
		for (uint64_t i = 0; i < 100; i++)
			EXPECT(log_of[i] == i);
		EXPECT(heist_lost_count(sys, HEIST_LOST_DEAD) == 0);
		EXPECT(heist_sim_turns(sim) >= 101);
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
}

TEST(sim, who_is_picked_depends_on_the_seed_alone)
{
	enum { MEMBERS = 16, PICKS = 64 };
	heist_sim_opts o = heist_sim_opts_default();
	uint32_t first[PICKS], differ = 0;
	for (int run = 0; run < 3; run++) {
		heist_ref member[MEMBERS];
		o.seed = run < 2 ? 1 : 2;
		begin(&o);
		for (int i = 0; i < MEMBERS; i++) {
			member[i] = spawn();
			EXPECT(heist_group_join(sys, "g", member[i]) == HEIST_OK);
		}
		for (int n = 0; n < PICKS; n++) {
			heist_ref r = heist_pick(sys, "g", HEIST_RANDOM, 0);
			uint32_t i = 0;
			while (i < MEMBERS && member[i].v != r.v)
				i++;
			EXPECT(i < MEMBERS);
			if (run == 0)
				first[n] = i;
			EXPECT(run != 1 || first[n] == i);
			differ += run == 2 && first[n] != i;
		}
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
	EXPECT(differ != 0);
}

TEST(sim, a_call_drives_it)
{
	begin(NULL);
	uint64_t n = 7, answer = 0;
	heist_ref r = spawn();
	EXPECT(heist_call(sys, r, &WORD, &n, 0, &answer) == HEIST_OK && answer == 7);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, has_one_place_for_all)
{
	heist_opts o = heist_opts_default();
	heist_ref r;
	begin(NULL);
	for (int i = 0; i < 3; i++) {
		o.worker = i == 0 ? 7 : 0;
		o.pool = i == 1 ? "blocking" : NULL;
		o.own_thread = i == 2 ? HEIST_ON : HEIST_DEFAULT;
		EXPECT(heist_spawn(sys, &echo, &o, NULL, &r) == HEIST_OK);
		send(r, 1);
	}
	EXPECT(heist_sim_end(sim) == HEIST_OK && logged == 3);
}

static heist_next timing_init(heist_ctx *c, void *state, const void *arg)
{
	uint64_t n = 5;
	(void)state, (void)arg;
	return heist_send_after(c, heist_self(c), &LATER, &n, 10 * MS, NULL) == HEIST_OK &&
			       heist_send_after(c, heist_self(c), &LATER, &n,
						3600000 * (uint64_t)MS, NULL) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}
static const heist_hooks timing_hooks = { .init = timing_init };
static const heist_class timing = { "timing", HEIST_ABI, 0, recv, &timing_hooks };

TEST(sim, time_passes_when_it_is_told_to)
{
	heist_ref r;
	begin(NULL);
	heist_time t = heist_now(sys);
	EXPECT(heist_spawn(sys, &timing, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_sim_pass(sim, 5 * MS) == HEIST_OK && logged == 0);
	EXPECT(heist_now(sys) == t + 5 * MS);
	EXPECT(heist_sim_pass(sim, 6 * MS) == HEIST_OK && logged == 2);
	EXPECT(log_of[1] >= t + 10 * MS && log_of[1] < t + 11 * MS);
	EXPECT(heist_sim_run(sim, 0) == HEIST_OK && logged == 4); /* an hour in no time */
	EXPECT(log_of[3] >= t + 3600000 * (uint64_t)MS);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, time_ends)
{
	heist_ref r, p;
	uint64_t n = 0;
	begin(NULL);
	EXPECT(heist_sim_probe(sim, &p) == HEIST_OK);
	EXPECT(heist_spawn(sys, &timing, NULL, NULL, &r) == HEIST_OK);
	send(p, 7);
	EXPECT(heist_sim_expect(sim, p, &WORD, UINT64_MAX, &n) == HEIST_OK && n == 7);
	EXPECT(heist_sim_pass(sim, UINT64_MAX) == HEIST_OK && logged == 4);
	EXPECT(heist_now(sys) == UINT64_MAX);
	send(r, 8);
	EXPECT(heist_sim_run(sim, 0) == HEIST_OK && logged == 5);
	EXPECT(heist_now(sys) == UINT64_MAX);
	EXPECT(heist_sim_expect_none(sim, p, UINT64_MAX) == HEIST_OK);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, the_end_waits_for_no_timer)
{
	heist_ref r;
	begin(NULL);
	EXPECT(heist_spawn(sys, &timing, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_sim_end(sim) == HEIST_OK && logged == 0);
}

static heist_next again(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	(void)c, (void)state, (void)type, (void)msg;
	return HEIST_AGAIN;
}

TEST(sim, what_does_not_end_fails)
{
	static const heist_class busy = { "busy", HEIST_ABI, 0, again, NULL };
	heist_sim_opts o = heist_sim_opts_default();
	heist_ref r;
	o.max_turns = 1000;
	begin(&o);
	EXPECT(heist_spawn(sys, &busy, NULL, NULL, &r) == HEIST_OK);
	send(r, 1);
	EXPECT(!heist_sim_failed(sim));
	EXPECT(heist_sim_run(sim, 0) == HEIST_ETIMEOUT && heist_sim_failed(sim));
	EXPECT(lines == 1);
	EXPECT(heist_sim_end(sim) == HEIST_ECRASH && lines == 1);
}

static heist_next leave(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	heist_become(c, recv);
	heist_panic(c, HEIST_EUSER);
}

/* A panic jumps over the simulation's frame; a behaviour that was become stays. */
TEST(sim, panics_and_behaviours)
{
	static const heist_class leaver = { "leaver", HEIST_ABI, 0, leave, NULL };
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref r, s;
	begin(NULL);
	child.cls = &leaver;
	child.restart = HEIST_PERMANENT;
	sup.children = &child;
	sup.child_count = 1;
	EXPECT(heist_supervise(sys, &sup, &s, &r) == HEIST_OK);
	for (int i = 0; i < 2; i++) { /* the second incarnation begins with its own behaviour */
		send(r, 1);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
		EXPECT(heist_lost_count(sys, HEIST_LOST_FAILED) == (uint64_t)i + 1);
	}
	EXPECT(logged == 0);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

static void *from_elsewhere(void *ref)
{
	uint64_t n = 1;
	return heist_send(*(heist_ref *)ref, &WORD, &n) == HEIST_EDEAD ? ref : NULL;
}

TEST(sim, other_threads_are_refused)
{
	pthread_t t;
	void *answer = NULL;
	begin(NULL);
	heist_ref r = spawn();
	EXPECT(pthread_create(&t, NULL, from_elsewhere, &r) == 0 && pthread_join(t, &answer) == 0);
	EXPECT(answer != NULL && refusals == 1);
	EXPECT(heist_sim_end(sim) == HEIST_ECRASH && logged == 0);
}

TEST(sim, a_runtime_that_was_shut_down)
{
	begin(NULL);
	send(spawn(), 3);
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK && logged == 1);
	EXPECT(heist_sim_system(sim) == NULL && heist_sim_end(sim) == HEIST_OK);
}

/* Each spawns the next: the simulation's tables grow in the middle of turns. */
static heist_next breeder(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg - 1;
	heist_ref r;
	(void)state;
	logged++;
	if (n == 0)
		return HEIST_CONTINUE;
	heist_become(c, recv);
	static const heist_class next = { "breeder", HEIST_ABI, 0, breeder, NULL };
	return heist_spawn(heist_system_of(c), &next, NULL, NULL, &r) == HEIST_OK &&
			       heist_send(r, type, &n) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}

TEST(sim, many_actors)
{
	static const heist_class class = { "breeder", HEIST_ABI, 0, breeder, NULL };
	heist_ref r;
	begin(NULL);
	EXPECT(heist_spawn(sys, &class, NULL, NULL, &r) == HEIST_OK);
	send(r, 2000);
	EXPECT(heist_sim_run(sim, 0) == HEIST_OK && logged == 2000);
	send(r, 42); /* it has become another */
	EXPECT(heist_sim_run(sim, 0) == HEIST_OK && log_of[2000 % 256] == 42);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

/* ---- what stands before a behaviour, set or removed outside a handler ---- */

enum { NOTE, HOLD, HOLD_LATER, SILENCE, PUSH, PUSH_SIGNALLED, POP };

static int notes, others, answers, told;

static heist_next other(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	others++;
	return *(uint64_t *)msg != POP || heist_pop_behaviour(c) == HEIST_OK ? HEIST_CONTINUE
									     : HEIST_FAIL;
}

static void on_answer(heist_ctx *c, void *state, heist_status status, const void *reply,
		      uint64_t what)
{
	uint64_t n = NOTE;
	(void)reply;
	answers += status == HEIST_OK;
	if (what == PUSH)
		EXPECT(heist_push_behaviour(c, other) == HEIST_OK);
	if (what == HOLD_LATER)
		EXPECT(heist_ask(c, *(heist_ref *)state, &WORD, &n, 0, on_answer, NOTE) ==
			       HEIST_OK &&
		       heist_hold(c) == HEIST_OK);
}

/* The state is the echo. */
static heist_next planner(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t what = *(uint64_t *)msg;
	notes++;
	if (what == SILENCE)
		EXPECT(heist_idle_after(c, MS) == HEIST_OK);
	if (what == PUSH_SIGNALLED)
		EXPECT(heist_notify(heist_self(c), 1) == HEIST_OK);
	if (what == HOLD || what == HOLD_LATER || what == PUSH)
		EXPECT(heist_ask(c, *(heist_ref *)state, type, msg, 0, on_answer, what) ==
		       HEIST_OK);
	if (what == HOLD)
		EXPECT(heist_hold(c) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next planner_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	memcpy(state, arg, 8);
	return HEIST_CONTINUE;
}

static heist_next planner_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	(void)state;
	told += sig->kind == HEIST_SIG_IDLE;
	if (sig->kind == HEIST_SIG_NOTIFY)
		EXPECT(heist_push_behaviour(c, other) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_hooks planner_hooks = { .arg_size = 8,
					   .init = planner_init,
					   .signal = planner_signal };
static const heist_class planner_class = { "planner", HEIST_ABI, 8, planner, &planner_hooks };

static heist_ref plan(void)
{
	heist_ref r, e;
	begin(NULL);
	notes = others = answers = told = 0;
	e = spawn();
	EXPECT(heist_spawn(sys, &planner_class, NULL, &e, &r) == HEIST_OK);
	return r;
}

TEST(sim, a_hold_ends)
{
	for (uint64_t how = HOLD; how <= HOLD_LATER; how++) {
		heist_ref r = plan();
		send(r, how);
		send(r, NOTE);
		send(r, NOTE);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
		EXPECT(notes == 3 && answers == (how == HOLD ? 1 : 2));
		send(r, NOTE);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK && notes == 4);
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
}

TEST(sim, silence_is_told)
{
	heist_ref r = plan();
	send(r, SILENCE);
	for (int i = 0; i < 3; i++) {
		EXPECT(heist_sim_pass(sim, 300 * MS / 1000) == HEIST_OK && told == 0);
		send(r, NOTE);
	}
	EXPECT(heist_sim_pass(sim, 2 * MS) == HEIST_OK && notes == 4 && told == 1);
	send(r, PUSH); /* an answer ends the silence, too */
	EXPECT(heist_sim_pass(sim, 2 * MS) == HEIST_OK && told == 2);
	send(r, POP);
	send(r, NOTE);
	EXPECT(heist_sim_pass(sim, 2 * MS) == HEIST_OK && notes == 6 && others == 1 && told == 3);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, what_is_pushed_outside_a_handler_is_popped)
{
	for (uint64_t how = PUSH; how <= PUSH_SIGNALLED; how++) {
		heist_ref r = plan();
		send(r, how);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK && notes == 1);
		send(r, POP);
		send(r, NOTE);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK && notes == 2 && others == 1);
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
}

/* ---- probes ---- */

static int from_outside;

static void count_outside(void *user, const char *line)
{
	(void)user;
	from_outside += strstr(line, " send ") && strstr(line, " outside ->");
}

/* Between two turns nobody runs, also if a panic has left the last one. */
TEST(sim, the_outside_is_nobody_s_turn)
{
	static const heist_class leaver = { "leaver", HEIST_ABI, 0, leave, NULL };
	heist_sim_opts o = heist_sim_opts_default();
	heist_ref p, r;
	o.trace = count_outside;
	begin(&o);
	from_outside = 0;
	EXPECT(heist_sim_probe(sim, &p) == HEIST_OK);
	for (int i = 0; i < 3; i++) {
		EXPECT(heist_spawn(sys, &leaver, NULL, NULL, &r) == HEIST_OK);
		EXPECT(heist_sim_watch(sim, p, r) == HEIST_OK);
		send(r, 1);
		send(p, 2);
		EXPECT(heist_sim_expect_end(sim, p, r, MS, NULL) == HEIST_OK);
		EXPECT(from_outside == 2 * i + 2);
	}
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

static heist_next forwarder(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)c;
	if (n == 0)
		return HEIST_STOP;
	return heist_send(*(heist_ref *)state, type, &n) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
}
static heist_next forwarder_init(heist_ctx *c, void *state, const void *arg)
{
	uint64_t n = 9;
	memcpy(state, arg, 8);
	return heist_send_after(c, heist_self(c), &LATER, &n, 10 * MS, NULL) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}
static const heist_hooks forwarder_hooks = { .arg_size = 8, .init = forwarder_init };
static const heist_class forwarder_class = { "forwarder", HEIST_ABI, 8, forwarder,
					     &forwarder_hooks };

TEST(sim, probes_expect)
{
	heist_ref p, f;
	heist_signal how;
	uint64_t n = 0;
	begin(NULL);
	EXPECT(heist_sim_probe(sim, &p) == HEIST_OK);
	EXPECT(heist_spawn(sys, &forwarder_class, NULL, &p, &f) == HEIST_OK);
	EXPECT(heist_sim_watch(sim, p, f) == HEIST_OK);
	send(f, 3);
	send(f, 4);
	EXPECT(heist_sim_expect(sim, p, &WORD, MS, &n) == HEIST_OK && n == 3);
	EXPECT(heist_sim_expect(sim, p, &WORD, MS, NULL) == HEIST_OK);
	heist_time t = heist_now(sys);
	EXPECT(heist_sim_expect_none(sim, p, 5 * MS) == HEIST_OK);
	EXPECT(heist_now(sys) == t + 5 * MS);
	EXPECT(heist_sim_expect(sim, p, &LATER, 0, &n) == HEIST_OK && n == 9);
	send(f, 0);
	EXPECT(heist_sim_expect_end(sim, p, f, MS, &how) == HEIST_OK);
	EXPECT(how.how == HEIST_EXIT_NORMAL && how.who.v == f.v);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, probes_answer)
{
	heist_ref p;
	uint64_t n = 5, answer = 0;
	begin(NULL);
	EXPECT(heist_sim_probe(sim, &p) == HEIST_OK);
	EXPECT(heist_call(sys, p, &WORD, &n, 0, &answer) == HEIST_ETIMEOUT); /* nobody looks */
	EXPECT(heist_sim_reply(sim, p, HEIST_OK, &n) == HEIST_EDEAD);
	EXPECT(heist_sim_expect(sim, p, &WORD, 0, &n) == HEIST_OK);
	EXPECT(heist_sim_reply(sim, p, HEIST_OK, &n) == HEIST_OK);
	EXPECT(heist_sim_reply(sim, p, HEIST_OK, &n) == HEIST_EDEAD);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

/* What is expected and does not come fails the simulation. */
TEST(sim, probes_fail)
{
	for (int what = 0; what < 4; what++) {
		heist_ref p, e;
		begin(NULL);
		EXPECT(heist_sim_probe(sim, &p) == HEIST_OK);
		e = spawn();
		EXPECT(heist_sim_watch(sim, p, e) == HEIST_OK);
		if (what == 0)
			EXPECT(heist_sim_expect(sim, p, &WORD, MS, NULL) == HEIST_ETIMEOUT);
		send(p, 1);
		if (what == 1)
			EXPECT(heist_sim_expect(sim, p, &LATER, MS, NULL) == HEIST_EUSER);
		if (what == 2)
			EXPECT(heist_sim_expect_none(sim, p, MS) == HEIST_EUSER);
		if (what == 3)
			EXPECT(heist_sim_expect_end(sim, p, e, MS, NULL) == HEIST_ETIMEOUT);
		EXPECT(heist_sim_failed(sim) && lines == 1);
		EXPECT(heist_sim_end(sim) == HEIST_ECRASH);
	}
}

/* ---- faults ---- */

static char text[2][1 << 16];
static size_t used;
static int page;

static void write_down(void *user, const char *line)
{
	size_t n = strlen(line);
	(void)user;
	EXPECT(used < sizeof text[0] - 2 && n < sizeof text[0] - 2 - used);
	char *end = text[page] + used;
	memcpy(end, line, n);
	memcpy(end + n, "\n", 2);
	used += n + 1;
}

static uint64_t turned_down[4];

/* Tries to tell the next one of a ring of echoes and others. */
static heist_next relay(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg, to = *(uint64_t *)state;
	(void)type;
	heist_status st = n ? heist_send((heist_ref){ to }, &WORD, &(uint64_t){ n - 1 }) : HEIST_OK;
	turned_down[0] += st == HEIST_OK;
	turned_down[1] += st == HEIST_ENOMEM;
	turned_down[2] += st == HEIST_EFULL;
	turned_down[3] = heist_now(heist_system_of(c));
	return HEIST_CONTINUE;
}
static heist_next relay_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	memcpy(state, arg, 8);
	return HEIST_CONTINUE;
}
static const heist_hooks relay_hooks = { .arg_size = 8, .init = relay_init };
static const heist_class relay_class = { "relay", HEIST_ABI, 8, relay, &relay_hooks };

/* Two supervised relays that talk to an echo with a bound; what the seed makes of it, written down. */
static heist_ref relays[2];
static bool traced = true;
static void relay_program(heist_sim_opts *o)
{
	heist_child children[2];
	heist_sup sup = heist_sup_default();
	heist_opts bounded = heist_opts_default();
	heist_ref target, s;
	memset(turned_down, 0, sizeof turned_down);
	used = 0;
	o->trace = traced ? write_down : NULL;
	begin(o);
	bounded.mailbox_cap = 50;
	EXPECT(heist_spawn(sys, &echo, &bounded, NULL, &target) == HEIST_OK);
	for (int i = 0; i < 2; i++) {
		children[i] = heist_child_default();
		children[i].cls = &relay_class;
		children[i].arg = &target.v;
		children[i].restart = HEIST_PERMANENT;
	}
	sup.children = children;
	sup.child_count = 2;
	sup.intensity = 1000;
	EXPECT(heist_supervise(sys, &sup, &s, relays) == HEIST_OK);
	for (uint64_t i = 0; i < 20; i++)
		send(relays[i % 2], i + 1);
}

TEST(sim, a_seed_is_the_list_of_its_deviations)
{
	static char list[1 << 14], same[1 << 14];
	heist_sim_opts o = heist_sim_opts_default();
	o.delay = o.crash = o.slow = o.no_memory = o.full = 200000;
	for (o.seed = 1; o.seed <= 20; o.seed++) {
		for (page = 0; page < 2; page++) {
			relay_program(&o);
			EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
			size_t n = heist_sim_deviations(sim, list, sizeof list);
			EXPECT(n == strlen(list) && n > 100);
			EXPECT(heist_sim_deviations(sim, same, 10) == n && strlen(same) == 9);
			EXPECT(strncmp(list, same, 9) == 0);
			EXPECT(heist_sim_end(sim) == HEIST_OK);
			o.keep = list;
		}
		EXPECT(strcmp(text[0], text[1]) == 0);
		o.keep = ""; /* nothing: the default order, and no faults */
		page = 0;
		relay_program(&o);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
		EXPECT(heist_sim_deviations(sim, NULL, 0) == 0);
		EXPECT(strstr(text[0], " draw ") == NULL && turned_down[0] == 20);
		EXPECT(heist_sim_end(sim) == HEIST_OK);
		o.keep = NULL;
	}
}

TEST(sim, a_trace_changes_nothing)
{
	static char list[2][1 << 14];
	heist_sim_opts o = heist_sim_opts_default();
	o.delay = o.crash = o.slow = o.no_memory = o.full = 200000;
	page = 0;
	for (o.seed = 1; o.seed <= 50; o.seed++) {
		heist_time end[2];
		for (int i = 0; i < 2; i++) {
			traced = i == 0;
			relay_program(&o);
			EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
			heist_sim_deviations(sim, list[i], sizeof list[i]);
			end[i] = heist_now(sys);
			EXPECT(heist_sim_end(sim) == HEIST_OK);
		}
		EXPECT(end[0] == end[1] && strcmp(list[0], list[1]) == 0);
	}
	traced = true;
}

TEST(sim, faults)
{
	heist_sim_opts o = heist_sim_opts_default();
	page = 0;
	for (int fault = 0; fault < 4; fault++) {
		o.crash = fault == 0 ? 1000000 : 0;
		o.no_memory = fault == 1 ? 1000000 : 0;
		o.full = fault == 2 ? 1000000 : 0;
		o.slow = fault == 3 ? 1000000 : 0;
		relay_program(&o);
		heist_time t = heist_now(sys);
		EXPECT(heist_sim_spare(sim, relays[1]) == HEIST_OK);
		EXPECT(heist_sim_run(sim, 0) == HEIST_OK);
		EXPECT((heist_lost_count(sys, HEIST_LOST_FAILED) == 10) == (fault == 0));
		EXPECT((turned_down[1] == 20) == (fault == 1));
		EXPECT((turned_down[2] == 20) == (fault == 2));
		EXPECT((turned_down[3] - t > 20 * MS) == (fault == 3));
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
}

TEST(sim, a_mailbox_that_is_full_this_time_refuses_requests_whatever_its_policy)
{
	heist_sim_opts o = heist_sim_opts_default();
	heist_opts bounded = heist_opts_default();
	bounded.mailbox_cap = 50;
	o.full = 1000000;
	for (int policy = HEIST_REJECT; policy <= HEIST_DROP_OLD; policy++) {
		heist_stats t = heist_stats_default();
		heist_ref r;
		uint64_t n = 1;
		begin(&o);
		bounded.overflow = (heist_overflow)policy;
		EXPECT(heist_spawn(sys, &echo, &bounded, NULL, &r) == HEIST_OK);
		EXPECT(heist_call(sys, r, &WORD, &n, 0, NULL) == HEIST_EFULL);
		EXPECT(heist_get_stats(sys, &t) == HEIST_OK && t.refused == 1);
		EXPECT(heist_sim_end(sim) == HEIST_OK);
	}
}

TEST(sim, wrong_arguments)
{
	heist_sim_opts o = heist_sim_opts_default();
	heist_config c = heist_config_default();
	heist_sim *other = NULL;
	c.log = on_log;
	begin(NULL);
	EXPECT(heist_sim_start(NULL, &c, &other) == HEIST_EINVAL && refusals == 1);
	o.struct_size = 3;
	EXPECT(heist_sim_start(&o, &c, &other) == HEIST_EINVAL && refusals == 2);
	o.struct_size = 5000;
	EXPECT(heist_sim_start(&o, &c, &other) == HEIST_EINVAL && refusals == 3);
	o.struct_size = sizeof o;
	o.delay = 1000001;
	EXPECT(heist_sim_start(&o, &c, &other) == HEIST_EINVAL && refusals == 4);
	o.delay = 0;
	static const char *const lists[] = { "order",	    "order:",	  "order:1", "order:1:",
					     "none:1:2",    "order:1:2;", ":1:2",    "order:-1:2",
					     "order:1:2,,", "," };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		o.keep = lists[i];
		EXPECT(heist_sim_start(&o, &c, &other) == HEIST_EINVAL && refusals == 5 + (int)i);
	}
	EXPECT(other == NULL);
	heist_ref dead = spawn(), alive = spawn();
	EXPECT(heist_kill(dead, HEIST_OK) == HEIST_OK && heist_sim_run(sim, 0) == HEIST_OK);
	EXPECT(heist_sim_spare(sim, dead) == HEIST_EDEAD);
	dead.v |= 0xfffffff; /* a slot that never was */
	EXPECT(heist_sim_spare(sim, dead) == HEIST_EDEAD);
	EXPECT(heist_sim_spare(sim, alive) == HEIST_OK);
	EXPECT(heist_sim_deviations(NULL, NULL, 0) == 0);
	EXPECT(!heist_sim_failed(NULL) && heist_sim_turns(NULL) == 0 && heist_sim_seed(NULL) == 0);
	EXPECT(heist_sim_system(NULL) == NULL && heist_sim_of(NULL) == NULL);
	heist_sim_fail(NULL, "nobody");
	EXPECT(heist_sim_pass(sim, 0) == HEIST_OK);
#ifdef NDEBUG
	EXPECT(heist_sim_start(NULL, NULL, NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_run(NULL, 0) == HEIST_EINVAL && heist_sim_pass(NULL, 1) == HEIST_EINVAL);
	EXPECT(heist_sim_end(NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_spare(NULL, alive) == HEIST_EINVAL);
	EXPECT(heist_sim_probe(sim, NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_expect(sim, alive, &WORD, 1, NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_expect_none(NULL, alive, 1) == HEIST_EINVAL);
	EXPECT(heist_sim_reply(sim, dead, HEIST_OK, NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_watch(sim, alive, alive) == HEIST_EINVAL);
	EXPECT(heist_sim_expect_end(sim, alive, alive, 1, NULL) == HEIST_EINVAL);
	EXPECT(heist_sim_spare(sim, (heist_ref){ 0 }) == HEIST_EINVAL);
#endif
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}

TEST(sim, a_shorter_structure_is_read_within_its_size)
{
	heist_sim_opts o;
	memset(&o, 0xff, sizeof o);
	o.struct_size = (uint32_t)offsetof(heist_sim_opts, step_ns);
	o.seed = 5;
	o.order = 0;
	begin(&o);
	EXPECT(heist_sim_end(sim) == HEIST_OK);
}
