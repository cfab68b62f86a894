"""Hides what a user's code prints, and notices that it does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from xortune.process_wide import Counted


class Prints:
    """What a thread prints; `found` says whether something was hidden."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self.found = False


class _OfThread(threading.local):
    prints: Prints | None = None  # None outside `hidden_prints`


_here = _OfThread()


class _Stream:
    """A stream of `sys`; for the threads inside `hidden_prints`, nowhere or `errors`."""

    def __init__(self, before: Any, errors: Any) -> None:
        self._before = before
        self._errors = errors

    def write(self, text: str) -> int:
        prints = _here.prints
        if prints is not None and not prints.shown:
            prints.found = True
            return len(text)
        stream = self._before if prints is None else self._errors
        return int(stream.write(text) or 0)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._before, name)


@contextmanager
def _replaced() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Stream(stream, sys.stderr) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


_streams = Counted(_replaced)


@contextmanager
def hidden_prints(*, shown: bool = False) -> Iterator[Prints]:
    """Hides what this thread writes to `sys.stdout` and `sys.stderr` inside.

    Other threads write as before. What libraries in C and other processes write is not hidden.

    Args:
        shown: show it after all, on `sys.stderr`, since results go to `sys.stdout`.
    """
    before = _here.prints
    prints = Prints(shown=shown)
    with _streams():
        _here.prints = prints
        try:
            yield prints
        finally:
            _here.prints = before
