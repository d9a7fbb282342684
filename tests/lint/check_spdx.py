#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every file names its licence in its first line, or in the second behind an interpreter.

usage: check_spdx.py ROOT
"""
import re

import lint

LINE = "SPDX-License-Identifier: " + "BSD-2-Clause"
# The licence itself, prose, formats without comments, and inputs that are bytes.
EXEMPT = re.compile(r"LICENSE$|tests/fuzz/corpus/|.*\.(md|json|trail|in|lock)$|.*\.?(gitignore|gitattributes|editorconfig)$")


def check(files):
    for name, text in files.items():
        if EXEMPT.match(name):
            continue
        head = text.splitlines()[:2]
        if head and head[0].startswith("#!"):
            head = head[1:]
        if not head or LINE not in head[0]:
            yield f"{name}: no licence in the first line"


OK = f"/* {LINE}\n * x.c - x. */\n"
PLANTED = [
    ({"a.c": "int x;\n"}, "a.c: no licence"),
    ({"a.c": "\n" + OK}, "a.c: no licence"),
    ({"tests/meson.build": "project('x')\n"}, "tests/meson.build"),
    ({"scripts/x": "#!/bin/sh\ntrue\n# " + LINE + "\n"}, "scripts/x"),
    ({"b.h": OK.replace("BSD-2", "MIT")}, "b.h"),
    ({"empty.h": ""}, "empty.h"),
]
CLEAN = {"a.c": OK, "scripts/x": f"#!/bin/sh\n# {LINE}\n", "README.md": "x", "LICENSE": "BSD", "a/b.json": "{}",
         "tests/fuzz/corpus/x/y": "x"}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
