"""The rows of trials and of their curves, for any spec."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, islice, pairwise
from math import isfinite
from typing import Any

from xortune.ledger.json_objects import float_json, objects, template
from xortune.ledger.metric_texts import MetricTexts
from xortune.ledger.rows import LONGEST_TEXT, Damage, canonical, digest, is_sealed, real, sealed
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import Curve, Outcome, Trial, TrialRow
from xortune.trial_table import TrialTable

ASKED = "number, generation, parameters"
OUTCOME = "state, metrics, duration_s, worker, error, curve, digest"
CURVE = 8  # the place of a curve's digest in a row

_NOTHING = (None,) * 5
_NULL = type(None)
_FINISHED = ("COMPLETE", "PRUNED", "FAIL")
_MEASURED = ("COMPLETE", "PRUNED")
_SCALARS = {int, float, str, bool}
# Parsing this many rows at a time as one JSON list takes half as long.
_BATCH = 1000


class TrialRows:
    """The format of the rows of one study's trials and curves."""

    def __init__(self, spec: ProblemSpec) -> None:
        self._spec = spec
        self._series = tuple(series.name for series in spec.curve)
        self._json = [_json_of[parameter.kind] for parameter in spec.parameters]
        self._params = template(spec.names)
        self._metrics = MetricTexts(spec, spec.metric_names)

    def asked(self, trial: Trial) -> tuple[Any, ...]:
        """`ASKED` and `OUTCOME` of a waiting trial."""
        return sealed((*self._asked(trial), "WAITING", *_NOTHING))

    def finished(self, trial: Trial, outcome: Outcome, curve: int) -> tuple[Any, ...]:
        """`ASKED` and `OUTCOME` of a finished trial; `curve` is its curve's digest."""
        scores, duration_s, error = outcome.scores, outcome.duration_s, outcome.error
        if outcome.state == "PRUNED" and scores is None:
            raise ValueError(f"trial {trial.number} is pruned, and has no loss at its rung")
        return sealed(
            (
                *self._asked(trial),
                outcome.state,
                None if scores is None else self._metrics.text(outcome.state, scores),
                None if duration_s is None else real(duration_s),
                outcome.worker,
                None if error is None else error[:LONGEST_TEXT],
                curve,
            )
        )

    def _asked(self, trial: Trial) -> tuple[Any, ...]:
        values = [encode(value) for encode, value in zip(self._json, trial.params.row)]
        return trial.number, trial.generation, self._params % tuple(values)

    def table(self, rows: Iterable[tuple[Any, ...]]) -> TrialTable:
        """All trials, from `ASKED` and `OUTCOME` by number; raises Damage for a wrong row."""
        table = TrialTable(self._spec)
        checked = _checked(rows, count())
        while batch := list(islice(checked, _BATCH)):
            for row in self._read(batch):
                table.add(row.trial)
                if row.outcome is not None:
                    table.finish(row.trial.number, row.outcome)
        return table

    def finished_rows(
        self, rows: Iterable[tuple[Any, ...]], numbers: Container[int] | None
    ) -> Iterator[tuple[Any, ...]]:
        """The checked rows of finished trials, from all rows by number; None for all numbers."""
        for row in _checked(rows, count()):
            if row[CURVE] is not None and (numbers is None or row[0] in numbers):
                yield row

    def trial(self, row: tuple[Any, ...], number: int) -> TrialRow:
        """One trial, from `ASKED` and `OUTCOME`; raises as `table` does."""
        return self._read(list(_checked([row], [number])))[0]

    def some(self, rows: Iterable[tuple[Any, ...]], numbers: Sequence[int]) -> Iterator[TrialRow]:
        """The trials of these numbers, from `ASKED` and `OUTCOME` of each; raises as `table`."""
        checked = _checked(rows, numbers)
        while batch := list(islice(checked, _BATCH)):
            yield from self._read(batch)

    def _read(self, rows: Sequence[tuple[Any, ...]]) -> list[TrialRow]:
        spec = self._spec
        params = {row[0]: row[2] for row in rows}
        scores = {row[0]: row[4] for row in rows if row[4] is not None}
        pruned = {row[0] for row in rows if row[3] == "PRUNED"}
        assigned = objects(params, spec.names, "parameters", _owner)
        measured = self._metrics.read(scores, pruned, _owner)
        self._check_params(assigned)
        return [
            TrialRow(
                Trial(row[0], row[1], spec.params(assigned[row[0]])),
                _outcome(row, spec, measured.get(row[0])),
            )
            for row in rows
        ]

    def _check_params(self, assigned: Mapping[int, tuple[Any, ...]]) -> None:
        """Checks column by column, and row by row only to name the wrong one."""
        columns = zip(self._spec.parameters, zip(*assigned.values()))
        if all(self._fits(parameter, column) for parameter, column in columns):
            return
        for number, values in assigned.items():
            for parameter, value in zip(self._spec.parameters, values):
                if not self._fits(parameter, (value,)):
                    name = parameter.name
                    raise Damage(f"the parameter {name} of trial {number} has an impossible value")

    def _fits(self, parameter: Parameter, column: Sequence[Any]) -> bool:
        """Whether training can take every value; None means that it does not apply."""
        values = [value for value in column if value is not None]
        if len(values) < len(column) and parameter.name == self._spec.cost:
            return False
        if not values:
            return True
        if not {*map(type, values)} <= _SCALARS:
            return False
        if parameter.kind == "choice":
            return all(map(parameter.takes, {(type(v), v): v for v in values}.values()))
        if {*map(type, values)} != {int if parameter.kind == "int" else float}:
            return False
        ends = min(values), max(values)
        return all(parameter.takes(value) and _is_storable(value) for value in ends)

    def pack_curve(self, curve: Curve) -> bytes:
        """Little-endian: the epochs as int64, then each series as float64."""
        count = len(curve.epochs)
        losses = [loss for name in self._series for loss in curve.series.get(name, ())]
        return struct.pack(f"<{count}q{count * len(self._series)}d", *curve.epochs, *losses)

    def curve(self, packed: object, expected: int, number: int) -> Curve:
        """The curve of a trial, from the bytes of `pack_curve` and their digest."""
        if not isinstance(packed, bytes) or digest(packed) != expected:
            raise Damage(f"the curve of trial {number} is not as it was written")
        columns = len(self._series)
        count, rest = divmod(len(packed), 8 * (1 + columns))
        if rest:
            raise Damage(f"the curve of trial {number} is malformed")
        values = struct.unpack(f"<{count}q{count * columns}d", packed)
        epochs = values[:count]
        if count and (epochs[0] < 0 or any(a >= b for a, b in pairwise(epochs))):
            raise Damage(f"the epochs of trial {number}'s curve do not ascend")
        parts = (values[start : start + count] for start in range(count, len(values), count or 1))
        return Curve(epochs, dict(zip(self._series, parts))) if count else self.no_curve

    @property
    def no_curve(self) -> Curve:
        """The curve of a trial that never ran: the spec's series without points."""
        return Curve((), dict.fromkeys(self._series, ()))


def _int_json(value: Any) -> str:
    return repr(value) if type(value) is int else canonical(value)


_json_of: dict[str, Callable[[Any], str]] = {
    "float": float_json,
    "int": _int_json,
    # Choices repeat; typed, since 1, 1.0 and True are different choices.
    "choice": lru_cache(maxsize=256, typed=True)(canonical),
}


def _owner(number: int) -> str:
    return f"trial {number}"


def _is_storable(value: float | int) -> bool:
    return isfinite(value) if isinstance(value, float) else -(2**63) < value < 2**63


def _checked(rows: Iterable[tuple[Any, ...]], numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    """Checks that rows are as they were written, with possible types and lengths."""
    for row, number in zip(rows, numbers):
        if not is_sealed(row, number):
            raise Damage(f"the row of trial {number} is not as it was written")
        if not _types_fit(tuple(map(type, row))):
            raise Damage(f"the row of trial {number} holds values of another type")
        for text in (row[2], row[4], row[6], row[7]):
            if text is not None and len(text) > LONGEST_TEXT:
                raise Damage(f"trial {number} holds a text of {len(text)} characters")
        if row[1] < 0:
            raise Damage(f"trial {number} has the generation {row[1]}")
        yield row


@lru_cache(maxsize=256)
def _types_fit(types: tuple[type, ...]) -> bool:
    """Whether a row has possible types; cached, since few combinations occur."""
    metrics, duration, worker, error, curve = types[4:9]
    return (
        types[:4] == (int, int, str, str)
        and {metrics, worker, error} <= {str, _NULL}
        and duration in (float, _NULL)
        and curve in (int, _NULL)
    )


def _outcome(
    row: tuple[Any, ...], spec: ProblemSpec, values: tuple[float, ...] | None
) -> Outcome | None:
    number, state, duration_s = row[0], row[3], row[5]
    if state == "WAITING" and row[4:9] == _NOTHING:
        return None
    if state not in _FINISHED or row[CURVE] is None:
        raise Damage(f"trial {number} has an unknown state")
    if (values is not None) != (state in _MEASURED):
        raise Damage(f"trial {number} has metrics that do not match its state")
    if duration_s is not None and not isfinite(duration_s):
        raise Damage(f"the duration of trial {number} is not finite")
    scores = None if values is None else spec.scores(values)
    return Outcome(state, scores, duration_s=duration_s, worker=row[6], error=row[7])
