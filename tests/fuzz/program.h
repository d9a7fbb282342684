/* SPDX-License-Identifier: BSD-2-Clause
 * program.h - a byte string as a program that uses the whole public API.
 *
 * One cursor runs over the bytes; whoever runs takes what comes next: the thread outside, which drives a
 * polled runtime under a clock of its own, and the handlers, hooks and continuations that it runs.  When no
 * bytes are left, all say CONTINUE, and the runtime is drained, checked and shut down.  The same bytes do the
 * same in every process, so a crashing input is its own reproduction. */
#ifndef HEIST_TESTS_PROGRAM_H
#define HEIST_TESTS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* Runs one; aborts, with a line on standard error, if something does not hold. */
void program_run(const uint8_t *bytes, size_t size);

#endif
