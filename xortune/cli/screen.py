"""Standard output and error: writing never raises, and text cannot control the terminal."""

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
# A pipe without a reader; a terminal that has gone.
_UNREAD = (errno.EPIPE, errno.EIO)


class Stream:
    """A standard stream that never raises: after a failure, output is discarded.

    A search must not end because its progress has lost its reader. The stream is None where the
    process was started without it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        # Not closed, like the stream that it replaces.
        self._stream = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        self._failure: OSError | None = None

    @property
    def gone(self) -> bool:
        """Whether the terminal went away before everything was written."""
        return self._failure is not None and self._failure.errno == errno.EIO

    @property
    def fault(self) -> str | None:
        """The reason why writing failed, unless the reader left."""
        if self._failure is None or self._failure.errno in _UNREAD:
            return None
        return self._failure.strerror

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
        """Discards the stream's buffers too, which Python flushes at exit."""
        self._failure = self._failure or error
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class Screen:
    """The standard streams of one command."""

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
        """While entered, messages are printed above a console's live line."""
        self._live = console
        try:
            yield
        finally:
            self._live = None

    @contextmanager
    def with_warnings(self, quiet: bool) -> Iterator[None]:
        """While entered, the library's log is shown, unless quiet."""
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
    """A console that prints text unchanged: no markup, no emoji, no colours."""
    from rich.console import Console

    return Console(file=file, markup=False, emoji=False, highlight=False)


class _Warnings(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.say(record.getMessage())
