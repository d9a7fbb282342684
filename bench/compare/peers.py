# SPDX-License-Identifier: BSD-2-Clause
"""The peer programs: which there are, building them, and why one is left out."""
import dataclasses
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "bench" / "peers"
BUILDS = ROOT / "build" / "peers"
SETTINGS = ("tuned", "default")
OURS = "heist"


@dataclasses.dataclass
class Peer:
    name: str
    about: dict          # peer.json
    skipped: str = ""    # why it does not take part

    @property
    def source(self):
        return SOURCES / self.name

    @property
    def build_dir(self):
        return BUILDS / self.name

    @property
    def program(self):
        return self.build_dir / "run"

    @property
    def title(self):
        return self.about.get("title", self.name)


def read_json(path):
    """ValueError names the file."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as e:
        raise ValueError(f"{path} cannot be read: {e}") from e


def discover():
    """All peers with a build script, Heist first."""
    found = []
    for build in sorted(SOURCES.glob("*/build")):
        about = build.parent / "peer.json"
        found.append(Peer(build.parent.name, read_json(about) if about.exists() else {}))
    return sorted(found, key=lambda p: (p.name != OURS, p.name))


def choose(names):
    """Heist and the named peers; ["all"]: every one.  ValueError names what is unknown."""
    peers = discover()
    known = {p.name for p in peers}
    if names == ["all"]:
        return peers
    for n in names:
        if n not in known:
            raise ValueError(f"no peer is called '{n}'; there are: all {' '.join(sorted(known - {OURS}))}")
    return [p for p in peers if p.name == OURS or p.name in names]


def build(peer, settings, say):
    """Build it with these settings, which takes minutes the first time and seconds later; what cannot be built is skipped with the reason."""
    if not peer.program.exists():
        say.line(f"building {peer.title}, once")
    say(f"building {peer.title}")
    BUILDS.mkdir(parents=True, exist_ok=True)
    p = subprocess.run([peer.source / "build", peer.build_dir, *settings], capture_output=True, text=True, errors="replace")
    log = p.stdout + p.stderr
    (BUILDS / f"{peer.name}.log").write_text(log)
    lines = [x.strip() for x in log.splitlines() if x.strip()]
    if p.returncode != 0:
        shown = next((x for x in lines if re.search(r"\berror(\[\w+\])?:", x, re.IGNORECASE)), lines[-1] if lines else f"exit status {p.returncode}")
        shown = lines[-1] if p.returncode == 3 and lines else shown
        peer.skipped = shown if p.returncode == 3 else f"does not build: {shown} (build/peers/{peer.name}.log)"
    elif not peer.program.exists():
        peer.skipped = "its build left no program 'run'"
    if peer.skipped:
        say.line(f"skipped {peer.name}: {peer.skipped}")
