/* SPDX-License-Identifier: BSD-2-Clause
 * fuzz_api.c - what libFuzzer calls, or replay.c: one program that uses the public API. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/program.h"

#include <stdlib.h>

/* A machine of one CPU, which hwloc need not look for: half of the time of a small program. */
__attribute__((constructor)) static void choose_machine(void)
{
	setenv("HWLOC_SYNTHETIC", "core:1 pu:1", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	program_run(bytes, size);
	return 0;
}
