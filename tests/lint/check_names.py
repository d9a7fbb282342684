#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Nothing in the tree depends on one machine: no absolute paths but the system's, no hosts in the build.

Unit tests may name paths: they make trees of their own in which these lie.

usage: check_names.py ROOT

A path is absolute if it begins with / after a blank or one of =:(`, perhaps with a quote between, and has a
second component.
Prose may link to what it cites; scripts and build files may not name a host at all: nothing is downloaded.
"""
import re

import lint

SYSTEM = {"bin", "dev", "etc", "lib", "proc", "run", "sys", "usr"}
PATH = re.compile(r"(?:^|(?<=[\s=:(`])|(?<=[\s=:(,][\"']))/(\w[\w.-]*)/[\w.*-]")
HOME = re.compile(r"~/\w|(?<![\w.])/(?:home|root|Users)\b")
HOST = re.compile(r"\b\w+://[\w.-]+|\bgit@\w")
BUILD = re.compile(r"(scripts|\.ci)/|(.*/)?meson(\.build|_options\.txt)$")


def check(files):
    for name, text in files.items():
        if name.startswith("tests/unit/"):
            continue
        for n, line in lint.lines(text):
            paths = [m[0] for m in PATH.finditer(line) if m[1] not in SYSTEM]
            found = paths[:1] or HOME.findall(line)[:1] or (HOST.findall(line)[:1] if BUILD.match(name) else [])
            for what in found:
                yield f"{name}:{n}: {what}: depends on one machine or on the network"


def joined(*parts):
    return "/".join(("",) + parts)  # spelled so that this file passes its own check


PLANTED = [
    ({"a.c": f'\nopen("{joined("data", "me", "x")}");\n'}, "a.c:2"),
    ({"scripts/x": f"cd {joined('srv', 'heist')}\n"}, "scripts/x:1"),
    ({"README.md": f"see `{joined('tmp', 'x')}`\n"}, "README.md:1"),
    ({"a.md": f"in {joined('home', 'me')}\n"}, "a.md:1"),
    ({"a.md": f"in {joined('root')}\n"}, "a.md:1"),
    ({"scripts/x": "cat ~" + "/notes\n"}, "scripts/x:1"),
    ({"scripts/x": "curl https:" + "//example.org/x\n"}, "scripts/x:1"),
    ({"bench/meson.build": "'git:" + "//example.org'\n"}, "bench/meson.build:1"),
]
CLEAN = {
    "a.c": '/* and/or */ int a = b / c / d; open("/proc/self/maps"); // and so on\n',
    "README.md": "[paper](https:" + "//example.org/x.pdf), `lockfree/seam.h`, bench/results\n",
    "scripts/x": "#!/usr/bin/env bash\nsed 's/a/b/' </dev/null\n",
}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
