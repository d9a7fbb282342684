# SPDX-License-Identifier: BSD-2-Clause
"""The page of a small run in a real browser: charts and tables against the JSON, colours, a phone.

Exit status 77, and the reason: there is no Chromium.
"""
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import browser
from compare import page, report, results, words

RUN = pathlib.Path(__file__).resolve().parent / "data" / "run.json"
CHARTS = """Object.fromEntries([...document.querySelectorAll("canvas")].map((c) => [c.id, Chart.getChart(c).data.datasets.flatMap(
    (s) => s.data.map((p) => [p.y, p.workers, p.x, p.ci[0], p.ci[1], p.n, p.colour]))]))"""
INK = """Object.fromEntries([...document.querySelectorAll("canvas")].map((c) => {
    const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    let n = 0;
    for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
    return [c.id, n];
}))"""
TABLE = """[...document.querySelectorAll("%s tbody tr")].map((r) => [...r.children].map(
    (c) => (c.querySelector("summary") || c).textContent))"""
COLOURS = """((names) => Object.fromEntries(names.map((n) => [n, getComputedStyle(document.documentElement).getPropertyValue("--" + n)
    .trim()])))(["paper", "card", "ink", "soft", "heist", "other", "behind", "unsure"])"""


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        with mock.patch.object(results, "NOTES", RUN.parent / "no notes"):  # whatever is explained by now
            report.write(results.load(RUN), pathlib.Path(cls.directory.name))
        cls.made = json.loads((pathlib.Path(cls.directory.name) / "report.json").read_text())
        cls.browser = browser.Browser(browser.find())
        cls.browser.screen(1100, 900)
        cls.browser.open(f"file://{cls.directory.name}/page.html")

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.directory.cleanup()

    def tearDown(self):
        self.browser.screen(1100, 900)
        self.browser.scheme("light")

    def test_scripts_run_without_error_and_nothing_is_fetched(self):
        self.assertEqual(self.browser.errors, [])
        self.assertEqual(self.browser.evaluate("performance.getEntriesByType('resource').map((r) => r.name)"), [])
        self.assertEqual(self.browser.evaluate("document.compatMode"), "CSS1Compat")

    def test_charts_show_every_figure_of_the_json_and_no_other(self):
        shown = self.browser.evaluate(CHARTS)
        wanted = {"chart-overview": []}
        for t in self.made["tables"]:
            points = wanted.setdefault("chart-" + page.anchor(t["row"]), [])
            for e in t["entries"]:
                f = e["figure"]
                colour = "heist" if e["peer"] == "heist" else "behind" if e["verdict"] == "behind" else "other"
                if f:
                    points.append([words.label(self.made, e), t["workers"], f["median"], *f["ci"], f["n"], colour])
            r, colour = t["ratio"], "behind" if t["verdict"] == "behind" else "heist"
            wanted["chart-overview"].append([f"{t['row']}, {words.workers(t['workers'])}", t["workers"], r["median"], *r["ci"], r["n"], colour])
        self.assertEqual({k: sorted(v) for k, v in shown.items()}, {k: sorted(v) for k, v in wanted.items()})

    def test_numbers_of_workers_look_different_and_as_the_legend_has_it(self):
        looks = [(m["shape"], m["hollow"]) for m in page.marks(range(1, 9))]
        self.assertEqual(len(set(looks)), 8)
        drawn = self.browser.evaluate("Chart.getChart('chart-overview').data.datasets.map((d) => [d.pointStyle, d.hollow])")
        counts = {t["workers"] for t in self.made["tables"]}
        self.assertEqual(list(map(tuple, drawn)), looks[:len(counts)])
        legend = self.browser.evaluate("[...document.querySelector('.legend').children].map((l) => l.innerHTML)")
        for shown, (shape, hollow) in zip(legend, looks, strict=False):
            self.assertIn(page.SHAPES[shape][1:], shown)
            self.assertIn(f'fill="{"none" if hollow else "currentColor"}"', shown)
        self.assertEqual(len(legend), len(counts))

    def test_charts_are_drawn(self):
        for name, ink in self.browser.evaluate(INK).items():
            self.assertGreater(ink, 2000, name)

    def test_the_overview_has_every_row(self):
        shown = self.browser.evaluate(TABLE % "#overview")
        self.assertEqual([(r[0], r[1], r[5]) for r in shown],
                         [(t["row"], str(t["workers"]), words.ratio(t["ratio"])) for t in self.made["tables"]])
        for r, t in zip(shown, self.made["tables"]):
            self.assertTrue(r[8].startswith(t["verdict"]))
            self.assertEqual("not quiet" in r[8], bool(t["flags"]))

    def test_the_tables_of_a_row_have_every_program(self):
        for name in dict.fromkeys(t["row"] for t in self.made["tables"]):
            shown = self.browser.evaluate(TABLE % f"#{page.anchor(name)} table")
            for t in (t for t in self.made["tables"] if t["row"] == name):
                for e in t["entries"]:
                    line = [words.title(self.made, e["peer"]), e["settings"]]
                    f = e["figure"]
                    line += [words.quantity(f["median"]), words.spread(f), words.quantity(f["min"])] if f else [words.why(e)]
                    self.assertIn(line, [r[:len(line)] for r in shown])
                    if f:
                        rest = [words.megabytes(e["peak"]), words.ratio(e["ratio"]), words.spread(e["ratio"]), e["verdict"]]
                        self.assertIn(line + rest, [r[:len(line)] + r[7:11] for r in shown])

    def test_version_settings_and_command_are_behind_each_name(self):
        texts = self.browser.evaluate("[...document.querySelectorAll('article th dl')].map((d) => d.textContent)")
        for t in self.made["tables"]:
            for e in t["entries"]:
                self.assertTrue(any(e["command"] in x and e["runtime"].get("version", "") in x and
                                    self.made["peers"][e["peer"]]["settings"][e["settings"]] in x for x in texts), e["command"])

    def test_a_row_that_loses_stands_out(self):
        losing = {page.anchor(t["row"]) for t in self.made["tables"] if t["verdict"] == "behind"}
        self.assertEqual(set(self.browser.evaluate("[...document.querySelectorAll('article.loses')].map((a) => a.id)")), losing)
        text = self.browser.evaluate(f"document.getElementById('{losing.pop()}').innerText")
        self.assertIn("behind", text)
        self.assertIn("Not explained yet", text)

    def test_light_and_dark_have_contrast_and_charts_follow(self):
        used = {}
        for scheme in ("light", "dark"):
            self.browser.scheme(scheme)
            colours = self.browser.evaluate(COLOURS)
            for name in ("ink", "soft", "heist", "behind", "unsure"):
                for ground in ("paper", "card"):
                    self.assertGreaterEqual(contrast(colours[name], colours[ground]), 4.5, f"{name} on {ground}, {scheme}")
            self.assertGreaterEqual(contrast(colours["other"], colours["card"]), 3, scheme)
            # The page hears of the change in an event of its own, after this call has answered.
            self.browser.wait(f"Chart.getChart('chart-overview').data.datasets[0].pointBorderColor[0] === {colours['heist']!r}")
            used[scheme] = colours["heist"]
        self.assertNotEqual(used["light"], used["dark"])

    def test_a_phone_scrolls_tables_not_the_page(self):
        self.browser.screen(390, 844, phone=True)
        self.browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        self.browser.wait("document.documentElement.scrollWidth <= 390")
        self.assertGreaterEqual(self.browser.evaluate("parseFloat(getComputedStyle(document.body).fontSize)"), 16)

    def test_charts_and_tables_have_words_for_those_who_do_not_see_them(self):
        count = lambda selector: self.browser.evaluate(f"document.querySelectorAll({selector!r}).length")
        self.assertEqual(count("canvas"), count("canvas[role=img][aria-label]"))
        self.assertEqual(count("table"), count("table > caption"))
        self.assertEqual(count("h1"), 1)
        self.assertEqual(self.browser.evaluate("document.documentElement.lang"), "en")


if __name__ == "__main__":
    if browser.find() is None:
        print("no Chromium here: scripts/setup --peers installs it")
        sys.exit(77)
    unittest.main()
