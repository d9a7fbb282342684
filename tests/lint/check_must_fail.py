#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that the typed layer of heist.h must refuse: each differs from one that compiles in one mistake.

usage: check_must_fail.py INCLUDEDIR...

Each is compiled as C11 and C++17 by every compiler that is here, with the warnings that the header's users are
told to turn into errors, and must be refused for the right reason: the output has one of its phrases, and one of
the names that lead to the mistake.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

import lint

COMPILERS = [("gcc", "c"), ("clang", "c"), ("g++", "c++"), ("clang++", "c++")]
STANDARD = {"c": "c11", "c++": "c++17"}
FLAGS = ["-Wall", "-Wextra", "-Werror", "-c", "-o", os.devnull]

# The program that compiles.  @@ in it are the places of the mistakes.
PROGRAM = """
#include <heist/heist.h>

struct sink_line { int64_t n; };
#define SINK(X, P) X(P, line, heist_unit, NULL)
HEIST_INTERFACE(sink, SINK);
HEIST_TABLE(sink, SINK);

struct counter_add { int64_t by; };
struct counter_get { int64_t unused; };
struct counter_value { int64_t n; };
@messages@
#define COUNTER(X, P) X(P, add, heist_unit, NULL) X(P, get, struct counter_value, NULL) @list@
HEIST_PROTOCOL(counter, COUNTER);
HEIST_NARROW(counter, sink);

struct counter { int64_t n; counter_get_owed owed; };
static heist_next counter_on_add(heist_ctx *c, struct counter *s, @add@ *m)
{
    (void)c, (void)m;
    s->n++;
    return HEIST_CONTINUE;
}
static heist_next counter_on_get(heist_ctx *c, @state@ *s, struct counter_get *m)
{
    struct counter_value v = { s->n };
    (void)m;
    counter_reply_get(c, v);
    s->owed = counter_later_get(c);
    return HEIST_CONTINUE;
}
HEIST_ACTOR(counter, struct counter, COUNTER);

static void on_value(heist_ctx *c, struct counter *s, heist_status st, @reply@ *v, uint64_t user)
{
    (void)c, (void)s, (void)st, (void)v, (void)user;
}
HEIST_ON_REPLY(counter, @asked@, struct counter, on_value);

int use(heist_system *s, heist_ctx *c, counter_ref r, struct counter *state);
int use(heist_system *s, heist_ctx *c, counter_ref r, struct counter *state)
{
    struct counter_add add = { 1 };
    struct counter_get get = { 0 };
    struct counter_value value = { 0 };
    struct sink_line line = { 2 };
    struct counter_add *moved = counter_new_add(s, 0);
    sink_ref sink = counter_as_sink(r);
    heist_status st = counter_send_add(r, add);
    if (st == HEIST_OK)
        st = sink_send_line(sink, line);
    if (st == HEIST_OK)
        st = counter_spawn(s, NULL, NULL, &r);
    if (st == HEIST_OK)
        st = counter_post_add(r, &moved);
    if (st == HEIST_OK)
        st = counter_ask_get(c, r, get, 0, on_value_k, 1);
    if (st == HEIST_OK)
        st = counter_call_get(s, r, get, 0, &value);
    if (st == HEIST_OK)
        st = counter_reply_to_get(state->owed, value);
    @body@
    return st;
}
"""
RIGHT = {"messages": "", "list": "", "add": "struct counter_add", "state": "struct counter",
         "reply": "const struct counter_value", "asked": "get", "body": ""}

# What compilers say about a value or pointer of another type, and about a name they do not know.
TYPE = (r"incompatible|invalid conversion|cannot (convert|initialize)|could not convert|no matching function"
        r"|no known conversion")
UNKNOWN = r"implicit declaration|not declared|undeclared|unknown type|'type name' with no type"
UNUSED = r"ignoring return value"

CASES = [  # name, what is put where, phrases, names
    ("another message's payload", {"body": "st = counter_send_add(r, get);"}, TYPE, "counter_send_add|counter_add"),
    ("a message that the protocol lacks", {"body": "st = counter_send_sub(r, add);"}, UNKNOWN, "counter_send_sub"),
    ("a handle of another protocol", {"body": "st = counter_send_add(sink, add);"}, TYPE, "counter_send_add|counter_ref"),
    ("a bare handle", {"body": "st = counter_send_add(r.ref, add);"}, TYPE, "counter_send_add|counter_ref"),
    ("an actor where its interface is wanted", {"body": "st = sink_send_line(r, line);"}, TYPE, "sink_send_line|sink_ref"),
    ("an interface that was not promised", {"body": "counter_ref q = sink_as_counter(sink); (void)q;"}, UNKNOWN,
     "sink_as_counter"),
    ("a reply of another type", {"body": "st = counter_reply_get(c, add);"}, TYPE, "counter_reply_get|counter_value"),
    ("a value into a variable of another type", {"body": "st = counter_call_get(s, r, get, 0, &add);"}, TYPE,
     "counter_call_get|counter_value"),
    ("a question with another payload", {"body": "st = counter_call_get(s, r, add, 0, &value);"}, TYPE,
     "counter_call_get|counter_get"),
    ("asking with another payload", {"body": "st = counter_ask_get(c, r, add, 0, on_value_k, 1);"}, TYPE,
     "counter_ask_get|counter_get"),
    ("an untyped continuation", {"body": "st = counter_ask_get(c, r, get, 0, on_value, 1);"}, TYPE, "on_value|heist_reply_fn"),
    ("a debt to another message", {"body": "counter_add_owed o = counter_later_add(c); st = counter_reply_to_get(o, value);"},
     TYPE, "counter_reply_to_get|counter_get_owed"),
    ("a debt of another message", {"body": "state->owed = counter_later_add(c);"}, TYPE + "|no match for", "owed"),
    ("moving another message", {"body": "st = counter_post_add(r, (struct counter_get **)0);"}, TYPE, "counter_post_add|counter_add"),
    ("a message made for another type", {"body": "struct counter_get *g = counter_new_add(s, 0); (void)g;"}, TYPE,
     "counter_get"),
    ("a spawn into another handle", {"body": "st = counter_spawn(s, NULL, NULL, &sink);"}, TYPE, "counter_spawn|counter_ref"),
    ("a spawn nobody looks at", {"body": "counter_spawn(s, NULL, NULL, &r);"}, UNUSED, "counter_spawn"),
    ("a moved message nobody looks at", {"body": "counter_post_add(r, &moved);"}, UNUSED, "counter_post_add"),
    ("a handler for another payload", {"add": "struct counter_get"}, TYPE, "counter_on_add|counter_get"),
    ("a handler for another state", {"state": "struct counter_value"}, TYPE + "|no member", "counter_on_get|counter_value"),
    ("a continuation for another reply", {"reply": "const struct counter_add"}, TYPE, "on_value|counter_add"),
    ("a continuation that changes its reply", {"reply": "struct counter_value"}, TYPE + "|discards", "on_value|counter_value"),
    ("a continuation of no message", {"asked": "sub"}, UNKNOWN, r"counter_R_sub|HEIST_ON_REPLY\(counter, sub"),
    ("a message without handler", {"messages": "struct counter_sub { int64_t by; };", "list": "X(P, sub, heist_unit, NULL)"},
     UNKNOWN, "counter_on_sub"),
    ("a message without payload struct", {"list": "X(P, sub, heist_unit, NULL)"}, "incomplete|undefined type|invalid application|forward decl",
     "counter_sub"),
    ("a message twice", {"list": "X(P, add, heist_unit, NULL)"}, "redefinition|redeclaration|conflicting", "counter_T_add"),
    ("a payload with too much alignment", {"messages": "struct counter_sub { long double by; };", "list": "X(P, sub, heist_unit, NULL)"},
     "static assertion failed|static_assert failed", r"alignment <= 8"),
    ("a reply type that does not exist", {"messages": "struct counter_sub { int64_t by; };", "list": "X(P, sub, struct nothing, NULL)"},
     "incomplete|undefined type|invalid application|forward decl", "nothing"),
]


def program(mistake):
    parts = RIGHT | mistake
    return re.sub(r"@(\w+)@", lambda m: parts[m[1]], PROGRAM)


def compile_one(compiler, language, include_dirs, text, folder, name):
    source = os.path.join(folder, f"{name}.{'c' if language == 'c' else 'cpp'}")
    with open(source, "w") as f:
        f.write(text)
    return subprocess.run([compiler, f"-std={STANDARD[language]}", *FLAGS, *[f"-I{d}" for d in include_dirs], source],
                          capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})


def judge(name, mistake, phrases, names, run):
    """What is wrong with a compiler's verdict, or None."""
    if not mistake:
        return f"the right program is refused:\n{run.stderr}" if run.returncode else None
    if not run.returncode:
        return f"accepted: {name}"
    for what, pattern in (("reason", phrases), ("name", names)):
        if not re.search(pattern, run.stderr):
            return f"refused without the {what} ({pattern}): {name}\n{run.stderr}"
    return None


def check(include_dirs, folder):
    jobs = [("the right program", {}, "", "")] + CASES
    tasks = [(c, language, job, f"{c}-{i}") for c, language in COMPILERS if shutil.which(c) for i, job in enumerate(jobs)]

    def one(task):
        compiler, language, (name, mistake, phrases, names), file = task
        run = compile_one(compiler, language, include_dirs, program(mistake), folder, file)
        why = judge(name, mistake, phrases, names, run)
        return f"{compiler}: {why}" if why else None

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from filter(None, pool.map(one, tasks))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as d:
        complaints = list(check(sys.argv[1:], d))
    lint.finish(complaints)
