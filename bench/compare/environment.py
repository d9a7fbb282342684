# SPDX-License-Identifier: BSD-2-Clause
"""What a figure depends on beside the program: the machine, and whether it stayed the same."""
import glob
import json
import os
import pathlib
import platform
import resource
import subprocess
import time

from . import peers, words

MOVED = 1.5      # a calibration that changed by more flags the rows around it
FOREIGN = 0.05   # so does more of the machine than this going to others
CALIBRATION = 60  # seconds it may take


def read(path, default="unknown"):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return default


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=peers.ROOT).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def field(path, key):
    """The first of this name in a file of `name: value`."""
    for line in read(path).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def memory(name):
    """Bytes: MemTotal; MemAvailable, which programs may still take."""
    return int(field("/proc/meminfo", name).split()[0]) * 1024


def describe():
    """Facts for the report, all strings or numbers."""
    topology = {x.split(":")[0]: x.split(":", 1)[1].strip() for x in output("lscpu").splitlines() if ":" in x}
    weak = [os.path.basename(f) + ": " + read(f) for f in sorted(glob.glob("/sys/devices/system/cpu/vulnerabilities/*"))]
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cpus": os.cpu_count(),
        "cpus_allowed": sorted(os.sched_getaffinity(0)),
        "topology": {k: topology[k] for k in ("Thread(s) per core", "Core(s) per socket", "Socket(s)", "NUMA node(s)",
                                              "L1d cache", "L2 cache", "L3 cache", "Hypervisor vendor") if k in topology},
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none visible"),
        "huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "mitigations": [w for w in weak if "Not affected" not in w],
        "kernel": platform.release(),
        "system": next((x.split("=", 1)[1].strip('"') for x in read("/etc/os-release").splitlines()
                        if x.startswith("PRETTY_NAME")), platform.system()),
        "memory_mb": memory("MemTotal") >> 20,
        "compiler": output("cc", "--version").partition("\n")[0],
        "python": platform.python_version(),
        "commit": output("git", "rev-parse", "HEAD") or "unknown",
        "changed_files": len([x for x in output("git", "status", "--porcelain").splitlines() if not x.startswith("??")]),
        "load": float(read("/proc/loadavg").split()[0]),
    }


def calibrate():
    """The machine's limits now, in ns, by heist-bench.  ValueError: they cannot be had, and why."""
    program = peers.BUILDS / peers.OURS / "meson" / "bench" / "heist-bench"
    cannot = "the machine's limits cannot be measured (heist-bench calibrate)"
    try:
        p = subprocess.run([program, "calibrate", "--json"], capture_output=True, text=True, timeout=CALIBRATION)
        if p.returncode != 0:
            raise ValueError(f"{cannot}: exit status {p.returncode}: {p.stderr.strip()}")
        return json.loads(p.stdout) | {"at": round(time.time(), 1)}
    except subprocess.TimeoutExpired as e:
        raise ValueError(f"{cannot} within {CALIBRATION:g} s, some seconds on a quiet machine: this one is too busy to compare anything "
                         f"(load {read('/proc/loadavg').split()[0]}); the same with --resume goes on later") from e
    except (OSError, json.JSONDecodeError) as e:
        raise ValueError(f"{cannot}: {e}") from e


class Usage:
    """CPU time of the machine from here to share(): ours and our children's, and everybody else's."""

    def __init__(self):
        self.begin = self._now()

    @staticmethod
    def _now():
        tick = os.sysconf("SC_CLK_TCK")
        user, nice, system, _idle, _wait, irq, soft, steal = [int(x) / tick for x in read("/proc/stat").split()[1:9]]
        own = sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        return {"busy": user + nice + system + irq + soft, "steal": steal, "own": own, "time": time.monotonic()}

    def foreign(self):
        """Share of the machine that others had, or the hypervisor took away.  All our children must have been reaped."""
        now = self._now()
        d = {k: now[k] - self.begin[k] for k in now}
        return max(0.0, d["busy"] - d["own"] + d["steal"]) / (d["time"] * os.cpu_count())


def flags(row):
    """Why a row's figures may not be trusted, in words; [] = the machine was quiet, as far as the figure depends on it."""
    if row["figure"] == "rss":
        return []
    said, limits = [], [("exchange", "the speed of one core")]
    if len(row["cpus"]) > 1:
        limits.append(("handoff", "the hand-off between cores"))
    for key, name in limits:
        values = [c[key] for c in row["calibrations"] if c.get(key)]
        if values and max(values) > MOVED * min(values):
            said.append(f"{name} moved from {words.quantity(min(values))} to {words.quantity(max(values))} ns")
    if row["foreign"] > FOREIGN:
        said.append(f"others used {row['foreign']:.0%} of the machine")
    return said
