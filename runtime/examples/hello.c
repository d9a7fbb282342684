/* SPDX-License-Identifier: BSD-2-Clause
 * hello.c - a counter that is told to add and asked for its value. */
#include <heist/heist.h>
#include <stdio.h>

struct counter_add {
	int64_t by;
};
struct counter_get {
	char unused;
};
struct counter_value {
	int64_t n;
};
#define COUNTER(X, P) X(P, add, heist_unit, NULL) X(P, get, struct counter_value, NULL)
HEIST_PROTOCOL(counter, COUNTER);

struct counter {
	int64_t n;
}; /* private state: zeroed and freed by the runtime */
static heist_next counter_on_add(heist_ctx *c, struct counter *s, struct counter_add *m)
{
	(void)c;
	s->n += m->by;
	return HEIST_CONTINUE;
}
static heist_next counter_on_get(heist_ctx *c, struct counter *s, struct counter_get *m)
{
	(void)m;
	counter_reply_get(c, (struct counter_value){ s->n });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(counter, struct counter, COUNTER);

int main(void)
{
	heist_system *sys;
	counter_ref c;
	struct counter_value v = { 0 };
	if (heist_start(NULL, &sys) || counter_spawn(sys, NULL, NULL, &c))
		return 1;
	for (int i = 0; i < 1000; i++)
		counter_send_add(c, (struct counter_add){ .by = 1 });
	heist_status st =
		counter_call_get(sys, c, (struct counter_get){ 0 }, heist_in_ms(sys, 5000), &v);
	printf("%s %lld\n", heist_strstatus(st), (long long)v.n);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || v.n != 1000;
}
