"""The errors that xortune raises, by exit code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_LONGEST_FAULT = 500
# What differs between errors that are alike: quoted texts and numbers, but not the line.
_PLACE = re.compile(r"\([^()\s]+:\d+\)$")
_VALUE = re.compile(r"""'[^']*'|"[^"]*"|[-+]?\b(?:\d[\w.]*(?:[-+]\d+)?|nan|inf)\b""")


class XortuneError(Exception):
    """Something failed while running: exit code 1. Finished trials are kept."""

    folder: Path | None = None  # of the study, if it can be resumed


class HopelessError(XortuneError):
    """The search failed in a way that a resume would repeat."""


class UsageError(XortuneError):
    """Invalid input, found before anything was written: exit code 2."""


class SpaceError(UsageError):
    """All faults of one search space, given by file or name; each with its place."""

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source = source
        self.faults = tuple(faults)
        most = _LONGEST_FAULT
        shown = [fault if len(fault) <= most else f"{fault[:most]}..." for fault in self.faults]
        if len(shown) == 1:
            message = f"search space {source}: {shown[0]}"
        else:
            lines = "".join(f"\n  - {fault}" for fault in shown)
            message = f"search space {source} has {len(self.faults)} faults:{lines}"
        super().__init__(message)


class NoEngineError(XortuneError):
    """The compiled engine is not available on this machine."""


class StudyExistsError(UsageError):
    """The folder of a new study exists already."""


class StudyBusyError(UsageError):
    """Another driver is writing the study."""


class Interrupted(KeyboardInterrupt):
    """A signal stopped the search.

    Args:
        signum: the signal's number; a shell expects exit code `128 + signum`.
        folder: of the study, if it can be resumed.
    """

    def __init__(self, signum: int, folder: Path | None = None) -> None:
        self.signum = signum
        self.folder = folder
        message = f"stopped by signal {signum}"
        if folder is not None:
            message += (
                f"; the finished trials of study {folder.absolute().name} are kept. "
                f"Resume it with: xortune.resume({str(folder)!r})"
            )
        super().__init__(message)


def without_values(error: str) -> str:
    """The kind, the words and the place of a trial's error: the same for errors that are alike."""
    place = _PLACE.search(error)
    words = error[: place.start()] if place else error
    return _VALUE.sub("_", words) + (place.group() if place else "")
