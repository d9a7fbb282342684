#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""C files are formatted as clang-format 14 does it with the .clang-format of the tree.

usage: check_format.py [--fix] ROOT

--fix formats in place.  Another version formats differently, so the check is skipped with it.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import lint

WANTED = "14"


def command():
    """clang-format in the version that the tree is formatted with, or None."""
    for name in (f"clang-format-{WANTED}", "clang-format"):
        if shutil.which(name):
            text = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
            if re.search(rf"version {WANTED}\.", text):
                return name
    return None


def sources(root):
    return [n for n in lint.tracked(root) if n.endswith((".c", ".h", ".cpp"))]


def check(formatter, root):
    run = subprocess.run([formatter, "--dry-run", "--Werror", "--ferror-limit=1", *sources(root)], cwd=root,
                         capture_output=True, text=True)
    found = [line for line in run.stderr.splitlines() if re.match(r"\S+:\d+:\d+: error", line)]
    if run.returncode and not found:
        yield f"{formatter} failed: {run.stderr}"
    yield from found


def fix(formatter, root):
    subprocess.run([formatter, "-i", *sources(root)], cwd=root, check=True)


def self_test(formatter, style):
    """A planted file is found, and is clean once fixed."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(style, root)
        (pathlib.Path(root) / "good.c").write_text("int good;\n")
        bad = pathlib.Path(root) / "bad.c"
        bad.write_text("int main(void) {\n  return 0;\n}\n")
        found = list(check(formatter, root))
        if len(found) != 1 or not found[0].startswith("bad.c:1:"):
            yield f"the planted file gave {found}"
        fix(formatter, root)
        yield from check(formatter, root)
        if bad.read_text() != "int main(void)\n{\n\treturn 0;\n}\n":
            yield f"the tree's style was not used: {bad.read_text()!r}"


def main():
    formatter = command()
    root = pathlib.Path(sys.argv[-1])
    if not formatter:
        print(f"skipped: the tree is formatted with clang-format {WANTED}, which is not here")
        sys.exit(lint.SKIP)
    if "--fix" in sys.argv:
        fix(formatter, root)
        return
    wrong = list(self_test(formatter, root / ".clang-format")) or list(check(formatter, root))
    if wrong:
        wrong.append("tests/lint/check_format.py --fix . formats the tree")
    lint.finish(wrong)


if __name__ == "__main__":
    main()
