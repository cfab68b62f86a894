"""Checks of a study's findings: what a confirmation found, and why a search stopped early."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from xortune.ledger.rows import LONGEST_TEXT, Damage
from xortune.settings import AGGREGATES
from xortune.spec import ProblemSpec

STOPS = ("stop_at", "plateau", "epoch_budget", "timeout")

_Check = Callable[[Any], bool]


def check_findings(findings: Mapping[str, Any], spec: ProblemSpec, trials: int) -> None:
    """Checks the findings `stopped` and `confirmation`, where a study has them.

    Args:
        findings: plain values by name; others than those two are not checked.
        spec: the study's.
        trials: how many there are.

    Raises:
        Damage: one of them has another shape, a value that is impossible, or the number of a
            trial that does not exist.
    """
    if "stopped" in findings and not _is_stop(findings["stopped"], trials):
        raise Damage("the finding 'stopped' does not say why a search stopped")
    if "confirmation" in findings and not _is_confirmation(findings["confirmation"], spec, trials):
        raise Damage("the finding 'confirmation' does not hold the trainings of trials")


def _is_stop(found: Any, trials: int) -> bool:
    return _has(
        found,
        by=lambda value: value in STOPS,
        after=_from(0, trials),
        reason=lambda value: isinstance(value, str) and len(value) <= LONGEST_TEXT,
    )


def _is_confirmation(found: Any, spec: ProblemSpec, trials: int) -> bool:
    there = _has(
        found,
        of=_from(1),
        seeds=_from(1),
        aggregate=lambda value: value in AGGREGATES,
        trials=lambda value: isinstance(value, list),
        recommended=lambda value: value is None or type(value) is int,
    )
    if not there or not all(_is_entry(entry, spec, trials) for entry in found["trials"]):
        return False
    values = {entry["number"]: entry["value"] for entry in found["trials"]}
    recommended, wanted = found["recommended"], found.get("wanted", [])
    return (
        len(values) == len(found["trials"])
        and (recommended is None or values.get(recommended) is not None)
        and isinstance(wanted, list)
        and all(map(_from(1), wanted))
    )


def _is_entry(found: Any, spec: ProblemSpec, trials: int) -> bool:
    """Whether a value holds what the trainings of one trial came to."""
    there = _has(
        found,
        number=_from(0, trials - 1),
        seeds=_from(1),
        **dict.fromkeys(("value", "std", "median", "low", "high"), _is_number),
        metrics=lambda value: isinstance(value, dict),
    )
    if not there:
        return False
    names = {metric.name for metric in spec.measured}
    counted = _from(0, found["seeds"])
    return (
        _has(found, failed=counted, solved=lambda value: value is None or counted(value))
        and found["metrics"].keys() <= names
        and all(map(_is_number, found["metrics"].values()))
    )


def _has(found: Any, **checks: _Check) -> bool:
    """Whether a value is a dictionary, with values for these names that pass their checks."""
    return isinstance(found, dict) and all(
        name in found and check(found[name]) for name, check in checks.items()
    )


def _from(low: int, high: float = math.inf) -> _Check:
    """Checks that a value is a whole number within bounds, which are included."""
    return lambda value: type(value) is int and low <= value <= high


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number, or None for one that was not."""
    return value is None or (type(value) in (int, float) and math.isfinite(value))
