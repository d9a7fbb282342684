#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two processes with a runtime each on the same CPUs, with workers pinned and not: both do all of their work.

usage: pain_13_two_processes.py HEIST-PEER [--full]

Each has a worker for every CPU it may use. What an operation costs when a process is alone, and when there are two of
them, is printed; nothing is asserted of it. --full: in turns, more and larger samples, for figures that can be told."""
import json
import os
import statistics
import subprocess
import sys

WORKLOADS = {"ping_pong": "hops", "pairs": "messages", "spawn_stop": "lives"}


def start(peer, workload, pin, operations, samples):
    return subprocess.Popen([peer, "--workload", workload, "--params", f"{WORKLOADS[workload]}={operations}", "--workers",
                             str(len(os.sched_getaffinity(0))), "--samples", str(samples), "--settings", "default", "--json"],
                            env=dict(os.environ, HEIST_PIN=pin, HEIST_LOG_LEVEL="error"), stdout=subprocess.PIPE, text=True)


def figures(process, operations, samples):
    """Nanoseconds an operation, a sample each. The program has checked its result."""
    lines = [json.loads(line) for line in process.communicate(timeout=150)[0].splitlines()[1:]]
    if process.returncode != 0 or len(lines) != samples or any(not 0 < s["operations"] <= operations for s in lines):
        sys.exit(f"a process ended with {process.returncode} after {len(lines)} samples of {samples}")
    return [s["ns"] / s["operations"] for s in lines]


def measure(peer, workload, pin, count, operations, samples):
    processes = [start(peer, workload, pin, operations, samples) for _ in range(count)]
    return [x for p in processes for x in figures(p, operations, samples)]


def main():
    peer, full = sys.argv[1], "--full" in sys.argv[2:]
    operations, samples, rounds = (2000000, 10, 3) if full else (20000, 2, 1)
    found = {}
    for _ in range(rounds):
        for workload in WORKLOADS:
            for pin in "on", "off":
                for count in 1, 2:
                    found.setdefault((workload, pin, count), []).extend(measure(peer, workload, pin, count, operations, samples))
    print(f"{'ns an operation':12}  pinned  processes  median     min     max")
    for (workload, pin, count), x in found.items():
        print(f"{workload:15}  {pin:6}  {count:9}  {statistics.median(x):6.1f}  {min(x):6.1f}  {max(x):6.1f}")


main()
