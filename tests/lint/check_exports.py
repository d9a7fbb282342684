#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The shared library exports exactly the functions that the public header declares."""
import re
import subprocess
import sys


def declared(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^#.*(\\\n.*)*", "", text, flags=re.M)
    names = set()
    for piece in text.split(";"):
        if not re.search(r"\bHEIST_(API|NEED)\b", piece):
            continue
        piece = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", piece)
        m = re.search(r"\bheist_recv_fn\s+(heist_\w+)", piece) or re.search(r"\b(heist_\w+)\s*\(", piece)
        names.add(m.group(1))
    return names


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    return {line.split()[2] for line in out.stdout.splitlines() if line.split()[1] in "TDBRV"}


def main():
    want, have = declared(open(sys.argv[1]).read()), exported(sys.argv[2])
    # the check must be able to fail
    assert declared("HEIST_API int heist_x(int);\n") == {"heist_x"}
    for name in sorted(want - have):
        print(f"declared but not exported: {name}")
    for name in sorted(have - want):
        print(f"exported but not declared: {name}")
    return want != have or not want


sys.exit(main())
