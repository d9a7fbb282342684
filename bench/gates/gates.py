#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counted gates: instructions, read-modify-writes and fences, and allocations per operation against budgets.json.

usage: gates.py GATE counts|instructions
Each figure is the difference of two sizes, so that start-up cancels.
"""
import json
import pathlib
import re
import subprocess
import sys

SMALL, LARGE = 20000, 120000


def counts(gate, workload, n):
    out = subprocess.run([gate, workload, str(n)], check=True, capture_output=True, text=True).stdout.split()
    return [int(x) for x in out]


def instructions(gate, workload, n):
    err = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", gate, workload, str(n)],
                         check=True, capture_output=True, text=True).stderr
    return int(re.search(r"Collected : (\d+)", err).group(1))


def per_operation(f, gate, workload):
    return (f(gate, workload, LARGE) - f(gate, workload, SMALL)) / (LARGE - SMALL)


def main():
    gate, what = sys.argv[1:]
    budgets, bad = json.loads((pathlib.Path(__file__).parent / "budgets.json").read_text()), 0
    for workload, budget in budgets.items():
        if what == "instructions":
            rows = [("instructions", per_operation(instructions, gate, workload))]
        else:
            rmw = per_operation(lambda g, w, n: sum(counts(g, w, n)[:2]), gate, workload)
            if rmw < 0.5:
                sys.exit(f"{workload}: {rmw} read-modify-writes: the build does not count")
            rows = [("rmw_and_fences", rmw), ("allocations", per_operation(lambda g, w, n: counts(g, w, n)[2], gate, workload))]
        for name, value in rows:
            over = value > budget[name]
            bad += over
            print(f"{workload:12} {name:15} {value:8.3f}  budget {budget[name]:<8} {'OVER' if over else 'ok'}")
    return bad > 0


sys.exit(main())
