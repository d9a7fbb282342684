/* SPDX-License-Identifier: BSD-2-Clause
 * steps.c - see world.h. */
#include <fcntl.h>
#include <unistd.h>

#include "tests/fuzz/world.h"

static void do_alloc(struct actor *me)
{
	uint32_t n = byte();
	if (!me->ctx)
		return;
	unsigned char *p = heist_alloc(me->ctx, n);
	for (uint32_t i = 0; p && i < n; i++) {
		MUST(p[i] == 0);
		p[i] = 1;
	}
}

static void look(void)
{
	heist_stats t = heist_stats_default();
	heist_lost_type by_type[8];
	uint64_t lost = 0;
	MUST(heist_get_stats(sys, &t) == HEIST_OK);
	for (int c = 0; c < HEIST_CAUSES; c++)
		lost += t.lost[c];
	MUST(t.timers_armed >= t.timers_fired + t.timers_cancelled);
	MUST(heist_lost_types(sys, by_type, 8) <= TYPES + 4);
	(void)lost;
}

static void do_dump(void)
{
	static int nowhere = -1;
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	heist_status st = heist_dump_events(sys, nowhere);
	MUST(st == HEIST_OK);
}

/* One allocation from here fails, or all for a while. */
static void do_deny(void)
{
	uint32_t x = byte();
	denied = true;
	if (x & 1)
		memory.fail_at = x & 2 ? memory.calls + 1 : 0;
	else
		memory.fail_once = memory.calls + 1 + x / 2;
}

static void do_become(struct actor *me)
{
	if (me->ctx && turn)
		heist_become(me->ctx, some_behaviour());
}

/* What is done seldom, so that the rest is not crowded out. */
static void rare_step(struct actor *me)
{
	switch (below(6)) {
	default:
		do_send_many();
		break;
	case 1:
	case 2:
		do_list();
		break;
	case 3:
		do_path();
		break;
	case 4:
		do_urgent(me);
		break;
	case 5:
		do_notify();
		break;
	}
}

void step(struct actor *me)
{
	switch (below(30)) {
	default:
		do_send(me);
		break;
	case 6:
		do_new();
		break;
	case 7:
		do_post(me);
		break;
	case 8:
		do_discard(below(PLACES));
		break;
	case 9:
	case 10:
		do_spawn(me);
		break;
	case 11:
		do_end(me);
		break;
	case 12:
		do_register();
		break;
	case 13:
		do_unregister();
		break;
	case 14:
		do_whereis();
		break;
	case 15:
		do_reply_to(me);
		break;
	case 16:
		do_supervise(me);
		break;
	case 17:
		do_add_child(me);
		break;
	case 18:
		do_deny();
		break;
	case 19:
		look();
		break;
	case 20:
		do_dump();
		break;
	case 21:
		rare_step(me);
		break;
	}
}

/* The same of an actor. */
static void rare_inner_step(struct actor *me)
{
	static void (*const steps[])(struct actor *) = { do_stash,   do_unstash,    do_push,
							 do_pop,     do_hold,	    do_idle,
							 do_ask_all, do_spawn_child };
	steps[below(8)](me);
}

/* What only an actor can do. */
static void inner_step(struct actor *me)
{
	switch (below(24)) {
	default:
		step(me);
		break;
	case 0:
	case 1:
		do_ask(me);
		break;
	case 2:
	case 3:
		do_reply(me);
		break;
	case 4:
		do_reply_later(me);
		break;
	case 5:
		do_forward(me);
		break;
	case 6:
		do_take(me);
		break;
	case 7:
	case 8:
		do_timer(me);
		break;
	case 9:
		do_cancel(me);
		break;
	case 10:
		do_monitor(me);
		break;
	case 11:
		do_demonitor(me);
		break;
	case 12:
		do_link(me);
		break;
	case 13:
		do_alloc(me);
		break;
	case 14:
		do_become(me);
		break;
	case 15:
		(void)heist_out_of_budget(me->ctx);
		(void)heist_deadline(me->ctx);
		(void)heist_recent(me->ctx);
		break;
	case 16:
		rare_inner_step(me);
		break;
	}
}

void act(struct actor *me, uint32_t most)
{
	if (!more())
		return;
	for (uint32_t n = below(most + 1); n > 0; n--)
		inner_step(me);
}
