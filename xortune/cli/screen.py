"""Standard output and standard error: both outlive their readers, and nothing steers them."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from xortune.escaping import message

if TYPE_CHECKING:
    from rich.console import Console

_SHOW_CURSOR = "\x1b[?25h"
# The other end of a pipe is closed; the terminal is gone.
_NOBODY_READS = (errno.EPIPE, errno.EIO)


class Stream:
    """A standard stream that never raises: after a failure, what is written goes nowhere.

    A search must not end because nobody looks at its progress any more.

    Args:
        stream: the stream; None where the process was started without it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        # Not closed: it takes the place of one that lasts as long as the process.
        self._stream = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        self._failure: OSError | None = None

    @property
    def unread(self) -> bool:
        """Whether its reader went away before everything was written."""
        return self._failure is not None and self._failure.errno in _NOBODY_READS

    @property
    def fault(self) -> str | None:
        """Why it could not be written, other than that its reader went away."""
        return None if self._failure is None or self.unread else self._failure.strerror

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        """Sends whatever is still in the stream's buffers nowhere: Python flushes them at exit."""
        self._failure = self._failure or error
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class Screen:
    """What one command has to print on."""

    def __init__(self) -> None:
        self.out = Stream(sys.stdout)
        self.err = Stream(sys.stderr)
        self._live: Console | None = None

    def say(self, text: str) -> None:
        """A message of one or more lines, on standard error."""
        line = f"xortune: {message(text)}"
        if self._live is not None:
            self._live.print(line, soft_wrap=True)
        else:
            self.err.write(f"{line}\n")
            self.err.flush()

    @contextmanager
    def below(self, console: Console) -> Iterator[None]:
        """While entered, messages go above what a console keeps at the bottom of the terminal."""
        self._live = console
        try:
            yield
        finally:
            self._live = None

    @contextmanager
    def with_warnings(self, quiet: bool) -> Iterator[None]:
        """While entered, what the library notes and warns of is said, unless quiet."""
        handler = _Warnings(self)
        log = logging.getLogger("xortune")
        before = log.level
        log.setLevel(logging.ERROR if quiet else logging.INFO)
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(before)

    def urgent(self, text: str) -> None:
        """A message from a signal handler, which may have interrupted anything."""
        with suppress(OSError):
            if self.err.isatty():
                text = f"\r{_SHOW_CURSOR}{text}"
            os.write(self.err.fileno(), f"{text}\n".encode())


def console_on(file: Any) -> Console:
    """A console that takes text as it is: no markup, no emoji, no colours of its own."""
    from rich.console import Console

    return Console(file=file, markup=False, emoji=False, highlight=False)


class _Warnings(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.say(record.getMessage())
