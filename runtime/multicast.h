/* SPDX-License-Identifier: BSD-2-Clause
 * multicast.h - one message for many actors.  A payload that does not fit into a message is copied once and
 * shared: its header counts the messages that point to it, the last one to leave frees it. */
#ifndef HEIST_RUNTIME_MULTICAST_H
#define HEIST_RUNTIME_MULTICAST_H

#include "runtime/send.h"

/* NULL, or what is wrong with what shall be sent. */
const char *heist_multicast_bad(heist_system *s, const heist_type *type, const void *msg,
				const heist_tally *tally);
/* To each of n handles of this runtime; tally, which may be NULL, gets what became of it. */
heist_status heist_multicast(heist_system *s, const heist_ref *to, size_t n, const heist_type *type,
			     const void *msg, heist_tally *tally);

#endif
