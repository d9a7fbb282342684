/* SPDX-License-Identifier: BSD-2-Clause
 * straggler.h - whom a shutdown waits for in vain (straggler.c). */
#ifndef HEIST_RUNTIME_STRAGGLER_H
#define HEIST_RUNTIME_STRAGGLER_H

#include <heist/heist.h>

/* The runner of an actor whose ticket is closed and whose extra is about to be freed: when this returns,
 * nobody looks into it any more. */
void heist_straggler_await(struct heist_system *s);
/* heist_shutdown gives up for now: a line in the log for each, if they are not too many. */
void heist_stragglers_log(struct heist_system *s);

#endif
