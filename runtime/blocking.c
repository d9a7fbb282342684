/* SPDX-License-Identifier: BSD-2-Clause
 * blocking.c - a handler that waits says so, and its worker is covered (sched/spare.h). */
#include "runtime/system.h"

heist_status heist_blocking_begin(heist_ctx *ctx)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	heist_outbox_flush(ctx->worker);
	heist_worker_leave(&ctx->worker->base);
	return HEIST_OK;
}

heist_status heist_blocking_end(heist_ctx *ctx)
{
	if (!ctx)
		return HEIST_BAD_ARG("the context must not be NULL");
	heist_worker_back(&ctx->worker->base);
	return HEIST_OK;
}
