# SPDX-License-Identifier: BSD-2-Clause
"""scripts/compare: measure Heist and other actor runtimes on the same work, and report."""
import argparse
import datetime
import os
import pathlib
import signal
import sys
import time

from . import environment, kept, measure, peers, process, progress, report, results, rows, stats, words

EPILOG = """\
Every row is one workload with the same parameters for all (bench/peers/README.md).  All programs of a row
with the same settings are alive at once and run a sample each in turn, on the same CPUs, the waiting ones stopped;
the machine's limits are measured before, during and after.  A run that fails or counts wrongly has no figure, only its reason.  Exit
status: 0; 1 if a row of Heist failed; 2 if it could not begin, or go on; 130 if interrupted.

  scripts/compare --quick --peers actix --workloads ping_pong     a look, in a minute
  scripts/compare                                                 headline rows, Actix and Akka
  scripts/compare --peers all --full                              everything, an hour to two and a half
  scripts/compare report build/compare/run.json                   make the report again
  scripts/compare keep                                            keep the last run in bench/results and README.md
"""

OUT = peers.ROOT / "build" / "compare"


def number(text):
    n = int(text)
    if n < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return n


def options():
    p = argparse.ArgumentParser(prog="scripts/compare", description="Measure Heist and other actor runtimes on the same work.",
                                epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.set_defaults(do=run)
    p.add_argument("--peers", default="actix,akka", metavar="all|NAME,...", help="beside Heist (default: actix,akka)")
    p.add_argument("--workloads", default="", metavar="NAME,...", help="rows or workloads (default: the headline rows)")
    p.add_argument("--workers", default="1,all", metavar="N,...", help="worker counts (default: 1,all)")
    p.add_argument("--settings", default="", metavar="tuned,default", help="default: tuned; both with --full")
    p.add_argument("--samples", type=number, help="samples per process (default: 10; 3 with --quick)")
    p.add_argument("--processes", type=number, help="processes per program and row (default: 3; 1 with --quick)")
    p.add_argument("--warmup", type=float, help="most seconds that a runtime which compiles as it runs is warmed up "
                   "per process; twice that if its compiler goes on (default: 2; 1 with --quick)")
    size = p.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="all rows, both settings, the full amount of work")
    size.add_argument("--quick", action="store_true", help="few samples: a look, not a measurement")
    p.add_argument("--out", type=pathlib.Path, default=OUT, metavar="DIR",
                   help="where run.json and the reports go (default: build/compare)")
    p.add_argument("--minutes", type=float, metavar="M", help="end within so long, by what the rows so far took: a row that would "
                   "take longer is left out, and said")
    p.add_argument("--dry-run", action="store_true", help="build and run nothing; say which programs are to be built, "
                   "which rows would be run, and how long they should take")
    p.add_argument("--resume", action="store_true", help="keep the rows that DIR/run.json already has")
    s = p.add_subparsers(title="other things to do", metavar="", dest="other")
    q = s.add_parser("list", help="the peers and the rows")
    q.set_defaults(do=show)
    q = s.add_parser("report", help="make the reports of a run again", description="run.json to HTML, Markdown and JSON.")
    q.add_argument("file", type=pathlib.Path)
    q.add_argument("--out", type=pathlib.Path, metavar="DIR", help="default: beside the file")
    q.set_defaults(do=report_again)
    q = s.add_parser("keep", help="keep a run in bench/results, and show it in README.md")
    q.add_argument("file", type=pathlib.Path, nargs="?", default=OUT / "run.json", help="default: build/compare/run.json")
    q.add_argument("--name", help="of its folder (default: date and kind)")
    q.set_defaults(do=lambda o: kept.keep(o.file, o.name))
    q = s.add_parser("readme", help="tables in README.md files",
                     description="Write the tables made from bench/results and from each peer.json, and each run's report.md: a minute each.")
    q.add_argument("--check", action="store_true", help="write nothing; exit status 1 and the difference if the tables are out of date")
    q.set_defaults(do=lambda o: kept.refresh(o.check))
    return p


def plan_of(o):
    kind = "full" if o.full else "quick" if o.quick else "headline"
    samples, processes, warmup, limit = {"full": (10, 3, 4.0, 1.0), "headline": (10, 3, 2.0, 3.0),
                                         "quick": (3, 1, 1.0, 2.0)}[kind]
    settings = tuple(o.settings.split(",")) if o.settings else peers.SETTINGS if o.full else ("tuned",)
    for s in settings:
        if s not in peers.SETTINGS:
            raise ValueError(f"--settings takes tuned and default, not '{s}'")
    return kind, measure.Plan(o.samples or samples, o.processes or processes, warmup if o.warmup is None else o.warmup,
                              limit, not o.full, settings)


def worker_counts(text):
    every = len(os.sched_getaffinity(0))
    counts = []
    for word in text.split(","):
        n = every if word == "all" else int(word) if word.isdigit() else 0
        if not 1 <= n <= every:
            raise ValueError(f"--workers takes numbers from 1 to {every}, and all, not '{word}'")
        if n not in counts:
            counts.append(n)
    return counts


def prepare(chosen, settings, say):
    """Build them with these settings; those that cannot be are marked."""
    for p in chosen:
        peers.build(p, settings, say)
    if chosen[0].skipped:
        raise ValueError("without Heist there is nothing to compare")


def as_before(chosen, path):
    """Mark those that could not be built for the run that a dry one would go on with."""
    before = results.load(path)["peers"] if path.exists() else {}
    for p in chosen:
        p.skipped = before.get(p.name, {}).get("skipped", "")


def begin(o, kind, plan, chosen):
    return {"format": results.FORMAT, "kind": kind, "started": now(), "ended": "", "seconds": 0,
            "command": " ".join(["scripts/compare", *sys.argv[1:]]),
            "plan": {"samples": plan.samples, "processes": plan.processes, "warmup": plan.warmup, "limit": plan.limit,
                     "settings": list(plan.settings)},
            "environment": environment.describe(),
            "peers": {p.name: p.about | {"skipped": p.skipped} for p in chosen}, "left_out": [], "rows": []}


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def show_row(entry):
    """A line for each program of a row that is done."""
    for r in entry["results"]:
        values = [v for g in results.figures(entry, r) for _, v in g]
        said = f"{stats.median(values):10.4g} {entry['unit']}  n = {len(values)}" if values else \
            f"       -     {('cannot: ' + r['unsupported']) if 'unsupported' in r else 'FAILED: ' + r['failed']}"
        print(f"  {r['peer'] + ' ' + r['settings']:24} {said}", flush=True)
    for f in environment.flags(entry):
        print(f"  note: {f}", flush=True)


def planned(todo, seconds, participants, data):
    """What would be run."""
    print(f"{len(data['rows'])} rows are done, {len(todo)} to do, with: {' '.join(p.name for p in participants)}")
    missing = [p.name for p in participants if not p.program.exists()]
    if missing:
        print(f"to be built first, once: {' '.join(missing)}")
    for (row, workers), s in zip(todo, seconds):
        print(f"  {row.name:22} {words.workers(workers):9} {s / 60:6.1f} min")
    print(f"about {sum(seconds) / 60:.0f} min on a quiet machine")
    return 0


def measure_rows(o, data, plan, participants, todo, say):
    """Measure them, and save each; what does not fit into the time that there is is left out."""
    since = time.monotonic() - data["seconds"]
    late = []
    for i, ((row, workers), seconds) in enumerate(todo):
        if o.minutes and say.minutes() + say.minutes_for(seconds) > o.minutes:
            late.append([row.name, workers, f"no time within {o.minutes:g} minutes"])
            continue
        say.row(f"{i + 1}/{len(todo)} {row.name}, {words.workers(workers)}", [s for _, s in todo[i:]], o.minutes)
        entry = measure.measure(row, workers, participants, plan, say)
        say.done()
        print(f"{row.name}, {words.workers(workers)}", flush=True)
        show_row(entry)
        data["rows"].append(entry)
        data["ended"], data["seconds"] = now(), round(time.monotonic() - since)
        results.save(data, o.out / "run.json")
    if late:
        data["left_out"] += late
        results.save(data, o.out / "run.json")
        said = ", ".join(f"{name} ({w})" for name, w, _ in late)
        print(f"no time for: {said}; the same with --resume and more --minutes goes on", flush=True)


def run(o):
    say = progress.Progress()
    kind, plan = plan_of(o)
    counts = worker_counts(o.workers)
    chosen_rows = rows.choose([n for n in o.workloads.split(",") if n], o.full)
    chosen = peers.choose([n for n in o.peers.split(",") if n])
    if not o.dry_run:
        prepare(chosen, plan.settings, say)
        o.out.mkdir(parents=True, exist_ok=True)
    elif o.resume:
        as_before(chosen, o.out / "run.json")
    data = begin(o, kind, plan, chosen)
    if o.resume:
        data = results.resume(o.out / "run.json", data)
    have = {(r["row"], r["workers"]) for r in data["rows"]}
    allowed = sorted(os.sched_getaffinity(0))
    possible, cramped = rows.pairs(chosen_rows, counts, len(allowed))
    data["left_out"] = [[r.name, w, "its driving thread has no CPU of its own here"] for r, w in cramped]
    todo = [(r, w) for r, w in possible if (r.name, w) not in have]
    participants = [p for p in chosen if not p.skipped]
    seconds = [plan.seconds(r, w, participants, allowed) for r, w in todo]
    for line in words.left_out(data):
        print(f"left out: {line}", flush=True)
    if o.dry_run:
        return planned(todo, seconds, participants, data)
    stopped = None
    try:
        measure_rows(o, data, plan, participants, list(zip(todo, seconds)), say)
    except ValueError as e:
        stopped = e
    if data["rows"]:
        report.write(data, o.out)
    if stopped or not data["rows"]:
        raise stopped or ValueError("there is no row to report")
    return int(any("failed" in r for row in data["rows"] for r in row["results"] if r["peer"] == peers.OURS))


def show(_):
    for p in peers.discover():
        print(f"{p.name:12} {p.title}")
    print()
    for r in rows.ROWS:
        print(f"{r.name:16} {'headline' if r.headline else '        '}  {r.what}")
    return 0


def report_again(o):
    report.write(results.load(o.file), o.out or o.file.parent)
    return 0


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = options()
    o = parser.parse_args()
    if o.other and sys.argv[1] != o.other:
        parser.error(f"{sys.argv[1]} is an option of a run; those of '{o.other}' come after it")
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        return o.do(o)
    except ValueError as e:
        print(f"scripts/compare: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nscripts/compare: interrupted; --resume goes on after the last finished row, report shows what there is", file=sys.stderr)
        return 130
    finally:
        process.kill_all()


sys.exit(main())
