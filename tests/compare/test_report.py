# SPDX-License-Identifier: BSD-2-Clause
"""The report of a small run: its tables against the samples, and that nothing unpleasant is left out."""
import hashlib
import json
import pathlib
import statistics
import tempfile
import unittest
from unittest import mock

from compare import markdown, page, report, results, rows, words

RUN = pathlib.Path(__file__).resolve().parent / "data" / "run.json"


def figure(row, process, i):
    if row["figure"] == "rss":
        return process["rss"][i] / process["operations"]
    if row["figure"].startswith("p"):
        return process["latency_ns"][i][row["figure"]]
    return process["ns"][i] / process["operations"]


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_file = results.load(RUN)
        no_notes = mock.patch.object(results, "NOTES", RUN.parent / "no notes")  # whatever is explained by now
        no_notes.start()
        cls.addClassCleanup(no_notes.stop)
        cls.made = results.tables(cls.run_file)

    def entries(self):
        for row, t in zip(self.run_file["rows"], self.made["tables"]):
            by = {(e["peer"], e["settings"]): e for e in t["entries"]}
            for r in row["results"]:
                yield row, r, by[r["peer"], r["settings"]]

    def test_medians_are_those_of_the_samples(self):
        for row, r, e in self.entries():
            values = [figure(row, p, i) for p in r.get("processes", []) for i in range(len(p["rounds"]))]
            if not values:
                self.assertIsNone(e["figure"])
                continue
            self.assertAlmostEqual(e["figure"]["median"], statistics.median(values))
            self.assertEqual((e["figure"]["n"], e["figure"]["min"], e["figure"]["max"]), (len(values), min(values), max(values)))
            self.assertTrue(min(values) <= e["figure"]["ci"][0] <= e["figure"]["median"] <= e["figure"]["ci"][1] <= max(values))

    def test_ratios_are_of_the_same_round_and_settings(self):
        for row, r, e in self.entries():
            ours = next(x for x in row["results"] if (x["peer"], x["settings"]) == ("heist", r["settings"]))
            if e["ratio"] is None:
                self.assertTrue(r["peer"] == "heist" or "processes" not in r)
                continue
            values = [figure(row, b, i) / figure(row, a, i) for a, b in zip(ours["processes"], r["processes"])
                      for i in range(len(b["rounds"]))]
            self.assertAlmostEqual(e["ratio"]["median"], statistics.median(values))

    def test_verdicts_are_against_who_comes_nearest_with_whatever_settings(self):
        for t in self.made["tables"]:
            nearest = min((e for e in t["entries"] if e["ratio"]), key=lambda e: e["ratio"]["median"])
            self.assertEqual(t["rival"], [nearest["peer"], nearest["settings"]])
            self.assertEqual(t["ours"], nearest["settings"])
            self.assertEqual((t["ratio"], t["verdict"]), (nearest["ratio"], nearest["verdict"]))
            self.assertEqual(t["verdict"], "behind" if t["row"] == "one_way/flood" else "ahead")

    def row_of(self, figures):
        """A row whose programs, (peer, settings), take so long in three processes of three rounds."""
        made = [{"peer": p, "settings": s, "command": ["x"], "hello": {}, "processes": [
            {"rounds": [0, 1, 2], "operations": 1, "ns": [ns] * 3} for _ in range(3)]} for (p, s), ns in figures.items()]
        return self.run_file["rows"][0] | {"results": made}

    def table_of(self, row):
        return results.tables(self.run_file | {"rows": [row]})["tables"][0]

    def test_the_machine_between_two_settings_does_not_choose_among_runtimes(self):
        # while the defaults ran everything was twice as fast: by medians Akka's would be the best other, at 4 x
        t = self.table_of(self.row_of({("heist", "tuned"): 2, ("heist", "default"): 1, ("actix", "tuned"): 6, ("actix", "default"): 9, ("akka", "default"): 4}))
        self.assertEqual((t["rival"], t["ours"], t["ratio"]["median"]), (["actix", "tuned"], "tuned", 3))

    def test_settings_that_are_not_its_fastest_may_come_nearest(self):
        t = self.table_of(self.row_of({("heist", "tuned"): 2, ("heist", "default"): 4, ("actix", "tuned"): 3, ("actix", "default"): 4}))
        self.assertEqual((t["rival"], t["ours"], t["ratio"]["median"]), (["actix", "default"], "default", 1))

    def test_a_row_on_which_heist_fails_is_lost(self):
        row = self.row_of({("heist", "tuned"): 2, ("heist", "default"): 1, ("actix", "tuned"): 6, ("actix", "default"): 5})
        for r in row["results"][1:2]:
            del r["processes"]
            r["failed"] = "exit status 1"
        t = self.table_of(row)
        self.assertEqual((t["verdict"], words.loses(t)), ("failed", True))
        self.assertEqual({(e["peer"], e["settings"]): e["ratio"] is None for e in t["entries"]}["actix", "default"], True)
        del row["results"][0]["processes"]
        row["results"][0]["failed"] = "exit status 1"
        self.assertEqual(self.table_of(row)["verdict"], "failed")
        self.assertIn("failed: exit status 1", page.document(results.tables(self.run_file | {"rows": [row]})))

    def test_a_compiler_that_still_worked_is_said_beside_its_runtime_only(self):
        row = self.row_of({("heist", "tuned"): 2, ("heist", "default"): 1, ("akka", "tuned"): 6, ("akka", "default"): 5})
        row["results"][2]["unsettled"] = True
        made = results.tables(self.run_file | {"rows": [row]})
        self.assertEqual(made["tables"][0]["flags"], [])
        for text in ("\n".join(markdown.document(made)), page.document(made)):
            self.assertEqual(text.count("compiler still at work"), 1)

    def test_both_forms_have_the_percentiles(self):
        for text in ("\n".join(markdown.document(self.made)), page.document(self.made)):
            self.assertIn("99.9 %", text)

    def test_rows_left_out_are_said(self):
        made = self.made | {"left_out": [["skynet", 2, "no time within 3 minutes"]]}
        for text in ("\n".join(markdown.document(made)), page.document(made)):
            self.assertIn("Left out: skynet, 2 workers: no time within 3 minutes.", text)

    def test_every_form_says_what_failed_and_what_was_left_out(self):
        for text in ("\n".join(markdown.document(self.made)), page.document(self.made)):
            for said in ("failed: exit status 1: mailbox full after 16 messages", "cannot: timers are coarser than the period",
                         "does not build: error[E0432]", "behind", "Not explained yet", "hand-off between cores moved from 50 to 170 ns"):
                self.assertIn(said, text)

    def test_published_figures_are_in_no_chart(self):
        groups = {}
        for t in self.made["tables"]:
            groups.setdefault(t["row"], []).append(t)
        charts = json.dumps([page.chart_of(self.made, n, g) for n, g in groups.items()] + [page.overview_chart(self.made)])
        for p in self.made["published"]:
            self.assertNotIn(p["figure"], charts)
            self.assertTrue(all(p[k] for k in ("source", "machine", "date")), p)

    def test_markup_in_a_figure_is_text(self):
        self.assertIn("&lt;b&gt;not&lt;/b&gt; markup &amp; co", page.document(self.made))

    def test_the_file_needs_no_other(self):
        text = page.document(self.made)
        library = page.LIBRARY.read_text()
        self.assertIn(library, text)
        rest = text.replace(library, "")
        for word in (" src=", "<link", "@import", "url("):
            self.assertNotIn(word, rest)

    def test_all_forms_are_written(self):
        with tempfile.TemporaryDirectory() as d:
            report.write(self.run_file, pathlib.Path(d))
            self.assertEqual(sorted(p.name for p in pathlib.Path(d).iterdir()), ["page.html", "report.json", "report.md"])
            self.assertEqual(json.loads((pathlib.Path(d) / "report.json").read_text()), json.loads(json.dumps(self.made)))

    def test_quantities(self):
        for x, shown in ((8.934, "8.93"), (83.06, "83.1"), (2530.4, "2,530"), (0.746, "0.746"), (123456, "123,456"), (None, "")):
            self.assertEqual(words.quantity(x), shown)


class Resumed(unittest.TestCase):
    def test_a_run_goes_on_only_as_it_began(self):
        run = results.load(RUN)
        begun = {**run, "rows": [], "seconds": 0}
        again = results.resume(RUN, begun | {"command": "scripts/compare --resume", "ended": ""})
        self.assertEqual((again["rows"], again["ended"]), (run["rows"], run["ended"]))
        self.assertEqual(again["command"], f"{run['command']}; scripts/compare --resume")
        self.assertEqual(results.resume(RUN.parent / "none.json", begun), begun)
        e = run["environment"]
        for what, other in (("commit", {"environment": {**e, "commit": "f" * 40}}), ("kernel", {"environment": {**e, "kernel": "1.0"}}),
                            ("number of changed files", {"environment": {**e, "changed_files": 1}}), ("set of CPUs", {"environment": {**e, "cpus_allowed": [0]}}),
                            ("plan", {"plan": {**run["plan"], "samples": 99}}), ("set of peers", {"peers": {}})):
            with self.subTest(what), self.assertRaisesRegex(ValueError, f"with another {what};"):
                results.resume(RUN, begun | other)


class Notes(unittest.TestCase):
    def test_each_is_of_a_row(self):
        notes = json.loads(results.NOTES.read_text())
        self.assertLessEqual(set(notes), {r.name for r in rows.ROWS} | set(rows.OPERATIONS))
        self.assertTrue(all(len(text) > 40 for text in notes.values()))


class Library(unittest.TestCase):
    def test_the_chart_library_is_the_one_pinned(self):
        pinned = json.loads((page.LIBRARY.parent / "package.json").read_text())
        self.assertEqual(hashlib.sha256(page.LIBRARY.read_bytes()).hexdigest(), pinned["sha256"])
        self.assertIn(f"Chart.js v{pinned['version']}", page.LIBRARY.read_text()[:200])
        self.assertIn("MIT", (page.LIBRARY.parent / "LICENSE.md").read_text())


if __name__ == "__main__":
    unittest.main()
