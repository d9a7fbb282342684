#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Status 0 if a program dies of a signal: a planted bug was found.  An exit, whatever its status, is none.

usage: must_abort.py PROGRAM ARGUMENT..."""
import subprocess
import sys

run = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
print(run.stderr[-500:])
sys.exit(run.returncode >= 0)
