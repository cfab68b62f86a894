"""Notices whether a function prints where nobody sees it."""

from __future__ import annotations

import io
import sys
from typing import Any


class Output:
    """Notices what Python code of this process writes to `sys.stdout` and `sys.stderr`.

    It still goes where it went. What libraries in C and other processes write is not noticed,
    since that would need a reader of a pipe, which a function could fill faster than it is read.
    """

    def __init__(self) -> None:
        self._files = [_noticing(stream, place) for stream, place in (("stdout", 1), ("stderr", 2))]

    def since_last(self) -> bool:
        """Whether something was written since the last call."""
        found = any(file.was_written for file in self._files)
        for file in self._files:
            file.was_written = False
        return found


class _Noticing(io.FileIO):
    was_written = False

    def write(self, content: Any) -> int:
        self.was_written = True
        return super().write(content)


def _noticing(stream: str, descriptor: int) -> _Noticing:
    """Replaces a stream of `sys` by one on the same descriptor, unbuffered like that."""
    before = getattr(sys, stream)
    file = _Noticing(descriptor, "wb", closefd=False)
    text = io.TextIOWrapper(file, before.encoding, before.errors, write_through=True)
    setattr(sys, stream, text)
    return file
