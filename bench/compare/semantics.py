# SPDX-License-Identifier: BSD-2-Clause
"""What a runtime does in its own way, for each of its figures: peer.json's semantics with its exceptions."""
from . import markdown, peers, rows

VALUES = {
    "message": ("allocated", "shared", "copied", "inline"),
    "order": ("per pair", "total per mailbox"),
    "supervised": ("yes", "no"),
    "preemptive": ("yes", "no"),
    "gc": ("yes", "no"),
    "moves": ("yes", "no"),
    "timeout": ("yes", "no"),
}
FREE = ("mailbox", "threads", "remarks")
IN_ROWS = ("message", "mailbox", "supervised", "threads")   # beside every figure; the rest is beside the runtime
BEGIN, END = "<!-- peers: made by scripts/compare readme -->", "<!-- end of peers -->"


def of(about, row, workload, settings, workers):
    """IN_ROWS of a figure.  about: a peer.json, perhaps of an older run, in which something may be missing."""
    said = dict(about.get("semantics", {}))
    for e in about.get("except", []):
        if settings == e.get("settings", settings) and (row in e.get("rows", [row]) or workload in e["rows"]):
            said |= e["semantics"]
    if said.get("threads") == "workers":
        said["threads"] = str(workers)
    if workload == "ask" and said.get("timeout") == "no":
        said["message"] += ", no timeout"
    return {k: said.get(k, "") for k in IN_ROWS}


def wrong(about):
    """What peer.json says of semantics that nobody can mean, in words; [] = nothing."""
    said, known = [], {r.name for r in rows.ROWS} | set(rows.OPERATIONS)
    for where, s in [("semantics", about.get("semantics", {}))] + [("except", e.get("semantics", {})) for e in about.get("except", [])]:
        said += [f"{where}: no such key: {k}" for k in s if k not in VALUES and k not in FREE]
        said += [f"{where}: {k} is none of {', '.join(VALUES[k])}: {s[k]}" for k in s if k in VALUES and s[k] not in VALUES[k]]
        threads = s.get("threads", "workers")
        said += [f"{where}: threads is workers or a number: {threads}"] if threads != "workers" and not threads.isdigit() else []
        mailbox = s.get("mailbox", "unbounded")
        said += [f"{where}: mailbox is unbounded or bounded ...: {mailbox}"] if not mailbox.startswith(("unbounded", "bounded ")) else []
    said += [f"semantics: {k} is missing" for k in (*VALUES, *FREE) if not about.get("semantics", {}).get(k)]
    for e in about.get("except", []):
        said += [f"except: no row or workload: {r}" for r in e.get("rows", []) if r not in known]
        said += [] if e.get("settings", "tuned") in peers.SETTINGS else [f"except: no such settings: {e['settings']}"]
        said += [] if e.get("semantics") and ("rows" in e or "settings" in e) else [f"except: where, and what, is not said: {e}"]
    return said + [f"lacks: no workload: {w}" for w in about.get("lacks", {}) if w not in rows.OPERATIONS]


def line(about):
    """A runtime in the table of bench/peers/README.md."""
    s = about["semantics"]
    where = lambda e: ", ".join([f"`{r}`" for r in e.get("rows", [])] + ([e["settings"]] if "settings" in e else []))
    what = lambda e: ", ".join(f"{k} {v}" for k, v in e["semantics"].items())
    lacks = "; ".join(f"`{w}`: {why}" for w, why in about.get("lacks", {}).items())
    return [about["title"], *(s[k] for k in (*IN_ROWS, "timeout")), "; ".join(f"{where(e)}: {what(e)}" for e in about.get("except", [])), lacks or "nothing"]


def table(text):
    """bench/peers/README.md with the table of all peers between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"bench/peers/README.md lacks the marks {BEGIN} and {END}")
    made = markdown.table(["runtime", *IN_ROWS, "timeout of `ask`", "except in", "lacks"], [line(p.about) for p in peers.discover()])
    return f"{before}{BEGIN}\n" + "\n".join(made) + f"{END}{after}"
