/* SPDX-License-Identifier: BSD-2-Clause
 * pipeline.c - three stages, each with room for a few messages: who finds the next one full takes its own message
 * again later, so that the slowest sets the pace, memory stays bounded, and nothing is lost. */
#include <heist/heist.h>
#include <stdio.h>

struct stage_item {
	int64_t n;
};
struct stage_total {
	char unused;
};
struct stage_sum {
	int64_t items, sum, waited;
};
#define STAGE(X, P) X(P, item, heist_unit, NULL) X(P, total, struct stage_sum, NULL)
HEIST_PROTOCOL(stage, STAGE);

struct stage {
	stage_ref next; /* nobody: the last */
	struct stage_sum had;
};

static heist_next stage_on_item(heist_ctx *c, struct stage *s, struct stage_item *m)
{
	(void)c;
	if (s->next.ref.v &&
	    stage_send_item(s->next, (struct stage_item){ m->n * 2 }) == HEIST_EFULL) {
		s->had.waited++;
		return HEIST_AGAIN; /* this one again, after whoever waits for a worker */
	}
	s->had.items++;
	s->had.sum += m->n;
	return HEIST_CONTINUE;
}

static heist_next stage_on_total(heist_ctx *c, struct stage *s, struct stage_total *m)
{
	(void)m;
	stage_reply_total(c, s->had);
	return HEIST_CONTINUE;
}

static heist_next stage_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	((struct stage *)state)->next = *(const stage_ref *)arg;
	return HEIST_CONTINUE;
}
static const heist_hooks stage_hooks = { .arg_size = sizeof(stage_ref), .init = stage_init };
HEIST_ACTOR_WITH(stage, struct stage, STAGE, heist_unhandled, &stage_hooks);

#define ITEMS 1000

int main(void)
{
	heist_config config = heist_config_default();
	heist_opts opts = heist_opts_default();
	heist_system *sys;
	stage_ref s[4] = { { { 0 } } }; /* s[0]: nobody, s[1]: the last, s[3]: the first */
	struct stage_sum had = { 0 }, first = { 0 };
	int refused = 0;
	config.mode = HEIST_POLLED; /* so that it does the same each time */
	config.batch = 16;
	if (heist_start(&config, &sys) != HEIST_OK)
		return 1;
	for (int i = 1; i <= 3; i++) {
		opts.mailbox_cap = (uint32_t)(4 * i); /* the last takes least */
		if (stage_spawn(sys, &opts, &s[i - 1], &s[i]) != HEIST_OK)
			return 1;
	}
	for (int64_t n = 1; n <= ITEMS; n++)
		while (stage_send_item(s[3], (struct stage_item){ n }) == HEIST_EFULL) {
			refused++;
			heist_poll(sys, 0, 1); /* one turn of one of them */
		}
	heist_poll(sys, 0, 100000); /* until all is through */
	stage_call_total(sys, s[3], (struct stage_total){ 0 }, 0, &first);
	stage_call_total(sys, s[1], (struct stage_total){ 0 }, 0, &had);
	printf("%lld of %d items, sum %lld; the source waited %d times, the first stage %lld\n",
	       (long long)had.items, ITEMS, (long long)had.sum, refused, (long long)first.waited);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || had.items != ITEMS ||
	       had.sum != 4 * (ITEMS * (ITEMS + 1) / 2) || refused == 0 || first.waited == 0;
}
