/* SPDX-License-Identifier: BSD-2-Clause
 * Rounds of a mesh under load: actors send to random others, spawn, stop, are killed, ask, while foreign
 * threads send.  Each round ends in quiescence with exact accounting:
 * accepted == handled + lost, order per pair, never two handlers of one actor at once. */
#include <heist/heist.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/oracle.h"
#include "tests/support/print.h"
#include "tests/support/stress.h"
#include "tests/support/wait.h"

#define ACTORS	8
#define FOREIGN 2
#define SENDS	200

static const heist_type BALL = { .base = &BALL, .name = "ball", .size = 24, .reply_size = 1 };
static const heist_type ASK = { .base = &ASK, .name = "ask", .size = 8, .reply_size = 8 };

struct ball {
	uint64_t sender, sequence, hops;
};

static _Atomic uint64_t targets[ACTORS];
static struct oracle own; /* lives */
static _Atomic long answers, asked;
static heist_system *sys;

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

struct node {
	_Atomic int running;
	uint64_t life, random;
	uint64_t seen[FOREIGN + 1]; /* last sequence of each foreign thread */
};

static heist_next node_init(heist_ctx *ctx, void *state, const void *arg)
{
	struct node *n = state;
	n->random = *(const uint64_t *)arg | 1;
	(void)ctx;
	n->life = oracle_begins(&own);
	return HEIST_CONTINUE;
}

static void node_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)why;
	oracle_ends(&own, ((struct node *)state)->life);
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)status, (void)reply, (void)user;
	atomic_fetch_add(&answers, 1);
}

static const heist_class node_class;

static void replace(heist_system *s, uint64_t seed)
{
	heist_ref r;
	if (heist_spawn(s, &node_class, NULL, &seed, &r) == HEIST_OK)
		atomic_store(&targets[seed % ACTORS], r.v);
}

static heist_next node_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct node *n = state;
	if (atomic_exchange(&n->running, 1))
		stress_fail("two handlers of one actor at once");
	heist_next verdict = HEIST_CONTINUE;
	if (type == &ASK) {
		if (next(&n->random) % 4)
			heist_reply(ctx, HEIST_OK, type, msg);
	} else {
		struct ball b = *(struct ball *)msg;
		if (b.sender <= FOREIGN && b.sender) {
			if (!oracle_later(&n->seen[b.sender - 1], b.sequence))
				stress_fail("messages of one sender out of order");
		}
		uint64_t r = next(&n->random);
		heist_ref to = { atomic_load(&targets[r % ACTORS]) };
		if (b.hops) {
			struct ball more = { 0, 0, b.hops - 1 };
			heist_send(to, &BALL, &more);
		}
		if (r >> 8 & 1) {
			uint64_t q = r;
			if (heist_ask(ctx, to, &ASK, &q, 0, on_answer, 0) == HEIST_OK)
				atomic_fetch_add(&asked, 1);
		}
		if ((r >> 16) % 64 == 0)
			replace(heist_system_of(ctx), r >> 24);
		if ((r >> 32) % 64 == 0)
			verdict = (r >> 40) % 2 ? HEIST_STOP : HEIST_FAIL;
	}
	atomic_store(&n->running, 0);
	return verdict;
}
static const heist_hooks node_hooks = { .arg_size = 8, .init = node_init, .stop = node_stop };
static const heist_class node_class = { "node", HEIST_ABI, sizeof(struct node), node_recv,
					&node_hooks };

struct thread {
	pthread_t id;
	uint64_t sender, random;
};

static void *foreign(void *arg)
{
	struct thread *t = arg;
	for (uint64_t i = 1; i <= SENDS; i++) {
		uint64_t r = next(&t->random);
		heist_ref to = { atomic_load(&targets[r % ACTORS]) };
		struct ball b = { t->sender, i, r >> 8 & 7 };
		heist_send(to, &BALL, &b);
		if ((r >> 16) % 32 == 0)
			heist_stop(to, HEIST_OK);
		if ((r >> 24) % 32 == 0)
			heist_kill(to, HEIST_OK);
		if ((r >> 32) % 16 == 0)
			replace(sys, r >> 40);
		for (volatile uint64_t d = r >> 58; d > 0; d--)
			;
	}
	return NULL;
}

static void round_of(uint32_t workers, uint64_t seed)
{
	heist_config c = heist_config_default();
	struct thread t[FOREIGN];
	c.workers = workers;
	c.pin = HEIST_OFF;
	c.batch = 1 + (uint32_t)(seed % 5);
	if (heist_start(&c, &sys) != HEIST_OK)
		stress_fail("heist_start");
	for (uint64_t i = 0; i < ACTORS; i++)
		replace(sys, seed / ACTORS * ACTORS + i);
	for (int i = 0; i < FOREIGN; i++) {
		t[i].sender = (uint64_t)i + 1;
		t[i].random = (seed + (uint64_t)i + 1) * 0x9E3779B97F4A7C15u | 1;
		pthread_create(&t[i].id, NULL, foreign, &t[i]);
	}
	for (int i = 0; i < FOREIGN; i++)
		pthread_join(t[i].id, NULL);
	if (seed % 4 && !test_balanced(sys)) { /* else: stop in the middle of it */
		print_runtime(sys);
		stress_fail("the counters never agreed: a message hangs");
	}
	if ((seed % 4 ? heist_shutdown(sys, 0) : shut_down_within(sys, 2000)) != HEIST_OK)
		stress_fail("heist_shutdown");
}

static void run(int thread, struct rng *r)
{
	(void)thread;
	round_of(1 + rng_below(r, 4), rng_next(r));
}

static void begin(struct rng *r)
{
	(void)r;
	oracle_clear(&own);
	answers = asked = 0;
}

static void end(void)
{
	const char *wrong = oracle_wrong(&own, 0);
	if (wrong)
		stress_fail("%s", wrong);
	if (answers > asked)
		stress_fail("a request was answered twice");
}

int main(int argc, char **argv)
{
	static const struct stress s = { "mesh", 1, 600, begin, run, end, NULL };
	return stress_main(argc, argv, &s);
}
