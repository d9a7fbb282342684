# SPDX-License-Identifier: BSD-2-Clause
"""Keeping runs: what README.md and bench/results/README.md show of them, and when that is out of date."""
import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

from compare import kept, peers, results, rows, stats

RUN = pathlib.Path(__file__).resolve().parent / "data" / "run.json"


class Kept(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.root = pathlib.Path(d.name)
        (self.root / "README.md").write_text(f"# Us\n\n{kept.BEGIN}\n{kept.END}\n\nMore.\n")
        (self.root / "PEERS.md").write_text(kept.PEERS.read_text())
        there = {r["row"] for r in results.load(RUN)["rows"]}
        self.took_part = [p for p in peers.discover() if p.name in ("heist", "actix", "akka", "erlang")]
        for module, name, value in ((rows, "ROWS", [r for r in rows.ROWS if r.name in there]), (peers, "ROOT", self.root), (peers, "discover", lambda: self.took_part), (kept, "PEERS", self.root / "PEERS.md"), (kept, "KEPT", self.root / "bench" / "results"),
                                    (kept, "README", self.root / "README.md"), (stats, "RESAMPLES", 200)):
            p = mock.patch.object(module, name, value)
            p.start()
            self.addCleanup(p.stop)

    def quietly(self, f, *args):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return f(*args), said.getvalue()

    def run_of(self, day, kind):
        run = results.load(RUN) | {"started": f"2026-01-{day:02}T00:00:00+00:00", "kind": kind}
        path = self.root / "run.json"
        results.save(run, path)
        return path

    def test_a_kept_run_is_shown(self):
        self.quietly(kept.keep, self.run_of(2, "full"), None)
        text = (self.root / "README.md").read_text()
        self.assertTrue(text.startswith("# Us\n") and text.endswith("\nMore.\n"))
        self.assertIn("| `one_way/flood` | 1 |", text)
        self.assertIn("bench/results/2026-01-02-full/report.md", text)
        self.assertTrue((self.root / "bench/results/2026-01-02-full/report.md").exists())
        self.assertEqual(self.quietly(kept.refresh, True), (0, ""))

    def test_a_changed_figure_is_noticed(self):
        self.quietly(kept.keep, self.run_of(2, "full"), None)
        readme = self.root / "README.md"
        old = readme.read_text()
        readme.write_text(old.replace("behind", "ahead", 1))
        status, said = self.quietly(kept.refresh, True)
        self.assertEqual(status, 1)
        self.assertIn("README.md", said)
        self.assertEqual(self.quietly(kept.refresh, False)[0], 0)
        self.assertEqual(readme.read_text(), old)

    def test_a_changed_table_of_peers_is_noticed(self):
        self.quietly(kept.refresh, False)
        table = self.root / "PEERS.md"
        old = table.read_text()
        table.write_text(old.replace("| allocated |", "| shared |", 1))
        status, said = self.quietly(kept.refresh, True)
        self.assertEqual(status, 1)
        self.assertIn("PEERS.md", said)
        self.assertEqual(self.quietly(kept.refresh, False)[0], 0)
        self.assertEqual(table.read_text(), old)

    def test_runs_are_told_apart_by_where_they_were_made(self):
        for day in (2, 3):
            self.quietly(kept.keep, self.run_of(day, "full"), None)
        lines = (self.root / "bench/results/README.md").read_text().splitlines()
        e = results.load(RUN)["environment"]
        for day in (2, 3):
            [line] = [x for x in lines if x.startswith(f"| 2026-01-0{day}-full |")]
            self.assertIn(f"| 2026-01-0{day} 00:00 |", line)
            self.assertIn(f"| {e['kernel']} | {e['commit'][:12]} |", line)

    def test_a_full_run_is_preferred_to_a_newer_one(self):
        self.quietly(kept.keep, self.run_of(2, "full"), None)
        self.quietly(kept.keep, self.run_of(3, "headline"), None)
        self.assertIn("2026-01-02-full", (self.root / "README.md").read_text())
        both = (self.root / "bench/results/README.md").read_text()
        self.assertIn("| row | workers | 2026-01-02-full | 2026-01-03-headline | agree |", both)
        self.assertIn("| yes |", both)

    def test_a_full_run_without_a_row_is_no_complete_one(self):
        self.quietly(kept.keep, self.run_of(2, "full"), None)
        path = self.run_of(3, "full")
        run = results.load(path)
        results.save(run | {"rows": [r for r in run["rows"] if r["row"] != "idle"]}, path)
        self.quietly(kept.keep, path, None)
        self.assertTrue((self.root / "bench/results/2026-01-03-part/run.json").exists())
        self.assertIn("bench/results/2026-01-02-full/report.md", (self.root / "README.md").read_text())

    def test_a_full_run_without_a_peer_or_a_count_of_workers_is_no_complete_one(self):
        run = results.load(self.run_of(2, "full"))
        self.assertTrue(kept.complete(run))
        self.assertFalse(kept.complete(run | {"peers": run["peers"] | {"akka": run["peers"]["akka"] | {"skipped": "no java"}}}))
        self.assertFalse(kept.complete(run | {"peers": {k: v for k, v in run["peers"].items() if k != "akka"}}))
        one = [r for r in run["rows"] if r["workers"] == 1]
        self.assertFalse(kept.complete(run | {"rows": one}))
        self.assertFalse(kept.complete(run | {"rows": [r for r in run["rows"] if (r["row"], r["workers"]) != ("paced_latency/outside", 1)]}))
        spared = [r for r in run["rows"] if (r["row"], r["workers"]) not in (("paced_latency/outside", 2), ("idle", 2))]
        self.assertTrue(kept.complete(run | {"rows": spared}))

    def test_nothing_kept_is_overwritten(self):
        self.quietly(kept.keep, self.run_of(2, "full"), None)
        with self.assertRaisesRegex(ValueError, "2026-01-02-full is there already; choose another --name"):
            kept.keep(self.run_of(2, "full"), None)

    def test_what_nobody_can_repeat_is_refused(self):
        path = self.run_of(2, "full")
        run = results.load(path)
        results.save(run | {"environment": run["environment"] | {"changed_files": 3}}, path)
        with self.assertRaisesRegex(ValueError, "changes that are in no commit"):
            kept.keep(path, None)

    def test_agreement(self):
        for said, wanted in (([], ""), (["ahead"], ""), (["ahead", "ahead"], "yes"), (["ahead", "undecided"], "no"), (["behind", "ahead"], "contradict")):
            self.assertEqual(kept.agree(said), wanted)

    def test_without_the_marks_it_refuses(self):
        (self.root / "README.md").write_text("# Us\n")
        with self.assertRaisesRegex(ValueError, "lacks the marks"):
            kept.refresh(True)


if __name__ == "__main__":
    unittest.main()
