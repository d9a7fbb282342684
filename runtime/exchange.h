/* SPDX-License-Identifier: BSD-2-Clause
 * exchange.h - the turns of requests and replies; each is a turn of its own, ctx.current.
 *
 * One that is_exchange (run.h) has nothing special about it, and nothing goes before it.  Everything else that is a
 * request or a reply comes by way of special.c.
 *
 * Threads   the holder of the right to run the actor.
 * Answers   like a handler; HEIST_RUN_LATE: it did not run, it is too late. */
#ifndef HEIST_RUNTIME_EXCHANGE_H
#define HEIST_RUNTIME_EXCHANGE_H

#include "runtime/batch.h"

/* It is_exchange. */
heist_next heist_exchange(struct rt_worker *w, struct actor *a, struct message *m);
/* The same of n, with which the mailbox begins, and what becomes of the run. */
enum verdict heist_exchange_run(struct rt_worker *w, struct actor *a, struct mpsc_node *n);
/* The stretches of a batch from node n on, which has this tag; b->node: the next one. */
heist_next heist_exchange_stretches(struct rt_worker *w, struct actor *a, struct batch *b,
				    uint64_t tag, struct mpsc_node *n);

/* Whatever there is about it, but in time, and ctx.current. */
heist_next heist_request_run(struct rt_worker *w, struct actor *a, struct message *m);
/* Whatever there is about it, and ctx.current. */
heist_next heist_reply_run(struct rt_worker *w, struct actor *a, struct message *m);
/* The handler of request m has answered v: what does the asker get, if anything? */
void heist_request_settle(struct rt_worker *w, struct message *m, heist_next v);

#endif
