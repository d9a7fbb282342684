#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One seed, one trace: byte for byte in two processes, with addresses drawn at random, and whether the seed
is the first of its process or the last of many.

usage: twice.py PROGRAM_FILE SEEDS PROGRAM... [--differs]

--differs is for programs that were broken on purpose: status 0 if and only if some traces differ.
"""
import os
import pathlib
import subprocess
import sys


def trace(executable, program, seeds):
    """The trace, which goes to standard output."""
    environment = dict(os.environ, HEIST_SIM_SEED=seeds, HEIST_SIM_TRACE="1")
    return subprocess.run([executable, program], env=environment, check=True, capture_output=True).stdout


def different(executable, program, seeds):
    """The seeds of this program that have two traces."""
    in_a_row = trace(executable, program, f"1+{seeds}")
    again = trace(executable, program, f"1+{seeds}")
    if in_a_row != again:
        yield f"{program}, seeds 1 to {seeds}: two processes, two traces"
    for seed in {1, seeds // 2, seeds}:
        alone = trace(executable, program, str(seed))
        if alone not in in_a_row:
            yield f"{program}, seed {seed}: alone it is not what it is among others"


def main():
    arguments = [a for a in sys.argv[1:] if a != "--differs"]
    executable, seeds, *programs = arguments
    randomized = pathlib.Path("/proc/sys/kernel/randomize_va_space")
    if randomized.exists() and randomized.read_text().strip() == "0":
        print("addresses are not randomized on this machine: only half of the check")
    found = [line for p in programs for line in different(executable, p, int(seeds))]
    print("\n".join(found) or f"{len(programs)} programs, {seeds} seeds each: the same traces")
    sys.exit(bool(found) != ("--differs" in sys.argv))


if __name__ == "__main__":
    main()
