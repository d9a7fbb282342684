#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counted gates: instructions, read-modify-writes and fences, and allocations per operation against budgets.json.

usage: gates.py GATE counts|instructions
       gates.py GATE overhead BARE
Overhead: what the counters and one sample in 5,000 activations add to ping_pong, against BARE, which does not
count: at most 3 %, or the command fails.  Each figure is the difference of two sizes, so that start-up cancels.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

SMALL, LARGE = 20000, 120000
MOST = 1.03


def counts(gate, workload, n):
    out = subprocess.run([gate, workload, str(n)], check=True, capture_output=True, text=True).stdout.split()
    return [int(x) for x in out]


def instructions(gate, workload, n):
    err = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", gate, workload, str(n)],
                         check=True, capture_output=True, text=True).stderr
    return int(re.search(r"Collected : (\d+)", err).group(1))


def overhead(gate, bare):
    def cost(program, sample):
        os.environ["HEIST_SAMPLE"] = sample
        return per_operation(instructions, program, "ping_pong")

    base, figures, bad = cost(bare, "0"), [("counters", "0"), ("counters and samples", "5000")], 0
    print(f"{'neither':22} {base:8.3f}")
    for name, sample in figures:
        ratio = cost(gate, sample) / base
        bad += not 1 < ratio <= MOST  # both cost something: else nothing was compared
        print(f"{name:22} {ratio * base:8.3f}  {ratio - 1:+.2%}  at most {MOST - 1:.0%}")
    return bad > 0


def per_operation(f, gate, workload):
    return (f(gate, workload, LARGE) - f(gate, workload, SMALL)) / (LARGE - SMALL)


def main():
    gate, what = sys.argv[1:3]
    if what == "overhead":
        return overhead(gate, sys.argv[3])
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
