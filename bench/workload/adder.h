/* SPDX-License-Identifier: BSD-2-Clause
 * adder.h - the server of the workloads that ask: it answers one more than it was told. */
#ifndef HEIST_BENCH_ADDER_H
#define HEIST_BENCH_ADDER_H

#include <heist/heist.h>

#define ASK_TIMEOUT UINT64_C(10000000000) /* ns */

static const heist_type ADD = { .base = &ADD, .name = "add", .size = 8, .reply_size = 8 };

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	int64_t n = *(int64_t *)msg + 1;
	(void)state;
	heist_reply(ctx, HEIST_OK, type, &n);
	return HEIST_CONTINUE;
}
static const heist_class server = { "server", HEIST_ABI, 0, server_recv, NULL };

#endif
