"""Reads settings that have a notation of their own: durations, `K:S`, and lists of epochs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief, real_number, whole_number
from xortune.wording import option

NONE = "none"  # the word that leaves a setting out
_UNITS = {"h": 3600, "m": 60, "s": 1}
_PART = r"(?:(\d+(?:\.\d*)?|\.\d+){})?"
_DURATION = re.compile("".join(_PART.format(unit) for unit in _UNITS))
_MOST_S = 1e9
_MOST_SEEDS = 10_000
_LARGEST = 2**53


def read_duration(name: str, value: Any) -> float:
    """Seconds, from a number of them or a text: `90s`, `10m`, `1h30m`, `0.5h`, `90`.

    Raises:
        UsageError: it is neither, or is not above 0 and below 1e9 seconds.
    """
    seconds = _seconds(value)
    if 0 < seconds < _MOST_S:
        return seconds
    raise UsageError(
        f"{option(name)} {brief(value)}: must be a duration above 0, such as 90s, 10m or 1h30m; "
        "a number alone is in seconds."
    )


def _seconds(value: Any) -> float:
    """NaN for what is not a duration."""
    number = real_number(value)
    if number is not None:
        return number
    if not isinstance(value, str) or not value.isascii():
        return math.nan
    text = value.strip().lower()
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return float(text) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) else math.nan
    return math.fsum(float(n) * s for n, s in zip(found.groups(), _UNITS.values()) if n)


def read_counts(name: str, value: Any) -> tuple[int, ...]:
    """The trials and seeds of a confirmation: of `32:256` or `(32, 256)`.

    Empty for `none` and False.

    Raises:
        UsageError: it is none of these, or has no trial, less than two seeds, or too many.
    """
    if value is False or is_none(value):
        return ()
    if isinstance(value, (tuple, list)) and not value:
        return ()
    counts = _whole_numbers(value, ":")
    if counts is None or len(counts) != 2:
        raise UsageError(
            f"{option(name)} {brief(value)}: must be K:S, such as 32:256 for the best 32 trials on "
            f"256 seeds each, or {NONE}."
        )
    trials, seeds = counts
    faults = []
    if not 1 <= trials <= _LARGEST:
        faults.append(f"{option(name)} {brief(value)}: confirms at least 1 trial.")
    if not 2 <= seeds <= _MOST_SEEDS:
        faults.append(f"{option(name)} {brief(value)}: takes from 2 to {_MOST_SEEDS} seeds each.")
    if faults:
        raise UsageError("\n".join(faults))
    return counts


def read_epochs(name: str, value: Any) -> tuple[int, ...]:
    """Ascending epochs, from `500,1500`, one number, or a sequence of them.

    Raises:
        UsageError: they are not whole numbers above 0 that ascend.
    """
    one = whole_number(value)
    epochs = _whole_numbers(value, ",") if one is None else (one,)
    if not epochs or epochs[0] < 1 or [*epochs] != sorted({*epochs}):
        raise UsageError(
            f"{option(name)} {brief(value)}: must be ascending whole numbers, such as 500,1500."
        )
    if epochs[-1] > _LARGEST:
        raise UsageError(f"{option(name)} {brief(value)}: epochs go up to {_LARGEST}.")
    return epochs


def _whole_numbers(value: Any, separator: str) -> tuple[int, ...] | None:
    """The whole numbers of a text or a sequence; None if something else is in it."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(separator)]
        fits = all(re.fullmatch(r"[0-9]{1,18}", part) for part in parts)
        return tuple(map(int, parts)) if fits else None
    if isinstance(value, (bytes, dict, set)) or not hasattr(value, "__iter__"):
        return None
    numbers = [whole_number(part) for part in value]
    found = tuple(number for number in numbers if number is not None)
    return found if len(found) == len(numbers) else None


def read_limit(value: Any) -> Any:
    """A limit of a search: None for `none`; the settings check anything else."""
    return None if is_none(value) else value


def is_none(value: Any) -> bool:
    """Whether it is the word that leaves a setting out."""
    return isinstance(value, str) and value.strip().lower() == NONE


def written_counts(counts: Sequence[int] | None) -> str:
    """The text that `read_counts` takes."""
    return ":".join(map(str, counts)) if counts else NONE
