#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The search with sleep sets finds every mutant, also what the search without them finds.

usage: reduced.py [--preemptions P] [--limit N] [--membarrier] MUTANT...

Runs both exhaustive searches of each mutant, stopped after N executions, and prints after how many each found
it; `-` is not.  Exit status 1: there is one that the search with sleep sets does not find.
"""
import argparse
import pathlib
import re
import subprocess
import sys


def search(mutant, *options):
    """Executions until the mutant was found, or None."""
    run = subprocess.run([mutant, "--exhaustive", "--expect", "any", *options], capture_output=True, text=True,
                         check=False)
    found = re.search(r": after (\d+) executions", run.stdout)
    if run.returncode not in (0, 1) or not (found or "nothing found" in run.stdout):
        sys.exit(f"{mutant}: exit status {run.returncode}\n{run.stdout}{run.stderr}")
    return int(found[1]) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preemptions", default="2")
    parser.add_argument("--limit", default="200000")
    parser.add_argument("--membarrier", action="store_true")
    parser.add_argument("mutants", nargs="+")
    args = parser.parse_args()
    options = ["--preemptions", args.preemptions, "--limit", args.limit] + ["--membarrier"] * args.membarrier
    missed = []
    print(f"{'':36}{'reduced':>9}{'whole':>9}")
    for mutant in args.mutants:
        name = pathlib.Path(mutant).name.removeprefix("mutant_")
        reduced, whole = search(mutant, *options), search(mutant, "--unreduced", *options)
        print(f"{name:36}{reduced or '-':>9}{whole or '-':>9}")
        if not reduced:
            missed.append(name)
    if missed:
        print("not found with sleep sets:", *missed, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
