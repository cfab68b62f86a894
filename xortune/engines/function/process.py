"""Starts, feeds and ends the process that calls a user's function."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from xortune.engines.function.calls import Called
from xortune.engines.function.child import Job, Refused, Task
from xortune.errors import NoEngineError

# The longest time between two heartbeats.
_BEAT_S = 0.1
_PACKAGE = str(Path(__file__).parents[3])
# Without the current folder: what lies there does not travel to other machines either.
_PROGRAM = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; sys.path.append(sys.argv[3]); "
    "from xortune.engines.function.child import main; sys.path.pop(); "
    "main(int(sys.argv[1]), int(sys.argv[2]))"
)
# With more threads, or another order of sets, a function would compute other bits elsewhere.
_SURROUNDINGS = {
    "PYTHONHASHSEED": "0",
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}


class Ended(Exception):
    """The process has ended by itself; the message says how."""


class TooLong(Exception):
    """There was no answer in time."""


class ChildProcess:
    """A process that has loaded the code of a job; ended when this object goes.

    In a session of its own, so a terminal's Ctrl-C does not reach it. What it prints is dropped
    unless the job is heard, which sends it to this process's standard error. Its current folder
    is `folder` where there is such a folder, else that of this process.
    """

    def __init__(self, job: Job, folder: str | None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            output = 2 if job.is_heard else subprocess.DEVNULL
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-u",
                    "-c",
                    _PROGRAM,
                    *map(str, (theirs.fileno(), os.getpid(), _PACKAGE)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=folder if folder is not None and Path(folder).is_dir() else None,
                env={**os.environ, **_SURROUNDINGS},
            )
        self._connection = Connection(ours.detach())
        self.end = weakref.finalize(self, _end, self._process, self._connection)
        with suppress(OSError):
            self._connection.send_bytes(pickle.dumps(tuple(job)))

    @property
    def runs(self) -> bool:
        return bool(self.end.alive and self._process.poll() is None)

    def wait_until_loaded(self, heartbeat: Callable[[], None]) -> None:
        """Returns once the code is loaded.

        Raises:
            NoEngineError: the code fails there.
            Ended: the process does.
        """
        answer = self._receive(heartbeat, None)
        if isinstance(answer, Refused):
            raise NoEngineError(answer.reason)

    def send(self, tasks: Sequence[Task], log_every: int | None) -> None:
        """Sends trials, whose outcomes follow one by one."""
        with suppress(OSError):  # It has ended, as `receive` will find.
            self._connection.send((list(tasks), log_every))

    def receive(self, heartbeat: Callable[[], None], timeout: float | None) -> Called:
        """The next outcome.

        Raises:
            Ended: the process has ended instead.
            TooLong: after `timeout` seconds.
        """
        answer = self._receive(heartbeat, timeout)
        assert isinstance(answer, Called)
        return answer

    def _receive(
        self, heartbeat: Callable[[], None], timeout: float | None
    ) -> Called | Refused | None:
        latest = None if timeout is None else time.monotonic() + timeout
        while True:
            heartbeat()
            wait = _BEAT_S if latest is None else min(_BEAT_S, latest - time.monotonic())
            try:
                if self._connection.poll(max(wait, 0)):
                    answer: Called | Refused | None = self._connection.recv()
                    return answer
            except (EOFError, OSError):
                raise Ended(self._last_words()) from None
            # A process that it has forked may keep the connection open.
            if self._process.poll() is not None and not self._connection.poll(0):
                raise Ended(self._last_words())
            if latest is not None and time.monotonic() >= latest:
                raise TooLong

    def _last_words(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"its process ended: exit code {code}"
        name = signal.Signals(-code).name
        return f"its process ended: {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    """Kills a process and those that it has started."""
    connection.close()
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
