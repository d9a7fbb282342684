/* SPDX-License-Identifier: BSD-2-Clause
 * backoff.h - wait twice as long after each attempt that failed, up to a limit.  Adapter of ck_backoff
 * and ck_pr_stall.
 *
 *     struct backoff b = BACKOFF_FIRST;
 *     while (!attempt())
 *             if (backoff_wait(&b))
 *                     whoever is in the way may need this CPU: yield, if that is allowed here
 *
 * Who may call        anybody; a backoff belongs to one thread.
 * Progress            wait: bounded, some microseconds at the limit.
 * Memory              orders nothing. */
#ifndef HEIST_LOCKFREE_BACKOFF_H
#define HEIST_LOCKFREE_BACKOFF_H

#include "lockfree/adapter.h"

#define BACKOFF_LIMIT 4096u /* turns of an empty loop: a microsecond or two */

struct backoff {
	unsigned turns; /* of the next wait */
};
#define BACKOFF_FIRST                                                                              \
	{                                                                                          \
		64                                                                                 \
	} /* less than it takes to move a line between cores */

#if HEIST_CK
#define CK_BACKOFF_CEILING BACKOFF_LIMIT
#include <ck_backoff.h>

static inline void backoff_pause(struct backoff *b)
{
	ck_pr_stall();
	ck_backoff_eb(&b->turns);
}

#else

static inline void backoff_pause(struct backoff *b)
{
#ifdef HEIST_CHECK
	heist_relax(); /* a model has no time, only turns */
#else
	for (unsigned i = 0; i < b->turns; i += 32)
		heist_relax();
#endif
	if (b->turns < BACKOFF_LIMIT)
		b->turns *= 2;
}

#endif

/* True: this was a wait at the limit. */
static inline bool backoff_wait(struct backoff *b)
{
	bool limit = b->turns >= BACKOFF_LIMIT;
	backoff_pause(b);
	return limit;
}

#endif
