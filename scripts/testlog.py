#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the results in meson's test logs.

usage: testlog.py LOGDIR
Prints `passed failed skipped` on one line, then the name of each failed test with what became of it.
"""
import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def results(logdir):
    for log in sorted(pathlib.Path(logdir).glob("testlog*.json")):
        for line in log.read_text().splitlines():
            test = json.loads(line)
            yield test["name"].removeprefix("heist:"), test["result"]


def main():
    passed, failed, skipped = 0, [], 0
    for name, result in results(sys.argv[1]):
        if result in PASSED:
            passed += 1
        elif result in SKIPPED:
            skipped += 1
        else:
            failed.append(f"{name} ({result.lower()})")
    print(passed, len(failed), skipped)
    for line in failed:
        print(line)


main()
