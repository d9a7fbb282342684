# SPDX-License-Identifier: BSD-2-Clause
"""What nothing has called, against the list that says why (uncovered.txt).

A function is a place in a file: all instances of a template or a macro that begin on one line are one, and one call
of any of them is enough.  Names of templates are without what they are instantiated with.
"""
import json
import pathlib
import re

LIST = pathlib.Path(__file__).with_name("uncovered.txt")
ENTRY = re.compile(r"(?P<file>\S+):(?P<name>\S+) (?P<when>never|chance): (?P<why>\S.*)")


def entries(text):
    """{(file, name): when} of the list; ValueError: a line that is none."""
    found = {}
    for n, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        m = ENTRY.fullmatch(line)
        if not m or (m["file"], m["name"]) in found:
            raise ValueError(f"uncovered.txt:{n}: not `file:function never|chance: why`, or said twice: {line}")
        found[m["file"], m["name"]] = m["when"]
    return found


def bare(name):
    """`heist::detail::drop` of `void heist::detail::drop<...>(void*)`."""
    while (shorter := re.sub(r"<[^<>]*>|\([^()]*\)|\{[^{}]*\}", "", name)) != name:
        name = shorter
    return re.sub(r"\s+const$", "", name).split()[-1]


def functions(data):
    """{(file, name): times called} of gcovr's JSON."""
    calls = {}
    for file in data["files"]:
        places = {}
        for f in file.get("functions", []):
            place = places.setdefault(f["lineno"], [bare(f["name"]), 0])
            place[1] += f["execution_count"]
        for name, count in places.values():
            calls[file["file"], name] = calls.get((file["file"], name), 0) + count
    return calls


def complaints(calls, listed):
    for (file, name), count in sorted(calls.items()):
        when = listed.get((file, name))
        if count == 0 and when is None:
            yield f"{file}:{name} is not called, and not in {LIST.name}: write a test, or say why there is none"
        if count != 0 and when == "never":
            yield f"{file}:{name} is called: its line in {LIST.name} can go"
    for file, name in sorted(listed):
        if (file, name) not in calls:
            yield f"{file}:{name} is in {LIST.name}, and there is no such function"


def compare(data):
    """Print what differs; how many functions there are, and are not called."""
    calls = functions(json.loads(pathlib.Path(data).read_text()))
    wrong = list(complaints(calls, entries(LIST.read_text())))
    for line in wrong:
        print(line)
    print(f"functions: {len(calls)}, not called: {sum(not n for n in calls.values())}, of which "
          f"{LIST.name} does not speak, or wrongly: {len(wrong)}")
    return bool(wrong)
