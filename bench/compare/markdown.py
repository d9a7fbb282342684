# SPDX-License-Identifier: BSD-2-Clause
"""The report as Markdown."""
from . import words


def cell(x):
    return str(x).replace("|", "\\|").replace("\n", " ")


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join("---" for _ in head) + "|"
    for line in lines:
        yield "| " + " | ".join(cell(x) for x in line) + " |"
    yield ""


def overview(run):
    """One line a row: Heist, the best other, the ratio; what README.md shows."""
    head = ["row", "workers", "Heist", "best other", "its figure", "ratio", "95 %", "n", "verdict"]
    lines = []
    for t in run["tables"]:
        ours, theirs = words.ours(t), words.theirs(t)
        shown = lambda e: f"{words.quantity(e['figure']['median'])} {t['unit']}" if e else "none"
        lines.append([f"`{t['row']}`", t["workers"], shown(ours), words.rival(run, t), shown(theirs), words.ratio(t["ratio"]),
                      words.spread(t["ratio"]), words.samples(t["ratio"]), t["verdict"] + (" (not quiet)" if t["flags"] else "")])
    return table(head, lines)


def row(run, t):
    yield f"### {t['row']}, {words.workers(t['workers'])}"
    yield ""
    yield f"{t['what']} {t['unit']} per {t['per']}; {', '.join(f'{k} = {v:,}' for k, v in t['params'].items())}."
    yield ""
    for flag in t["flags"]:
        yield f"Not quiet: {flag}."
        yield ""
    if words.close(t):
        yield ": ".join(words.remark(t))
        yield ""
    head = ["runtime", "settings", "median", "95 %", "min", "n", "CPU ns", "peak MB", "ratio to Heist", "95 %", "verdict", "semantics"]
    lines = []
    for e in t["entries"]:
        f = e["figure"]
        if not f:
            lines.append([words.title(run, e["peer"]), e["settings"], words.why(e)] + [""] * 8 + [words.meant(e)])
            continue
        lines.append([words.title(run, e["peer"]), e["settings"], words.quantity(f["median"]), words.spread(f),
                      words.quantity(f["min"]), words.samples(f), words.quantity(e["cpu"]),
                      words.megabytes(e["peak"]), words.ratio(e["ratio"]), words.spread(e["ratio"]), e["verdict"], words.meant(e)])
    yield from table(head, lines)
    if found := words.latencies(run, t):
        yield "Latency in ns, medians of the samples:"
        yield ""
        yield from table(["runtime", *words.PERCENTILES.values()], [line for _, line in found])


def runtimes(run):
    head = ["runtime", "version", "licence", *words.SEMANTICS]
    versions = words.versions(run)
    lines = []
    for name, about in run["peers"].items():
        said = about.get("semantics", {})
        lines.append([about.get("title", name), f"skipped: {about['skipped']}" if about["skipped"] else versions.get(name, ""),
                      about.get("licence", ""), *[said.get(k, "") for k in words.SEMANTICS]])
    yield from table(head, lines)
    for name, about in run["peers"].items():
        for s, text in about.get("settings", {}).items():
            yield f"- {about.get('title', name)}, {s}: {text}"
    yield ""


def summary(run):
    """Where, how, and how it ended; then the overview."""
    e = run["environment"]
    yield (f"{run['started'][:10]}, {e['cpu']}, {e['cpus']} CPUs, {e['system']}, Linux {e['kernel']}, commit {e['commit'][:12]}"
           f"{' with changes' if e['changed_files'] else ''}. `{run['command']}`, {run['seconds'] // 60} minutes; "
           f"{words.plan(run)}. Medians; less is better.")
    yield ""
    said = ", ".join(f"{v} on {n}" for v, n in words.counts(run))
    loud = len(words.trouble(run))
    yield (f"Heist against the best other, {len(run['tables'])} rows: {said}."
           + (f" {loud} of them were measured while the machine was not quiet." if loud else ""))
    yield ""
    yield from overview(run)
    for line in words.left_out(run):
        yield f"Left out: {line}."
        yield ""


def document(run):
    yield "# Heist beside other actor runtimes"
    yield ""
    yield from summary(run)
    yield "Verdicts: " + "; ".join(f"*{k}*: {v}" for k, v in words.VERDICTS.items()) + "."
    yield ""
    yield "## Rows"
    yield ""
    for t in run["tables"]:
        yield from row(run, t)
    yield "## Runtimes"
    yield ""
    yield from runtimes(run)
    yield "## Rules"
    yield ""
    yield from (f"- {r}" for r in words.RULES)
    yield ""
    yield "## Published elsewhere"
    yield ""
    yield "By others, on other machines; not to be set beside the figures above."
    yield ""
    yield from table(["system", "figure", "what", "machine", "date", "source"],
                     [[p[k] for k in ("system", "figure", "what", "machine", "date", "source")] for p in run["published"]])
