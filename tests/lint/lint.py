# SPDX-License-Identifier: BSD-2-Clause
"""What the checks of the suite `lint` share.

A check is a function from files to complaints.  `check_x.py ROOT` first shows that it still finds what is
planted in its own examples, and nothing else, then reads the files of the tree.
"""
import pathlib
import re
import subprocess
import sys

SKIP = 77  # meson's exit status for a test that cannot run here


def tracked(root):
    """Names of the files that are the project's own: what git knows, else everything outside build trees."""
    git = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True)
    if git.returncode == 0 and git.stdout:
        names = git.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for p in pathlib.Path(root).rglob("*")
                 if not p.relative_to(root).parts[0].startswith((".git", "build"))]
    return sorted(n for n in set(names) if "/vendor/" not in n and (pathlib.Path(root) / n).is_file())


def read(root):
    """{name: text} of the project's text files."""
    files = {}
    for name in tracked(root):
        try:
            files[name] = (pathlib.Path(root) / name).read_text()
        except UnicodeDecodeError:
            pass  # a picture or the like
    return files


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text, strings=True):
    """C text with comments (and string literals) blanked; every line keeps its number and its length."""
    def replace(m):
        s = m.group()
        if s.startswith("/"):
            return blank(s)
        return '"' + " " * (len(s) - 2) + '"' if strings and s[0] == '"' else s
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', replace, text, flags=re.S)


def lines(text):
    """Numbered lines."""
    return enumerate(text.splitlines(), 1)


def run(check, planted, clean):
    """The command line of a check.

    check: {name: text} -> complaints.  planted: [({name: text}, part of the one complaint expected)].
    clean: {name: text} that must pass.
    """
    wrong = [f"complaint about a clean file: {c}" for c in check(clean)]
    for files, expected in planted:
        found = list(check(files))
        if len(found) != 1 or expected not in found[0]:
            wrong.append(f"planted {files}\n  expected one complaint with: {expected}\n  found: {found}")
    finish(wrong or list(check(read(sys.argv[1]))))


def finish(wrong):
    """Print the complaints and end with the status that they deserve."""
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))
