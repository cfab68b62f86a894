"""Commands on a terminal of their own, as a user starts them, and what they leave running."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
import uuid
from pathlib import Path

_MARK = "XORTUNE_TEST_RUN"
CTRL_C = "\x03"


class Terminal:
    """A pseudo-terminal with one command in its foreground, the leader of its session.

    Args:
        command: the words of a command line of `python -m xortune`.
        folder: where it runs.
        before: words that go before the interpreter's, such as `nohup`.
    """

    def __init__(self, command: list[str], folder: Path, before: tuple[str, ...] = ()) -> None:
        self._run = uuid.uuid4().hex
        self.screen = ""
        self._status: int | None = None
        words = [*before, sys.executable, "-m", "xortune", *command]
        environment = {**os.environ, _MARK: self._run, "COLUMNS": "80", "TERM": "xterm"}
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            # A test run in the background of a script has these ignored.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.chdir(folder)
            os.execvpe(words[0], words, environment)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.hang_up()
        for pid in self.running():
            os.kill(pid, signal.SIGKILL)

    def wait_for(self, pattern: str) -> None:
        """Reads the screen until it shows what a pattern finds."""
        while not re.search(pattern, self.screen):
            assert self._read(), f"never showed {pattern!r}: {self.screen!r}"

    def watch(self, seconds: float) -> None:
        """Reads the screen for a while, or until the command ends."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._read(left):
            pass

    def ended(self) -> bool:
        """Whether the command has ended; its screen is read on."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        if self._master >= 0:
            self._read(0)
        return self._status is not None

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def send(self, number: int) -> None:
        """A signal to the command alone, as `kill` sends it."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Closes the terminal: its session gets SIGHUP, and what it writes fails."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def end(self) -> int:
        """Waits for the end of the command; returns what a shell would have in `$?`."""
        while self._master >= 0 and self._read():
            pass
        if self._status is None:
            _, self._status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(self._status)
        return code if code >= 0 else 128 - code

    def running(self) -> list[int]:
        """The processes that this command has started, and those started by them."""
        mark = f"{_MARK}={self._run}".encode()
        return [pid for pid, environment in _environments() if mark in environment.split(b"\0")]

    def left_behind(self) -> list[str]:
        """The processes still there when it has ended; Ray's are given time to see that."""
        for _ in range(100):
            pids = self.running()
            if not pids:
                return []
            time.sleep(0.1)
        return [Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0") for pid in pids]

    def _read(self, seconds: float | None = None) -> bool:
        """Reads what there is, or will be soon; False once there is no more to come."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            content = os.read(self._master, 65_536)
        except OSError:
            return False
        self.screen += content.decode(errors="replace")
        return bool(content)


def _environments() -> list[tuple[int, bytes]]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = entry.read_bytes()
        except OSError:
            continue
        found.append((int(entry.parent.name), environment))
    return found
