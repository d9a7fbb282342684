# SPDX-License-Identifier: BSD-2-Clause
"""A peer program that runs one sample at a time, and is stopped by the kernel in between."""
import ctypes
import json
import os
import select
import signal
import subprocess
import tempfile
import time

ANSWER = 60        # seconds a sample may take, unless its row has more patience
START = 120        # seconds until the first line, beside the warm-up
END = 10           # seconds to end after the end of input
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)
_alive = set()


class Failed(Exception):
    """The program did not do what the contract says; the text is the reason for the report."""


class Unsupported(Exception):
    """The program cannot express the workload; the text says why."""


def kill_all():
    """End every process that is still there, stopped or not."""
    for p in list(_alive):
        p.kill()


class Process:
    """Started; once greet()ed it has warmed up, and is stopped until the first step()."""

    def __init__(self, command, warmup=0.0, cwd=None, patience=0):
        self.command, self.patience, self.start = command, patience or ANSWER, START + warmup
        self.errors = tempfile.TemporaryFile()
        self.said = ""
        self.asked = False
        self.pending = b""
        try:
            self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                          bufsize=0, cwd=cwd, start_new_session=True, preexec_fn=self._die_with_parent)
        except OSError as e:
            self.errors.close()
            raise Failed(f"cannot be started: {e.strerror}") from e
        _alive.add(self)

    def greet(self):
        """Its first line."""
        hello = self._answer(self.start)
        self._stop()
        return hello

    def move(self, cpus):
        """All of its threads, while it is stopped; those that it starts follow."""
        for thread in os.listdir(f"/proc/{self.popen.pid}/task"):
            os.sched_setaffinity(int(thread), cpus)

    @staticmethod
    def _die_with_parent():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def ask(self):
        """Begin a sample: step() waits for it."""
        self.asked = True
        self._signal(signal.SIGCONT)
        try:
            self.popen.stdin.write(b"\n")
        except BrokenPipeError:
            pass  # it has ended; reading says how

    def step(self):
        """One sample: its line of JSON."""
        if not self.asked:
            self.ask()
        self.asked = False
        sample = self._answer(self.patience)
        self._stop()
        return sample

    def peak(self):
        """Most bytes that were resident at once; 0: not known."""
        try:
            with open(f"/proc/{self.popen.pid}/status") as f:
                return next((int(x.split()[1]) * 1024 for x in f if x.startswith("VmHWM:")), 0)
        except OSError:
            return 0

    def close(self):
        """End of input: the program must end by itself, successfully."""
        self._signal(signal.SIGCONT)
        self.popen.stdin.close()
        if not self._ended(END):
            self.kill()
            raise Failed(f"did not end within {END} s of the end of its input")
        status = self.kill()
        if status != 0:
            raise Failed(self._status(status))

    def kill(self):
        """End the whole process group and reap the program; its exit status."""
        if self not in _alive:
            return self.popen.returncode
        self._signal(signal.SIGKILL)  # also what the program has left behind
        for pipe in (self.popen.stdin, self.popen.stdout):
            pipe.close()
        self.popen.wait()
        _alive.discard(self)
        self.errors.seek(0)
        self.said = self.errors.read().decode(errors="replace")
        self.errors.close()
        return self.popen.returncode

    def _signal(self, number):
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            pass

    def _stop(self):
        """Stopped, not about to stop, so that it has no part in the next one's sample."""
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _ended(self, seconds):
        """Wait for the end, without reaping: the group's number stays ours."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return True
            time.sleep(0.005)
        return False

    def _line(self, seconds):
        until = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.popen.stdout], [], [], left)[0]:
                self.kill()
                raise Failed(f"no answer within {seconds:g} s")
            part = self.popen.stdout.read(65536)
            if not part:
                return None
            self.pending += part
        line, self.pending = self.pending.split(b"\n", 1)
        return line

    def _answer(self, seconds):
        line = self._line(seconds)
        if line is None:
            self._ended(END)
            raise Failed(self._status(self.kill()))
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.kill()
            raise Failed(f"wrote what is no JSON object: {line[:80].decode(errors='replace')}")
        if "unsupported" in answer:
            self.kill()
            raise Unsupported(str(answer["unsupported"]))
        return answer

    def _status(self, status):
        said = [x.strip() for x in self.said.splitlines() if x.strip()]
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"{how}: {' / '.join(said[-3:])[:300]}" if said else how
