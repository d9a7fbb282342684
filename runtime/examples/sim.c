/* SPDX-License-Identifier: BSD-2-Clause
 * sim.c - a store, and a display that shows what is in it, tried in a thousand orders.
 *
 * `example_sim early` has a bug that some orders show: the display is told of a change before the store is known to
 * have it, so it may fetch the old value, and show that for ever.
 *
 *     heist-sim --seeds 1000 ./example_sim early        finds a seed, and what of it is needed */
#include <heist/sim.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	char unused;
};
struct value {
	int64_t n;
};

#define store_put   value
#define store_get   unit
#define STORE(X, P) X(P, put, struct value, NULL) X(P, get, struct value, NULL)
HEIST_PROTOCOL(store, STORE);

static heist_next store_on_put(heist_ctx *c, struct value *s, struct value *m)
{
	*s = *m;
	store_reply_put(c, *s);
	return HEIST_CONTINUE;
}

static heist_next store_on_get(heist_ctx *c, struct value *s, struct unit *m)
{
	(void)m;
	store_reply_get(c, *s);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(store, struct value, STORE);

struct display_changed {
	store_ref store;
};
#define display_look  unit
#define DISPLAY(X, P) X(P, changed, heist_unit, NULL) X(P, look, struct value, NULL)
HEIST_PROTOCOL(display, DISPLAY);

static void display_fetched(heist_ctx *c, struct value *s, heist_status status,
			    const struct value *v, uint64_t user)
{
	(void)c, (void)user;
	if (status == HEIST_OK)
		*s = *v;
}
HEIST_ON_REPLY(store, get, struct value, display_fetched);

static heist_next display_on_changed(heist_ctx *c, struct value *s, struct display_changed *m)
{
	(void)s;
	bool asked = store_ask_get(c, m->store, (struct unit){ 0 }, 0, display_fetched_k, 0) == 0;
	return asked ? HEIST_CONTINUE : HEIST_FAIL;
}

static heist_next display_on_look(heist_ctx *c, struct value *s, struct unit *m)
{
	(void)m;
	display_reply_look(c, *s);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(display, struct value, DISPLAY);

/* The test: the same actors, no changes.  user: is the bug in? */
static void run(heist_sim *sim, heist_system *sys, void *user)
{
	store_ref store;
	display_ref display;
	struct value v = { -1 };
	if (store_spawn(sys, NULL, NULL, &store) || display_spawn(sys, NULL, NULL, &display)) {
		heist_sim_fail(sim, "cannot spawn");
		return;
	}
	for (int64_t i = 1; i <= 4; i++) {
		if (*(bool *)user)
			store_send_put(store, (struct value){ i });
		else
			store_call_put(sys, store, (struct value){ i }, 0, &v);
		display_send_changed(display, (struct display_changed){ store });
	}
	heist_sim_run(sim, 0);
	(void)display_call_look(sys, display, (struct unit){ 0 }, 0, &v);
	HEIST_SIM_CHECK(sim, v.n == 4);
}

int main(int argc, char **argv)
{
	heist_sim_opts opts = heist_sim_opts_default();
	bool early = argc > 1 && strcmp(argv[1], "early") == 0;
	opts.delay = 100000;		       /* a message in ten */
	setenv("HEIST_SIM_SEED", "1+1000", 0); /* unless it says something else */
	return heist_sim_main(argc, argv, &opts, run, &early);
}
