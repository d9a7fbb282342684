/* SPDX-License-Identifier: BSD-2-Clause
 * ask.c - actors that ask actors: an auditor asks two counters how far they are, goes on meanwhile, and answers the
 * one that asked it when it has both. */
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

static heist_next counter_on_add(heist_ctx *c, int64_t *n, struct counter_add *m)
{
	(void)c;
	*n += m->by;
	return HEIST_CONTINUE;
}

static heist_next counter_on_get(heist_ctx *c, int64_t *n, struct counter_get *m)
{
	(void)m;
	counter_reply_get(c, (struct counter_value){ *n });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(counter, int64_t, COUNTER);

struct auditor_sum {
	counter_ref counters[2];
};
#define AUDITOR(X, P) X(P, sum, struct counter_value, NULL)
HEIST_PROTOCOL(auditor, AUDITOR);

struct auditor {
	auditor_sum_owed owed; /* the answer that is not given yet */
	int64_t sum;
	int missing;
};

/* A turn of the auditor, as a handler is: with its reply, or with why there is none. */
static void auditor_told(heist_ctx *c, struct auditor *s, heist_status status,
			 const struct counter_value *v, uint64_t user)
{
	(void)c, (void)user;
	s->sum += status == HEIST_OK ? v->n : 0;
	if (--s->missing == 0)
		auditor_reply_to_sum(s->owed, (struct counter_value){ s->sum });
}
HEIST_ON_REPLY(counter, get, struct auditor, auditor_told);

static heist_next auditor_on_sum(heist_ctx *c, struct auditor *s, struct auditor_sum *m)
{
	s->owed = auditor_later_sum(c);
	if (s->owed.t.v[0] == 0)
		return HEIST_FAIL;	     /* who asked is told at once */
	for (; s->missing < 2; s->missing++) /* by the deadline of the one that asks here */
		if (counter_ask_get(c, m->counters[s->missing], (struct counter_get){ 0 }, 0,
				    auditor_told_k, 0) != HEIST_OK)
			return HEIST_FAIL;
	return HEIST_CONTINUE;
}
HEIST_ACTOR(auditor, struct auditor, AUDITOR);

int main(void)
{
	struct auditor_sum question;
	struct counter_value v = { 0 };
	heist_system *sys;
	auditor_ref auditor;
	if (heist_start(NULL, &sys) || auditor_spawn(sys, NULL, NULL, &auditor))
		return 1;
	for (int i = 0; i < 2; i++) {
		if (counter_spawn(sys, NULL, NULL, &question.counters[i]))
			return 1;
		for (int k = 0; k < 100; k++)
			counter_send_add(question.counters[i], (struct counter_add){ i + 1 });
	}
	heist_status st = auditor_call_sum(sys, auditor, question, heist_in_ms(sys, 20000), &v);
	printf("%s %lld\n", heist_strstatus(st), (long long)v.n);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || v.n != 300;
}
