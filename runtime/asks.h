/* SPDX-License-Identifier: BSD-2-Clause
 * asks.h - an asker's table of what it waits for (ask.c), and the turn in which it gets an answer.
 *
 * Threads   the holder of the right to run the asker. */
#ifndef HEIST_RUNTIME_ASKS_H
#define HEIST_RUNTIME_ASKS_H

#include "runtime/chain.h"
#include "runtime/system.h"

struct ask {
	heist_reply_fn *k; /* NULL: free */
	uint64_t user;
	uint64_t deadline; /* 0 = none */
	uint32_t sequence;
	uint32_t next_free;	     /* index + 1; not free: 1 if heist_hold waits for it */
	struct request_header cause; /* the request on whose behalf it is; asker 0: of none */
	struct chain_link *link;     /* debug builds: chain.h */
};

/* NULL: nobody waits for it (any more). */
HEIST_HOT_INLINE struct ask *ask_find(struct actor_extra *x, uint64_t id)
{
	uint32_t i = (uint32_t)id;
	if (!x || i >= x->asks_capacity || !x->asks[i].k || x->asks[i].sequence != id >> 32)
		return NULL;
	return &x->asks[i];
}

/* Take an entry out of the table; it can be used again at once. */
HEIST_HOT_INLINE void ask_remove(struct actor_extra *x, struct ask *ask)
{
	heist_chain_remove(ask->link);
	if (HEIST_UNLIKELY(ask->next_free))
		x->lanes.awaited--;
	ask->k = NULL;
	ask->next_free = x->asks_free;
	x->asks_free = (uint32_t)(ask - x->asks) + 1;
}

/* A turn of the asker, whose state it is: it goes on with what it asked for. */
HEIST_HOT_INLINE void ask_answer(struct rt_worker *w, struct actor_extra *x, void *state,
				 struct ask *ask, heist_status status, const void *reply)
{
	heist_reply_fn *k = ask->k;
	uint64_t user = ask->user;
	if (ask->cause.asker)
		w->ctx.cause = ask->cause;
	ask_remove(x, ask);
	k(&w->ctx, state, status, reply, user);
	if (w->ctx.cause.asker)
		w->ctx.cause = (struct request_header){ 0 };
}

#endif
