#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each function in tests/coverage/uncovered.txt is there: scripts/coverage, which knows more, takes minutes.

usage: check_uncovered.py ROOT"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "coverage"))
sys.dont_write_bytecode = True
import lint  # noqa: E402
import uncovered  # noqa: E402

LIST = "tests/coverage/uncovered.txt"


def check(files):
    try:
        listed = uncovered.entries(files.get(LIST, ""))
    except ValueError as e:
        yield f"{LIST}: {e}"
        return
    for file, name in listed:
        if not re.search(rf"\b{re.escape(name.split('::')[-1])}\(", lint.without_comments(files.get(file, ""))):
            yield f"{LIST}: there is no {name} in {file}"


SOURCE = {"runtime/a.c": "static int f(void)\n{\n}\n/* g() */\n"}
PLANTED = [
    ({**SOURCE, LIST: "runtime/a.c:g never: it is gone\n"}, "there is no g in runtime/a.c"),
    ({**SOURCE, LIST: "runtime/b.c:f never: it is elsewhere\n"}, "there is no f in runtime/b.c"),
    ({**SOURCE, LIST: "runtime/a.c:f never\n"}, "uncovered.txt:1: not"),
    ({**SOURCE, LIST: "runtime/a.c:f never: so\nruntime/a.c:f chance: or so\n"}, "uncovered.txt:2: not"),
]
CLEAN = {**SOURCE, LIST: "# text\n\nruntime/a.c:f never: it ends the process\n"}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
