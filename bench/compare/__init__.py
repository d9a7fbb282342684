# SPDX-License-Identifier: BSD-2-Clause
"""Heist and other actor runtimes on the same work: runner, statistics, report.  See bench/README.md."""
