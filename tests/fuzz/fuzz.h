/* SPDX-License-Identifier: BSD-2-Clause
 * fuzz.h - the entry of a fuzz target, as libFuzzer spells it; it aborts when something is wrong. */
#ifndef HEIST_TESTS_FUZZ_H
#define HEIST_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #cond);      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
