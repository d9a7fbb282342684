#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The shared library exports exactly what the public headers declare; the archive keeps to its prefix.

usage: check_exports.py HEADER[,HEADER...] INCLUDEDIR... -- SHARED [ARCHIVE]

The compiler says what the header declares, so no macro can hide a function from the check.  A static archive
hides nothing: each of its global names must begin with heist_.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import lint

CC = ["gcc", "-std=c11"]


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def declared(header, include_dirs):
    """Functions with external linkage that a header itself declares."""
    with tempfile.TemporaryDirectory() as d:
        listing = pathlib.Path(d) / "functions"
        run(*CC, "-x", "c", "-fsyntax-only", "-aux-info", listing, *[f"-I{i}" for i in include_dirs], header)
        lines = [line for line in listing.read_text().splitlines() if line.startswith(f"/* {header}:")]
    return {re.search(r"(\w+) ?(\(|;)", line.split("*/", 1)[1])[1] for line in lines if "*/ extern" in line}


def defined(*arguments):
    """Global names that a library or archive defines."""
    rows = (line.split() for line in run("nm", "--defined-only", "--extern-only", *arguments).splitlines())
    return {row[2] for row in rows if len(row) == 3}


def check(headers, include_dirs, shared, archive=None):
    want, have = set(), defined("-D", shared)
    for header in headers:
        names = declared(header, include_dirs)
        if not names:
            yield f"{header} declares nothing"
        want |= names
    yield from (f"declared but not exported: {name}" for name in sorted(want - have))
    yield from (f"exported but not declared: {name}" for name in sorted(have - want))
    if archive:
        names = sorted(defined(archive))
        yield from (f"without the prefix heist_ in the archive: {n}" for n in names if not n.startswith("heist_"))
        yield from (f"declared but not in the archive: {name}" for name in sorted((want & have) - set(names)))


HEADER = """
#define API __attribute__((visibility("default")))
#define TWO(a, b) API int a(int), b(int)
typedef int heist_fn(int);
API int heist_one(int);
TWO(heist_two, heist_three);
API heist_fn heist_four;
static inline int heist_inline(void) { return 1; }
"""
SOURCE = "#include \"x.h\"\n" + "".join(f"int heist_{n}(int x) {{ return x; }}\n" for n in ("one", "two", "three", "four"))
HIDDEN = "int heist_hidden(void) { return 1; }\n"
CASES = [  # (source, change of the header), the one complaint or None
    ((SOURCE + HIDDEN, ""), None),
    ((SOURCE, "API int heist_five(int);\n"), "declared but not exported: heist_five"),
    ((SOURCE + "int heist_five(int x) { return x; }\n", "int heist_five(int);\n"), "declared but not exported: heist_five"),
    ((SOURCE + "API int heist_extra(void) { return 1; }\n", ""), "exported but not declared: heist_extra"),
    ((SOURCE + "int helper(void) { return 1; }\n", ""), "without the prefix heist_ in the archive: helper"),
]


def self_test():
    for (source, extra), expected in CASES:
        with tempfile.TemporaryDirectory() as name:
            d = pathlib.Path(name)
            (d / "x.h").write_text(HEADER + extra)
            (d / "x.c").write_text(source)
            run(*CC, "-fPIC", "-fvisibility=hidden", "-c", d / "x.c", "-o", d / "x.o")
            run(*CC, "-shared", d / "x.o", "-o", d / "x.so")
            run("ar", "rcs", d / "x.a", d / "x.o")
            found = list(check([d / "x.h"], [], d / "x.so", d / "x.a"))
        if len(found) != (expected is not None) or (expected and expected not in found[0]):
            yield f"expected {expected!r}, found {found}"


def main():
    split = sys.argv.index("--")
    lint.finish(list(self_test()) or list(check(sys.argv[1].split(","), sys.argv[2:split], *sys.argv[split + 1:])))


if __name__ == "__main__":
    main()
