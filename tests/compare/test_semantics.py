# SPDX-License-Identifier: BSD-2-Clause
"""What each runtime does in its own way: said for every peer, row and setting, and the same in every place."""
import copy
import json
import pathlib
import unittest

from compare import kept, markdown, page, peers, results, rows, semantics, words

RUN = pathlib.Path(__file__).resolve().parent / "data" / "run.json"


class Peers(unittest.TestCase):
    def test_each_says_all_of_it(self):
        found = peers.discover()
        self.assertGreater(len(found), 1)
        for p in found:
            with self.subTest(p.name):
                self.assertEqual(semantics.wrong(p.about), [])
                self.assertEqual(sorted(p.about["settings"]), sorted(peers.SETTINGS))

    def test_every_figure_has_them(self):
        for p in peers.discover():
            for r in rows.ROWS:
                for settings in peers.SETTINGS:
                    for workers in (1, 2):
                        with self.subTest(peer=p.name, row=r.name, settings=settings, workers=workers):
                            said = semantics.of(p.about, r.name, r.workload, settings, workers)
                            self.assertEqual(tuple(said), semantics.IN_ROWS)
                            self.assertTrue(all(said.values()), said)
                            self.assertIn(said["threads"], ("1", str(workers)))

    def test_the_table_of_peers_has_each_once(self):
        table = kept.PEERS.read_text().partition(semantics.BEGIN)[2].partition(semantics.END)[0]
        names = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")][2:]
        self.assertEqual(names, [p.title for p in peers.discover()])

    def test_nonsense_is_noticed(self):
        good = next(p.about for p in peers.discover() if "except" in p.about)
        for change, reason in (
                (lambda a: a["semantics"].pop("mailbox"), "mailbox is missing"),
                (lambda a: a["semantics"].update(message="sent"), "message is none of"),
                (lambda a: a["semantics"].update(threads="some"), "threads is workers or a number"),
                (lambda a: a["except"][0]["semantics"].update(mailbox="small"), "mailbox is unbounded or bounded"),
                (lambda a: a["except"][0]["semantics"].update(colour="red"), "no such key: colour"),
                (lambda a: a["except"].append({"rows": ["ping"], "semantics": {"gc": "yes"}}), "no row or workload: ping"),
                (lambda a: a["except"].append({"semantics": {"gc": "yes"}}), "is not said"),
                (lambda a: a["except"].append({"settings": "fast", "semantics": {"gc": "yes"}}), "no such settings: fast"),
                (lambda a: a.update(lacks={"ping": "why"}), "lacks: no workload: ping")):
            about = copy.deepcopy(good)
            change(about)
            self.assertIn(reason, "; ".join(semantics.wrong(about)))


class Exceptions(unittest.TestCase):
    ABOUT = {"semantics": {"timeout": "no", "message": "allocated", "mailbox": "unbounded", "supervised": "yes", "threads": "workers"},
             "except": [{"settings": "default", "semantics": {"threads": "1"}}, {"rows": ["ask"], "semantics": {"message": "shared"}},
                        {"rows": ["one_way/flood"], "settings": "tuned", "semantics": {"mailbox": "bounded 5"}}]}

    def of(self, row, settings):
        said = semantics.of(self.ABOUT, row, row.split("/")[0], settings, 2)
        return said["message"], said["mailbox"], said["threads"]

    def test_they_hold_where_they_are_said_to(self):
        self.assertEqual(self.of("big", "tuned"), ("allocated", "unbounded", "2"))
        self.assertEqual(self.of("big", "default"), ("allocated", "unbounded", "1"))
        self.assertEqual(self.of("ask/x50", "default"), ("shared, no timeout", "unbounded", "1"))
        self.assertEqual(self.of("one_way/flood", "tuned"), ("allocated", "bounded 5", "2"))
        self.assertEqual(self.of("one_way/W:100", "tuned"), ("allocated", "unbounded", "2"))

    def test_an_older_run_without_them_is_no_error(self):
        self.assertEqual(set(semantics.of({}, "big", "big", "tuned", 1).values()), {""})


class Reported(unittest.TestCase):
    def test_every_entry_says_them_in_every_form(self):
        run = results.tables(results.load(RUN))
        said = {(t["row"], e["peer"], e["settings"]): words.meant(e) for t in run["tables"] for e in t["entries"] if t["workers"] == 2}
        self.assertEqual(said["ping_pong", "actix", "tuned"], "allocated, bounded 16, not supervised, 2 threads")
        self.assertEqual(said["ping_pong", "actix", "default"], "allocated, bounded 16, not supervised, 1 thread")
        self.assertEqual(said["one_way/flood", "actix", "tuned"], "allocated, unbounded, not supervised, 2 threads")
        self.assertEqual(said["ping_pong", "akka", "default"], "allocated, unbounded, supervised, 2 threads")
        text, html = "\n".join(markdown.document(run)), page.document(run)
        for t in run["tables"]:
            for e in t["entries"]:
                self.assertTrue(all(e["semantics"].values()), e["peer"])
                self.assertIn(words.meant(e), text)
                self.assertIn("".join(f"<td>{e['semantics'][k]}</td>" for k in semantics.IN_ROWS), html)
        json.dumps(run)


if __name__ == "__main__":
    unittest.main()
