#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A peer program against its contract, bench/peers/README.md, with tiny parameters.

usage: contract.py NAME [PROGRAM]
PROGRAM: by default what bench/peers/NAME/build has left under build/peers.  Exit status 77, and the reason:
it is not built here.
"""
import itertools
import json
import pathlib
import subprocess
import sys

from compare import measure, peers, process, rows

PACED = {"period_ns": 1_000_000, "actors": 4, "messages": 300}
TINY = {
    "ping_pong": {"hops": 1001}, "one_way": {"messages": 1000, "window": 10}, "thread_ring": {"actors": 7, "tokens": 2, "hops": 1000},
    "fan_in": {"producers": 5, "messages": 1000, "window": 20}, "pairs": {"pairs": 2, "messages": 800, "window": 10},
    "big": {"actors": 10, "pings": 20, "seed": 3}, "chameneos": {"creatures": 5, "meetings": 200},
    "message_ubench": {"pingers": 4, "balls": 2, "messages": 800, "seed": 3}, "spawn_stop": {"lives": 500, "alive": 10},
    "tree": {"n": 10}, "skynet": {"leaves": 1000}, "idle": {"actors": 2000}, "ask": {"asks": 300, "window": 3},
    "paced_inside": PACED, "paced_outside": PACED,
}
MORE = [("one_way", {"messages": 1000, "window": 0}), ("pairs", {"pairs": 2, "messages": 400, "window": 1}),
        ("ask", {"asks": 100, "window": 1})]
HELLO = {"peer": str, "version": str, "runtime": str, "settings": str, "workers": int}
ABOUT = ("name", "title", "home", "licence", "settings", "semantics")


class Broken(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Broken(what)


def arguments(workload, params, workers, settings):
    text = ",".join(f"{k}={v}" for k, v in params.items())
    return ["--workload", workload, "--params", text, "--workers", str(workers), "--settings", settings, "--json"]


def check_sample(workload, params, sample):
    figure = {"idle": rows.BYTES, "paced_inside": rows.LATENCY, "paced_outside": rows.LATENCY}.get(workload, rows.TIME)
    row = rows.row(workload, workload, "", "", params, figure=figure)
    if workload == "idle":  # so few actors may need no page more
        need(isinstance(sample.get("rss"), (int, float)), "a sample of idle has no rss")
        sample = sample | {"rss": max(1, sample["rss"])}
    measure.check(row, params, sample)
    need(sample["operations"] == row.expected(params), f"operations: {sample['operations']}, not {row.expected(params)}")
    if figure is rows.LATENCY:
        values = [sample["latency_ns"][k] for k in ("p50", "p90", "p99", "p999", "max")]
        need(values == sorted(values), f"percentiles are not in order: {values}")


def check_hello(hello, texts, workers, settings):
    for key, kind in HELLO.items():
        need(isinstance(hello.get(key), kind), f"the first line has no {key}")
    need((hello["workers"], hello["settings"]) == (workers, settings), f"the first line says {hello}")
    if not texts:
        return
    said, runs = ("jemalloc" in text for text in (texts[settings], hello["runtime"]))
    need(said == runs, f"peer.json says jemalloc of {settings}: {said}, the program: {runs}: {hello['runtime']}")


def stepped(program, texts, workload, params, workers, settings):
    """Two samples, asked for one by one; None, or why it is unsupported."""
    try:
        p = process.Process([program, *arguments(workload, params, workers, settings), "--step"])
        check_hello(p.greet(), texts, workers, settings)
        for _ in range(2):
            check_sample(workload, params, p.step())
        p.close()
    except process.Unsupported as e:
        return str(e)
    return None


def at_once(program, texts):
    """--samples, and a warm-up that writes nothing."""
    params = TINY["ping_pong"]
    done = subprocess.run([program, *arguments("ping_pong", params, 1, "tuned"), "--samples", "3", "--warmup", "0.2"],
                          capture_output=True, text=True, timeout=120)
    lines = [json.loads(x) for x in done.stdout.splitlines()]
    need(done.returncode == 0 and len(lines) == 4, f"--samples 3 wrote {len(lines)} lines, exit status {done.returncode}")
    check_hello(lines[0], texts, 1, "tuned")
    for sample in lines[1:]:
        check_sample("ping_pong", params, sample)


def refused(program):
    """What is unknown ends with status 2, a message, and no JSON."""
    for words in (["--workload", "nonsense"], ["--workload", "ping_pong", "--params", "nonsense=1"], ["--nonsense"],
                  ["--workload", "ping_pong", "--settings", "nonsense"]):
        done = subprocess.run([program, *words, "--json"], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        need(done.returncode == 2 and done.stderr.strip() and not done.stdout.strip(),
             f"{' '.join(words)}: exit status {done.returncode}, stdout {done.stdout[:60]!r}")


def check(name, program, built):
    """built: as peer.json's settings say; another program has one build for both."""
    about = json.loads((peers.SOURCES / name / "peer.json").read_text())
    texts = about["settings"] if built else None
    need(about["name"] == name and all(k in about for k in ABOUT), "peer.json lacks one of: " + " ".join(ABOUT))
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True, timeout=120).stdout.split()
    lacks = set(about.get("lacks", {}))
    need(set(listed) == set(TINY) - lacks, f"--list, beside what peer.json says that it lacks: {sorted(set(listed) ^ set(TINY) ^ lacks)}")
    for workload, params in [*TINY.items(), *MORE]:
        for workers, settings in itertools.product((1, 2), peers.SETTINGS):
            if workload not in listed:
                continue
            try:
                why = stepped(program, texts, workload, params, workers, settings)
            except (Broken, process.Failed) as e:
                raise Broken(f"{workload}, {workers} workers, {settings}: {e}") from e
            print(f"{workload}, {workers} workers, {settings}: {'unsupported: ' + why if why else 'ok'}", flush=True)
    at_once(program, texts)
    refused(program)


def main():
    name = sys.argv[1]
    program = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else peers.BUILDS / name / "run"
    if not program.exists():
        print(f"{name} is not built: scripts/compare --peers {name} does it")
        return 77
    try:
        check(name, program.absolute(), len(sys.argv) == 2)
    except Broken as e:
        print(f"{name}: {e}", file=sys.stderr)
        return 1
    finally:
        process.kill_all()
    return 0


sys.exit(main())
