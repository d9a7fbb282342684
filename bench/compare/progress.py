# SPDX-License-Identifier: BSD-2-Clause
"""How far a run is."""
import sys
import time


class Progress:
    """One line that changes, on a terminal; else a line for each row.  With the time left, by what the rows should
    take and by how much longer those before have taken."""

    def __init__(self):
        self.begin, self.head, self.left = time.monotonic(), "", ""
        self.spent = self.expected = 0.0

    def row(self, head, todo, end=None):
        """todo: seconds that this row and each to come should take; end: the minutes that they have in all, from the begin."""
        self.head, self.this, self.since = head, todo[0], time.monotonic()
        left = self.minutes_for(sum(todo))
        self.left = f", {min(left, end - self.minutes()) if end else left:.0f} min left"
        if not sys.stderr.isatty():
            print(self._text(""), file=sys.stderr, flush=True)

    def __call__(self, what):
        if sys.stderr.isatty():
            print(f"\r\033[K{self._text(what)}", end="", file=sys.stderr, flush=True)

    def line(self, what):
        """A line that stays, on a terminal and elsewhere."""
        self.clear()
        print(what, file=sys.stderr, flush=True)

    @staticmethod
    def clear():
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def minutes_for(self, seconds):
        """What the rows so far say that it takes."""
        return seconds * (self.spent / self.expected if self.expected else 1) / 60

    def minutes(self):
        return (time.monotonic() - self.begin) / 60

    def done(self):
        self.spent += time.monotonic() - self.since
        self.expected += self.this
        self.clear()

    def _text(self, what):
        s = int(time.monotonic() - self.begin)
        return f"[{s // 60:3d}:{s % 60:02d}] {self.head}{self.left}{': ' if self.head and what else ''}{what}"
