/* SPDX-License-Identifier: BSD-2-Clause
 * adapter.h - which body the adapters of libck have: HEIST_CK is 1 for libck's, 0 for plain C11.
 *
 * libck's operations are assembly, which ThreadSanitizer and heist-check cannot see: a correct program
 * is reported, a wrong one is not.  So each adapter has a second body in C11 atomics, of the same
 * interface, which those builds and counted ones take.  HEIST_NO_CK (meson: -Dck=disabled) asks for it
 * elsewhere; then nothing of libck is needed.
 *
 * A program has one body throughout: the structures differ.  All files of a build see the same switch;
 * a test that wants the other body compiles the adapter's own source again. */
#ifndef HEIST_LOCKFREE_ADAPTER_H
#define HEIST_LOCKFREE_ADAPTER_H

#include "lockfree/seam.h"

#if defined(HEIST_CHECK) || defined(HEIST_TSAN) || defined(HEIST_COUNT_ATOMICS) ||                 \
	defined(HEIST_NO_CK)
#define HEIST_CK 0
#else
#define HEIST_CK 1
#endif

#endif
