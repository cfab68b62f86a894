"""One call of a user's function: a trial's parameters go in, its outcome comes out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xortune.engines.function.limits import Limits
from xortune.engines.function.reports import Reports, as_float
from xortune.plain_numbers import brief
from xortune.problems.code.faults import Shown, in_one_line
from xortune.problems.declared import Problem
from xortune.problems.function.declared import RESERVED
from xortune.problems.names import is_name
from xortune.spec import ProblemSpec
from xortune.trial import Curve

_LONGEST_NAME = 80


class Called(NamedTuple):
    """The outcome of a call; small to send."""

    scores: tuple[float, ...] | None  # in the order of the spec's metrics; None if it failed
    curve: Curve
    duration_s: float
    error: str | None
    unknown: tuple[str, ...]  # metrics that are not declared
    pruned: bool = False
    printed: bool = False  # though nobody sees it


def called(
    problem: Problem,
    spec: ProblemSpec,
    config: dict[str, Any],
    log_every: int | None,
    shown: Shown,
    limits: Sequence[tuple[int, float]] = (),
) -> Called:
    """Calls a function with the parameters of a trial; an exception that it raises is a failure.

    Args:
        problem: the function's.
        spec: with the metrics to return.
        config: the parameters, which the function may change.
        log_every: as for `Trainer.train`.
        shown: the names of the user's files in messages.
        limits: as for `Lane`.
    """
    checked = Limits(spec.objectives[0], limits) if limits else None
    reports = Reports(spec.metric_names, log_every, checked)
    measured: Mapping[str, float] = {}
    error: str | None = None
    started = time.perf_counter()
    try:
        returned = problem.called(config, reports)
        duration_s = time.perf_counter() - started
        if reports.pruned is None:
            measured = _measured(returned, reports, spec)
            error = _lack(measured, reports, spec)
    except BaseException as raised:  # A KeyboardInterrupt or a SystemExit is the function's own.
        duration_s = time.perf_counter() - started
        error = in_one_line(raised, shown)
    if reports.pruned is not None:  # Whatever the function made of that.
        measured, error = reports.last, _fault_at_limit(reports, spec)
    scores = None
    if error is None:
        scores = tuple(_finite(measured.get(name)) for name in spec.metric_names)
    pruned = error is None and reports.pruned is not None
    return Called(scores, reports.curve(), duration_s, error, _unknown(reports, spec), pruned)


def _unknown(reports: Reports, spec: ProblemSpec) -> tuple[str, ...]:
    known = RESERVED.union(spec.names)
    names = (name for name in reports.unknown if is_name(name) and name not in known)
    return tuple(sorted(name[:_LONGEST_NAME] for name in names))


def _measured(returned: Any, reports: Reports, spec: ProblemSpec) -> dict[str, float]:
    """The last epoch's metrics, and over them what the function returned."""
    if returned is None:
        return reports.last
    if isinstance(returned, Mapping):
        return reports.last | reports.numbers(returned)
    objective = spec.objectives[0].metric
    number = as_float(returned)
    if number is None:
        reports.odd[objective] = brief(returned)
        return reports.last | {objective: math.nan}
    reports.odd.pop(objective, None)
    return reports.last | {objective: number}


def _lack(measured: Mapping[str, float], reports: Reports, spec: ProblemSpec) -> str | None:
    """Why the trial fails: the objective or the final loss is missing or not finite."""
    objective = spec.objectives[0].metric
    for name in dict.fromkeys((objective, spec.loss or objective)):
        if name in reports.odd:
            return _oddity(name, reports)
        if name not in measured:
            return (
                f"the function gave no {name}: return it, as {{{name!r}: ...}}, or call "
                f"report(epoch, {name}=...)"
            )
        if not math.isfinite(measured[name]):
            return f"{name} is not finite: {measured[name]}"
    return None


def _fault_at_limit(reports: Reports, spec: ProblemSpec) -> str | None:
    """Why a trial fails that has missed a limit: only a finite objective can be compared."""
    name = spec.objectives[0].metric
    value = reports.last[name]
    if name in reports.odd or math.isfinite(value):
        return _oddity(name, reports)
    return f"{name} is not finite at epoch {reports.curve().epochs[-1]}: {value}"


def _oddity(name: str, reports: Reports) -> str | None:
    """The fault of a function whose metric is not a number; None if it is one."""
    return f"{name} is not a number: {reports.odd[name]}" if name in reports.odd else None


def _finite(value: float | None) -> float:
    """A metric as it is recorded, where only finite numbers count as measured."""
    return value if value is not None and math.isfinite(value) else math.nan
