#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What an operator may choose: each number, switch and word of heist_config is a line of the table in runtime/config.c.

usage: check_config.py ROOT
"""
import re

import lint

HEADER, TABLE = "runtime/include/heist/heist.h", "runtime/config.c"
NOT_CHOSEN = {"struct_size", "pool_count", "mode"}  # the caller's own


def fields(header):
    """Names of the numbers and enumerations of heist_config."""
    body = re.search(r"typedef struct heist_config \{(.*?)\n\} heist_config;", lint.without_comments(header), re.S)
    for names in re.findall(r"^\t(?:uint\d+_t|heist_\w+|bool)\b\s+([^;(*]+);", body[1] if body else "", re.M):
        yield from (n.strip() for n in names.split(","))


def check(files):
    want = set(fields(files.get(HEADER, ""))) - NOT_CHOSEN
    have = set(re.findall(r"\bOF\((\w+)\)", lint.without_comments(re.sub(r"#define.*", "", files.get(TABLE, "")))))
    yield from (f"{HEADER}: {f} of heist_config is no line of heist_config_keys in {TABLE}" for f in sorted(want - have))
    yield from (f"{TABLE}: {f} is no number or switch of heist_config" for f in sorted(have - want))


STRUCT = ("typedef struct heist_config {\n\tuint32_t struct_size;\n\tuint32_t workers; /* uint32_t none; */\n"
          "\theist_switch pin;\n\theist_mode mode;\n\tuint32_t (*f)(uint32_t x);\n%s} heist_config;\n")
KEYS = "#define OF(FIELD) #FIELD\nkeys[] = { { OF(workers), 1 }, { OF(pin), 2 },%s };\n"
PLANTED = [
    ({HEADER: STRUCT % "\tuint32_t more;\n", TABLE: KEYS % ""}, "more of heist_config is no line"),
    ({HEADER: STRUCT % "", TABLE: KEYS % " { OF(gone), 3 }"}, "gone is no number"),
]
CLEAN = {HEADER: STRUCT % "", TABLE: KEYS % ""}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
