/* SPDX-License-Identifier: BSD-2-Clause
 * fork.h - a process with a runtime forks: in the child there are no workers, and what other threads had
 * in their hands is half done.
 *
 * The runtimes stay the parent's, which notices nothing.  In the child each becomes an orphan: the table does not know
 * it and it has no slots, so that handles lead nowhere (HEIST_EDEAD), in the handler that has forked neither, and
 * nothing can be put in (HEIST_ECLOSED), without a test on any path but that of a reply which finds nobody; it has no
 * memory to give (HEIST_ENOMEM); calls that would wait for its workers answer HEIST_EINVAL.  A worker that finds itself
 * in a child, since its handler has forked and then returned, aborts before it handles another message, or when there
 * is none. */
#ifndef HEIST_RUNTIME_FORK_H
#define HEIST_RUNTIME_FORK_H

#include "runtime/system.h"

/* See to it, once a process.  0, or -1: no memory. */
int heist_fork_watch(void);

/* A worker goes on in a child: say so, and abort. */
__attribute__((noreturn)) void heist_fork_returned(void);

/* Is this runtime that of the parent? */
static inline bool heist_forked(const struct heist_system *s)
{
	return atomic_load_explicit(&s->phase, memory_order_relaxed) == /* set by this thread */
	       PHASE_FORKED;
}

#endif
