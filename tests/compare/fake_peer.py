#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A peer program whose behaviour is chosen by FAKE: right, or wrong in one way that the runner must notice."""
import json
import os
import sys
import time

FAKE = os.environ.get("FAKE", "right")
args = dict(zip(sys.argv[1:], sys.argv[2:]))
params = dict(kv.split("=") for kv in args["--params"].split(","))


def say(o):
    print(json.dumps(o), flush=True)


def sample(n):
    operations = int(params["hops"])
    if FAKE == "miscounts":
        operations //= 2
    if FAKE == "dies" and n == 1:
        sys.exit("the ball was lost")
    if FAKE == "hangs":
        time.sleep(3600)
    if FAKE == "babbles":
        print("done!", flush=True)
        return
    say({"ns": 0 if FAKE == "timeless" else operations * (10 + n), "operations": operations, "cpu_ns": operations * 9})


if FAKE == "unsupported":
    say({"unsupported": "no actors here"})
    sys.exit(3)
workers = 7 if FAKE == "greedy" else int(args["--workers"])
settled = {"settled": FAKE == "settled"} if FAKE in ("settled", "unsettled") else {}
say({"peer": "fake", "version": "1", "runtime": "python", "settings": args["--settings"], "workers": workers} | settled)
for number, _ in enumerate(sys.stdin):
    sample(number)
if FAKE == "ends badly":
    sys.exit("could not stop")
