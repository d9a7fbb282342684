# SPDX-License-Identifier: BSD-2-Clause
"""Rows measured: all programs of a row with the same settings are alive at once, and run a sample each in turn."""
import dataclasses
import math
import os
import random

from . import environment, peers, rows
from .process import Failed, Process, Unsupported


LEAST_WARMUP = 0.1   # seconds; also native code has page faults and frequency behind it then
BEGINNING = 0.2      # seconds until a program has started, on average; a JVM takes one
CALIBRATING = 0.8
ROOM = 8 << 30       # bytes that a program whose memory is measured may need
APART = 1.5          # programs that differ by less in speed are in a close race
SLOW = 60            # seconds of a sample in a process of its own, after which a program gets no other one
SHORT, MOST_SHORT = 10e6, 5  # ns of samples, and samples, that a round gets if one takes less

_draw = random.Random(20260101)


@dataclasses.dataclass(frozen=True)
class Plan:
    samples: int         # per process
    processes: int
    warmup: float        # most seconds of warm-up a process gets
    limit: float         # seconds of samples after which a process has done enough
    short: bool          # the smaller parameters
    settings: tuple

    def warmup_of(self, peer, row):
        return 0 if row.fresh else min(max(float(peer.about.get("warmup", 0)), LEAST_WARMUP), self.warmup)

    def rounds(self, row):
        rounds = self.samples * row.times_rounds
        return min(rounds, row.most_samples or rounds)

    def seconds(self, row, workers, participants, allowed):
        """What a row should take on a quiet machine, to say how much time is left."""
        beginnings = sum(BEGINNING + 1.7 * self.warmup_of(p, row) for p in participants)  # compilers rest later than asked for
        where = len(places(row, cpus_for(row, workers, allowed), allowed))
        beginnings /= where
        samples = self.rounds(row) * row.seconds * len(participants) / (where if row.fresh else 1)
        return self.processes * (len(self.settings) * (beginnings + samples) + CALIBRATING)


def command(peer, row, params, workers, settings, cpus, warmup):
    text = ",".join(f"{k}={v}" for k, v in params.items())
    words = ["taskset", "-c", ",".join(map(str, cpus)), peer.program.relative_to(peers.ROOT), "--workload", row.workload,
             "--params", text, "--workers", workers, "--step", "--settings", settings, "--json"]
    if warmup:
        words += ["--warmup", f"{warmup:g}"]
    return [str(w) for w in words]


def cpus_for(row, workers, allowed):
    return allowed[:min(len(allowed), workers + row.spare_cpu)]


def figure(kind, sample):
    """The number of a row whose figure is of this kind, per operation where that makes sense."""
    if kind == "rss":
        return sample["rss"] / sample["operations"]
    if kind in rows.PERCENTILES:
        return sample["latency_ns"][kind]
    return sample["ns"] / sample["operations"]


def check(row, params, sample):
    """A sample that has not done the work, or tells no time, is no sample."""
    for key in ("ns", "operations", "cpu_ns"):
        if not isinstance(sample.get(key), (int, float)) or not math.isfinite(sample[key]) or sample[key] < 0:
            raise Failed(f"its sample has no {key}")
    expected = row.expected(params)
    if abs(sample["operations"] - expected) > expected / 100 or sample["ns"] <= 0:
        raise Failed(f"counted {sample['operations']} operations instead of {expected}")
    kind = row.figure[0]
    for wanted in rows.PERCENTILES if kind in rows.PERCENTILES else (kind,):
        try:
            value = figure(wanted, sample)
            positive = value > 0
        except (KeyError, TypeError) as e:
            raise Failed(f"its sample has no {wanted}") from e
        if not positive:
            raise Failed(f"its {wanted} is {value}")


class Entry:
    """One peer with one setting in one row."""

    def __init__(self, peer, row, params, workers, settings, cpus, plan):
        self.peer, self.row, self.params, self.plan = peer, row, params, plan
        self.workers, self.settings = workers, settings
        self.warmup = plan.warmup_of(peer, row)
        self.cpus, self.command = cpus, command(peer, row, params, workers, settings, cpus, self.warmup)
        self.hello, self.processes, self.peaks, self.unsettled = None, [], [], False
        self.failed = self.unsupported = ""
        self.process = None

    @property
    def out(self):
        return bool(self.failed or self.unsupported)

    def guard(self, f):
        """Do f; what goes wrong takes the entry out of the row, with the reason."""
        if self.out:
            return
        try:
            f()
        except Unsupported as e:
            self.unsupported = str(e)
        except Failed as e:
            self.failed = str(e)
        if self.out and self.process:
            self.process.kill()

    def begin(self, cpus):
        """A process, which warms up on these CPUs."""
        self.process, self.place = None, cpus
        at = ["taskset", "-c", ",".join(map(str, cpus))]
        self.process = Process(at + self.command[len(at):], 2 * self.warmup, peers.ROOT, self.row.patience)

    def greet(self):
        self.hello = self.process.greet()
        if self.place != self.cpus and not self.row.fresh:
            self.process.move(self.cpus)
        self.unsettled |= self.hello.get("settled") is False
        for key, wanted in (("settings", self.settings), ("workers", self.workers)):
            if self.hello.get(key) != wanted:
                raise Failed(f"runs with {key} = {self.hello.get(key)} where {wanted} was asked for")
        self.processes.append([])

    def sample(self, number):
        """Round `number`: one sample, several short ones, or none if this process has had its time."""
        done = self.processes[-1]
        if not self.row.most_samples and sum(s["ns"] for _, s in done) > self.plan.limit * 1e9:
            return
        taken = 0
        for _ in range(1 if self.row.fresh else MOST_SHORT):
            s = self.process.step()
            check(self.row, self.params, s)
            done.append((number, s))
            taken += s["ns"]
            if taken >= SHORT:
                break

    @property
    def longest(self):
        """ns of a sample; 0 before the first."""
        return max((s["ns"] for p in self.processes for _, s in p), default=0)

    @property
    def slow(self):
        return self.longest > SLOW * 1e9

    @property
    def rank(self):
        """What this process's first sample says."""
        return figure(self.row.figure[0], self.processes[-1][0][1]) if self.processes and self.processes[-1] else math.inf

    def close(self):
        self.peaks.append(self.process.peak())
        self.process.close()

    def result(self):
        """For the file.  What failed leaves no figures."""
        r = {"peer": self.peer.name, "settings": self.settings, "command": self.command}
        if self.unsupported:
            return r | {"unsupported": self.unsupported}
        if self.failed:
            return r | {"failed": self.failed}
        return r | {"hello": self.hello, "unsettled": self.unsettled, "peak_rss": self.peaks, "processes": [self._columns(p) for p in self.processes]}

    @staticmethod
    def _columns(samples):
        c = {"rounds": [n for n, _ in samples], "operations": samples[0][1]["operations"] if samples else 0}
        for key in ("ns", "cpu_ns", "rss", "latency_ns"):
            if samples and key in samples[0][1]:
                c[key] = [s[key] for _, s in samples]
        return c


def _fresh(entries, rounds, where):
    """A process a sample."""
    for n in range(rounds):
        wanted = sorted((e for e in entries if not e.slow), key=lambda e: -e.longest)
        for group in side_by_side(wanted, where):
            _begin(group)
            for e, _ in group:
                e.guard(lambda: e.process.ask())
            for e, _ in group:
                e.guard(lambda: e.sample(n))
            for e, _ in group:
                e.guard(e.close)


def places(row, cpus, allowed):
    """Where programs of a row may warm up, or, if only their memory is measured, run at the same time: if it has one CPU, on any; else
    some of their threads may have chosen theirs."""
    if len(cpus) > 1:
        return [cpus]
    if not row.fresh:
        return [[c] for c in allowed]
    at_once = environment.memory("MemAvailable") // ROOM if row.figure[0] == "rss" else 1
    return [[c] for c in allowed[:max(1, at_once)]]


def side_by_side(entries, where):
    """Lists of (entry, CPUs), each of those that warm up at the same time; what takes long is together."""
    order = sorted(entries, key=lambda e: -e.warmup)
    return [list(zip(order[i:i + len(where)], where)) for i in range(0, len(order), len(where))]


def _begin(group):
    for e, cpus in group:
        e.guard(lambda: e.begin(cpus))
    for e, _ in group:
        e.guard(e.greet)


def _interleaved(entries, rounds, where):
    for group in side_by_side(entries, where):
        _begin(group)
    for n, order in enumerate(turns(entries, rounds)):
        for e in order:
            e.guard(lambda: e.sample(n))
    for e in entries:
        e.guard(e.close)


def turns(entries, rounds):
    """The order of each round: to and fro, since what drifts hits all alike then.  From the second round on those that are about as fast are
    neighbours, so that a close race is run in one state of the machine, which may last for no more than a second; but who begins
    changes, so that none always follows the same one, or itself."""
    for n in range(rounds):
        order = sorted(entries, key=lambda e: e.rank) if n else list(entries)
        starts = [i for i in range(len(order)) if n == 0 or i == 0 or order[i].rank > APART * order[i - 1].rank]
        first = _draw.choice(starts) if starts else 0
        order = order[first:] + order[:first]
        yield list(order if n % 2 == 0 else reversed(order))


def measure(row, workers, participants, plan, say):
    """One row at one worker count, as it goes into the file."""
    params = row.parameters(plan.short)
    allowed = sorted(os.sched_getaffinity(0))
    cpus = cpus_for(row, workers, allowed)
    entries = [Entry(p, row, params, workers, s, cpus, plan) for p in participants for s in plan.settings]
    rounds = plan.rounds(row)
    calibrations = [environment.calibrate()]
    usage = environment.Usage()
    for k in range(plan.processes):
        say(f"process {k + 1} of {plan.processes}")
        for s in plan.settings:  # one after the other: all at once might not fit into memory
            (_fresh if row.fresh else _interleaved)([e for e in entries if e.settings == s], rounds, places(row, cpus, allowed))
        calibrations.append(environment.calibrate())
    return {"row": row.name, "workload": row.workload, "per": row.per, "what": row.what, "figure": row.figure[0],
            "unit": row.figure[1], "params": params, "workers": workers, "cpus": cpus, "calibrations": calibrations,
            "foreign": round(usage.foreign(), 4),
            "results": [e.result() for e in entries]}

