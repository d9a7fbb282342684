# SPDX-License-Identifier: BSD-2-Clause
"""heist-bench compare on made-up runs: verdicts, what moved, exit statuses.  Argument: the program."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class Compare(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir, self.count = pathlib.Path(d.name), 0

    def run_of(self, exchange=2.0, handoff=50.0, units={}, **rows):
        """A file; rows: what the samples of name/workers:N (name_N) are times."""
        self.count += 1
        made = [{"name": f"{k[:-2]}/workers:{k[-1]}", "raw": [(10 + 0.01 * i) * x for i in range(20)] if x else []}
                | {"across_cores": k[-1] != "1" or k.startswith("out")} | ({"unit": units[k]} if k in units else {}) for k, x in rows.items()]
        path = self.dir / f"{self.count}.json"
        path.write_text(json.dumps({"context": {"calibration_ns": {"exchange": exchange, "handoff": handoff}}, "benchmarks": made}))
        return path

    def compare(self, *files):
        """Exit status, {row: the rest of its line}, all that was said."""
        p = subprocess.run([PROGRAM, "compare", *files], capture_output=True, text=True)
        lines = [x.split(None, 1) for x in p.stdout.splitlines()]
        return p.returncode, {x[0]: x[1] for x in lines if "/workers:" in x[0]}, p.stdout + p.stderr

    def test_verdicts(self):
        status, rows, _ = self.compare(self.run_of(a_1=1, b_1=1, c_1=1), self.run_of(a_1=0.8, b_1=1.01, c_1=1))
        self.assertEqual(status, 0)
        self.assertRegex(rows["a/workers:1"], r"0\.800 .*  faster$")
        self.assertRegex(rows["b/workers:1"], r"1\.010 .*  no difference$")
        status, rows, _ = self.compare(self.run_of(a_1=1), self.run_of(a_1=1.2))
        self.assertEqual(status, 1)
        self.assertRegex(rows["a/workers:1"], "slower$")

    def test_pairs_that_disagree_are_undecided(self):
        files = [self.run_of(a_1=x) for pair in ((1, 1.2), (1, 0.9), (1, 1.3)) for x in pair]
        status, rows, _ = self.compare(*files)
        self.assertEqual(status, 0)
        self.assertRegex(rows["a/workers:1"], r"1\.200 .*  undecided$")

    def test_a_machine_that_changed_is_said_and_judged_only_where_it_does_not_matter(self):
        names, units = ("a_1", "a_2", "out_1", "late_1", "bytes_2"), {"bytes_2": "B", "late_1": "us"}
        before, faster = dict.fromkeys(names, 1) | {"units": units}, dict.fromkeys(names, 0.5) | {"units": units}
        rows = lambda **verdicts: {f"{n[:-2]}/workers:{n[-1]}": verdicts.get(n, "faster") for n in names}
        for limits, wanted in (({"handoff": 80.0}, rows(a_2="undecided", out_1="undecided")),
                               ({"exchange": 4.0}, rows(a_1="undecided", a_2="undecided", out_1="undecided", late_1="undecided")),
                               ({"handoff": 70.0}, rows())):
            with self.subTest(limits):
                _, rows, said = self.compare(self.run_of(**before), self.run_of(**limits, **faster))
                self.assertEqual({k: v.split()[-1] for k, v in rows.items()}, wanted)
                self.assertEqual("the machine changed" in said, "undecided" in wanted.values())

    def test_rows_that_fail_or_are_not_in_both(self):
        status, rows, _ = self.compare(self.run_of(a_1=1, b_1=0, c_1=1), self.run_of(a_1=1, b_1=1, c_1=1, d_1=1))
        self.assertEqual((status, rows["b/workers:1"], rows["d/workers:1"]), (0, "FAILED in run 1 before", "new"))
        status, rows, _ = self.compare(self.run_of(a_1=1, b_1=1), self.run_of(a_1=1, b_1=0))
        self.assertEqual((status, rows["b/workers:1"]), (1, "FAILED in run 1 after"))
        status, rows, _ = self.compare(self.run_of(a_1=1, b_1=1), self.run_of(a_1=1))
        self.assertEqual((status, rows["b/workers:1"]), (1, "missing in run 1 after"))
        status, rows, said = self.compare(*(self.run_of(a_1=x) for x in (1, 1, 0, 0)))
        self.assertEqual(status, 1)
        for lack in ("FAILED in run 2 before", "FAILED in run 2 after"):
            self.assertIn(lack, said)

    def test_files_that_are_none(self):
        good, bad = self.run_of(a_1=1), self.dir / "bad.json"
        bad.write_text("{}")
        for files, status, said in (((good, bad), 2, "is not a result of heist-bench run --json"),
                                    ((good, self.dir / "none.json"), 2, "none.json: No such file or directory"),
                                    ((good,), 64, "files come in pairs"), ((good, good, good), 64, "files come in pairs")):
            with self.subTest(said):
                got, _, text = self.compare(*files)
                self.assertEqual(got, status)
                self.assertIn(said, text)


if __name__ == "__main__":
    unittest.main()
