"""What can go wrong, sorted by what the command line makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_LONGEST_FAULT = 500


class XortuneError(Exception):
    """Something failed while running: exit code 1. What was finished stays.

    Attributes:
        folder: the study's, where it can be resumed.
    """

    folder: Path | None = None


class UsageError(XortuneError):
    """Bad input, found before anything was written: exit code 2.

    The message names the value, its place and the remedy.
    """


class SpaceError(UsageError):
    """Every fault of one search space.

    Args:
        source: the file or name that the faults are in.
        faults: one line a fault, each with its place.
    """

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source = source
        self.faults = tuple(faults)
        shown = [
            fault if len(fault) <= _LONGEST_FAULT else f"{fault[:_LONGEST_FAULT]}..."
            for fault in self.faults
        ]
        if len(shown) == 1:
            message = f"search space {source}: {shown[0]}"
        else:
            lines = "".join(f"\n  - {fault}" for fault in shown)
            message = f"search space {source} has {len(self.faults)} faults:{lines}"
        super().__init__(message)


class NoEngineError(XortuneError):
    """The compiled step cannot be had on this machine; the message says why."""


class StudyExistsError(UsageError):
    """The folder of a new study is there already."""


class StudyBusyError(UsageError):
    """Another driver is at work on the study."""


class Interrupted(KeyboardInterrupt):
    """The search was told to stop by a signal.

    Args:
        signum: the signal's number; a shell expects exit code `128 + signum`.
        folder: the study's, once it has begun: it can be resumed.
    """

    def __init__(self, signum: int, folder: Path | None = None) -> None:
        self.signum = signum
        self.folder = folder
        message = f"stopped by signal {signum}"
        if folder is not None:
            message += (
                f"; what study {folder.absolute().name} has finished is kept. "
                f"Resume it with: xortune.resume({str(folder)!r})"
            )
        super().__init__(message)
