/* SPDX-License-Identifier: BSD-2-Clause
 * monitor.c - a boss watches three workers that end in three ways, and tells the main thread how. */
#include <heist/heist.h>
#include <stdio.h>
#include <string.h>

struct worker_divide {
	int64_t a, b;
};
#define WORKER(X, P) X(P, divide, heist_unit, NULL)
HEIST_PROTOCOL(worker, WORKER);

struct worker {
	char *notes;
};

static int64_t divide(heist_ctx *c, int64_t a, int64_t b)
{
	if (b == 0)
		heist_panic(c, (heist_status)(HEIST_EUSER - 1)); /* from whatever depth */
	return a / b;
}

static heist_next worker_on_divide(heist_ctx *c, struct worker *w, struct worker_divide *m)
{
	w->notes = heist_alloc(c, 64); /* never freed by hand, not even after a panic */
	if (!w->notes)
		return HEIST_FAIL;
	snprintf(w->notes, 64, "%lld / %lld = %lld", (long long)m->a, (long long)m->b,
		 (long long)divide(c, m->a, m->b));
	return HEIST_STOP;
}
HEIST_ACTOR(worker, struct worker, WORKER);

struct boss_begin {
	char unused;
};
struct boss_report {
	int32_t how[3];
};
#define BOSS(X, P) X(P, begin, struct boss_report, NULL)
HEIST_PROTOCOL(boss, BOSS);

struct boss {
	worker_ref worker[3];
	int ended;
	struct boss_report report;
	boss_begin_owed owed;
};

static heist_next boss_on_begin(heist_ctx *c, struct boss *b, struct boss_begin *m)
{
	(void)m;
	b->owed = boss_later_begin(c);
	for (int i = 0; i < 3; i++)
		if (heist_spawn_monitor(c, &worker_class, NULL, NULL, &b->worker[i].ref))
			return HEIST_FAIL;
	worker_send_divide(b->worker[0], (struct worker_divide){ 6, 3 });
	worker_send_divide(b->worker[1], (struct worker_divide){ 6, 0 });
	heist_kill(b->worker[2].ref, HEIST_EKILLED);
	return HEIST_CONTINUE;
}

static heist_next boss_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	struct boss *b = state;
	(void)c;
	for (int i = 0; i < 3; i++)
		if (b->worker[i].ref.v == sig->who.v)
			b->report.how[i] = (int32_t)sig->how;
	if (++b->ended == 3)
		boss_reply_to_begin(b->owed, b->report);
	return HEIST_CONTINUE;
}
static const heist_hooks boss_hooks = { .signal = boss_signal };
HEIST_ACTOR_WITH(boss, struct boss, BOSS, heist_unhandled, &boss_hooks);

int main(void)
{
	static const int32_t expected[] = { HEIST_EXIT_NORMAL, HEIST_EXIT_CRASHED,
					    HEIST_EXIT_KILLED };
	heist_system *sys;
	boss_ref b;
	struct boss_report r = { { 0 } };
	if (heist_start(NULL, &sys) || boss_spawn(sys, NULL, NULL, &b))
		return 1;
	heist_status st =
		boss_call_begin(sys, b, (struct boss_begin){ 0 }, heist_in_ms(sys, 5000), &r);
	printf("%s: one ended normally (%d), one crashed (%d), one was killed (%d)\n",
	       heist_strstatus(st), r.how[0], r.how[1], r.how[2]);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK ||
	       memcmp(r.how, expected, sizeof expected) != 0;
}
