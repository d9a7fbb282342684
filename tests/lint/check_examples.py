#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each example is a program of less than 100 lines that says what it shows and runs as a test.

usage: check_examples.py ROOT
"""
import re

import lint

FOLDER = "runtime/examples/"
MOST = 99
# What there must be an example of, and which it is.
TOPICS = {"hello": "hello.c", "a counter with ask": "ask.c", "a supervised worker": "supervisor.c",
          "a pipeline with overload": "pipeline.c", "timers": "timers.c", "publish and subscribe": "pubsub.c",
          "a router and its pool": "router_pool.c", "the event loop of a host": "host_loop.c", "C++": "counter.cpp"}


def check(files):
    examples = {n[len(FOLDER):]: t for n, t in files.items() if n.startswith(FOLDER) and n.endswith((".c", ".cpp"))}
    build = files.get(FOLDER + "meson.build", "")
    for name, text in examples.items():
        if len(text.splitlines()) > MOST:
            yield f"{FOLDER}{name}: {len(text.splitlines())} lines, more than {MOST}"
        if not re.search(rf"^ \* {re.escape(name)} - \w", text, re.M):
            yield f"{FOLDER}{name}: does not begin with ` * {name} - ` and what it shows"
        if not re.search(rf"'{re.escape(name.removesuffix('.c'))}(\.c)?'", build):
            yield f"{FOLDER}{name}: is no test in {FOLDER}meson.build"
    yield from (f"{FOLDER}: no example of {t}: {n}" for t, n in TOPICS.items() if examples and n not in examples)


def example(name, lines=9):
    return f"/*\n * {name} - shows. */\n" + "\n" * (lines - 2)


CLEAN = {FOLDER + n: example(n) for n in TOPICS.values()}
CLEAN[FOLDER + "meson.build"] = " ".join(f"'{n.removesuffix('.c')}'" for n in TOPICS.values())
PLANTED = [
    ({**CLEAN, FOLDER + "hello.c": example("hello.c", 100)}, "hello.c: 100 lines"),
    ({**CLEAN, FOLDER + "hello.c": example("other.c")}, "does not begin with"),
    ({**CLEAN, FOLDER + "more.c": example("more.c")}, "more.c: is no test"),
    ({n: t for n, t in CLEAN.items() if not n.endswith("/ask.c")}, "no example of a counter with ask"),
]

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
