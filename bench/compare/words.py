# SPDX-License-Identifier: BSD-2-Clause
"""How figures are written, in every form of the report."""
from . import peers, rows

RULES = [
    "Same machine, same minutes, a sample of each program with the same settings in turn (`idle`: a process a sample, one after the other); the same CPUs for all threads of a program, its collector and compiler included.",
    "Same work, same parameters, checked results. What a runtime does differently is in the table of the runtimes.",
    "Each runtime with the settings that its documentation recommends, and (in full runs) as it comes.",
    "Runtimes that compile as they run are warmed up before the first sample, for seconds: those whose compiler was still at work then are marked.",
    "The best other is the one with the smallest ratio, whatever its settings. A ratio is the median of the rounds' ratios, the other's figure divided by Heist's with the same settings in the same round: not the quotient of two medians.",
    "An interval covers what differs between the samples and the processes of this run, not other days or machines. Rows where Heist loses are shown like the others. Failed runs have no figure but their reason.",
    "Latency is judged by its median; the other percentiles are in a table below the row.",
    "The note on a row explains it by profiles of Heist's program, which were taken apart from the run.",
    "Published figures are in a table of their own: they come from other machines.",
]
VERDICTS = {
    "ahead": "the whole 95 % interval of the ratio is above 1.03, and each process on that side of 1",
    "behind": "the whole interval is below 0.97, and each process on that side of 1",
    "no difference": "the whole interval is within 3 % of 1",
    "undecided": "this run cannot tell: the interval straddles 3 %, the processes disagree, or there are fewer than three",
    "failed": "Heist failed, with one of its settings at least",
    "not compared": "no other runtime has a figure",
}
PERCENTILES = dict(zip(rows.PERCENTILES, ("50 %", "90 %", "99 %", "99.9 %", "max"), strict=True))
SEMANTICS = ("message", "mailbox", "order", "supervised", "threads", "timeout", "preemptive", "gc", "moves", "remarks")


def quantity(x):
    """Three digits, thousands separated: 8.93, 83.1, 2,530."""
    if x is None:
        return ""
    if abs(x) >= 100:
        return f"{x:,.0f}"
    return f"{x:.3g}" if x >= 1e-3 or x == 0 else f"{x:.1e}"


def megabytes(x):
    return quantity(x / 1e6) if x else ""


def ratio(r):
    return f"{quantity(r['median'])} ×" if r else ""


def spread(s):
    return f"{quantity(s['ci'][0])} - {quantity(s['ci'][1])}" if s else ""


def samples(s):
    return f"{s['n']} in {s['processes']}" if s else ""


def workers(n):
    return f"{n} worker{'s' if n != 1 else ''}"


def title(run, name):
    return run["peers"].get(name, {}).get("title", name)


def meant(entry):
    """What the runtime did in its own way for this figure."""
    s = entry["semantics"]
    supervised = {"yes": "supervised", "no": "not supervised"}.get(s["supervised"], "")
    threads = f"{s['threads']} thread{'s' if s['threads'] != '1' else ''}" if s["threads"] else ""
    return ", ".join(x for x in (s["message"], s["mailbox"], supervised, threads, still_compiling(entry)) if x)


def still_compiling(entry):
    return "compiler still at work" if entry["unsettled"] else ""


def versions(run):
    """{peer: its version, and what it was built with, for each of its settings where that differs}."""
    said = {}
    for e in (e for t in run["tables"] for e in t["entries"] if e["runtime"]):
        version, runtime = e["runtime"].get("version", ""), e["runtime"].get("runtime", "")
        said.setdefault(e["peer"], (version, {}))[1].setdefault(runtime, {})[e["settings"]] = True
    return {peer: ", ".join([version] + [runtime if len(built) == 1 else f"{' and '.join(settings)}: {runtime}" for runtime, settings in built.items()])
            for peer, (version, built) in said.items()}


def label(run, entry):
    """Peer with its settings, where both are shown."""
    shown = title(run, entry["peer"])
    return shown if len(run["plan"]["settings"]) == 1 else f"{shown}, {entry['settings']}"


def latencies(run, table):
    """(entry, its line) of a row of latency: who, and each of PERCENTILES."""
    return [(e, [label(run, e), *[quantity(e["latency"][k]) for k in PERCENTILES]]) for e in table["entries"] if e["latency"]]


def why(entry):
    return f"cannot: {entry['unsupported']}" if entry["unsupported"] else f"failed: {entry['failed']}" if entry["failed"] else ""


def rival(run, table):
    if not table["rival"]:
        return ""
    return label(run, {"peer": table["rival"][0], "settings": table["rival"][1]})


def ours(table):
    return next((e for e in table["entries"] if e["peer"] == peers.OURS and e["settings"] == table["ours"]), None)


def theirs(table):
    return next((e for e in table["entries"] if table["rival"] == [e["peer"], e["settings"]]), None)


def close(table):
    """A row that needs a note: Heist is behind, or less than twice ahead of the best other."""
    return table["ratio"] is not None and table["ratio"]["median"] < 2


def remark(table):
    """(how close it is, why), of a close row."""
    return ("Behind the best other" if table["verdict"] == "behind" else "Less than twice ahead of the best other, or level",
            table["note"] or "Not explained yet: no profile has been taken of this row.")


def loses(table):
    return table["verdict"] in ("behind", "failed")


def left_out(run):
    """Rows that were asked for and are not there, in words."""
    return [f"{row}, {workers(n)}: {why}" for row, n, why in run.get("left_out", [])]


def plan(run):
    p = run["plan"]
    return f"{p['processes']} processes of {p['samples']} rounds, unless n says otherwise"


def counts(run):
    """(verdict, number of rows) in the order of VERDICTS, without zeros."""
    found = [t["verdict"] for t in run["tables"]]
    return [(v, found.count(v)) for v in VERDICTS if v in found]


def trouble(run):
    """Rows whose machine was not quiet."""
    return [t for t in run["tables"] if t["flags"]]
