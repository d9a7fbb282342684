/* SPDX-License-Identifier: BSD-2-Clause
 * gather.h - one request to many, and one continuation with what they answered; and the inside of asks.
 *
 * A gather is memory of the asker: the answers, room for their values, and the ids of asks that are out.
 * It goes when its continuation has returned, or with the incarnation, which may end in the middle of it.
 *
 * Threads   everything: the runner of the asker. */
#ifndef HEIST_RUNTIME_GATHER_H
#define HEIST_RUNTIME_GATHER_H

#include "runtime/send.h"

/* ---- ask.c ---- */
/* heist_ask, with checked arguments; *id: for heist_ask_forget. */
heist_status heist_ask_with(heist_ctx *ctx, heist_ref to, const heist_type *type, const void *msg,
			    heist_time deadline, heist_reply_fn *k, uint64_t user, uint64_t *id);
/* The continuation runs at once, in a turn of its own, with HEIST_ETIMEOUT. */
heist_status heist_ask_nobody(heist_ctx *ctx, heist_reply_fn *k, uint64_t user, uint64_t *id);
/* An answer, if it comes, is late. */
void heist_ask_forget(struct actor_extra *x, uint64_t id);

/* ---- gather.c ---- */
/* The incarnation ends: values of which no continuation has come to its end are dropped. */
void heist_gathers_free(struct heist_system *s, struct actor_extra *x);

#endif
