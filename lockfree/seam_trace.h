/* SPDX-License-Identifier: BSD-2-Clause
 * seam_trace.h - the call chain of another thread (a part of the seam, like seam.h). */
#ifndef HEIST_LOCKFREE_SEAM_TRACE_H
#define HEIST_LOCKFREE_SEAM_TRACE_H

#include "lockfree/seam.h"

#define HEIST_TRACE_MOST 64
/* The calling thread can be asked from now on.  Its number, not 0. */
uint32_t heist_trace_allow(void);
/* Interrupt a thread of that number, which has not ended: up to HEIST_TRACE_MOST return addresses, the innermost
 * first, and how many.  0: it did not answer. */
uint32_t heist_trace(uint32_t thread, void **frames);
/* Their text, a line each. */
void heist_trace_tell(void *const *frames, uint32_t n, void (*line)(void *user, const char *text),
		      void *user);

#endif
