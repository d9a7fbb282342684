/* SPDX-License-Identifier: BSD-2-Clause
 * stream.c - see stream.h. */
#include "tests/soak/stream.h"

#include "lockfree/seam.h"
#include "tests/support/oracle.h"

#define CREDITS 4 /* bursts under way in a pair */

static const heist_type NUMBER = { .base = &NUMBER, .name = "number", .size = 8, .reply_size = 1 };
static const heist_type CREDIT = { .base = &CREDIT, .name = "credit", .size = 8, .reply_size = 1 };

/* The two ends write their own lines. */
static struct stream {
	_Alignas(128) heist_ref source;
	heist_ref drain;
	uint64_t left; /* bursts; the source's, and ours while it waits */
	_Atomic uint64_t sent;
	_Alignas(128) _Atomic uint64_t seen;
} streams[STREAMS];

static void (*failed)(const char *what);

static void send(heist_ref to, const heist_type *type, uint64_t n)
{
	if (heist_send(to, type, &n) != HEIST_OK)
		failed("a number was refused");
}

static heist_next init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx;
	*(struct stream **)state = *(struct stream *const *)arg;
	return HEIST_CONTINUE;
}

static heist_next source_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct stream *s = *(struct stream **)state;
	(void)ctx, (void)type, (void)msg;
	if (s->left == 0)
		return HEIST_CONTINUE;
	s->left--;
	uint64_t n = atomic_load_explicit(&s->sent, memory_order_relaxed); /* own */
	for (uint64_t i = 1; i <= STREAM_BURST; i++)
		send(s->drain, &NUMBER, n + i);
	heist_count(&s->sent, STREAM_BURST);
	return HEIST_CONTINUE;
}

static heist_next drain_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct stream *s = *(struct stream **)state;
	uint64_t n = *(uint64_t *)msg;
	uint64_t last = atomic_load_explicit(&s->seen, memory_order_relaxed); /* own */
	(void)ctx, (void)type;
	if (!oracle_next(&last, n))
		failed("a number is missing, doubled or out of order");
	heist_count(&s->seen, 1);
	if (n % STREAM_BURST == 0)
		send(s->source, &CREDIT, 0);
	return HEIST_CONTINUE;
}

static const heist_hooks hooks = { .arg_size = sizeof(struct stream *), .init = init };
static const heist_class source = { "source", HEIST_ABI, sizeof(struct stream *), source_recv,
				    &hooks };
static const heist_class drain = { "drain", HEIST_ABI, sizeof(struct stream *), drain_recv,
				   &hooks };

void streams_plant(heist_system *sys, void (*fail)(const char *what))
{
	failed = fail;
	for (int i = 0; i < STREAMS; i++) {
		struct stream *s = &streams[i];
		if (heist_spawn(sys, &source, NULL, &s, &s->source) != HEIST_OK ||
		    heist_spawn(sys, &drain, NULL, &s, &s->drain) != HEIST_OK)
			fail("no stream");
	}
}

void streams_begin(uint64_t bursts)
{
	for (int i = 0; i < STREAMS; i++) {
		streams[i].left = bursts;
		for (int k = 0; k < CREDITS; k++)
			send(streams[i].source, &CREDIT, 0);
	}
}

bool streams_balanced(uint64_t *sent)
{
	bool all = true;
	for (int i = 0; i < STREAMS; i++) {
		uint64_t n = atomic_load_explicit(&streams[i].sent, memory_order_relaxed);
		all = all && n == atomic_load_explicit(&streams[i].seen, memory_order_relaxed);
		*sent += n;
	}
	return all;
}
