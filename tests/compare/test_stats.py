# SPDX-License-Identifier: BSD-2-Clause
"""The comparison's statistics against distributions whose medians are known."""
import math
import random
import unittest

from compare import stats


def groups(draw, n=3, k=10, shift=0.0):
    return [[draw.expovariate(1) + shift * g for _ in range(k)] for g in range(n)]


def numbered(values):
    return [list(enumerate(g)) for g in values]


class Summary(unittest.TestCase):
    def test_order_statistics(self):
        s = stats.summary([[4, 1], [3, 2], []])
        self.assertEqual((s["n"], s["processes"], s["min"], s["median"], s["max"], s["each"]), (4, 2, 1, 2.5, 4, [2.5, 2.5]))
        self.assertTrue(1 <= s["ci"][0] <= 2.5 <= s["ci"][1] <= 4)

    def test_equal_values_have_no_width(self):
        self.assertEqual(stats.summary([[7] * 10] * 3)["ci"], [7, 7])

    def test_nothing_is_nothing(self):
        self.assertIsNone(stats.summary([[], []]))

    def test_same_data_same_interval(self):
        data = groups(random.Random(1))
        self.assertEqual(stats.summary(data), stats.summary(data))

    def test_interval_holds_the_median(self):
        draw = random.Random(2)
        held = 0
        for _ in range(60):
            low, high = stats.interval(groups(draw))
            held += low <= math.log(2) <= high
        self.assertGreaterEqual(held, 54)

    def test_processes_that_differ_widen_the_interval(self):
        draw = random.Random(3)
        apart = groups(draw, shift=5)
        together = [[v for g in apart for v in g]]
        width = lambda g: stats.interval(g)[1] - stats.interval(g)[0]
        self.assertGreater(width(apart), 1.2 * width(together))


class Ratio(unittest.TestCase):
    def test_pairs_cancel_what_changes_for_both(self):
        ours = groups(random.Random(4))
        r = stats.ratio(numbered(ours), numbered([[2 * v for v in g] for g in ours]))
        self.assertEqual((r["median"], r["ci"]), (2, [2, 2]))
        self.assertEqual(stats.verdict(r), "ahead")

    def test_only_rounds_of_both_count(self):
        r = stats.ratio([[(0, 1.0), (2, 2.0)]], [[(1, 5.0), (2, 6.0)]])
        self.assertEqual((r["n"], r["median"]), (1, 3))

    def test_no_common_round_is_no_ratio(self):
        self.assertEqual(stats.verdict(stats.ratio([[(0, 1.0)]], [[(1, 1.0)]])), "not compared")

    def test_equal_distributions_are_rarely_told_apart(self):
        draw = random.Random(5)
        alarms = 0
        for _ in range(60):
            v = stats.verdict(stats.ratio(numbered(groups(draw)), numbered(groups(draw))))
            alarms += v in ("ahead", "behind")
        self.assertLessEqual(alarms, 6)

    def test_verdicts_need_the_whole_interval(self):
        for ci, wanted in (((1.031, 9), "ahead"), ((0.5, 0.969), "behind"), ((0.971, 1.029), "no difference"),
                           ((1, 1.031), "undecided"), ((0.969, 1), "undecided"), ((0.5, 2), "undecided")):
            self.assertEqual(stats.verdict({"ci": list(ci), "each": [sum(ci) / 2] * 3}), wanted, ci)

    def test_verdicts_need_each_process(self):
        for ci, each, wanted in (((1.1, 2), [1.2, 1.3, 1.4], "ahead"), ((1.1, 2), [0.99, 1.9, 2], "undecided"), ((0.5, 0.9), [0.6, 0.7, 0.8], "behind"),
                                 ((0.5, 0.9), [0.6, 0.7, 1.01], "undecided"), ((1.1, 2), [1.5, 1.6], "undecided")):
            self.assertEqual(stats.verdict({"ci": list(ci), "each": each}), wanted, (ci, each))


if __name__ == "__main__":
    unittest.main()
