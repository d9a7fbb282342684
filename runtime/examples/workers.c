/* SPDX-License-Identifier: BSD-2-Clause
 * workers.c - a boss asks a team for squares, adds them up, and tells the main thread. */
#include <heist/heist.h>
#include <stdio.h>

struct worker_square {
	int64_t n;
};
struct worker_result {
	int64_t n;
};
#define WORKER(X, P) X(P, square, struct worker_result, NULL)
HEIST_PROTOCOL(worker, WORKER);

struct worker {
	char unused;
};
static heist_next worker_on_square(heist_ctx *c, struct worker *s, struct worker_square *m)
{
	(void)s;
	worker_reply_square(c, (struct worker_result){ m->n * m->n });
	return HEIST_STOP;
}
HEIST_ACTOR(worker, struct worker, WORKER);

struct boss_sum {
	int64_t upto;
};
struct boss_total {
	int64_t n;
};
#define BOSS(X, P) X(P, sum, struct boss_total, NULL)
HEIST_PROTOCOL(boss, BOSS);

struct boss {
	int64_t total, missing;
	boss_sum_owed owed;
};

static void on_result(heist_ctx *c, struct boss *b, heist_status st, const struct worker_result *r,
		      uint64_t user)
{
	(void)c, (void)user;
	b->total += st == HEIST_OK ? r->n : 0;
	if (--b->missing == 0)
		boss_reply_to_sum(b->owed, (struct boss_total){ b->total });
}
HEIST_ON_REPLY(worker, square, struct boss, on_result);

static heist_next boss_on_sum(heist_ctx *c, struct boss *b, struct boss_sum *m)
{
	heist_system *sys = heist_system_of(c);
	b->owed = boss_later_sum(c);
	for (int64_t i = 1; i <= m->upto; i++) {
		worker_ref w;
		if (worker_spawn(sys, NULL, NULL, &w) ||
		    worker_ask_square(c, w, (struct worker_square){ i }, 0, on_result_k, 0))
			return HEIST_FAIL;
		b->missing++;
	}
	return HEIST_CONTINUE;
}
HEIST_ACTOR(boss, struct boss, BOSS);

int main(void)
{
	heist_system *sys;
	boss_ref b;
	struct boss_total t = { 0 };
	if (heist_start(NULL, &sys) || boss_spawn(sys, NULL, NULL, &b))
		return 1;
	heist_status st =
		boss_call_sum(sys, b, (struct boss_sum){ 1000 }, heist_in_ms(sys, 5000), &t);
	printf("%s %lld\n", heist_strstatus(st), (long long)t.n);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || t.n != 333833500;
}
