"""Stopping on Ctrl-C, SIGTERM and a closed terminal, at points where nothing is half done."""

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


class StopSignal:
    """While entered, the first SIGINT, SIGTERM or SIGHUP leaves a mark, for `check` to find.

    After it only a SIGINT does more: a closing terminal, or what stops a service, may well send
    several signals. A signal that is ignored already stays so, as under `nohup`. Outside the
    main thread, where Python allows no handlers, signals act as they always do.

    Args:
        noticed: called in the handler with the first signal.
        again: called in the handler with a SIGINT after it; by default that acts as it did
            before.
        instead: called in the handler in place of raising, while `raising` is entered: for a
            process that can simply end. An exception out of nowhere may leave a lock held.
    """

    def __init__(
        self,
        noticed: Callable[[int], None] = lambda signum: None,
        again: Callable[[int], None] | None = None,
        instead: Callable[[int], NoReturn] | None = None,
    ) -> None:
        self._noticed = noticed
        self._again = again
        self._instead = instead
        self._received: int | None = None
        self._at_once = False
        self._previous: dict[int, Any] = {}

    def check(self, folder: Path | None = None) -> None:
        """Raises Interrupted once a signal has come, with the study's folder."""
        if self._received is not None:
            raise Interrupted(self._received, folder)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """While entered, the first signal raises Interrupted wherever it strikes.

        That may be where Python ignores what is raised, as in a destructor: then it ignores it
        without a word, and the next `check` raises.
        """
        self.check()
        if not self._previous:
            # No signal is heeded: in another thread than the main one, above all, which may
            # leave this sooner or later than that.
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
    def to_blame(self) -> Iterator[None]:
        """While entered, an error after a signal is an Interrupted.

        The signal may have gone to everything that this process has started, Ray say.
        """
        try:
            yield
        except Exception:
            self.check()
            raise

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            heeded = [s for s in SIGNALS if signal.getsignal(s) not in (signal.SIG_IGN, None)]
            self._previous = {s: signal.signal(s, self._receive) for s in heeded}
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._received is None:
            self._received = signum
            if self._at_once and self._instead is not None:
                self._instead(signum)
            self._noticed(signum)
            if self._at_once:
                self.check()
        elif signum == signal.SIGINT:
            self._insist(signum, frame)

    def _insist(self, signum: int, frame: FrameType | None) -> None:
        before = self._previous.get(signum, signal.SIG_DFL)
        if self._again is not None:
            self._again(signum)
        elif callable(before):
            before(signum, frame)
        else:
            self._restore()
            signal.raise_signal(signum)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}


def kill(pids: Iterable[int]) -> None:
    """Kills processes, those that are still there."""
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    """What a process has started, and what that has; nothing on a system without `/proc`."""
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, thread.read_text().split()):
                yield child
                yield from descendants(child)
