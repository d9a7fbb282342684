#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Atomics: explicit orders only, everything a checker replaces through the seam, every edge with both sides.

usage: check_atomics.py ROOT

Covers lockfree/, sched/ and runtime/ without its examples.  What it cannot see, a plain `x++` on an _Atomic
object, clang's -Watomic-implicit-seq-cst reports in the clang build.

Edges: an access whose order is not relaxed, and a fence, names its edge (`/* DQ1 release */`) on its own
lines or the line above; over all files each label needs a side that releases and a side that acquires, or two
fences.  A read-modify-write with both orders is both sides.  A fence that is meant for no other one says
`/* alone: why */`.
"""
import re

import lint

SEAM = re.compile(r"lockfree/seam(_\w+)?\.[ch]$")
COVERED = re.compile(r"(lockfree/|sched/|runtime/(?!examples/|tools/|include/)).*\.[ch]$")
OPERATION = r"(?:load|store|exchange|fetch_(?:add|sub|and|or|xor)|compare_exchange_(?:strong|weak))"
BANNED = [
    (r"#\s*include\s*<(stdatomic|threads|pthread|semaphore|linux/futex|sys/(mman|syscall))\.h>",
     "comes through lockfree/seam.h"),
    (r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|strdup|mmap|munmap|madvise"
     r"|syscall|futex|clock_gettime|nanosleep|getrandom|rand|random)\s*\(", "comes through lockfree/seam.h"),
    (r"(?<![\w.>])pthread_\w+\s*\(", "threads come through lockfree/seam.h"),
    (r"\b__(atomic|sync)_\w+\s*\(", "use atomic_*_explicit"),
    (rf"\batomic_{OPERATION}\s*\(", "state the memory order: atomic_*_explicit"),
    (r"\bmemory_order_consume\b", "no consume"),
    (r"\batomic_thread_fence\s*\(", "fences come through lockfree/seam.h"),
    (r"\b(__asm__|__asm|asm)\b", "assembly belongs in lockfree/seam.h"),
]
# A hint to the cache is no access and means nothing to a model.
ALLOWED = [("lockfree/cacheline.h", r"__asm__ volatile\(\"prefetchw")]
LABEL = re.compile(r"\b([A-Z]{2}[0-9])\b")
ACCESS = re.compile(r"\batomic_\w+_explicit\s*\(|\b(?:heist_fence_\w+|[A-Z]+(?:_[A-Z]+)*_FENCE(?:_[A-Z]+)?)\s*\(")
ORDER = re.compile(r"\bmemory_order_(\w+)|\b([A-Z]+_ORDER_[A-Z]+)\b")
DEFINITION = re.compile(r"#\s*define\s+(\w+_ORDER_\w+)\s+memory_order_(\w+)")
SIDES = {"release": "R", "acquire": "A", "acq_rel": "RA", "seq_cst": "RA", "relaxed": ""}


def code_of(text):
    """The code without comments, definitions (naming an order is no access) and mutants (wrong on purpose)."""
    bare = lint.without_comments(text)
    for skipped in (r"^[ \t]*#[ \t]*define\b(?:.*\\\n)*.*", r"^#(?:ifdef |(?:el)?if defined\()\w*MUTANT\w*\)?\n(?:(?!#).*\n)*"):
        bare = re.sub(skipped, lambda m: lint.blank(m[0]), bare, flags=re.M)
    return bare


def end_of_call(code, start):
    """Index behind the parenthesis that closes the one at start."""
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i + 1
    return len(code)


def sides_of(call, orders):
    """Which sides of an edge a call can be: R, A, F(ence), or nothing when relaxed."""
    if not call.startswith("atomic_"):
        return "F"
    found = [orders.get(named, "acq_rel") if named else plain for plain, named in ORDER.findall(call)]
    sides = set("".join(SIDES.get(o, "") for o in found))
    if call.startswith("atomic_load"):
        sides.discard("R")
    if call.startswith("atomic_store"):
        sides.discard("A")
    return "".join(sorted(sides))


def comments(lines):
    """The comments on these lines, also those that begin before or end behind them."""
    return " ".join(re.findall(r"/\*.*?\*/|^(?:(?!/\*).)*\*/|/\*.*$", "\n".join(lines), flags=re.M))


def accesses(text, orders):
    """(line, sides, the comments beside it) of every access that orders something."""
    code, source = code_of(text), text.splitlines()
    blank_code = [not line.strip() for line in code.splitlines()]
    for m in ACCESS.finditer(code):
        if re.search(r"\b(bool|void|int)\s+$", code[:m.start()]):
            continue  # a declaration
        end = end_of_call(code, m.end() - 1)
        sides = sides_of(code[m.start():end], orders)
        if not sides:
            continue
        first, last = code.count("\n", 0, m.start()), code.count("\n", 0, end)
        beside = comments(source[first:last + 1])
        if not LABEL.search(beside):  # on the line above, or where the statement ends
            ends = re.compile(r"[;{]").search(code, end)
            last = code.count("\n", 0, ends.start()) if ends else last
            above = source[first - 1:first] if first and blank_code[first - 1] else []
            beside = comments(above + source[first:last + 1])
        yield first + 1, sides, beside


def banned(name, text):
    for n, line in lint.lines(lint.without_comments(text, strings=False)):
        if any(name == f and re.search(p, line) for f, p in ALLOWED):
            continue
        for pattern, why in BANNED:
            if m := re.search(pattern, line):
                yield f"{name}:{n}: {m[0].strip()}: {why}"


def labelled(name, text, orders, edges):
    """Complaints about labels that are missing or wrong; fills edges with the sides that each label has."""
    for n, sides, beside in accesses(text, orders):
        labels = LABEL.findall(beside)
        if not labels and not (sides == "F" and "alone: " in beside):
            yield f"{name}:{n}: an ordered access without the label of its edge"
        for label in labels:
            for word in re.findall(label + r" (release|acquire)\b", beside):
                if sides != "F" and SIDES[word] not in sides:
                    yield f"{name}:{n}: {label} is said to be {word} here; it is not"
            edges.setdefault(label, []).append((f"{name}:{n}", sides))


def one_sided(edges):
    for label, uses in sorted(edges.items()):
        sides = "".join(s for _, s in uses)
        if not ({"R", "A"} <= set(sides) or sides.count("F") >= 2):
            yield f"{uses[0][0]}: edge {label} has one side only"


def check(files):
    edges, orders = {}, {}
    covered = {n: t for n, t in files.items() if COVERED.match(n) and not SEAM.match(n)}
    for text in covered.values():
        orders.update(DEFINITION.findall(text))
    for name, text in covered.items():
        yield from banned(name, text)
        yield from labelled(name, text, orders, edges)
    yield from one_sided(edges)


RELEASE = "void f(void) { atomic_store_explicit(&x, 1, memory_order_release); /* AB1 release */ }\n"
ACQUIRE = "int g(void) { return atomic_load_explicit(&x, memory_order_acquire); /* AB1 acquire */ }\n"
FENCE = "void h(void) { heist_fence_full(); /* AB2 */ }\n"
PLANTED = [
    ({"lockfree/x.h": "#include <stdatomic.h>\n"}, "lockfree/x.h:1: #include <stdatomic.h>"),
    ({"sched/x.c": "#include <pthread.h>\n"}, "comes through lockfree/seam.h"),
    ({"runtime/x.c": "void *f(void) { return malloc(1); }\n"}, "malloc("),
    ({"runtime/x.c": "\nvoid f(void *p) { free(p); }\n"}, "runtime/x.c:2: free("),
    ({"sched/x.c": "void f(void) { mmap(0); }\n"}, "mmap("),
    ({"sched/x.c": "void f(void) { syscall(1); }\n"}, "syscall("),
    ({"sched/x.c": "void f(void) { pthread_self(); }\n"}, "threads come"),
    ({"sched/x.c": "int f(void) { return __atomic_load_n(&x, 0); }\n"}, "use atomic_*_explicit"),
    ({"sched/x.c": "int f(void) { return __sync_fetch_and_add(&x, 1); }\n"}, "use atomic_*_explicit"),
    ({"sched/x.c": "int f(void) { return atomic_load(&x); }\n"}, "state the memory order"),
    ({"sched/x.c": "int f(void) { return atomic_fetch_add(&x, 1); }\n"}, "state the memory order"),
    ({"sched/x.c": 'void f(void) { __asm__ volatile("mfence"); }\n'}, "assembly"),
    ({"lockfree/x.h": RELEASE + ACQUIRE + RELEASE.replace("/* AB1 release */", "")}, "x.h:3: an ordered access without"),
    ({"lockfree/x.h": RELEASE}, "edge AB1 has one side only"),
    ({"lockfree/x.h": ACQUIRE}, "edge AB1 has one side only"),
    ({"lockfree/x.h": FENCE}, "edge AB2 has one side only"),
    ({"lockfree/x.h": FENCE + FENCE + FENCE.replace("/* AB2 */", "")}, "x.h:3: an ordered access without"),
    ({"lockfree/x.h": RELEASE + ACQUIRE + RELEASE.replace("/* AB1 release", "/* AB1 acquire")}, "is said to be acquire"),
    ({"lockfree/x.h": "#define X_ORDER_PUT memory_order_release\n" + RELEASE.replace(
        "memory_order_release", "X_ORDER_PUT")}, "edge AB1 has one side only"),
]
CLEAN = {
    "lockfree/x.h": RELEASE + "#ifdef X_MUTANT_Y\n" + RELEASE.replace("/* AB1 release */", "") + "#else\n#endif\n",
    "sched/y.c": ACQUIRE + FENCE + FENCE + FENCE.replace("AB2", "alone: so"),
    "runtime/z.c": "int f(void) { return atomic_load_explicit(&x, memory_order_relaxed) + a->free(1); /* malloc(1) */ }\n"
                   "int g(void)\n{\n\tif (!atomic_compare_exchange_strong_explicit(&x, &y,\n\t\t\t1, memory_order_acq_rel,\n"
                   "\t\t\tmemory_order_relaxed)) /* CD1 */\n\t\treturn 1;\n}\n",
    "runtime/examples/e.c": "#include <pthread.h>\n", "tests/t.c": "int f(void) { return atomic_load(&x); }\n",
    "lockfree/seam.c": "#include <pthread.h>\n",
}

if __name__ == "__main__":
    lint.run(check, PLANTED, CLEAN)
