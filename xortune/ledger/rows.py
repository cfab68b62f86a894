"""The rows of settings and runs, and the form that all rows share.

Nothing that is read is trusted. SQLite does not notice when a byte of a value changes, so
every row carries a digest of its other values; and since anyone can compute a digest, every
value is range-checked too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from xortune.errors import UsageError
from xortune.run_time import RunTime
from xortune.settings import Provenance, StudySettings
from xortune.spec import PRUNED_EPOCH, STD

RUN = "number, wall, start_up, sampler, writing, workers, training, queue, idle, digest"

LONGEST_TEXT = 100_000
# Larger than any float32, and so than any number that a trial is trained with.
_TOO_LARGE = 10**39
_DEEPEST = 4  # A spec lists parameters, and these list their choices.
_MOST_TRIALS = 10_000_000
_MOST_LANES = 65_536  # that a lane can need around it
# What a problem is made of is deeper, and holds the text of a function.
_DEEPEST_PROBLEM, _LONGEST_PROBLEM = 8, 4_000_000
_DEVICES = ("cpu", "cuda", "both")

# One JSON text for equal plain values: floats as Python writes them, no spaces, no NaN.
canonical = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Damage(ValueError):
    """An impossible value in the ledger; the message says which."""


def digest(values: object) -> int:
    """A 64-bit digest of plain values or bytes."""
    content = values if isinstance(values, bytes) else ascii(values).encode()
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


def sealed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values and their digest."""
    return (*values, digest(values))


def is_sealed(row: Sequence[Any], number: int) -> bool:
    """Whether a row has this number and is as it was written."""
    return bool(row[0] == number and digest(row[:-1]) == row[-1])


def real(value: float) -> float:
    """A float as SQLite returns it: never an int, and 0.0 for -0.0."""
    return float(value) + 0.0


def setting_rows(
    settings: StudySettings, provenance: Provenance, findings: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """Keys and values, by key; the seal holds the digest of this list."""
    values = {**settings.to_dict(), **provenance.to_dict(), "findings": findings or {}}
    return sorted((key, canonical(value)) for key, value in values.items())


def read_settings(
    rows: list[tuple[Any, ...]], expected: int
) -> tuple[StudySettings, Provenance, dict[str, Any]]:
    """Settings, provenance and findings, from rows whose digest is `expected`.

    The findings are plain values by name, and not checked further.

    Raises Damage, or KeyError or TypeError for a setting that is missing or of another type.
    """
    values = setting_values(rows, expected)
    try:
        settings = StudySettings.from_dict(values)
    except (UsageError, ValueError) as error:
        raise Damage(f"the settings are not valid: {error}") from error
    _check_together(settings)
    return settings, Provenance.from_dict(values), values.get("findings", {})


def _check_together(settings: StudySettings) -> None:
    """Raises Damage for settings that are possible one by one, but not together."""
    spec, replicated, pruned = settings.spec, settings.replicates > 1, settings.pruner != "none"
    names = spec.metric_names
    if (STD in names, PRUNED_EPOCH in names) != (replicated, pruned) or (
        (replicated or pruned)
        and spec.metrics != spec.extended(replicated=replicated, pruned=pruned).metrics
    ):
        raise Damage("the spec's metrics do not match the replicates and the pruner")
    if len(settings.confirm or ()) not in (0, 2):
        raise Damage("the setting 'confirm' does not hold two numbers")
    if any(a >= b for a, b in pairwise(settings.rungs)):
        raise Damage("the setting 'rungs' does not ascend")
    if any(a > b for a, b in pairwise(settings.starts)):
        raise Damage("the setting 'starts' does not ascend")


def setting_values(rows: list[tuple[Any, ...]], expected: int) -> dict[str, Any]:
    """The values in rows of settings; checks those that every version has."""
    if digest(rows) != expected:
        raise Damage("the settings are not as they were written")
    values = {key: json.loads(value) for key, value in rows}
    for key, value in values.items():
        larger = key in ("problem", "findings")
        limits = (_DEEPEST_PROBLEM, _LONGEST_PROBLEM) if larger else (_DEEPEST, LONGEST_TEXT)
        if not _is_plain(value, *limits):
            raise Damage(f"the setting {key!r:.40} is not valid")
        if larger and not isinstance(value, dict):
            raise Damage(f"the setting {key!r} does not hold values by name")
    space = values.get("space")
    if not isinstance(space, dict) or not all(isinstance(v, dict) for v in space.values()):
        raise Damage("the setting 'space' is not a search space")
    if values.get("device") not in _DEVICES or not isinstance(values.get("engine"), str):
        raise Damage("the settings 'device' and 'engine' name no known device or engine")
    for key in ("versions", "reference"):
        texts = values.get(key, {})
        if not isinstance(texts, dict) or not all(isinstance(v, str) for v in texts.values()):
            raise Damage(f"the setting {key!r} does not hold texts by name")
    version = values.get("sampler_version", 1)
    if type(version) is not int or version < 1:
        raise Damage("the setting 'sampler_version' is not a version")
    if not isinstance(values.get("data", ""), str):
        raise Damage("the setting 'data' is not a name")
    if not _are_spans(values.get("outdated", [])):
        raise Damage("the setting 'outdated' does not hold numbers of trials")
    for key in ("forced", "mixed"):
        if not isinstance(values.get(key, False), bool):
            raise Damage(f"the setting {key!r} is neither true nor false")
    if not isinstance(values.get("training", ""), str):
        raise Damage("the setting 'training' is not a text")
    if not _is_padding(values.get("padding")):
        raise Damage("the setting 'padding' does not hold two numbers of lanes")
    if not _are_digests(values.get("other_references", {})):
        raise Damage("the setting 'other_references' does not hold lists of texts by name")
    return values


def run_row(number: int, run: RunTime) -> tuple[Any, ...]:
    """`RUN` of one run."""
    *before, workers, training, queue, idle = astuple(run)
    return sealed((number, *map(real, before), workers, *map(real, (training, queue, idle))))


def read_run(row: tuple[Any, ...], number: int) -> RunTime:
    """Raises Damage if the row is not as it was written, or is impossible."""
    if not is_sealed(row, number):
        raise Damage(f"the row of run {number} is not as it was written")
    values = row[1:-1]
    kinds = [float] * 4 + [int] + [float] * 3
    if list(map(type, values)) != kinds or not all(0 <= v < math.inf for v in values):
        raise Damage(f"the row of run {number} does not hold times")
    return RunTime(*values)


def _is_padding(value: Any) -> bool:
    """Whether a value is a multiple of lanes and the least of them, or None."""
    if value is None:
        return True
    if not isinstance(value, list) or [type(number) for number in value] != [int, int]:
        return False
    return all(0 < number <= _MOST_LANES for number in value)


def _are_digests(value: Any) -> bool:
    """Whether a value holds lists of texts by name."""
    if not isinstance(value, dict) or not all(isinstance(v, list) for v in value.values()):
        return False
    return all(isinstance(text, str) for texts in value.values() for text in texts)


def _are_spans(value: Any) -> bool:
    """Whether a value is a list of the first and the last numbers of trials, ascending."""
    if not isinstance(value, list) or not all(map(_is_span, value)):
        return False
    return all(before[1] < after[0] for before, after in pairwise(value))


def _is_span(value: Any) -> bool:
    """Whether a value is the first and the last number of some trials."""
    if not isinstance(value, list) or [type(number) for number in value] != [int, int]:
        return False
    first, last = value
    return bool(0 <= first <= last <= _MOST_TRIALS)


def _is_plain(value: Any, depth: int, longest: int) -> bool:
    """Whether a value is a small number, a text, or a shallow collection of these."""
    if isinstance(value, (dict, list)):
        parts: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        return depth > 0 and all(_is_plain(part, depth - 1, longest) for part in parts)
    if isinstance(value, (int, float)):
        return math.isfinite(value) if isinstance(value, float) else abs(value) < _TOO_LARGE
    return value is None or len(value) <= longest
