#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run a model of tests/check/models under GenMC, unchanged.

usage: genmc.py [--genmc PROGRAM] [--expect KIND] [--unroll N] [--liveness] ROOT [-DNAME[=VALUE]]... SOURCE...

  --genmc PROGRAM   which GenMC (default: the one on PATH)
  --expect KIND     pass if that is found: assert, race, liveness or memory; without it nothing may be found
  --unroll N        leave executions that go round a loop more than N times (default: none is left)
  --liveness        a loop that waits for what never comes is an error (it is for models that sleep: GenMC takes a
                    failed CAS that is tried again for such a loop too)

Prints how many executions were complete and how many were blocked (they wait for what does not come in that
order), and the seconds.  Exit status 0: as expected; 1: not; 77: there is no GenMC.

GenMC takes one file: this writes one that includes shim.c and the sources.  A run without a single complete
execution fails, and so does one that GenMC warns about: it skips what it does not know.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

KINDS = {
    "Safety violation": "assert",
    "Non-atomic race": "race",
    "Unordered writes": "race",
    "Liveness violation": "liveness",
    "Attempt to read from uninitialized memory": "memory",
    "Attempt to access non-allocated memory": "memory",
    "Attempt to access freed memory": "memory",
    "Malloc-free race": "memory",
    "Double-free error": "memory",
}
# What it also warns about: atomic stores that nothing orders, what a failing round leaves, and that it turns the
# copy of a struct into copies of its members.
HARMLESS = "Unordered writes|Unfreed memory|Memory intrinsic found! Attempting to promote it"


def one_file(root, defines, sources):
    """The text of the file that GenMC reads."""
    lines = ["#define GENMC", "#define HEIST_CHECK", "#define __builtin_prefetch(...) ((void)0)"]
    for d in defines:
        name, _, value = d[2:].partition("=")
        lines.append(f"#define {name} {value or 1}")
    for s in [root / "tests/check/genmc/shim.c", *map(pathlib.Path, sources)]:
        lines.append(f'#include "{s.resolve()}"')
    return "\n".join(lines) + "\n"


def explore(genmc, root, text, options):
    """GenMC's exit status and everything it printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as f:
        f.write(text)
        f.flush()
        flags = ["--disable-estimation", "--disable-loop-jump-threading", *options]
        includes = ["-std=gnu11", f"-I{root}", f"-I{root / 'runtime/include'}"]
        run = subprocess.run([genmc, *flags, "--", *includes, f.name], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
    return run.returncode, run.stdout


def verdict(status, output):
    """(what was found or None, complete, blocked): raises ValueError when GenMC did not do its work."""
    warning = re.search(rf"^W(?:arning|ARNING): (?!{HARMLESS}).*", output, flags=re.M)
    if warning:
        raise ValueError(warning[0])
    complete = re.search(r"Number of complete executions explored: (\d+)", output)
    if not complete:
        raise ValueError(f"no result, exit status {status}")
    blocked = re.search(r"Number of blocked executions seen: (\d+)", output)
    error = re.search(r"^Error: (.*)!$", output, flags=re.M)
    if error and error[1] not in KINDS:
        raise ValueError(error[0])
    if not error and (status or complete[1] == "0"):
        raise ValueError("nothing was explored")
    return error and KINDS[error[1]], int(complete[1]), int(blocked[1]) if blocked else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--genmc", default=shutil.which("genmc"))
    parser.add_argument("--expect", choices=sorted(set(KINDS.values())))
    parser.add_argument("--unroll", type=int)
    parser.add_argument("--liveness", action="store_true")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("sources", nargs="+")
    args, defines = parser.parse_known_args()
    if not args.genmc:
        print("skipped: GenMC 0.10 is not installed (https://plv.mpi-sws.org/genmc); nothing else needs it")
        return 77
    options = [f"--unroll={args.unroll}"] if args.unroll else []
    options += ["--check-liveness"] if args.liveness else []
    status, output = explore(args.genmc, args.root, one_file(args.root, defines, args.sources), options)
    try:
        found, complete, blocked = verdict(status, output)
    except ValueError as e:
        print(output, e, sep="\n", file=sys.stderr)
        return 1
    seconds = re.search(r"Total wall-clock time: (.*)s", output)
    print(f"{complete} complete, {blocked} blocked, {seconds[1] if seconds else '?'} s, found: {found}")
    if found != args.expect:
        print(output, file=sys.stderr)
    return 0 if found == args.expect else 1


if __name__ == "__main__":
    sys.exit(main())
