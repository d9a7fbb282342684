/* SPDX-License-Identifier: BSD-2-Clause
 * program.c - see program.h: the bytes, and the thread outside. */
#include "tests/fuzz/program.h"

#include <string.h>
#include <unistd.h>

#include "tests/fuzz/world.h"

heist_system *sys;
struct counted_memory memory;
uint64_t now_ns, wall_ns;
bool ticking;
bool denied;
bool closed;
bool waiting;
bool ending;
struct person people[LEDGER_PEOPLE];
uint32_t population;
struct oracle lives;
bool alive[LEDGER_MESSAGES];
struct ask asks[PLACES];
struct watch watches[PLACES];
struct job jobs[PLACES];
struct owed tokens[PLACES];
void *held[PLACES];
struct gather gathers[PLACES];
uint32_t named[NAMES];
struct turn *turn;

/* ---- the bytes ---- */
static const uint8_t *cursor, *cursor_end;

bool more(void)
{
	return cursor < cursor_end;
}

uint32_t byte(void)
{
	return more() ? *cursor++ : 0;
}

uint32_t below(uint32_t n)
{
	return byte() % n;
}

/* ---- outside ---- */
static uint64_t clock_of_program(void *user, heist_clock which)
{
	(void)user;
	if (ticking) {
		now_ns += MS;
		wall_ns += MS;
	}
	return which == HEIST_CLOCK_WALL ? wall_ns : now_ns;
}

static void no_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line;
}

static void on_lost(void *user, const heist_lost *l)
{
	const struct note *n = l->msg;
	(void)user;
	MUST((unsigned)l->cause < HEIST_CAUSES);
	ledger_say("lost: %s of %u", heist_strcause(l->cause), person_of(l->to));
	if (!n || !l->type || l->type->base != types)
		return;
	if (l->cause == HEIST_LOST_LATE && l->type->reply_size < sizeof *n)
		return; /* a unit */
	if (n->number)	/* 0: the runtime's own unit, whose asker failed */
		ledger_lost(n->number);
}

static heist_system *world_begin(void)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	uint32_t x = byte();
	c.mode = HEIST_POLLED;
	c.clock = clock_of_program;
	c.log = no_log;
	c.dead_letter = on_lost;
	c.alloc = counted_get;
	c.dealloc = counted_put;
	c.user = &memory.hook;
	c.max_actors = 1000;
	c.events = x & 1 ? 16 : 0;
	c.batch = x & 2 ? 1 + (x >> 6) : 0;
	if (x & 4) {
		denied = true;
		memory.fail_once = 1 + (x >> 3);
	}
	heist_status st = heist_start(&c, &s);
	MUST(st == HEIST_OK || (st == HEIST_ENOMEM && denied && !s));
	return s;
}

static void pass(uint64_t ns)
{
	now_ns += ns;
	wall_ns += ns;
}

/* What can run now, at most a little of it. */
static void poll(void)
{
	ledger_say("poll");
	MUST(heist_poll(sys, 0, (int)(1 + below(32))) >= 0);
}

static void outer_step(struct actor *me)
{
	switch (below(16)) {
	default:
		step(me);
		break;
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		poll();
		break;
	case 5:
		pass(byte() * MS);
		break;
	case 6:
		wall_ns = (1 + byte()) * SECOND; /* a jump, back or forth */
		break;
	case 7:
		do_call();
		break;
	case 8:
		if (byte() % 16 == 0) {
			closed = true;
			MUST(heist_close(sys) == HEIST_OK);
		}
		break;
	}
}

/* Nothing is left that can run; timers may wait. */
static void quiesce(void)
{
	heist_stats t = heist_stats_default();
	int polls = 0;
	memory.fail_at =
		0; /* what waits for memory, as a message for an actor that holds, goes on */
	while (heist_poll(sys, 0, 1000) > 0)
		MUST(++polls < 10000);
	MUST(heist_get_stats(sys, &t) == HEIST_OK);
	if (!waiting) /* else something may wait for a child that rests */
		MUST(test_conserved(&t));
}

static void world_end(void)
{
	memory.fail_at = 0; /* for a while is over */
	ending = true;
	for (uint32_t i = 0; i < PLACES; i++)
		do_discard(i);
	MUST(heist_shutdown(sys, 0) == HEIST_OK);
	ledger_end();
	MUST(oracle_wrong(&lives, 0) == NULL);
	MUST(counted_balanced(&memory));
}

static void forget(void)
{
	memset(people, 0, sizeof people);
	memset(alive, 0, (lives.begun + 1) * sizeof *alive);
	memset(asks, 0, sizeof asks);
	memset(gathers, 0, sizeof gathers);
	memset(watches, 0, sizeof watches);
	memset(jobs, 0, sizeof jobs);
	memset(tokens, 0, sizeof tokens);
	memset(held, 0, sizeof held);
	memset(named, 0, sizeof named);
	population = 0;
	oracle_clear(&lives);
	denied = closed = waiting = ending = ticking = false;
	now_ns = SECOND;
	wall_ns = 1000000 * SECOND;
	turn = NULL;
	counted_init(&memory);
	memory.hook.user = &memory;
}

void program_run(const uint8_t *bytes, size_t size)
{
	struct actor outside = { NULL, 0, 0 };
	cursor = bytes;
	cursor_end = bytes + size;
	ledger_begin();
	forget();
	sys = world_begin();
	if (!sys) {
		MUST(counted_balanced(&memory));
		return;
	}
	bool at_once = more() && *cursor % 4 == 0; /* end in the middle of it */
	while (more() && (!at_once || cursor_end - cursor > 64))
		outer_step(&outside);
	if (!at_once)
		quiesce();
	world_end();
}

/* Seeds (--wrap): the runtime's choices by chance are the same every time. */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags)
{
	(void)flags;
	memset(to, 1, size);
	return (ssize_t)size;
}
