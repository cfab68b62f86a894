"""Exceptions of users' code in words: one line with its place, or the lines of their file."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable, Mapping

# Gives the name to show for a file of the user's; None for a file of anyone else.
Shown = Callable[[str], str | None]
_LONGEST = 300


def in_one_line(error: BaseException, shown: Shown) -> str:
    """The last line of an exception's traceback, and the user's last line that led to it.

    Example:
        in_one_line(error, shown)  # ValueError: math domain error (mine.py:12)
    """
    words = _words(error)
    places = _places(error, shown)
    return f"{words} ({places[-1][0]}:{places[-1][1]})" if places else words


def with_lines(error: BaseException, shown: Shown) -> str:
    """An exception in one line, and below it those lines of its traceback that are the user's."""
    lines = [_words(error)]
    if isinstance(error, SyntaxError) and (name := shown(error.filename or "")) is not None:
        lines.append(f"  {name}, line {error.lineno}: {(error.text or '').strip()}")
    return "\n".join([*lines, *lines_of(error, shown)])


def lines_of(error: BaseException, shown: Shown) -> list[str]:
    """The lines of an exception's traceback that are the user's, each with its place."""
    return [
        f"  {name}, line {number}: {linecache.getline(filename, number).strip()}"
        for name, number, filename in _places(error, shown)
    ]


def with_folders(text: str, names: Mapping[str, str]) -> str:
    """A text in which paths below some folders begin with other names; an empty one for none."""
    for folder in sorted(names, key=len, reverse=True):
        parts = re.split(rf"(?<![\w./-]){re.escape(folder)}/", text)
        text = (f"{names[folder]}/" if names[folder] else "").join(parts)
    return text


def _words(error: BaseException) -> str:
    """The type and the first line of the message."""
    kind = type(error).__name__
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # The class is the user's.
        message = ""
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    words = f"{kind}: {first}" if first else kind
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def _places(error: BaseException, shown: Shown) -> list[tuple[str, int, str]]:
    """The user's frames, outermost first: the name shown, the line, and the file's own name."""
    places = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        name = shown(filename)
        if name is not None:
            places.append((name, number, filename))
    return places
