/* SPDX-License-Identifier: BSD-2-Clause
 * supervisor.c - a worker that fails on bad input is restarted; its handle, and what is queued, stay good. */
#include <heist/heist.h>
#include <stdio.h>

struct parser_line {
	char text[16];
};
struct parser_sum {
	char unused;
};
struct parser_result {
	int64_t sum, restarts;
};
#define PARSER(X, P) X(P, line, heist_unit, NULL) X(P, sum, struct parser_result, NULL)
HEIST_PROTOCOL(parser, PARSER);

struct parser {
	int64_t sum;
};
static int64_t restarts = -1; /* of the only one there is */

static int64_t digit(heist_ctx *c, char x)
{
	if (x < '0' || x > '9')
		heist_panic(c, HEIST_ECRASH); /* this message is lost, the next one is not */
	return x - '0';
}

static heist_next parser_on_line(heist_ctx *c, struct parser *p, struct parser_line *m)
{
	for (int i = 0; m->text[i]; i++)
		p->sum += digit(c, m->text[i]);
	return HEIST_CONTINUE;
}

static heist_next parser_on_sum(heist_ctx *c, struct parser *p, struct parser_sum *m)
{
	(void)m;
	parser_reply_sum(c, (struct parser_result){ p->sum, restarts });
	return HEIST_CONTINUE;
}

static heist_next parser_init(heist_ctx *c, void *state, const void *arg)
{
	struct parser *p = state; /* zeroed again */
	(void)c;
	p->sum = *(const int64_t *)arg;
	restarts++;
	return HEIST_CONTINUE;
}
static const heist_hooks parser_hooks = { .arg_size = sizeof(int64_t), .init = parser_init };
HEIST_ACTOR_WITH(parser, struct parser, PARSER, heist_unhandled, &parser_hooks);

int main(void)
{
	static const struct parser_line lines[] = { { "12" }, { "3x" }, { "4" }, { "5" } };
	int64_t first = 1000;
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_system *sys;
	heist_ref supervisor;
	parser_ref p;
	struct parser_result r = { 0, 0 };
	child.cls = &parser_class;
	child.arg = &first;
	child.restart = HEIST_PERMANENT;
	child.backoff_min_ms = 1;
	child.backoff_max_ms = 100;
	child.jitter_percent = 20;
	sup.strategy = HEIST_ONE_FOR_ONE;
	sup.children = &child;
	sup.child_count = 1;
	if (heist_start(NULL, &sys) || heist_supervise(sys, &sup, &supervisor, &p.ref))
		return 1;
	for (int i = 0; i < 4; i++)
		parser_send_line(p, lines[i]);
	heist_status st =
		parser_call_sum(sys, p, (struct parser_sum){ 0 }, heist_in_ms(sys, 5000), &r);
	printf("%s: sum %lld after %lld restart, %llu message lost by failure\n",
	       heist_strstatus(st), (long long)r.sum, (long long)r.restarts,
	       (unsigned long long)heist_lost_count(sys, HEIST_LOST_FAILED));
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || r.sum != 1009 ||
	       r.restarts != 1;
}
