/* SPDX-License-Identifier: BSD-2-Clause
 * fault.c - a handler that divides by zero ends its actor, not the process; the supervisor starts it again. */
#include <heist/heist.h>
#include <stdio.h>

struct ratio_of {
	int32_t a, b;
};
struct ratio_result {
	int32_t quotient, starts;
};
#define RATIO(X, P) X(P, of, struct ratio_result, NULL)
HEIST_PROTOCOL(ratio, RATIO);

struct ratio {
	char unused;
};
static int32_t starts; /* of the only one there is */

/* Holds no lock, uses no heap, writes to nothing but its state: it may be given up anywhere. */
static heist_next ratio_on_of(heist_ctx *c, struct ratio *r, struct ratio_of *m)
{
	(void)r;
	ratio_reply_of(c, (struct ratio_result){ m->a / m->b, starts });
	return HEIST_CONTINUE;
}

static heist_next ratio_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c, (void)state, (void)arg;
	starts++;
	return HEIST_CONTINUE;
}
static const heist_hooks ratio_hooks = { .flags = HEIST_PURE, .init = ratio_init };
HEIST_ACTOR_WITH(ratio, struct ratio, RATIO, heist_unhandled, &ratio_hooks);

int main(void)
{
	heist_config config = heist_config_default();
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_system *sys;
	heist_ref supervisor;
	ratio_ref p;
	struct ratio_result r = { 0, 0 };
	config.contain = HEIST_ON;
	child.cls = &ratio_class;
	sup.children = &child;
	sup.child_count = 1;
	if (heist_start(&config, &sys) || heist_supervise(sys, &sup, &supervisor, &p.ref))
		return 1;
	heist_status bad =
		ratio_call_of(sys, p, (struct ratio_of){ 1, 0 }, heist_in_ms(sys, 5000), &r);
	heist_status good =
		ratio_call_of(sys, p, (struct ratio_of){ 42, 6 }, heist_in_ms(sys, 5000), &r);
	printf("1/0: %s; 42/6: %s, %d; started %d times\n", heist_strstatus(bad),
	       heist_strstatus(good), r.quotient, r.starts);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || bad == HEIST_OK ||
	       good != HEIST_OK || r.quotient != 7 || r.starts != 2;
}
