#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write a mutant: a product file with one place changed.

usage: mutate.py FILE FROM TO OUT [INCLUDER]

FROM must occur exactly once in FILE, whatever white space and comments lie between its tokens; else nothing is
written and the build ends here, so that a mutant whose place has gone is seen at once.  If FILE is a header,
OUT is INCLUDER, a .c file, behind the changed header: its include guard keeps the real one out."""

import re
import sys
from pathlib import Path

COMMENT = r"/\*(?:(?!\*/).)*\*/"


def main() -> int:
    if len(sys.argv) not in (5, 6):
        print(__doc__, file=sys.stderr)
        return 2
    path, old, new, out = sys.argv[1:5]
    text = Path(path).read_text()
    tokens = re.findall(r"\w+|[^\w\s]", re.sub(COMMENT, "", old, flags=re.S))
    gap = rf"(?:\s|{COMMENT})*"
    found = list(re.finditer(gap.join(re.escape(t) for t in tokens), text, re.S))
    if len(found) != 1:
        print(f"{path}: {len(found)} places are '{old}', not 1: adapt the mutant {Path(out).stem}", file=sys.stderr)
        return 1
    begin, end = found[0].span()
    lost = text[begin:end].count("\n") - new.count("\n")
    text = text[:begin] + new + "\n" * max(lost, 0) + text[end:]
    text = f'#line 1 "{path}"\n{text}'
    if len(sys.argv) == 6:
        text += f'\n#include "{sys.argv[5]}"\n'
    Path(out).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
