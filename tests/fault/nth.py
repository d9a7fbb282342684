#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Refuse the library, in one run after the other of a program, each of its requests to the system (nth.c).

Each run must end by itself: with status 0 and no more left over than without a fault (the machine's description is
kept as long as the process lives), or with status 1 or 2, its own report of an error.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

PATIENCE = 60  # seconds for one run


class Program:
    def __init__(self, hook, command, folder):
        self.command, self.folder = command, pathlib.Path(folder)
        self.environment = dict(os.environ, LD_PRELOAD=hook, NTH_OUT=str(self.folder / "nth"))

    def run(self, nth, on):
        """(status, requests, left over, standard error); status None: it hung."""
        (self.folder / "nth").unlink(missing_ok=True)
        environment = dict(self.environment, NTH=str(nth), **({"NTH_ON": "1"} if on else {}))
        try:
            done = subprocess.run(self.command, env=environment, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired:
            return None, 0, 0, b""
        words = (self.folder / "nth").read_text().split() if (self.folder / "nth").exists() else ["0", "0"]
        return done.returncode, int(words[0]), int(words[1]), done.stderr


def wrong(status, left, usual, said, may_abort):
    if status is None:
        return f"hangs, for {PATIENCE} s"
    if status == -signal.SIGABRT and may_abort and may_abort in said:
        return None
    if status not in (0, 1, 2):
        return f"ends with status {status}"
    return f"leaves {left} pieces of memory, not {usual}" if status == 0 and left > usual else None


def chosen(requests, most):
    """All, or `most` of them evenly, the first and the last included."""
    if most == 0 or requests <= most:
        return range(1, requests + 1)
    return sorted({1 + i * (requests - 1) // (most - 1) for i in range(most)})


def check(program, most, may_abort):
    status, requests, usual, _ = program.run(0, False)
    if status != 0 or not requests:
        return 0, [f"without a fault: status {status}, {requests} requests"]
    complaints, runs = [], 0
    for on in False, True:
        for n in chosen(requests, most):
            status, _, left, said = program.run(n, on)
            runs += 1
            if (what := wrong(status, left, usual, said, may_abort)):
                complaints.append(f"request {n} of {requests}{' and all after it' if on else ''} refused: {what}")
    return runs, complaints


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--most", type=int, default=0, help="so many requests of a program, evenly (default: each)")
    p.add_argument("--may-abort", default="", metavar="TEXT", help="an abort that says this is a report, too")
    p.add_argument("hook")
    p.add_argument("command", nargs="+")
    args = p.parse_args()
    if args.most == 1:
        p.error("--most is 0 or at least 2")
    with tempfile.TemporaryDirectory() as folder:
        runs, complaints = check(Program(os.path.abspath(args.hook), args.command, folder), args.most, args.may_abort.encode())
    for line in complaints:
        print(f"{args.command[0]}: {line}")
    print(f"{runs} runs, {len(complaints)} wrong")
    sys.exit(bool(complaints))


main()
