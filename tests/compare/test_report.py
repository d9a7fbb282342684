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

    def test_verdicts_are_against_the_fastest_other(self):
        for t in self.made["tables"]:
            others = [e for e in t["entries"] if e["peer"] != "heist" and e["figure"]]
            best = min(others, key=lambda e: e["figure"]["median"])
            self.assertEqual(t["rival"], [best["peer"], best["settings"]])
            self.assertEqual(t["ours"], best["settings"])
            self.assertEqual(t["verdict"], "behind" if t["row"] == "one_way/flood" else "ahead")

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
        self.assertEqual(results.resume(RUN, begun)["rows"], run["rows"])
        self.assertEqual(results.resume(RUN.parent / "none.json", begun), begun)
        e = run["environment"]
        for what, other in (("commit", {"environment": {**e, "commit": "f" * 40}}), ("kernel", {"environment": {**e, "kernel": "1.0"}}),
                            ("plan", {"plan": {**run["plan"], "samples": 99}}), ("set of peers", {"peers": {}})):
            with self.subTest(what), self.assertRaisesRegex(ValueError, f"with another {what};"):
                results.resume(RUN, begun | other)


class Notes(unittest.TestCase):
    def test_each_is_of_a_row(self):
        notes = json.loads(results.NOTES.read_text())
        self.assertLessEqual(set(notes), {r.name for r in rows.ROWS})
        self.assertTrue(all(len(text) > 40 for text in notes.values()))


class Library(unittest.TestCase):
    def test_the_chart_library_is_the_one_pinned(self):
        pinned = json.loads((page.LIBRARY.parent / "package.json").read_text())
        self.assertEqual(hashlib.sha256(page.LIBRARY.read_bytes()).hexdigest(), pinned["sha256"])
        self.assertIn(f"Chart.js v{pinned['version']}", page.LIBRARY.read_text()[:200])
        self.assertIn("MIT", (page.LIBRARY.parent / "LICENSE.md").read_text())


if __name__ == "__main__":
    unittest.main()
