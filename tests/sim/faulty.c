/* SPDX-License-Identifier: BSD-2-Clause
 * faulty.c - programs that go wrong in each way that heist-sim must tell.
 *
 * usage: sim_faulty abort|fault|hang|twins|global, with the environment of heist_sim_main */
#include <heist/sim.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8 };

static const char *how;
static uint64_t first[2], seen; /* of two senders */

static void go_wrong(heist_ctx *c)
{
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "fault") == 0)
		raise(SIGSEGV);
	while (strcmp(how, "hang") == 0)
		;
	heist_sim_fail(heist_sim_of(heist_system_of(c)), "the second came first, twice");
}

/* Goes wrong if the second of two senders is first in both of two rounds. */
static heist_next judge(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	if (seen % 2 == 0)
		first[seen / 2 % 2] = n;
	if (++seen == 4 && first[0] == 1 && first[1] == 1)
		go_wrong(c);
	return HEIST_CONTINUE;
}
static const heist_class judge_class = { "judge", HEIST_ABI, 0, judge, NULL };

struct sender {
	heist_ref judge;
	uint64_t number;
};

static heist_next sender(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	struct sender *s = state;
	(void)c, (void)msg;
	return heist_send(s->judge, type, &s->number) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
}
static heist_next sender_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	memcpy(state, arg, sizeof(struct sender));
	return HEIST_CONTINUE;
}
static const heist_hooks sender_hooks = { .arg_size = sizeof(struct sender), .init = sender_init };
static const heist_class sender_class = { "sender", HEIST_ABI, sizeof(struct sender), sender,
					  &sender_hooks };

static void run(heist_sim *sim, heist_system *s, void *user)
{
	static int runs;
	heist_ref r[2];
	struct sender arg;
	uint64_t n = 0;
	(void)user;
	seen = 0;
	if (strcmp(how, "global") == 0) /* what is left from the seeds before decides */
		HEIST_SIM_CHECK(sim, runs++ < 20);
	else if (heist_spawn(s, &judge_class, NULL, NULL, &arg.judge) != HEIST_OK)
		return;
	for (arg.number = 0; strcmp(how, "global") != 0 && arg.number < 2; arg.number++)
		if (heist_spawn(s, &sender_class, NULL, &arg, &r[arg.number]) != HEIST_OK)
			return;
	for (int round = 0; strcmp(how, "global") != 0 && round < 2; round++) {
		for (int i = 0; i < 2; i++)
			(void)heist_send(r[i], &WORD, &n);
		heist_sim_run(sim, 0);
	}
}

int main(int argc, char **argv)
{
	heist_sim_opts o = heist_sim_opts_default();
	how = argc > 1 ? argv[1] : "";
	o.order = 300000;
	o.delay = 100000;
	o.delay_ns = 1; /* changes nothing: must be left out */
	return heist_sim_main(argc, argv, &o, run, NULL);
}
