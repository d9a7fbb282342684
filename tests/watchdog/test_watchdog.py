#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that hangs says where: its watchdog prints workers, events and stacks, and aborts.

usage: test_watchdog.py PROGRAM"""
import re
import shutil
import signal
import subprocess
import sys

EXPECTED = [
    r"watchdog: still running after 1 seconds",
    r"runtime \d+: phase 1, \d parked, \d searching, 1 actors, accepted 2, handled \d",
    r"worker 0: (parked|awake), \d+ activations",
    r"worker 1: (parked|awake), \d+ activations",
    r"worker \d: awake",
    r"worker \d start [0-9a-f]{16} stuck",
]
STACKS = [r"never_returns \(", r"heist_shutdown \("]


def main():
    run = subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wrong = [] if run.returncode == -signal.SIGABRT else [f"ended with {run.returncode}, not by abort"]
    stacks = STACKS if shutil.which("gdb") else [r"no gdb, no stacks"]
    wrong += [f"did not say: {e}" for e in EXPECTED + stacks if not re.search(e, run.stdout)]
    if wrong:
        print(run.stdout, *wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
