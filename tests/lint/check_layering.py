#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom: lockfree <- sched <- runtime <- bench, tests, examples; third parties in one place.

usage: check_layering.py ROOT
"""
import re

import lint

# The first pattern that matches a file's name decides which of the project's headers it may include.
MAY_INCLUDE = [
    (r"lockfree/", ("lockfree/",)),
    (r"sched/", ("lockfree/", "sched/")),
    (r"runtime/include/", ("heist/",)),
    (r"runtime/(examples|tools)/", ("heist/",)),
    (r"runtime/", ("lockfree/", "sched/", "runtime/", "heist/")),
    (r"bench/workload/", ("heist/", "bench/")),
    (r"tests/unit/test_stats\.", ("bench/", "tests/")),
    (r"tests/(header_test\.|must_fail\.|install/)", ("heist/",)),
    (r"bench/", ("lockfree/", "sched/", "runtime/", "heist/", "bench/")),
    (r"tests/", ("lockfree/", "sched/", "runtime/", "heist/", "bench/common/", "tests/")),
]
LAYERS = ("lockfree/", "sched/", "runtime/")
# Where the headers of others may be included; the library's own layers touch each in one file.
THIRD_PARTY = [
    (r"ck_\w+\.h$", r"lockfree/\w+\.h$|bench/|tests/"),
    (r"hwloc", r"sched/topology\.c$"),
    (r"jemalloc/", r"runtime/alloc\.c$|bench/"),
    (r"cjson/", r"bench/|runtime/tools/"),
    (r"criterion/", r"tests/support/|tests/unit/"),
    (r"nats/", r"runtime/cluster/nats\.c$"),
    (r"valgrind/|sys/sdt\.h", r"sched/trace\.h$|lockfree/check\.h$|bench/"),
]
OWN = ("lockfree/", "sched/", "runtime/", "heist/", "bench/", "tests/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def own(name, header, quoted, files):
    """Complaint about the inclusion of one of the project's headers, or None."""
    allowed = next((a for pattern, a in MAY_INCLUDE if re.match(pattern, name)), OWN)
    if not header.startswith(allowed):
        return f"may not include {header}"
    if header.startswith("heist/") == quoted:
        return f"include the public header as <{header}>, every other one in quotes"
    generated = header == "heist/version.h"
    if not generated and header not in files and "runtime/include/" + header not in files:
        return f"there is no {header}, seen from the root"
    return None


def third_party(name, header, homes):
    """Complaint about the inclusion of somebody else's header, or None."""
    for pattern, where in THIRD_PARTY:
        if not re.match(pattern, header):
            continue
        if not re.match(where, name):
            return f"{header} does not belong here"
        if name.startswith(LAYERS) and homes.setdefault(header, name) != name:
            return f"{header} is included by {homes[header]} already"
    return None


def check(files):
    homes = {}
    for name, text in files.items():
        if not name.endswith((".c", ".h", ".cpp")):
            continue
        for n, line in lint.lines(lint.without_comments(text, strings=False)):
            m = INCLUDE.match(line)
            if not m:
                continue
            quoted, header = m[1] == '"', m[2]
            if header.startswith(OWN) or quoted:
                why = own(name, header, quoted, files)
            else:
                why = third_party(name, header, homes)
            if why:
                yield f"{name}:{n}: {why}"


H = {"lockfree/a.h": "", "sched/b.h": "", "runtime/c.h": "", "runtime/include/heist/heist.h": ""}
PLANTED = [
    (H | {"lockfree/x.c": '#include "sched/b.h"\n'}, "lockfree/x.c:1: may not include sched/b.h"),
    (H | {"sched/x.c": '\n# include "runtime/c.h"\n'}, "sched/x.c:2: may not include"),
    (H | {"sched/x.c": "#include <heist/heist.h>\n"}, "may not include heist/heist.h"),
    (H | {"runtime/examples/x.c": '#include "runtime/c.h"\n'}, "may not include runtime/c.h"),
    (H | {"bench/workload/x.c": '#include "sched/b.h"\n'}, "may not include sched/b.h"),
    (H | {"tests/header_test.c": '#include "lockfree/a.h"\n'}, "may not include lockfree/a.h"),
    (H | {"runtime/x.c": '#include "bench/x.h"\n'}, "may not include bench/x.h"),
    (H | {"sched/x.c": '#include "b.h"\n'}, "may not include b.h"),
    (H | {"sched/x.c": '#include "sched/none.h"\n'}, "there is no sched/none.h"),
    (H | {"sched/x.c": "#include <sched/b.h>\n"}, "in quotes"),
    (H | {"sched/x.c": "#include <hwloc.h>\n"}, "hwloc.h does not belong here"),
    (H | {"runtime/x.c": "#include <ck_epoch.h>\n"}, "ck_epoch.h does not belong here"),
    (H | {"lockfree/x.h": "#include <ck_hs.h>\n", "lockfree/y.h": "#include <ck_hs.h>\n"}, "lockfree/x.h already"),
]
CLEAN = H | {
    "runtime/x.c": '#include <heist/heist.h>\n#include <stdio.h>\n#include "sched/b.h"\n/* "bench/x.h" */\n',
    "sched/topology.c": '#include <hwloc.h>\n#include "lockfree/a.h"\n// #include "runtime/c.h"\n',
}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
