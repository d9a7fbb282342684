# SPDX-License-Identifier: BSD-2-Clause
"""Medians, ratios and bootstrap intervals.

Samples come in groups, one a process: two processes of one program differ by more than two samples of one
process (placement, hash seeds, what the JIT did), so a resample draws groups first, then samples in them.
"""
import random
import statistics

RESAMPLES = 2000
INDIFFERENT = 0.03   # ratios nearer to 1 are not judged: they change with the placement of code
FEWEST = 3           # processes that can bear a verdict: what one of them is like for its whole life is one sample
SEED = 20260101      # the same data give the same interval


def median(values):
    return statistics.median(values)


def _resampled(groups, draw):
    values = []
    for group in draw.choices(groups, k=len(groups)):
        values += draw.choices(group, k=len(group))
    values.sort()
    n = len(values)
    return values[n // 2] if n % 2 else (values[n // 2 - 1] + values[n // 2]) / 2


def interval(groups):
    """95 % bootstrap interval of the median of all values in the groups."""
    draw = random.Random(SEED)
    medians = sorted(_resampled(groups, draw) for _ in range(RESAMPLES))
    return medians[RESAMPLES * 25 // 1000], medians[RESAMPLES * 975 // 1000 - 1]


def summary(groups):
    """{n, processes, min, median, max, ci, each: the processes' medians}; None without samples."""
    groups = [g for g in groups if g]
    values = sorted(v for g in groups for v in g)
    if not values:
        return None
    return {"n": len(values), "processes": len(groups), "min": values[0], "median": median(values), "max": values[-1],
            "ci": list(interval(groups)), "each": [median(g) for g in groups]}


def ratios(ours, theirs):
    """theirs / ours, pair by pair; both: groups of [(round, value)].  Only rounds that both have count."""
    groups = []
    for a, b in zip(ours, theirs):
        a = dict(a)
        groups.append([value / a[number] for number, value in b if number in a])
    return groups


def ratio(ours, theirs):
    """summary() of their ratios."""
    return summary(ratios(ours, theirs))


def verdict(r):
    """What a ratio theirs / ours says about us.  Three processes are few for an interval, which cannot leave their range:
    each of them must say the same."""
    if r is None:
        return "not compared"
    (low, high), each = r["ci"], r["each"]
    if len(each) < FEWEST:
        return "undecided"
    if low > 1 + INDIFFERENT and min(each) > 1:
        return "ahead"
    if high < 1 - INDIFFERENT and max(each) < 1:
        return "behind"
    if low >= 1 - INDIFFERENT and high <= 1 + INDIFFERENT:
        return "no difference"
    return "undecided"
