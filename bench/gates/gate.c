/* SPDX-License-Identifier: BSD-2-Clause
 * gate.c - one workload on a polled runtime, so that everything happens on this thread and can be counted.
 *
 * usage: gate ping_pong|one_way|spawn_stop|ask OPERATIONS
 * Prints read-modify-writes, fences and allocations of the run, in a build with -Dcount_atomics=true. */
#include <heist/heist.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/workload/adder.h"
#include "lockfree/seam.h"

static long allocations;
static int64_t left;
static const heist_type N = { .base = &N, .name = "n", .size = 8, .reply_size = 1 };

static void *count_alloc(void *user, size_t size, size_t align)
{
	void *p = NULL;
	(void)user;
	allocations++;
	return posix_memalign(&p, align < 16 ? 16 : align, size) == 0 ? p : NULL;
}

static void count_free(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	free(p);
}

/* ping_pong: the peer is the state. */
static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	heist_ref *peer = state;
	int64_t n = *(int64_t *)msg;
	(void)ctx;
	if (peer->v == 0)
		peer->v = (uint64_t)n;
	else if (n > 0)
		heist_send(*peer, type, &(int64_t){ n - 1 });
	return HEIST_CONTINUE;
}
static const heist_class player = { "player", HEIST_ABI, 8, player_recv, NULL };

/* one_way: windows of 100, answered by one credit. */
static heist_ref producer, counter;

static heist_next producer_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)msg;
	for (int64_t i = 0; i < 100 && left > 0; i++, left--)
		heist_send(counter, type, &i);
	return HEIST_CONTINUE;
}
static const heist_class producer_class = { "producer", HEIST_ABI, 0, producer_recv, NULL };

static heist_next counter_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t *seen = state;
	(void)ctx;
	if (++*seen % 100 == 0)
		heist_send(producer, type, msg);
	return HEIST_CONTINUE;
}
static const heist_class counter_class = { "counter", HEIST_ABI, 8, counter_recv, NULL };

/* spawn_stop: litters of 1,000 that each handle one message. */
static heist_next child_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state;
	if (*(int64_t *)msg == 0)
		heist_send(producer, type, msg);
	return HEIST_STOP;
}
static const heist_class child = { "child", HEIST_ABI, 0, child_recv, NULL };

static heist_next mother_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)msg;
	for (int64_t i = 0; i < 1000 && left > 0; i++, left--) {
		heist_ref c;
		if (heist_spawn(heist_system_of(ctx), &child, NULL, NULL, &c) == HEIST_OK)
			heist_send(c, type, &i);
	}
	return HEIST_CONTINUE;
}
static const heist_class mother = { "mother", HEIST_ABI, 0, mother_recv, NULL };

/* ask: one request at a time, with a deadline. */
static void ask_next(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		     uint64_t user)
{
	if (status != HEIST_OK || (uint64_t) * (const int64_t *)reply != user + 1)
		exit(1);
	if (left-- > 0 && heist_ask(ctx, counter, &ADD, &left, heist_recent(ctx) + ASK_TIMEOUT,
				    ask_next, (uint64_t)left) != HEIST_OK)
		exit(1);
	(void)state;
}

static heist_next asker_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)type, (void)msg;
	ask_next(ctx, state, HEIST_OK, &(int64_t){ 1 }, 0);
	return HEIST_CONTINUE;
}
static const heist_class asker = { "asker", HEIST_ABI, 0, asker_recv, NULL };

static heist_ref spawn(heist_system *s, const heist_class *c)
{
	heist_ref r;
	if (heist_spawn(s, c, NULL, NULL, &r) != HEIST_OK)
		exit(1);
	return r;
}

static void run(heist_system *s, const char *workload, int64_t n)
{
	if (strcmp(workload, "ping_pong") == 0) {
		heist_ref a = spawn(s, &player), b = spawn(s, &player);
		heist_send(a, &N, &b);
		heist_send(b, &N, &a);
		heist_send(a, &N, &n);
	} else if (strcmp(workload, "ask") == 0) {
		heist_ref a = spawn(s, &asker);
		left = n;
		counter = spawn(s, &server);
		heist_send(a, &N, &n);
	} else {
		bool one_way = strcmp(workload, "one_way") == 0;
		left = n;
		producer = spawn(s, one_way ? &producer_class : &mother);
		counter = spawn(s, &counter_class);
		heist_send(producer, &N, &n);
	}
	while (heist_poll(s, 0, 1 << 30) > 0)
		;
}

int main(int argc, char **argv)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	c.alloc = count_alloc;
	c.dealloc = count_free;
	if (argc != 3 || heist_start(&c, &s) != HEIST_OK)
		return 1;
	run(s, argv[1], 5000); /* warm pools */
	allocations = 0;
#ifdef HEIST_COUNT_ATOMICS
	heist_rmw_count = heist_fence_count = 0;
	run(s, argv[1], atol(argv[2]));
	printf("%llu %llu %ld\n", (unsigned long long)heist_rmw_count,
	       (unsigned long long)heist_fence_count, allocations);
#else
	run(s, argv[1], atol(argv[2]));
	printf("0 0 %ld\n", allocations);
#endif
	return heist_shutdown(s, 0) != HEIST_OK;
}
