# SPDX-License-Identifier: BSD-2-Clause
"""The report as one HTML file that needs nothing else: page/ filled in, with the chart library inlined."""
import html
import itertools
import json
import pathlib
import re

from . import peers, semantics, words

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = HERE / "vendor" / "chart.js" / "chart.umd.min.js"
LINE = 26  # pixels of a line in a chart
SHAPES = {  # by the chart library's names, as the legend draws them
    "circle": '<circle cx="5.5" cy="5.5" r="4"', "triangle": '<path d="M5.5 1.5 9.8 9.2H1.2Z"',
    "rect": '<path d="M2 2H9V9H2Z"', "rectRot": '<path d="M5.5 1 10 5.5 5.5 10 1 5.5Z"',
}


def text(x):
    return html.escape(str(x))


def tag(name, inner, **attributes):
    """An element; inner is markup already."""
    shown = "".join(f' {k.rstrip("_").replace("_", "-")}="{html.escape(str(v))}"' for k, v in attributes.items() if v)
    return f"<{name}{shown}>{inner}</{name}>"


def table(caption, head, lines, numbers=()):
    """Cells are markup; a line is (class, cells), its first cell a heading.  numbers: columns set right."""
    cls = lambda i: "n" if i in numbers else ""
    top = tag("tr", "".join(tag("th", text(h), scope="col", class_=cls(i)) for i, h in enumerate(head)))
    body = "".join(tag("tr", "".join(tag("td" if i else "th", c, class_=cls(i), scope="" if i else "row")
                                     for i, c in enumerate(cells)), class_=kind) + "\n" for kind, cells in lines)
    inner = tag("caption", text(caption)) + tag("thead", top) + tag("tbody", "\n" + body)
    return tag("div", tag("table", inner), class_="scroll", tabindex="0", role="region", aria_label=caption) + "\n"


def link(x):
    """An address as a link; anything else as it is."""
    return tag("a", text(x), href=x) if re.fullmatch(r"https?://\S+", str(x)) else text(x)


def definitions(pairs):
    return tag("dl", "".join(tag("dt", text(k)) + tag("dd", v) for k, v in pairs if v))


def anchor(row):
    return "row-" + re.sub(r"\W+", "-", row)


# ---- head and overview ----

def head(run):
    e = run["environment"]
    said = (f"{run['started'][:10]} · {e['cpu']}, {e['cpus']} CPUs · Linux {e['kernel']} · commit {e['commit'][:12]}"
            f"{' with changes' if e['changed_files'] else ''} · {words.plan(run)}")
    score = "".join(tag("li", tag("b", str(n)) + text(v), class_=v.split()[0]) for v, n in words.counts(run))
    loud = words.trouble(run)
    warning = f"{len(loud)} of {len(run['tables'])} rows were measured while the machine was not quiet; they are marked."
    return (tag("p", text(said), class_="soft") + tag("ul", score, class_="score", aria_label="Rows by verdict")
            + (tag("p", text(warning), class_="warning flag") if loud else "")
            + "".join(tag("p", text(f"Left out: {line}."), class_="soft") for line in words.left_out(run)))


def overview(run):
    lines = []
    for t in run["tables"]:
        ours, theirs = words.ours(t), words.theirs(t)
        shown = lambda e: text(f"{words.quantity(e['figure']['median'])} {t['unit']}") if e else "none"
        name = tag("a", text(t["row"]), href="#" + anchor(t["row"]))
        lines.append(("", [name, str(t["workers"]), shown(ours), text(words.rival(run, t)), shown(theirs),
                           words.ratio(t["ratio"]), words.spread(t["ratio"]), words.samples(t["ratio"]),
                           tag("span", t["verdict"], class_=t["verdict"].split()[0])
                           + (tag("span", " · not quiet", class_="flag", title="; ".join(t["flags"])) if t["flags"] else "")]))
    columns = ["row", "workers", "Heist", "best other", "its figure", "ratio", "95 %", "n", "verdict"]
    said = "; ".join(f"{k}: {v}" for k, v in words.VERDICTS.items())
    return table("Every row: Heist and the best other runtime", columns, lines, (1, 2, 4, 5, 6, 7)) + tag("p", text(said), class_="soft")


# ---- rows ----

def provenance(run, entry):
    """What a figure was made with: one click away from it."""
    about, hello = run["peers"][entry["peer"]], entry["runtime"]
    return definitions([("version", text(hello.get("version", ""))), ("built with", text(hello.get("runtime", ""))),
                        ("settings", text(about.get("settings", {}).get(entry["settings"], entry["settings"]))),
                        ("command", tag("span", text(entry["command"]), class_="command"))])


def kind(entry):
    """The class of its lines."""
    return "heist" if entry["peer"] == peers.OURS else ""


def figures(run, t):
    lines = []
    for e in t["entries"]:
        name = tag("details", tag("summary", text(words.title(run, e["peer"]))) + provenance(run, e))
        f, meant = e["figure"], [text(e["semantics"][k]) for k in semantics.IN_ROWS] + [words.still_compiling(e)]
        if not f:
            lines.append((kind(e), [name, text(e["settings"]), text(words.why(e)), *[""] * 8, *meant]))
            continue
        lines.append((kind(e), [name, text(e["settings"]), words.quantity(f["median"]), words.spread(f), words.quantity(f["min"]),
                             words.samples(f), words.quantity(e["cpu"]), words.megabytes(e["peak"]),
                             words.ratio(e["ratio"]), words.spread(e["ratio"]), tag("span", e["verdict"], class_=e["verdict"].split(" ")[0]), *meant]))
    columns = ["runtime", "settings", f"median {t['unit']}", "95 %", "min", "n", "CPU ns", "peak MB", "ratio", "95 %", "verdict",
               *semantics.IN_ROWS, "remark"]
    where = f"{words.workers(t['workers'])} on CPU {', '.join(map(str, t['cpus']))}"
    made = table(f"{t['row']}, {where}; n: rounds in processes; peak: of the process; ratio: to Heist with the same settings", columns, lines,
                 range(2, 10))
    return made + latencies(run, t) + "".join(tag("p", text(f"Not quiet: {f}."), class_="flag") for f in t["flags"])


def latencies(run, t):
    lines = [(kind(e), [text(who), *figures]) for e, (who, *figures) in words.latencies(run, t)]
    return table(f"{t['row']}, {words.workers(t['workers'])}: latency in ns, medians of the samples",
                 ["runtime", *words.PERCENTILES.values()], lines, range(1, 6)) if lines else ""


def verdict(run, t):
    v, r = t["verdict"], t["ratio"]
    shown = tag("span", text(v), class_=v.split()[0])
    if r:
        shown += text(f": the best other, {words.rival(run, t)}, takes {words.ratio(r)} Heist’s {'memory' if t['figure'] == 'rss' else 'time'}"
                      f" ({words.spread(r)})")
    return tag("li", text(words.workers(t["workers"]) + " — ") + shown + (tag("span", " · not quiet", class_="flag") if t["flags"] else ""))


def marks(counts):
    """How the charts tell numbers of workers apart: each shape filled, then hollow."""
    looks = [(shape, hollow) for shape in SHAPES for hollow in (False, True)]
    return [{"workers": n, "shape": shape, "hollow": hollow} for n, (shape, hollow) in zip(counts, itertools.cycle(looks))]


def legend(counts):
    mark = lambda m: (f'<svg width="11" height="11" aria-hidden="true">{SHAPES[m["shape"]]} stroke="currentColor" '
                      f'stroke-width="2" fill="{"none" if m["hollow"] else "currentColor"}"/></svg>')
    return tag("ul", "".join(tag("li", mark(m) + text(words.workers(m["workers"]))) for m in marks(counts)), class_="legend")


def card(run, name, group):
    first, chart = group[0], chart_of(run, name, group)
    params = ", ".join(f"{k} = {v:,}" for k, v in first["params"].items())
    loses = any(words.loses(t) for t in group)
    notes = ""
    if near := [t for t in group if words.close(t)]:
        how, why = words.remark(min(near, key=lambda t: t["ratio"]["median"]))
        notes = tag("p", tag("strong", f"{how}. ") + text(why))
    without = "; ".join(f"{words.label(run, e)}, {words.workers(t['workers'])}, {words.why(e)}"
                        for t in group for e in t["entries"] if not e["figure"])
    canvas = (f'<figure><div class="chart" style="height:{LINE * len(chart["labels"]) + 40}px"><canvas id="{chart["id"]}" role="img" '
              f'aria-label="{text(name)}: medians of all runtimes; the tables below have the same figures"></canvas></div>'
              f'{legend(run["counts"])}</figure>' + (tag("p", text(f"No figure: {without}."), class_="soft") if without else ""))
    return tag("article", tag("h3", text(name)) + tag("p", text(f"{first['what']} {first['unit']} per {first['per']}."))
               + tag("p", text(params), class_="soft") + tag("ul", "".join(verdict(run, t) for t in group), class_="verdicts") + notes
               + canvas + tag("details", tag("summary", "Figures, spread, versions, settings, commands")
                              + "".join(figures(run, t) for t in group)), id=anchor(name), class_="loses" if loses else "")


# ---- what the charts show ----

def point(label, workers, s, colour, shown):
    return {"x": s["median"], "y": label, "ci": s["ci"], "n": s["n"], "workers": workers, "colour": colour, "text": shown}


def chart_of(run, name, group):
    """Lines in the order of the first worker count; who beats Heist is marked."""
    points, order = [], []
    for t in group:
        for e in t["entries"]:
            if not e["figure"]:
                continue
            label = words.label(run, e)
            colour = "heist" if e["peer"] == peers.OURS else "behind" if e["verdict"] == "behind" else "other"
            points.append(point(label, t["workers"], e["figure"], colour, words.quantity(e["figure"]["median"])))
            if label not in order:
                order.append(label)
    return {"id": "chart-" + anchor(name), "row": name, "unit": group[0]["unit"], "labels": order, "points": points}


def overview_chart(run):
    colours = {"ahead": "heist", "behind": "behind", "failed": "behind"}
    points = [point(f"{t['row']}, {words.workers(t['workers'])}", t["workers"], t["ratio"], colours.get(t["verdict"], "unsure"),
                    f"{words.ratio(t['ratio'])} {words.rival(run, t)}") for t in run["tables"] if t["ratio"]]
    return {"labels": [p["y"] for p in points], "points": points}


# ---- the rest ----

def runtimes(run):
    lines = []
    for name, about in run["peers"].items():
        s = about.get("semantics", {})
        what = definitions([("licence", text(about.get("licence", ""))), ("home", link(about.get("home", "")))]
                           + [(k, text(v)) for k, v in about.get("settings", {}).items()])
        title = tag("details", tag("summary", text(about.get("title", name))) + what)
        out = tag("span", text(f"not measured: {about['skipped']}"), class_="flag") if about["skipped"] else ""
        lines.append(("heist" if name == peers.OURS else "", [title, *[text(s.get(k, "")) for k in words.SEMANTICS[:-1]],
                                                              out + text(s.get("remarks", ""))]))
    return table("Semantics; settings and licences behind the names", ["runtime", *words.SEMANTICS], lines)


def published(run):
    keys = ("system", "figure", "what", "machine", "date", "source")
    return table("Figures of others", keys, [("", [link(p[k]) for k in keys]) for p in run["published"]])


def machine(run):
    e = run["environment"]
    plain = [(k.replace("_", " "), text(", ".join(map(str, v)) if isinstance(v, list) else
                                        ", ".join(f"{a}: {b}" for a, b in v.items()) if isinstance(v, dict) else v))
             for k, v in e.items()]
    about = [("command", tag("span", text(run["command"]), class_="command")), ("kind", text(run["kind"])),
             ("began, ended", text(f"{run['started']}, {run['ended']}")),
             ("plan", text(", ".join(f"{k} {', '.join(v) if isinstance(v, list) else v}" for k, v in run["plan"].items())))]
    limits = [("", [text(t["row"]), str(t["workers"]), words.quantity(min(t["exchange"])) + " - " + words.quantity(max(t["exchange"])),
                    words.quantity(min(t["handoff"])) + " - " + words.quantity(max(t["handoff"])), f"{t['foreign']:.1%}",
                    text("; ".join(t["flags"]))]) for t in run["tables"]]
    return definitions(about + plain) + tag("details", tag("summary", "Calibration around every row") + table(
        "Least and most of the readings before, between and after; others: CPU time of everybody else",
        ["row", "workers", "exchange ns", "hand-off ns", "others", "not quiet"], limits, (1, 2, 3, 4)))


def document(run):
    run = run | {"counts": sorted({t["workers"] for t in run["tables"]})}
    groups = {}
    for t in run["tables"]:
        groups.setdefault(t["row"], []).append(t)
    top = overview_chart(run)
    data = {"marks": marks(run["counts"]), "overview": top, "rows": [chart_of(run, n, g) for n, g in groups.items()]}
    parts = {
        "css": (HERE / "page" / "page.css").read_text(), "head": head(run), "overview": overview(run),
        "overview_height": LINE * len(top["labels"]) + 40, "rows": "\n".join(card(run, n, g) for n, g in groups.items()),
        "runtimes": runtimes(run), "rules": tag("ul", "".join(tag("li", text(r)) for r in words.RULES)), "published": published(run),
        "machine": machine(run), "data": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        "library": LIBRARY.read_text().replace("</script", "<\\/script"), "script": (HERE / "page" / "page.js").read_text(),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: str(parts[m[1]]), (HERE / "page" / "page.html").read_text())
