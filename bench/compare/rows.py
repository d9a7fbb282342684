# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the comparison: workloads of bench/peers/README.md with parameters that all runtimes get."""
import dataclasses

# What a row's figure is.  All of them: less is better.
TIME = ("ns", "ns")      # time per operation
BYTES = ("rss", "B")     # growth of the resident set per actor
LATENCY = ("p50", "ns")  # its median; the report has the other percentiles, too
PERCENTILES = ("p50", "p90", "p99", "p999", "max")


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


# Operations that a correct sample counts, from the parameters.
OPERATIONS = {
    "ping_pong": lambda p: p["hops"],
    "one_way": lambda p: p["messages"],
    "thread_ring": lambda p: p["hops"],
    "fan_in": lambda p: p["messages"],
    "pairs": lambda p: p["messages"],
    "big": lambda p: 2 * p["actors"] * p["pings"],
    "chameneos": lambda p: p["meetings"],
    "message_ubench": lambda p: p["messages"],
    "spawn_stop": lambda p: p["lives"],
    "tree": lambda p: 2 * fibonacci(p["n"]) - 1,
    "skynet": lambda p: (10 * p["leaves"] - 1) // 9,
    "idle": lambda p: p["actors"],
    "ask": lambda p: p["asks"],
    "paced_inside": lambda p: p["messages"],
    "paced_outside": lambda p: p["messages"],
}


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    workload: str
    per: str                 # what one operation is
    what: str                # one sentence for the report
    params: tuple            # of a full run, ((key, value), ...)
    short: tuple = ()        # what a headline or quick run replaces in them
    headline: bool = False
    figure: tuple = TIME
    fresh: bool = False      # a process for every sample
    one_count: bool = False  # at the first count of workers only: its figure does not depend on them
    most_samples: int = 0    # per process, where a sample takes long, and no fewer; 0: as asked for
    times_rounds: int = 1    # so many times the rounds asked for: races so close that the machine's states decide a few
    spare_cpu: bool = False  # the driving thread needs a CPU of its own: left out where there is none
    patience: int = 0        # seconds a sample may take; 0: as usual
    seconds: float = 0.04    # that it takes, by the average of all programs

    def parameters(self, short):
        return dict(self.params) | (dict(self.short) if short else {})

    def expected(self, params):
        return OPERATIONS[self.workload](params)


def row(name, workload, per, what, params, short=None, **more):
    return Row(name, workload, per, what, tuple(params.items()), tuple((short or {}).items()), **more)


PACED = {"period_ns": 10_000, "actors": 64, "messages": 25_000}

ROWS = [
    row("ping_pong", "ping_pong", "message", "One message to and fro between two actors: nothing overlaps.",
        {"hops": 250_000}, {"hops": 100_000}, headline=True),
    row("thread_ring", "thread_ring", "hop", "One message round a ring of 100 actors.",
        {"actors": 100, "tokens": 1, "hops": 250_000}, {"hops": 100_000}, headline=True),
    row("one_way/W:100", "one_way", "message", "A producer and a counter that gives a credit back per 100 messages.",
        {"messages": 500_000, "window": 100}, headline=True),
    row("one_way/flood", "one_way", "message", "All messages sent in one handler, without back pressure.",
        {"messages": 500_000, "window": 0}, headline=True),
    row("fan_in/P:60", "fan_in", "message", "60 producers, each with a credit per 1,000 messages, to one counter.",
        {"producers": 60, "messages": 480_000, "window": 1000}),
    row("pairs/W:1", "pairs", "message", "Four pairs, one message in flight in each.",
        {"pairs": 4, "messages": 200_000, "window": 1}, {"messages": 80_000}),
    row("pairs/W:50", "pairs", "message", "Four pairs, 50 messages in flight in each.",
        {"pairs": 4, "messages": 200_000, "window": 50}, headline=True),
    row("big", "big", "message", "120 actors; each pings a random other one and waits for its pong.",
        {"actors": 120, "pings": 1000, "seed": 1}),
    row("chameneos", "chameneos", "meeting", "100 creatures meet in one mall: the mall's mailbox is what everybody wants.",
        {"creatures": 100, "meetings": 50_000}, {"meetings": 20_000}),
    row("message_ubench", "message_ubench", "message", "40 messages forwarded at random among 8 actors.",
        {"pingers": 8, "balls": 5, "messages": 500_000, "seed": 1}, {"messages": 200_000}, times_rounds=2),
    row("spawn_stop", "spawn_stop", "life", "Spawn, one message, a word to the mother, stop; 1,000 alive.",
        {"lives": 50_000, "alive": 1000}, headline=True, seconds=0.08),
    row("tree", "tree", "actor", "fib(n) with an actor for every call.",
        {"n": 21}, {"n": 20}, seconds=0.05),
    row("skynet", "skynet", "actor", "A tree of actors, ten children a node; the leaves' numbers are added up.",
        {"leaves": 100_000}, headline=True, seconds=0.12),
    row("idle", "idle", "actor", "Memory of actors with 16 bytes of state that have nothing to do.",
        {"actors": 1_000_000}, figure=BYTES, fresh=True, one_count=True, most_samples=1, patience=180, seconds=9),
    row("ask/x1", "ask", "answer", "Request and answer, with a timeout where the runtime has one; one at a time.",
        {"asks": 30_000, "window": 1}, headline=True),
    row("ask/x50", "ask", "answer", "Request and answer, with a timeout where the runtime has one; 50 in flight.",
        {"asks": 30_000, "window": 50}, times_rounds=3),
    row("paced_latency/inside", "paced_inside", "message",
        "Median from the intended time of a send, one every 10 us by an actor, to its handler.",
        PACED, figure=LATENCY, most_samples=10, seconds=0.27),
    row("paced_latency/outside", "paced_outside", "message",
        "The same, sent by a thread that runs no actors: a worker may have to be woken.",
        PACED, figure=LATENCY, spare_cpu=True, most_samples=10, seconds=0.27),
]


def pairs(chosen, counts, cpus):
    """(row, workers) for each row that can be measured at these counts of workers on so many CPUs, and for each that has no CPU for its
    driving thread."""
    every = [(r, w) for r in chosen for w in counts if w == counts[0] or not r.one_count]
    cramped = [(r, w) for r, w in every if r.spare_cpu and w >= cpus]
    return [p for p in every if p not in cramped], cramped


def choose(patterns, full):
    """Rows by name or by workload; [] = the headline rows, or all.  ValueError names what is unknown."""
    if not patterns:
        return [r for r in ROWS if full or r.headline]
    for p in patterns:
        if not any(p in (r.name, r.workload) for r in ROWS):
            raise ValueError(f"no row or workload is called '{p}'; there are: {' '.join(r.name for r in ROWS)}")
    return [r for r in ROWS if r.name in patterns or r.workload in patterns]
