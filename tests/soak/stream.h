/* SPDX-License-Identifier: BSD-2-Clause
 * stream.h - the bulk of a soak: pairs of actors with bursts of numbers under way, and a credit that goes back
 * for each burst.  The receiver sees every number once, in order. */
#ifndef HEIST_TESTS_STREAM_H
#define HEIST_TESTS_STREAM_H

#include <heist/heist.h>

#define STREAMS	     4
#define STREAM_BURST 64

/* Start the pairs.  fail: does not return. */
void streams_plant(heist_system *s, void (*fail)(const char *what));
/* At quiescence: each pair sends `bursts` more bursts. */
void streams_begin(uint64_t bursts);
/* At quiescence: has everything come?  The numbers that were sent are added to *sent. */
bool streams_balanced(uint64_t *sent);

#endif
