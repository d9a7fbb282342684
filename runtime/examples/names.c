/* SPDX-License-Identifier: BSD-2-Clause
 * names.c - a service that clients find by its name, and its successor under the same name.  At the end, what
 * the runtime did last. */
#include <heist/heist.h>
#include <stdio.h>

#define SERVICE "shop/till" /* letters, digits and . _ - / : @ */

struct till_pay {
	int64_t amount;
};
struct till_change {
	int64_t amount;
};
struct till_close {
	char unused;
};
#define TILL(X, P)                                                                                 \
	X(P, pay, struct till_change, NULL)                                                        \
	X(P, close, heist_unit, NULL)
HEIST_PROTOCOL(till, TILL);

struct till {
	int64_t taken;
};

static heist_next till_on_pay(heist_ctx *c, struct till *t, struct till_pay *m)
{
	t->taken += 7;
	till_reply_pay(c, (struct till_change){ m->amount - 7 });
	return HEIST_CONTINUE;
}

/* The name would be free with the end of the actor; given back, it is free before the answer. */
static heist_next till_on_close(heist_ctx *c, struct till *t, struct till_close *m)
{
	(void)t, (void)m;
	return heist_unregister(heist_system_of(c), SERVICE) == HEIST_OK ? HEIST_STOP : HEIST_FAIL;
}
HEIST_ACTOR(till, struct till, TILL);

/* A till that clients find; nobody else may have the name. */
static heist_status open_till(heist_system *sys)
{
	till_ref t;
	heist_status st = till_spawn(sys, NULL, NULL, &t);
	return st == HEIST_OK ? heist_register(sys, SERVICE, t.ref) : st;
}

static till_ref the_till(heist_system *sys)
{
	till_ref t = { heist_whereis(sys, SERVICE) };
	return t;
}

/* Pay whoever is the till now. */
static int64_t pay(heist_system *sys, int64_t amount)
{
	struct till_change change = { -1 };
	heist_status st = till_call_pay(sys, the_till(sys), (struct till_pay){ amount },
					heist_in_ms(sys, 5000), &change);
	return st == HEIST_OK ? change.amount : -1;
}

int main(void)
{
	heist_config config = heist_config_default();
	heist_system *sys;
	config.events = 100;
	if (heist_start(&config, &sys) || open_till(sys))
		return 1;
	int64_t a = pay(sys, 10);
	if (till_call_close(sys, the_till(sys), (struct till_close){ 0 }, 0, NULL))
		return 1;
	if (pay(sys, 10) != -1 || open_till(sys)) /* nobody there, then a successor */
		return 1;
	int64_t b = pay(sys, 20);
	printf("%lld %lld\n", (long long)a, (long long)b);
	heist_dump_events(sys, 2);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || a != 3 || b != 13;
}
