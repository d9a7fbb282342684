/* SPDX-License-Identifier: BSD-2-Clause
 * chain.h - asks that go in a circle: A asks B, whose handler asks C, whose handler asks A.  Debug builds
 * find and log them; in others there is nothing here.
 *
 * Every ask that waits has a link: who asked, and on behalf of which other ask.  A new one whose receiver is
 * an asker on the way up closes a circle.  Nobody waits in a handler here, so that is no deadlock by
 * itself; but if each of them answers only when it has its own answer, none ever does.
 *
 * Threads   the runner of the asker; links are under a lock. */
#ifndef HEIST_RUNTIME_CHAIN_H
#define HEIST_RUNTIME_CHAIN_H

#include "runtime/message.h"
#include "runtime/spinlock.h"

struct chain_link;

#ifdef NDEBUG

struct chains {
	char unused;
};

static inline struct chain_link *heist_chain_add(heist_ctx *ctx, heist_ref to, uint64_t id,
						 const struct request_header *cause)
{
	(void)ctx, (void)to, (void)id, (void)cause;
	return NULL;
}

static inline void heist_chain_remove(struct chain_link *link)
{
	(void)link;
}

#else

#define CHAIN_BUCKETS 256u

/* Of a runtime; all zero: none. */
struct chains {
	struct spinlock lock;
	struct chain_link *bucket[CHAIN_BUCKETS];
};

/* The running actor asks `to` on behalf of `cause`, zeroes: of nobody.  NULL: no memory, it is not seen. */
struct chain_link *heist_chain_add(heist_ctx *ctx, heist_ref to, uint64_t id,
				   const struct request_header *cause);
/* It does not wait any more. */
void heist_chain_remove(struct chain_link *link);

#endif

#endif
