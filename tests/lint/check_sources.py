#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rules that readers overlook: layers, the seam, memory orders, edge labels, licence lines."""
import pathlib
import re
import sys

LAYERS = {"lockfree": ["lockfree/"], "sched": ["lockfree/", "sched/"],
          "runtime": ["lockfree/", "sched/", "runtime/", "heist/"]}
THIRD_PARTY = {"hwloc.h": "sched/topology.c", "jemalloc/jemalloc.h": "runtime/alloc.c",
               "ck_backoff.h": "lockfree/backoff.h", "ck_barrier.h": "lockfree/barrier.h"}
SEAM = {"lockfree/seam.h", "lockfree/seam.c"}
BANNED = [(r"#include <stdatomic\.h>", "atomics come through lockfree/seam.h"),
          (r"#include <pthread\.h>", "threads come through lockfree/seam.h"),
          (r"\b(malloc|calloc|realloc|free|mmap|munmap|syscall)\s*\(", "system calls and memory come through lockfree/seam.h"),
          (r"\b__(atomic|sync)_\w+\s*\(", "only atomic_*_explicit"),
          (r"\batomic_(?!\w*_explicit)(load|store|exchange|fetch_\w+|compare_exchange_\w+)\s*\(", "state the memory order: atomic_*_explicit")]
LABEL = re.compile(r"\b([A-Z]{2}\d)\b")
ORDERED = re.compile(r"memory_order_(acquire|release|acq_rel|seq_cst)|\b[A-Z]+_ORDER_[A-Z]+")


def strip(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def check(name, text):
    """Complaints about one file of a layer."""
    layer = name.split("/")[0]
    bare = strip(text)
    for n, line in enumerate(bare.splitlines(), 1):
        m = re.match(r'\s*#include\s+["<]([^">]+)[">]', line)
        if m and re.match(r"(lockfree|sched|runtime|bench|tests|heist)/", m.group(1)):
            if not any(m.group(1).startswith(p) for p in LAYERS[layer]):
                yield f"{name}:{n}: {layer} may not include {m.group(1)}"
        if m and m.group(1).startswith("ck_") and m.group(1) not in THIRD_PARTY:
            yield f"{name}:{n}: no adapter of libck is known for {m.group(1)}"
        if m and m.group(1) in THIRD_PARTY and THIRD_PARTY[m.group(1)] != name:
            yield f"{name}:{n}: {m.group(1)} belongs in {THIRD_PARTY[m.group(1)]}"
        if name not in SEAM and not m or (m and name not in SEAM):
            for pattern, why in BANNED:
                if re.search(pattern, line):
                    yield f"{name}:{n}: {why}"
    if name in SEAM:
        return
    lines, bare_lines = text.splitlines(), bare.splitlines()
    for n, line in enumerate(bare_lines):
        if not ORDERED.search(line) or line.lstrip().startswith("#"):
            continue
        near = " ".join(lines[max(0, n - 4):n + 4])
        if not LABEL.search(near) and "code" not in near:
            yield f"{name}:{n + 1}: an ordered access without an edge label"


def self_test():
    bad = '#include "sched/pool.h"\n#include <stdatomic.h>\nint f(void) { return atomic_load(&x); }\n' \
          "void g(void) { atomic_store_explicit(&x, 1, memory_order_release); }\n"
    found = list(check("lockfree/bad.c", bad))
    assert len(found) == 4, found


def main():
    root, bad = pathlib.Path(sys.argv[1]), []
    self_test()
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            name = str(path.relative_to(root))
            if "/examples/" not in name and "/include/" not in name:
                bad += check(name, path.read_text())
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.startswith((".git/", "build")) or path.suffix not in (".c", ".h", ".py", ".build", ".cpp", ".pml"):
            continue
        if "SPDX-License-Identifier: BSD-2-Clause" not in path.read_text()[:300]:
            bad.append(f"{name}: no licence line")
    print("\n".join(bad))
    return bool(bad)


sys.exit(main())
