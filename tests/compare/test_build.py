# SPDX-License-Identifier: BSD-2-Clause
"""What the build scripts of the peers share: bench/peers/lib.sh."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from compare import peers

BUILD = """#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"
need sh dash
unless_changed "a compiler" "$here/source"
for s in "${wanted[@]}"; do
	step "compilation of $s" grep -v broken "$here/source"
	echo "$s" >>"$out/made"
	install -m 755 "$here/source" "$out/$s"
done
finish "$here/source"
"""


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.peers = pathlib.Path(folder.name)
        (self.peers / "x").mkdir()
        shutil.copy(peers.SOURCES / "lib.sh", self.peers / "lib.sh")
        (self.peers / "x" / "source").write_text("fine\n")
        self.script(BUILD)
        self.out = self.peers / "out"

    def script(self, text):
        path = self.peers / "x" / "build"
        path.write_text(text)
        path.chmod(0o755)

    def build(self, *settings):
        return subprocess.run([self.peers / "x" / "build", self.out, *settings], capture_output=True, text=True)

    def made(self):
        path = self.out / "made"
        made = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return made

    def test_what_is_there_is_not_built_again(self):
        self.assertEqual((self.build().stderr, self.made()), ("x: building\n", ["default", "tuned"]))
        for settings in [], ["tuned"], ["default", "tuned"]:
            self.assertEqual((self.build(*settings).stderr, self.made()), ("", []))

    def test_the_settings_asked_for_are_built(self):
        self.assertEqual((self.build("tuned").returncode, self.made()), (0, ["tuned"]))
        self.assertFalse((self.out / "default").exists())
        self.assertEqual((self.build("tuned").returncode, self.made()), (0, []))
        self.assertEqual((self.build("default").returncode, self.made()), (0, ["default"]))
        self.assertTrue((self.out / "tuned").exists())
        self.assertEqual((self.build().returncode, self.made()), (0, []))

    def test_nothing_old_is_left(self):
        self.build()
        self.made()
        (self.peers / "x" / "source").write_text("other\n")
        self.assertEqual((self.build("tuned").returncode, self.made()), (0, ["tuned"]))
        self.assertFalse((self.out / "default").exists())
        (self.peers / "x" / "source").write_text("broken\n")
        p = self.build()
        self.assertEqual((p.returncode, self.made()), (1, []))
        self.assertIn("x: compilation of default failed", p.stderr)
        self.assertFalse((self.out / "run").exists())

    def test_a_program_for_both_settings(self):
        self.script(BUILD.replace('"$out/$s"', '"$out/both"'))
        self.assertEqual((self.build("tuned").returncode, self.made()), (0, ["tuned"]))
        self.assertEqual((self.build().returncode, self.made()), (0, []))

    def test_a_tool_is_missing(self):
        self.script(BUILD.replace("need sh dash", "need no-such-tool a-package"))
        p = self.build()
        self.assertEqual(p.returncode, 3)
        self.assertEqual(p.stderr.strip(), "x: no-such-tool is missing; scripts/setup --peers installs it (Debian: a-package)")
        self.assertEqual(subprocess.run([self.peers / "x" / "build"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    unittest.main()
