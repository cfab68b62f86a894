"""Stopping on Ctrl-C and SIGTERM, at points where nothing is half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from xortune.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """While entered, the first SIGINT or SIGTERM only leaves a mark, for `check` to find.

    A second one acts as it did before. Outside the main thread, where Python allows no
    handlers, signals act as they always do.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def check(self) -> None:
        """Raises Interrupted once a signal has come."""
        if self._received is not None:
            raise Interrupted(self._received)

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            self._previous = {s: signal.signal(s, self._receive) for s in _SIGNALS}
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        self._received = signum
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
