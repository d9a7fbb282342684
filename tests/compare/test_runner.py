# SPDX-License-Identifier: BSD-2-Clause
"""The runner against programs that keep the contract, and that break it in each way."""
import contextlib
import dataclasses
import io
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from compare import environment, measure, peers, process, progress, report, results, rows

HERE = pathlib.Path(__file__).resolve().parent
LIMITS = {"exchange": 2.0, "handoff": 50.0}
ROW = rows.row("ping_pong", "ping_pong", "message", "", {"hops": 1000})
PLAN = measure.Plan(samples=4, processes=2, warmup=0.0, limit=10.0, short=False, settings=("tuned",))


class Fakes(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        root = pathlib.Path(self.dir.name)
        for name, value in (("ROOT", root), ("BUILDS", root)):
            p = mock.patch.object(peers, name, value)
            p.start()
            self.addCleanup(p.stop)
        for where, name, value in ((environment, "calibrate", lambda: LIMITS), (measure, "MOST_SHORT", 1)):
            p = mock.patch.object(where, name, value)
            p.start()
            self.addCleanup(p.stop)

    def peer(self, name, fake):
        peer = peers.Peer(name, {})
        peer.build_dir.mkdir()
        peer.program.write_text(f"#!/bin/sh\nFAKE='{fake}' exec {sys.executable} {HERE}/fake_peer.py \"$@\"\n")
        peer.program.chmod(0o755)
        return peer

    def row(self, *participants, row=ROW, plan=PLAN):
        return measure.measure(row, 1, participants, plan, lambda _: None)

    def only(self, fake):
        return self.row(self.peer("x", fake))["results"][0]


class Contract(Fakes):
    def test_what_keeps_the_contract_is_measured(self):
        r = self.only("right")
        self.assertEqual([p["rounds"] for p in r["processes"]], [[0, 1, 2, 3]] * 2)
        self.assertEqual(r["processes"][0]["ns"], [10_000, 11_000, 12_000, 13_000])
        self.assertEqual(r["hello"]["version"], "1")

    def test_what_breaks_it_has_no_figure_but_a_reason(self):
        for fake, reason in (("miscounts", "counted 500 operations instead of 1000"), ("dies", "exit status 1: the ball was lost"),
                             ("timeless", "counted"), ("babbles", "wrote what is no JSON object: done!"),
                             ("greedy", "runs with workers = 7 where 1 was asked for"),
                             ("ends badly", "exit status 1: could not stop")):
            with self.subTest(fake):
                r = self.row(self.peer(fake.replace(" ", "_"), fake))["results"][0]
                self.assertIn(reason, r["failed"])
                self.assertNotIn("processes", r)

    def test_a_percentile_that_is_missing_is_a_failure(self):
        row = dataclasses.replace(ROW, figure=rows.LATENCY)
        all_of = {k: 7 for k in rows.PERCENTILES}
        right = {"ns": 10, "operations": 1000, "cpu_ns": 1, "latency_ns": all_of}
        measure.check(row, {"hops": 1000}, right)
        for k in rows.PERCENTILES:
            for broken in ({x: 7 for x in all_of if x != k}, all_of | {k: None}, all_of | {k: "7"}):
                with self.subTest(k), self.assertRaisesRegex(process.Failed, f"has no {k}"):
                    measure.check(row, {"hops": 1000}, right | {"latency_ns": broken})

    def test_no_answer_is_a_failure(self):
        with mock.patch.object(process, "ANSWER", 0.3):
            self.assertEqual(self.only("hangs")["failed"], "no answer within 0.3 s")

    def test_unsupported_is_no_failure(self):
        r = self.only("unsupported")
        self.assertEqual(r["unsupported"], "no actors here")
        self.assertNotIn("failed", r)

    def test_one_that_fails_leaves_the_others_alone(self):
        row = self.row(self.peer("a", "right"), self.peer("b", "dies"), self.peer("c", "right"))
        self.assertEqual(["processes" in r for r in row["results"]], [True, False, True])

    def test_a_missing_program_is_a_failure(self):
        self.assertIn("exit status", self.row(peers.Peer("none", {}))["results"][0]["failed"])

    def test_a_slow_program_takes_fewer_samples(self):
        plan = measure.Plan(samples=4, processes=1, warmup=0.0, limit=15e-6, short=False, settings=("tuned",))
        r = self.row(self.peer("x", "right"), plan=plan)["results"][0]
        self.assertEqual(r["processes"][0]["rounds"], [0, 1])

    def test_a_round_has_several_samples_of_who_takes_little_time(self):
        for short, expected in ((10e6, [0, 0, 0, 1, 1, 1]), (20_000, [0, 0, 1, 1]), (1, [0, 1])):
            plan = measure.Plan(samples=2, processes=1, warmup=0.0, limit=10.0, short=False, settings=("tuned",))
            with self.subTest(short), mock.patch.object(measure, "MOST_SHORT", 3), mock.patch.object(measure, "SHORT", short):
                row = self.row(self.peer(f"x{short:g}", "right"), plan=plan)
                self.assertEqual(row["results"][0]["processes"][0]["rounds"], expected)

    def test_the_figure_of_a_round_is_the_median_of_its_samples(self):
        with mock.patch.object(measure, "MOST_SHORT", 3):
            row = self.row(self.peer("x", "right"))
        ns = row["results"][0]["processes"][0]["ns"]
        self.assertEqual(results.figures(row, row["results"][0])[0],
                         [(n, sorted(ns[3 * n:3 * n + 3])[1] / 1000) for n in range(4)])

    def test_a_row_with_few_long_samples_has_them_all(self):
        row = rows.row("ping_pong", "ping_pong", "message", "", {"hops": 1000}, most_samples=3)
        plan = measure.Plan(samples=4, processes=1, warmup=0.0, limit=15e-6, short=False, settings=("tuned",))
        self.assertEqual(self.row(self.peer("x", "right"), row=row, plan=plan)["results"][0]["processes"][0]["rounds"], [0, 1, 2])

    def test_a_close_race_has_more_rounds(self):
        row = rows.row("ping_pong", "ping_pong", "message", "", {"hops": 1000}, times_rounds=2)
        plan = measure.Plan(samples=2, processes=1, warmup=0.0, limit=1.0, short=False, settings=("tuned",))
        numbers = self.row(self.peer("x", "right"), row=row, plan=plan)["results"][0]["processes"][0]["rounds"]
        self.assertEqual(sorted(set(numbers)), [0, 1, 2, 3])
        self.assertGreater(plan.seconds(row, 1, [peers.Peer("x", {})], [0]),
                           plan.seconds(dataclasses.replace(row, times_rounds=1), 1, [peers.Peer("x", {})], [0]))

    def test_every_setting_has_its_rounds(self):
        plan = measure.Plan(samples=2, processes=2, warmup=0.0, limit=10.0, short=False, settings=("tuned", "default"))
        results_ = self.row(self.peer("a", "right"), self.peer("b", "right"), plan=plan)["results"]
        self.assertEqual([(r["peer"], r["settings"]) for r in results_],
                         [(p, s) for p in "ab" for s in ("tuned", "default")])
        for r in results_:
            self.assertEqual((r["hello"]["settings"], [p["rounds"] for p in r["processes"]]), (r["settings"], [[0, 1]] * 2))

    def test_a_fresh_process_for_every_sample(self):
        row = rows.row("ping_pong", "ping_pong", "message", "", {"hops": 1000}, fresh=True)
        r = self.row(self.peer("x", "right"), row=row)["results"][0]
        self.assertEqual([p["rounds"] for p in r["processes"]], [[n] for n in range(4)] * 2)


class Places(Fakes):
    def test_who_takes_a_minute_for_a_sample_takes_no_other(self):
        row = dataclasses.replace(ROW, fresh=True, most_samples=1)
        with mock.patch.object(measure, "SLOW", 9e-6):
            r = self.row(self.peer("x", "right"), row=row)["results"][0]
        self.assertEqual([p["rounds"] for p in r["processes"]], [[0]])

    def test_a_program_is_measured_on_the_cpus_of_its_row_wherever_it_has_warmed_up(self):
        allowed = sorted(os.sched_getaffinity(0))
        entry = measure.Entry(self.peer("x", "right"), ROW, {"hops": 1000}, 1, "tuned", allowed[:1], PLAN)
        entry.begin(allowed[-1:])
        self.addCleanup(process.kill_all)
        entry.greet()
        self.assertEqual(os.sched_getaffinity(entry.process.popen.pid), set(allowed[:1]))
        self.assertEqual(entry.command[:3], ["taskset", "-c", str(allowed[0])])

    def test_those_that_take_long_warm_up_together(self):
        def entry(name, warmup, cpus):
            return mock.Mock(name=name, warmup=warmup, cpus=cpus)
        jvm, other, one, two = entry("jvm", 5, [0]), entry("other", 5, [0]), entry("one", 0.1, [0]), entry("two", 0.1, [0])
        self.assertEqual(measure.side_by_side([one, jvm, two, other], measure.places(ROW, [0], [0, 1])),
                         [[(jvm, [0]), (other, [1])], [(one, [0]), (two, [1])]])
        self.assertEqual(measure.side_by_side([one, jvm], measure.places(ROW, [0, 1], [0, 1, 2, 3])), [[(jvm, [0, 1])], [(one, [0, 1])]])

    def test_those_of_a_fresh_process_share_the_machine_if_only_memory_is_measured_and_there_is_enough(self):
        timed = dataclasses.replace(ROW, fresh=True)
        sized = dataclasses.replace(timed, figure=("rss", "bytes"))
        with mock.patch.object(measure.environment, "memory", return_value=5 * measure.ROOM // 2):
            self.assertEqual(measure.places(timed, [0], [0, 1, 2]), [[0]])
            self.assertEqual(measure.places(sized, [0], [0, 1, 2]), [[0], [1]])
            self.assertEqual(measure.places(sized, [0, 1], [0, 1, 2]), [[0, 1]])
        with mock.patch.object(measure.environment, "memory", return_value=measure.ROOM - 1):
            self.assertEqual(measure.places(sized, [0], [0, 1, 2]), [[0]])

    def test_those_that_share_the_machine_work_at_the_same_time_long_ones_together(self):
        done = []
        def entry(name, longest):
            e = mock.Mock(longest=longest, slow=False, warmup=0, guard=lambda f: f())
            e.begin = lambda cpus: done.append(f"begin {name} {cpus[0]}")
            for step in ("greet", "close"):
                setattr(e, step, lambda step=step: done.append(f"{step} {name}"))
            e.process.ask = lambda: done.append(f"ask {name}")
            e.sample = lambda n: done.append(f"sample {name}")
            return e
        measure._fresh([entry("a", 9), entry("b", 1), entry("c", 8)], 1, [[0], [1]])
        self.assertEqual(done, ["begin a 0", "begin c 1", "greet a", "greet c", "ask a", "ask c", "sample a", "sample c", "close a", "close c",
                                "begin b 0", "greet b", "ask b", "sample b", "close b"])

    def test_a_fresh_program_stays_where_it_has_begun(self):
        allowed = sorted(os.sched_getaffinity(0))
        entry = measure.Entry(self.peer("x", "right"), dataclasses.replace(ROW, fresh=True), {"hops": 1000}, 1, "tuned", allowed[:1], PLAN)
        entry.begin(allowed[-1:])
        self.addCleanup(process.kill_all)
        entry.greet()
        self.assertEqual(os.sched_getaffinity(entry.process.popen.pid), set(allowed[-1:]))
        entry.process.ask()
        entry.sample(0)
        self.assertEqual([n for n, _ in entry.processes[-1]], [0])


class Turns(unittest.TestCase):
    def test_to_and_fro_and_close_ones_beside_each_other(self):
        ranks = [9, 4, 5, 2]
        orders = [[e.rank for e in order] for order in measure.turns([mock.Mock(rank=n) for n in ranks], 40)]
        turned = lambda order: {tuple(order[i:] + order[:i]) for i in range(len(order))}
        self.assertIn(tuple(orders[0]), turned(ranks))
        for n, order in enumerate(orders[1:], 1):
            there = order if n % 2 == 0 else order[::-1]
            self.assertIn(tuple(there), turned([2, 4, 5, 9]) - {(5, 9, 2, 4)}, n)  # 4 and 5 are in a close race
        self.assertEqual({tuple(o) for o in orders[2::2]}, {(2, 4, 5, 9), (4, 5, 9, 2), (9, 2, 4, 5)})

    def test_who_has_no_sample_is_last(self):
        row = rows.row("ping_pong", "ping_pong", "message", "", {"hops": 1})
        entry = measure.Entry(peers.Peer("x", {}), row, {"hops": 1}, 1, "tuned", [0], PLAN)
        self.assertEqual(entry.rank, float("inf"))
        entry.processes = [[(0, {"ns": 7, "operations": 1})], []]
        self.assertEqual(entry.rank, float("inf"))
        entry.processes = [[], [(0, {"ns": 7, "operations": 1})]]
        self.assertEqual(entry.rank, 7)


class Machine(Fakes):
    def test_a_machine_that_changes_flags_the_row(self):
        with mock.patch.object(environment, "calibrate", side_effect=[LIMITS, LIMITS | {"handoff": 170.0}, LIMITS]):
            entry = self.row(self.peer("x", "right"))
        self.assertTrue(any("hand-off between cores moved from 50 to 170 ns" in f for f in environment.flags(entry | {"cpus": [0, 1]})))

    def flags(self, *calibrations, cpus=(0, 1), figure="ns", foreign=0.04):
        return environment.flags({"calibrations": calibrations, "cpus": cpus, "figure": figure, "foreign": foreign})

    def test_a_quiet_machine_does_not(self):
        self.assertEqual(self.flags(LIMITS, {"exchange": 2.9, "handoff": 74.0}), [])

    def test_others_flag_the_row(self):
        self.assertEqual(self.flags(LIMITS, foreign=0.2), ["others used 20% of the machine"])

    def test_what_the_figure_does_not_depend_on_does_not(self):
        moved = (LIMITS, {"exchange": 9.0, "handoff": 170.0})
        self.assertEqual(len(self.flags(*moved)), 2)
        self.assertEqual(self.flags(*moved, cpus=(1,)), ["the speed of one core moved from 2 to 9 ns"])
        self.assertEqual(self.flags(*moved, figure="rss", foreign=0.2), [])


class Calibration(unittest.TestCase):
    def calibrate(self, script):
        with tempfile.TemporaryDirectory() as d, mock.patch.object(peers, "BUILDS", pathlib.Path(d)):
            program = pathlib.Path(d) / peers.OURS / "meson" / "bench" / "heist-bench"
            if script:
                program.parent.mkdir(parents=True)
                program.write_text(f"#!/bin/sh\n{script}\n")
                program.chmod(0o755)
            return environment.calibrate()

    def test_what_goes_wrong_is_said(self):
        for script, reason in (("exec sleep 60", "within 0.2 s.*too busy.*--resume"), ("echo no clock >&2; exit 1", "exit status 1: no clock"),
                               ("echo nonsense", "Expecting value"), ("", "No such file")):
            with self.subTest(reason), self.assertRaisesRegex(ValueError, reason):
                with mock.patch.object(environment, "CALIBRATION", 0.2 if "sleep" in script else 60):
                    self.calibrate(script)


class Settled(Fakes):
    def test_a_compiler_that_still_works_is_said(self):
        for fake, unsettled in (("right", False), ("settled", False), ("unsettled", True)):
            with self.subTest(fake):
                self.assertEqual(self.only_named(fake)["unsettled"], unsettled)

    def only_named(self, fake):
        return self.row(self.peer(fake, fake))["results"][0]


class Planned(Fakes):
    def test_a_dry_run_builds_and_writes_nothing(self):
        out = pathlib.Path(self.dir.name) / "out"
        words = ["compare", "--dry-run", "--peers", "actix,go", "--workloads", "ping_pong", "--workers", "1", "--out", str(out)]
        with mock.patch.object(peers, "build", side_effect=AssertionError("built")), mock.patch.object(sys, "argv", words), \
                contextlib.redirect_stdout(io.StringIO()) as said, self.assertRaises(SystemExit) as ended:
            runpy.run_module("compare", run_name="__main__")
        self.assertEqual(ended.exception.code, 0)
        self.assertIn("0 rows are done, 1 to do, with: heist actix go\nto be built first, once: heist actix go\n  ping_pong", said.getvalue())
        self.assertFalse(out.exists())

    def test_an_option_of_a_run_is_of_no_other_command(self):
        with mock.patch.object(sys, "argv", ["compare", "--quick", "list"]), contextlib.redirect_stderr(io.StringIO()) as said, \
                self.assertRaises(SystemExit) as ended:
            runpy.run_module("compare", run_name="__main__")
        self.assertEqual(ended.exception.code, 2)
        self.assertIn("--quick is an option of a run; those of 'list' come after it", said.getvalue())

    def test_what_could_not_be_built_before_is_not_planned_for(self):
        out = pathlib.Path(self.dir.name) / "run.json"
        run = results.load(HERE / "data" / "run.json")
        results.save(run, out)
        words = ["compare", "--dry-run", "--resume", "--full", "--peers", "bastion", "--out", self.dir.name]
        with mock.patch.object(results, "origin", lambda _: {}), mock.patch.object(sys, "argv", words), \
                contextlib.redirect_stdout(io.StringIO()) as said, self.assertRaises(SystemExit):
            runpy.run_module("compare", run_name="__main__")
        self.assertIn(f"{len(run['rows'])} rows are done", said.getvalue())
        self.assertIn("to do, with: heist\n", said.getvalue())


class Limited(Fakes):
    """Runs of Heist alone, on a clock that only rows move, each ten times as far as planned."""

    def measured(self, minutes):
        clock = [0.0]

        def measure_row(row, workers, participants, plan, say):
            clock[0] += 10 * plan.seconds(row, workers, participants, [0])
            return {"row": row.name, "workers": workers, "figure": "ns", "unit": "ns", "cpus": [0], "calibrations": [], "foreign": 0,
                    "results": []}
        out = pathlib.Path(self.dir.name)
        words = ["compare", "--workloads", "ping_pong,skynet,ask/x1", "--workers", "1", "--minutes", minutes, "--out", str(out)]
        with mock.patch.object(peers, "choose", lambda _: [peers.Peer("heist", {})]), mock.patch.object(peers, "build"), \
                mock.patch.object(environment, "describe", dict), mock.patch.object(measure, "measure", measure_row), \
                mock.patch.object(report, "write"), mock.patch.object(os, "sched_getaffinity", lambda _: {0}), \
                mock.patch.object(time, "monotonic", lambda: clock[0]), mock.patch.object(sys, "argv", words), \
                contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            runpy.run_module("compare", run_name="__main__")
        return ended.exception.code, said.getvalue(), results.load(out / "run.json")

    def test_a_row_that_would_take_longer_than_there_is_time_is_left_out(self):
        status, said, run = self.measured("1.7")  # they take 47 s, 71 and 47
        self.assertEqual(status, 0)
        self.assertEqual([r["row"] for r in run["rows"]], ["ping_pong", "ask/x1"])
        self.assertEqual(run["left_out"], [["skynet", 1, "no time within 1.7 minutes"]])
        self.assertIn("no time for: skynet (1); the same with --resume", said)
        self.assertIn("3/3 ask/x1, 1 worker, 1 min left", said)

    def test_with_time_for_all_none_is(self):
        self.assertEqual(len(self.measured("2.9")[2]["rows"]), 3)

    def test_no_time_for_any_is_an_error(self):
        status, said, run = self.measured("0.01")
        self.assertEqual((status, run["rows"]), (2, []))
        self.assertIn("there is no row to report", said)


class Left(unittest.TestCase):
    def test_the_time_left_goes_by_what_the_rows_before_have_taken(self):
        with mock.patch.object(time, "monotonic", side_effect=range(0, 10_000, 120)), mock.patch.object(sys, "stderr"):
            say = progress.Progress()
            self.assertEqual(say.minutes_for(600), 10)
            say.row("a", [60, 600])
            self.assertEqual(say.left, ", 11 min left")
            say.done()  # some minutes instead of one
            self.assertGreater(say.minutes_for(600), 10)
            self.assertEqual(say.minutes_for(600), 10 * say.spent / 60)

    def test_a_row_costs_its_programs_processes_and_samples(self):
        plan = measure.Plan(samples=10, processes=3, warmup=2.0, limit=10.0, short=False, settings=("tuned", "default"))
        warm, cold = peers.Peer("warm", {"warmup": 5}), peers.Peer("cold", {})
        row, fresh = rows.row("x", "ping_pong", "", "", {}, seconds=0.5), rows.row("x", "idle", "", "", {}, fresh=True, most_samples=1, seconds=0.5)
        self.assertGreater(plan.seconds(row, 1, [warm], [0]), plan.seconds(row, 1, [cold], [0]) + 3 * 2 * 2)
        self.assertGreater(plan.seconds(row, 1, [warm], [0]), plan.seconds(row, 1, [warm], [0, 1]))
        self.assertEqual(plan.seconds(row, 2, [warm], [0, 1]), plan.seconds(row, 1, [warm], [0]))
        self.assertGreater(plan.seconds(row, 1, [cold], [0]), plan.seconds(fresh, 1, [cold], [0]) + 3 * 2 * 9 * 0.5)


class File(Fakes):
    def test_saved_and_loaded_it_is_the_same(self):
        run = {"format": results.FORMAT, "rows": [self.row(self.peer("x", "right"), self.peer("y", "dies"))]}
        path = pathlib.Path(self.dir.name) / "run.json"
        results.save(run, path)
        self.assertEqual(results.load(path), run)

    def test_another_file_is_refused(self):
        path = pathlib.Path(self.dir.name) / "other.json"
        path.write_text('{"benchmarks": []}')
        with self.assertRaisesRegex(ValueError, "no result of scripts/compare"):
            results.load(path)


# A program that measures one sleeping peer for ever, and says the peer's process group.
HANG = """
import sys
sys.path.insert(0, {bench!r})
from compare import process
import signal
def interrupted(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupted)
try:
    p = process.Process([sys.executable, {fake!r}, "--params", "hops=1", "--workers", "1", "--settings", "tuned"])
    p.greet()
    print(p.popen.pid, flush=True)
    signal.pause()
finally:
    process.kill_all()
"""


class Interrupted(unittest.TestCase):
    def ended_by(self, number):
        code = HANG.format(bench=str(HERE.parents[1] / "bench"), fake=str(HERE / "fake_peer.py"))
        runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        pid = int(runner.stdout.readline())
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        runner.send_signal(number)
        runner.wait()
        runner.stdout.close()
        for _ in range(500):  # until init has reaped it
            if not os.path.exists(f"/proc/{pid}"):
                return state
            time.sleep(0.01)
        self.fail(f"process {pid} is still there")

    def test_no_stopped_process_is_left_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number.name):
                self.assertEqual(self.ended_by(number), "T")


if __name__ == "__main__":
    unittest.main()
