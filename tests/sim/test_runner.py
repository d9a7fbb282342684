#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""heist-sim: finds the seed, tells how it fails, shrinks to what is needed, and its command fails again.

usage: test_runner.py HEIST_SIM FAULTY EXAMPLE
"""
import os
import re
import subprocess
import sys

HEIST_SIM, FAULTY, EXAMPLE = sys.argv[1:4]


def heist_sim(*arguments):
    done = subprocess.run([sys.executable, HEIST_SIM, "--jobs", "2", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def expect(what, condition, *evidence):
    if not condition:
        print(f"FAILED {what}\n", *evidence, sep="\n")
        sys.exit(1)


def again(text):
    """Run the command that a report ends with."""
    command = re.search(r"^again: (.*)$", text, flags=re.M)[1]
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True)


def without(text, one):
    """The same command, without one of its deviations."""
    words = re.search(r"HEIST_SIM_KEEP=(\S+)", text)[1].split(",")
    return text.replace(",".join(words), ",".join(w for w in words if w != one))


def shrunk(text):
    m = re.search(r"shrunk from (\d+) deviations to (\d+): (.*)$", text, flags=re.M)
    return int(m[1]), m[3].split()


def test_shrinks(program, least, most, status):
    code, out, err = heist_sim("--seeds", "3000", *program)
    expect(f"{program} is found", code == 1 and "fails" in out, out, err)
    before, kept = shrunk(out)
    expect(f"{program} is shrunk", least <= len(kept) <= most and len(kept) <= before, out)
    first = again(out)
    expect("its command fails again", first.returncode == status, out, first.stderr)
    for one in kept:
        expect(f"{one} is needed", again(without(out, one)).returncode == 0, out)


def test_ways_to_fail():
    for how, text, status in [("abort", "signal 6", -6), ("fault", "signal 11", -11), ("hang", "hangs", None)]:
        code, out, err = heist_sim("--seeds", "500", "--no-shrink", "--timeout", "3", FAULTY, how)
        expect(f"{how} is told", code == 1 and text in out, out, err)
        if status:
            expect(f"{how} happens again", again(out).returncode in (status, 128 - status), out)


def test_shrinks_what_aborts():
    code, out, err = heist_sim("--seeds", "500", FAULTY, "abort")
    expect("an abort is shrunk", code == 1 and len(shrunk(out)[1]) == 2, out, err)


def test_seeds_that_depend_on_others():
    code, out, err = heist_sim("--seeds", "100", FAULTY, "global")
    expect("said so", code == 1 and "alone it does not fail" in out and again(out).returncode == 1, out, err)


def test_trace():
    code, out, err = heist_sim("--seeds", "3000", "--trace", FAULTY, "twins")
    expect("the trace is printed", code == 1 and "FAILED the second came first" in out and " run judge#" in out, out, err)


def test_nothing_fails():
    code, out, err = heist_sim("--seeds", "1000", EXAMPLE)
    expect("nothing", code == 0 and "1000 seeds, from 1 on: none fails" in out, out, err)


def test_wrong_use():
    expect("no program", heist_sim()[0] == 2)
    expect("there is none", heist_sim("--seeds", "1", "./there-is-no-such-program")[0] == 2)
    expect("not under simulation", heist_sim("--seeds", "1", "false")[0] == 2)
    for name, value in [("SEED", "x"), ("SEED", "1+"), ("SEED", "1+2x"), ("KEEP", "order:1"), ("KEEP", "@no-such-file"),
                        ("TRACE", "x"), ("STATUS", "-1")]:
        done = subprocess.run([EXAMPLE], env=dict(os.environ, **{"HEIST_SIM_" + name: value}), capture_output=True)
        expect(f"HEIST_SIM_{name}={value}", done.returncode == 2 and done.stderr, done.stderr)


test_shrinks([FAULTY, "twins"], 2, 2, 1)
test_shrinks([EXAMPLE, "early"], 1, 6, 1)
test_ways_to_fail()
test_shrinks_what_aborts()
test_seeds_that_depend_on_others()
test_trace()
test_nothing_fails()
test_wrong_use()
