"""Stopping on Ctrl-C, SIGTERM and a closed terminal, at points where nothing is half done.

How the parts work together: "The life of a Ctrl-C" in CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from xortune.errors import Interrupted

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def handle(handler: Any) -> dict[int, Any]:
    """Sets the handler of SIGINT, SIGTERM and SIGHUP, in the main thread.

    A signal that is ignored stays so, as under `nohup`.

    Returns:
        The handlers before, for `restore`.
    """
    heeded = [s for s in SIGNALS if signal.getsignal(s) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, handler) for number in heeded}


def restore(handlers: dict[int, Any]) -> None:
    """Sets the handlers that `handle` returned."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


class StopSignal:
    """While entered, the first SIGINT, SIGTERM or SIGHUP is recorded, and raised by `check`.

    After it only a SIGINT does more, which then acts as it did before: a closing terminal, or
    whatever stops a service, may well send several signals. A signal that is ignored stays so.
    Outside the main thread, where Python allows no handlers, signals act as they always do.

    Args:
        noticed: called in the handler with the first signal.
        end: for a process that can simply end, and listens for a second SIGINT itself: called in
            the handler in place of raising, while `raising` is entered, because an exception at
            an arbitrary point may leave a lock held. Does not return.
    """

    def __init__(
        self,
        noticed: Callable[[int], None] = lambda signum: None,
        end: Callable[[int], NoReturn] | None = None,
    ) -> None:
        self._noticed = noticed
        self._end = end
        self._received: int | None = None
        self._at_once = False
        self._previous: dict[int, Any] = {}

    def check(self, folder: Path | None = None) -> None:
        """Raises Interrupted, with the study's folder, if a signal has come."""
        if self._received is not None:
            raise Interrupted(self._received, folder)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """While entered, the first signal raises Interrupted wherever it strikes.

        Python ignores exceptions in some places, such as destructors. It does so silently then,
        and the next `check` raises.
        """
        self.check()
        if not self._previous:
            # No signal is handled, most likely because this is not the main thread. That one may
            # set and restore the hook meanwhile.
            yield
            return
        hook = sys.unraisablehook
        sys.unraisablehook = lambda ignored: (
            None if isinstance(ignored.exc_value, Interrupted) else hook(ignored)
        )
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False
            sys.unraisablehook = hook

    @contextmanager
    def errors_as_interrupts(self) -> Iterator[None]:
        """While entered, an error after a signal becomes an Interrupted.

        The signal may have reached the processes that this one has started too, such as Ray's.
        """
        try:
            yield
        except Exception:
            self.check()
            raise

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            self._previous = handle(self._receive)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._received is None:
            self._received = signum
            if self._at_once and self._end is not None:
                self._end(signum)
            self._noticed(signum)
            if self._at_once:
                self.check()
        elif signum == signal.SIGINT and self._end is None:
            self._pass_on(signum, frame)

    def _pass_on(self, signum: int, frame: FrameType | None) -> None:
        before = self._previous.get(signum, signal.SIG_DFL)
        if callable(before):
            before(signum, frame)
        else:
            self._restore()
            signal.raise_signal(signum)

    def _restore(self) -> None:
        restore(self._previous)
        self._previous = {}


def kill(pids: Iterable[int]) -> None:
    """Kills those of the processes that still exist."""
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    """The processes that one has started, and theirs; none on a system without `/proc`."""
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, thread.read_text().split()):
                yield child
                yield from descendants(child)
