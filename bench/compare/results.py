# SPDX-License-Identifier: BSD-2-Clause
"""The file of a run, with every sample, and the tables that are made from it."""
import itertools
import json
import pathlib

from . import environment, measure, peers, semantics, stats

FORMAT = "heist-compare/1"
HERE = pathlib.Path(__file__).resolve().parent
NOTES = peers.ROOT / "bench" / "results" / "notes.json"


def save(run, path):
    """One line a result: readable, and its changes too."""
    short = dict(separators=(",", ":"), ensure_ascii=False)
    lines = [f'"{k}": {json.dumps(v, ensure_ascii=False)}' for k, v in run.items() if k != "rows"]
    texts = []
    for row in run["rows"]:
        head = json.dumps({k: v for k, v in row.items() if k != "results"}, **short)[:-1]
        texts.append(head + ',"results":[\n' + ",\n".join(json.dumps(r, **short) for r in row["results"]) + "]}")
    lines.append('"rows": [\n' + ",\n".join(texts) + "\n]")
    part = path.with_suffix(".part")
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    part.replace(path)


def load(path):
    """A run; ValueError: the file is none."""
    run = peers.read_json(pathlib.Path(path))
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ValueError(f"{path} is no result of scripts/compare ({FORMAT})")
    return run


def origin(run):
    """What all rows of a run have in common, in words."""
    e = run["environment"]
    return {"kind": run["kind"], "plan": run["plan"], "commit": e["commit"], "number of changed files": e["changed_files"], "CPU": e["cpu"],
            "set of CPUs": e["cpus_allowed"], "kernel": e["kernel"], "compiler": e["compiler"], "set of peers": run["peers"]}


def resume(path, run):
    """`run`, which has no rows yet, with those that `path` has, if that is one like it; ValueError: it is not."""
    if not path.exists():
        return run
    old = load(path)
    was, would_be = origin(old), origin(run)
    if other := [what for what in was if was[what] != would_be[what]]:
        raise ValueError(f"{path} was run with another {', '.join(other)}; choose another --out, or leave --resume out")
    return run | {k: old[k] for k in ("started", "ended", "seconds", "rows")} | {"command": f"{old['command']}; {run['command']}"}


def samples(process):
    """Columns of one process as samples."""
    keys = [k for k in ("ns", "cpu_ns", "rss", "latency_ns") if k in process]
    for i, number in enumerate(process["rounds"]):
        yield number, {k: process[k][i] for k in keys} | {"operations": process["operations"]}


def figures(row, result):
    """Groups of (round, figure), one a process; [] for what failed.  Of a round with several samples it is their median."""
    return [[(n, stats.median([measure.figure(row["figure"], s) for _, s in same])) for n, same in itertools.groupby(samples(p), lambda s: s[0])]
            for p in result.get("processes", [])]


def cpu_per_operation(result):
    values = [c / p["operations"] for p in result.get("processes", []) for c in p.get("cpu_ns", [])]
    return stats.median(values) if values else None


def latencies(result):
    """Median over the samples of each percentile, for rows of latency."""
    found = [x for p in result.get("processes", []) for x in p.get("latency_ns", [])]
    return {k: stats.median([x[k] for x in found]) for k in found[0]} if found else None


def _entry(row, result, groups, ours, about):
    ratio = stats.ratio(ours, groups) if ours and result["peer"] != peers.OURS else None
    return {
        "peer": result["peer"], "settings": result["settings"], "command": " ".join(result["command"]),
        "failed": result.get("failed", ""), "unsupported": result.get("unsupported", ""),
        "figure": stats.summary([[v for _, v in g] for g in groups]), "cpu": cpu_per_operation(result),
        "peak": stats.median(result["peak_rss"]) if result.get("peak_rss") else None,
        "latency": latencies(result), "runtime": result.get("hello", {}),
        "unsettled": bool(result.get("unsettled")) or result.get("hello", {}).get("settled") is False,
        "semantics": semantics.of(about, row["row"], row["workload"], result["settings"], row["workers"]),
        "ratio": ratio, "verdict": stats.verdict(ratio) if ratio else "",
    }


def _fastest(groups):
    """The key of the least median; None if none has a figure."""
    medians = {k: stats.median([v for g in gs for _, v in g]) for k, gs in groups.items() if any(gs)}
    return min(medians, key=medians.get, default=None)


def _rival(groups):
    """(peer, settings) that Heist's verdict is about: the one that is nearest to Heist or furthest ahead by its ratio, of all others with
    all of their settings; None if none can be compared.  Not the least median: programs with other settings are not measured in
    the same seconds, and the machine changes in between."""
    nearest = {}
    for key in groups:
        pairs = [v for g in stats.ratios(groups.get((peers.OURS, key[1]), []), groups[key]) for v in g] if key[0] != peers.OURS else []
        if pairs:
            nearest[key] = stats.median(pairs)
    return min(nearest, key=nearest.get, default=None)


def _table(row, abouts, notes, brief):
    """One row, its entries fastest first, each against Heist with the same settings, whose rounds it shared; brief: only
    the rival and what it is compared with."""
    by = {(r["peer"], r["settings"]): r for r in row["results"]}
    groups = {key: figures(row, r) for key, r in by.items()}
    rival = _rival(groups)
    ours = (peers.OURS, rival[1]) if rival else _fastest({k: g for k, g in groups.items() if k[0] == peers.OURS})
    entries = [_entry(row, r, groups[key], groups.get((peers.OURS, key[1])), abouts.get(key[0], {}))
               for key, r in by.items() if not brief or key in (ours, rival)]
    entries.sort(key=lambda e: (e["figure"] is None, e["figure"]["median"] if e["figure"] else 0))
    ratio = next((e["ratio"] for e in entries if (e["peer"], e["settings"]) == rival), None)
    failed = any("failed" in r for key, r in by.items() if key[0] == peers.OURS)
    keep = ("row", "workload", "per", "what", "figure", "unit", "params", "workers", "cpus", "foreign")
    return {k: row[k] for k in keep} | {
        "entries": entries, "ours": ours and ours[1], "rival": rival and list(rival),
        "ratio": ratio, "verdict": "failed" if failed else stats.verdict(ratio),
        "note": notes.get(row["row"]) or notes.get(row["workload"], ""), "flags": environment.flags(row),
        "handoff": [c["handoff"] for c in row["calibrations"]], "exchange": [c["exchange"] for c in row["calibrations"]]}


def tables(run, brief=False):
    """What every form of the report shows; plain data.  brief: what an overview needs, in a fraction of the time."""
    notes = peers.read_json(NOTES) if NOTES.exists() else {}
    published = peers.read_json(HERE / "published.json")
    head = {k: v for k, v in run.items() if k != "rows"}
    return head | {"tables": [_table(r, run["peers"], notes, brief) for r in run["rows"]], "published": published}
