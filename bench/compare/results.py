# SPDX-License-Identifier: BSD-2-Clause
"""The file of a run, with every sample, and the tables that are made from it."""
import itertools
import json
import pathlib

from . import measure, peers, rows, semantics, stats

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
    try:
        run = json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError) as e:
        raise ValueError(f"{path} cannot be read: {e}") from e
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ValueError(f"{path} is no result of scripts/compare ({FORMAT})")
    return run


def origin(run):
    """What all rows of a run have in common, in words."""
    e = run["environment"]
    return {"kind": run["kind"], "plan": run["plan"], "commit": e["commit"], "CPU": e["cpu"], "kernel": e["kernel"], "set of peers": run["peers"]}


def resume(path, run):
    """`run`, which has no rows yet, with those that `path` has, if that is one like it; ValueError: it is not."""
    if not path.exists():
        return run
    old = load(path)
    was, would_be = origin(old), origin(run)
    if other := [what for what in was if was[what] != would_be[what]]:
        raise ValueError(f"{path} was run with another {', '.join(other)}; choose another --out, or leave --resume out")
    return run | {"started": old["started"], "seconds": old["seconds"], "rows": old["rows"]}


def samples(process):
    """Columns of one process as samples."""
    keys = [k for k in ("ns", "cpu_ns", "rss", "latency_ns") if k in process]
    for i, number in enumerate(process["rounds"]):
        yield number, {k: process[k][i] for k in keys} | {"operations": process["operations"]}


def figures(row, result):
    """Groups of (round, figure), one a process; [] for what failed.  Of a round with several samples it is their median."""
    r = rows.Row(row["row"], row["workload"], row["per"], "", (), figure=(row["figure"], row["unit"]))
    return [[(n, stats.median([measure.figure(r, s) for _, s in same])) for n, same in itertools.groupby(samples(p), lambda s: s[0])]
            for p in result.get("processes", [])]


def cpu_per_operation(result):
    values = [c / p["operations"] for p in result.get("processes", []) for c in p.get("cpu_ns", [])]
    return stats.median(values) if values else None


def latencies(result):
    """Median over the samples of each percentile, for rows of latency."""
    found = [x for p in result.get("processes", []) for x in p.get("latency_ns", [])]
    return {k: stats.median([x[k] for x in found]) for k in found[0]} if found else None


def _entry(row, result, ours, about):
    groups = figures(row, result)
    ratio = stats.ratio(ours, groups) if ours and result["peer"] != peers.OURS else None
    return {
        "peer": result["peer"], "settings": result["settings"], "command": " ".join(result["command"]),
        "failed": result.get("failed", ""), "unsupported": result.get("unsupported", ""),
        "figure": stats.summary([[v for _, v in g] for g in groups]), "cpu": cpu_per_operation(result),
        "peak": stats.median(result["peak_rss"]) if result.get("peak_rss") else None,
        "latency": latencies(result), "runtime": result.get("hello", {}),
        "semantics": semantics.of(about, row["row"], row["workload"], result["settings"], row["workers"]),
        "ratio": ratio, "verdict": stats.verdict(ratio) if ratio else "",
    }


def _fastest(row, ours):
    """(peer, settings) with the least median, of Heist's or of all others'; None if there is none."""
    medians = {}
    for r in row["results"]:
        values = [v for g in figures(row, r) for _, v in g]
        if values and (r["peer"] == peers.OURS) == ours:
            medians[r["peer"], r["settings"]] = stats.median(values)
    return min(medians, key=medians.get, default=None)


def _table(row, abouts, notes, brief):
    """One row, its entries fastest first, each against Heist with the same settings; brief: only the fastest other
    and what it is compared with."""
    by = {(r["peer"], r["settings"]): r for r in row["results"]}
    rival = _fastest(row, False)
    ours = (peers.OURS, rival[1]) if rival else None  # of the same rounds
    if not ours or not figures(row, by.get(ours, {})):
        ours = _fastest(row, True)
    entries = [_entry(row, r, figures(row, by[peers.OURS, r["settings"]]) if (peers.OURS, r["settings"]) in by else None,
                      abouts.get(r["peer"], {}))
               for key, r in by.items() if not brief or key in (ours, rival)]
    entries.sort(key=lambda e: (e["figure"] is None, e["figure"]["median"] if e["figure"] else 0))
    ratio = stats.ratio(figures(row, by[ours]), figures(row, by[rival])) if ours and rival else None
    keep = ("row", "workload", "per", "what", "figure", "unit", "params", "workers", "cpus", "foreign", "flags")
    return {k: row[k] for k in keep} | {
        "entries": entries, "ours": ours and ours[1], "rival": rival and list(rival),
        "ratio": ratio, "verdict": stats.verdict(ratio), "note": notes.get(row["row"], ""),
        "handoff": [c["handoff"] for c in row["calibrations"]], "exchange": [c["exchange"] for c in row["calibrations"]]}


def tables(run, brief=False):
    """What every form of the report shows; plain data.  brief: what an overview needs, in a fraction of the time."""
    notes = json.loads(NOTES.read_text()) if NOTES.exists() else {}
    published = json.loads((HERE / "published.json").read_text())
    head = {k: v for k, v in run.items() if k != "rows"}
    return head | {"tables": [_table(r, run["peers"], notes, brief) for r in run["rows"]], "published": published}
