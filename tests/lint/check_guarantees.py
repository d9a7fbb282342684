#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each guarantee in runtime/README.md names tests that exist; each planted bug in tests/README.md and each
pain in tests/pains/README.md, too.

usage: check_guarantees.py ROOT

A test is `suite/name`, a TEST(suite, name) in tests/unit or tests/fault, or the name of a test that a meson.build of tests/
makes: its whole name stands there, or it is `KIND_NAME`, `KIND-NAME` or `KIND_NAME-VARIANT`, with NAME and VARIANT there, in
one or each for itself."""
import re

import lint

PAGES = {"runtime/README.md": ("## Guarantees", 3), "tests/README.md": ("## Planted bugs", 1),
         "tests/pains/README.md": ("## Tests", 1)}
UNIT = re.compile(r"^TEST\((\w+),\s*(\w+)\)", re.M)


def rows(text, heading):
    """(line number, cells) of the table below a heading."""
    inside = False
    for n, line in lint.lines(text):
        if line.startswith("## "):
            inside = line.strip() == heading
        elif inside and line.startswith("|") and not re.match(r"\|[\s|-]*$", line):
            yield n, [c.strip() for c in line.strip().strip("|").split("|")]


def known(files):
    unit, build = set(), ""
    for name, text in files.items():
        if name.startswith(("tests/unit/", "tests/fault/")) and name.endswith(".c"):
            unit |= {f"{suite}/{test}" for suite, test in UNIT.findall(text)}
        if name.startswith("tests/") and name.endswith("meson.build"):
            build += text
    return unit, build


def exists(test, unit, build):
    if "/" in test:
        return test in unit
    if test.startswith("mutant-"):
        _, model, mutant = test.split("-")
        return re.search(rf"'{model}':", build) and re.search(rf"'{mutant}':", build)
    kind, _, parts = test.partition("_" if "_" in test.split("-")[0] else "-")
    return any(f"'{name}'" in build for name in (test, parts)) or all(
        re.search(rf"'{re.escape(p)}'", build, re.I) for p in parts.split("-"))


def check(files):
    unit, build = known(files)
    for page, (heading, column) in PAGES.items():
        for n, cells in list(rows(files.get(page, ""), heading))[1:]:
            tests = re.findall(r"`([^`]+)`", cells[column]) if len(cells) > column else []
            if not tests:
                yield f"{page}:{n}: no test is named"
            for test in tests:
                if not exists(test, unit, build):
                    yield f"{page}:{n}: there is no test {test}"


HEAD = "## Guarantees\n| a | b | c | d |\n|---|---|---|---|\n"
BUILD = {"tests/x/meson.build": "{'mesh': 1}", "tests/unit/test_a.c": "TEST(a, b)\n{\n}\n"}
PLANTED = [
    ({**BUILD, "runtime/README.md": HEAD + "| order | x | y | `a/c` |\n"}, "README.md:4: there is no test a/c"),
    ({**BUILD, "runtime/README.md": HEAD + "| order | x | y | `stress_mash` |\n"}, "no test stress_mash"),
    ({**BUILD, "runtime/README.md": HEAD + "| order | x | y | by thought |\n"}, "no test is named"),
]
CLEAN = {**BUILD, "runtime/README.md": HEAD + "| order | x | y | `a/b`, `stress_mesh` |\n"}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
