# SPDX-License-Identifier: BSD-2-Clause
"""Runs that are kept in bench/results, and what README.md shows of them; the table in bench/peers/README.md.

bench/results/NAME/run.json has every sample, report.md beside it is made from it; bench/results/README.md shows
the verdicts of all kept runs side by side.  README.md shows the newest complete run, or the newest if none is complete.
"""
import difflib
import sys

from . import markdown, peers, results, rows, semantics, stats, words

KEPT = peers.ROOT / "bench" / "results"
README = peers.ROOT / "README.md"
PEERS = peers.SOURCES / "README.md"
BEGIN, END = "<!-- comparison: made by scripts/compare readme -->", "<!-- end of comparison -->"


def runs():
    """(name, run), oldest first."""
    found = [(p.parent.name, results.load(p)) for p in KEPT.glob("*/run.json")]
    return sorted(found, key=lambda x: x[1]["started"])


def complete(run):
    """A full run of every row at one worker and at all, with every peer and both settings, and as many processes as a verdict needs."""
    plan = run["plan"]
    have = {(r["row"], r["workers"]) for r in run["rows"]}
    every = len(run["environment"]["cpus_allowed"])
    possible, _ = rows.pairs(rows.ROWS, sorted({1, every}), every)
    return (run["kind"] == "full" and plan["processes"] >= stats.FEWEST and set(peers.SETTINGS) <= set(plan["settings"])
            and {p.name for p in peers.discover()} <= {name for name, about in run["peers"].items() if not about["skipped"]}
            and {(r.name, w) for r, w in possible} <= have)


def shown(kept):
    """The run for README.md."""
    return max(kept, key=lambda x: (complete(x[1]), x[1]["started"]), default=None)


def keep(source, name):
    """Copy a run, with its report.  ValueError: it cannot be made again, or something is there by that name."""
    run = results.load(source)
    if run["environment"]["changed_files"] or run["environment"]["commit"] in ("", "unknown"):
        raise ValueError(f"{source} was measured with changes that are in no commit: commit them, and measure again")
    kind = run["kind"] if run["kind"] != "full" or complete(run) else "part"
    directory = KEPT / (name or f"{run['started'][:10]}-{kind}")
    if directory.exists():
        raise ValueError(f"{directory.relative_to(peers.ROOT)} is there already; choose another --name, or remove it")
    directory.mkdir(parents=True)
    results.save(run, directory / "run.json")
    print(directory.relative_to(peers.ROOT))
    return refresh(check=False)


def write_reports():
    """report.md of every kept run, by the rules and with the notes of today: a minute each."""
    for name, run in runs():
        print(f"{KEPT.relative_to(peers.ROOT)}/{name}/report.md", flush=True)
        (KEPT / name / "report.md").write_text("\n".join(markdown.document(results.tables(run))).rstrip() + "\n")


def comparison(kept, made):
    """The part of README.md between the marks.  made: the tables of each run, by its name."""
    if not kept:
        return "No run is kept in bench/results yet.\n"
    name, _ = shown(kept)
    summary = "\n".join(markdown.summary(made[name])).rstrip()
    return (f"{summary}\n\nBest other: the one that comes nearest to Heist, or is furthest ahead, of all with all of their settings. Ratio: the median of the rounds' "
            f"ratios, its figure divided by Heist's with the same settings in the same round (not the quotient of the two medians beside it), its 95 % interval within this run, and rounds in "
            f"processes. *Undecided*: {words.VERDICTS['undecided']}. All figures: [bench/results/{name}/report.md](bench/results/{name}/report.md).\n")


def origin(named):
    """Where and of what a run was made: two agree on something only if that differs."""
    name, run = named
    e = run["environment"]
    times = [run[key][:16].replace("T", " ") for key in ("started", "ended")]
    return [name, *times, run["seconds"] // 60, f"{e['cpu']}, {e['cpus']} CPUs", e["kernel"], e["commit"][:12],
            len([p for p in run["peers"].values() if not p["skipped"]]), len(run["rows"])]


def agree(said):
    """What several runs say of a row."""
    if len(said) < 2:
        return ""
    return "yes" if len(set(said)) == 1 else "contradict" if {"ahead", "behind"} <= set(said) else "no"


def verdicts(kept, made):
    """bench/results/README.md.  made: the tables of each run, by its name."""
    yield "# Kept runs of the comparison"
    yield ""
    yield ("Made by `scripts/compare keep`. Each folder has `run.json` with every sample and `report.md`; `scripts/compare report "
           "bench/results/NAME/run.json --out DIR` makes the page. Here are the last complete runs, whatever they say; older ones, of older programs, go when newer come "
           "(`git log -- bench/results`).")
    yield ""
    yield from markdown.table(["run", "begun", "ended", "minutes", "machine", "kernel", "commit", "runtimes", "rows"], map(origin, kept))
    yield ("Verdicts of Heist against the best other runtime. *Agree*: yes, the same verdict; no, another one, but not the opposite; contradict. The ratios "
           "depend on the machine and the day more than their intervals tell. `paced_latency` is judged by its median; the other percentiles are in the reports.")
    yield ""
    tables = [{(t["row"], t["workers"]): t for t in made[name]["tables"]} for name, _ in kept]
    lines = []
    for key in dict.fromkeys(key for of_run in tables for key in of_run):
        each = [of_run.get(key) for of_run in tables]
        cells = [f"{t['verdict']}, {words.ratio(t['ratio'])} {words.rival(run, t)}" if t and t["ratio"] else t["verdict"] if t else ""
                 for t, (_, run) in zip(each, kept)]
        lines.append([f"`{key[0]}`", key[1], *cells, agree([t["verdict"] for t in each if t])])
    yield from markdown.table(["row", "workers", *[name for name, _ in kept], "agree"], lines)


def wanted():
    """{file: text} as they should be."""
    kept, text = runs(), README.read_text()
    made = {name: results.tables(run, brief=True) for name, run in kept}
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"README.md lacks the marks {BEGIN} and {END}")
    return {README: f"{before}{BEGIN}\n{comparison(kept, made)}{END}{after}",
            KEPT / "README.md": "\n".join(verdicts(kept, made)).rstrip() + "\n", PEERS: semantics.table(PEERS.read_text())}


def refresh(check):
    """Write them and the reports, or say what of them would change; exit status.  The reports take too long to be checked."""
    wrong = 0
    if not check:
        write_reports()
    for path, text in wanted().items():
        old = path.read_text() if path.exists() else ""
        if text == old:
            continue
        wrong = 1
        if check:
            name = str(path.relative_to(peers.ROOT))
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, name + " as it should be"))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(path.relative_to(peers.ROOT))
    if check and wrong:
        print("scripts/compare readme writes them anew")
    return wrong if check else 0
