#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The table of README.md: which tool finds which mutant, after how many executions.

usage: table.py BUILD README                         run every mutant of a build folder, write the table
       table.py --check README MUTANT... [--genmc MUTANT...]    compare its rows with the mutants there are

The columns: random search, exhaustive search with sleep sets (mutants of structures only), GenMC.  A build
without GenMC leaves that column as it was.
"""
import json
import pathlib
import re
import subprocess
import sys

BEGIN, END = "<!-- mutants: table.py -->", "<!-- end -->"
EXHAUSTIVE = ["--exhaustive", "--preemptions", "3", "--limit", "200000", "--expect", "any"]


def executions(command):
    """`kind, N` as the tool prints it, or `-`."""
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    own = re.search(r": after (\d+) executions \(.*?\): ([\w-]+):", out)
    genmc = re.search(r"^(\d+) complete, (\d+) blocked, .*, found: (\w+)", out)
    if own:
        return f"{own[2]}, {int(own[1]):,}"
    return f"{genmc[3]}, {int(genmc[1]) + int(genmc[2]):,}" if genmc else "-"


def rows_of(text):
    """{mutant: [cells]} of the table in a README."""
    table = text[text.index(BEGIN):text.index(END)]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")]
    return {c[0].strip("`"): c[1:] for c in cells}


def write(build, readme):
    """Run what the build has and put the table in."""
    text = readme.read_text()
    old = rows_of(text)
    out = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, text=True, check=True).stdout
    commands = {t["name"]: t["cmd"] for t in json.loads(out)}
    lines = ["| mutant | random | exhaustive | GenMC |", "|---|---|---|---|"]
    have_genmc = any(n.startswith("genmc-mutant-") for n in commands)
    for name, command in sorted(commands.items()):
        if not name.startswith("mutant-"):
            continue
        mutant = name.removeprefix("mutant-")
        small = "check/models/mutant_" not in command[0]
        genmc = commands.get("genmc-" + name)
        cells = [executions(command), executions([command[0], *EXHAUSTIVE, *(["--membarrier"] if "--membarrier" in command else [])]) if small else "",
                 (executions(genmc) if genmc else "") if have_genmc else old.get(mutant, [""] * 3)[2]]
        lines.append(f"| `{mutant}` | " + " | ".join(cells) + " |")
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    readme.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + after)


def check(readme, mutants, genmc):
    """What differs between the table and the mutants there are, a line each."""
    rows = rows_of(readme.read_text())
    found = [f"{m}: not in the table" for m in mutants if m not in rows]
    found += [f"{m}: in the table, but there is no such mutant" for m in rows if m not in mutants]
    for m, cells in rows.items():
        if not re.fullmatch(r"[\w-]+, [\d,]+", cells[0]):
            found.append(f"{m}: not found by the random search")
        if (m in genmc) != bool(re.fullmatch(r"[\w-]+, [\d,]+", cells[2])):
            found.append(f"{m}: the column of GenMC and the tests under GenMC differ")
    return found


def main(arguments):
    if len(arguments) == 2 and arguments[0] != "--check":
        write(arguments[0], pathlib.Path(arguments[1]))
        return 0
    if len(arguments) < 3 or arguments[0] != "--check":
        print(__doc__, file=sys.stderr)
        return 2
    names = arguments[2:]
    split = names.index("--genmc") if "--genmc" in names else len(names)
    found = check(pathlib.Path(arguments[1]), names[:split], names[split + 1:])
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    if found:
        print("run tests/check/table.py BUILD tests/check/README.md", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
