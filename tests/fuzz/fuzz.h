/* SPDX-License-Identifier: BSD-2-Clause
 * fuzz.h - the entry of a fuzz target, as libFuzzer spells it; it aborts when something is wrong. */
#ifndef HEIST_TESTS_FUZZ_H
#define HEIST_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
