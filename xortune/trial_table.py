"""All trials of a study as columns: a million take about a hundred megabytes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, overload

from xortune.spec import PRUNED_LOSS, Parameter, ProblemSpec
from xortune.trial import (
    NO_CURVE,
    STATES,
    FinishedTrial,
    Outcome,
    Params,
    Scores,
    Trial,
    TrialRow,
    Value,
)

_COMPLETE, _PRUNED, _WAITING = map(STATES.index, ("COMPLETE", "PRUNED", "WAITING"))
# By kind of parameter: the type of its column, and the number that stands for None there.
_STORED: dict[str, tuple[str, float]] = {
    "float": ("d", math.nan),
    "int": ("q", -(2**63)),
    "choice": ("h", -1),
}


class TrialTable(Sequence[TrialRow]):
    """The trials of a study by number, without their curves and weights.

    Rows are created when they are read. Trials are appended; an outcome is set once.

    Attributes:
        finished: how many have an outcome.
        outdated: the numbers of trials that no longer rank, and teach the sampler nothing: they
            were trained by an earlier version of the user's code.
    """

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec
        self.finished = 0
        self.outdated: frozenset[int] = frozenset()
        self._generations = array("q")
        self._params = [_Column(parameter) for parameter in spec.parameters]
        self._states = bytearray()
        self._scores = [array("d") for _ in spec.metrics]
        names = spec.metric_names
        self._pruned_loss = names.index(PRUNED_LOSS) if PRUNED_LOSS in names else None
        self._durations = array("d")
        self._workers: list[str | None] = []
        self._errors: dict[int, str] = {}
        self._known_workers: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._states)

    @overload
    def __getitem__(self, number: int) -> TrialRow: ...
    @overload
    def __getitem__(self, number: slice) -> list[TrialRow]: ...
    def __getitem__(self, number: int | slice) -> TrialRow | list[TrialRow]:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        return TrialRow(self.trial(number), self.outcome(number))

    def __iter__(self) -> Iterator[TrialRow]:
        return starmap(TrialRow, self._read(len(self)))

    def add(self, trial: Trial) -> None:
        """Appends a waiting trial, whose number has to be the table's length."""
        if trial.number != len(self):
            raise ValueError(f"trial {trial.number} does not follow trial {len(self) - 1}")
        for column, value in zip(self._params, trial.params.row):
            column.append(value)
        for scores in self._scores:
            scores.append(math.nan)
        self._generations.append(trial.generation)
        self._states.append(_WAITING)
        self._durations.append(math.nan)
        self._workers.append(None)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Sets the outcome of a trial."""
        self.finished += self._states[number] == _WAITING
        self._states[number] = STATES.index(outcome.state)
        if outcome.scores is not None:
            for column, value in zip(self._scores, outcome.scores.row):
                column[number] = value
        if outcome.duration_s is not None:
            self._durations[number] = outcome.duration_s
        if outcome.worker is not None:
            self._workers[number] = self._known_workers.setdefault(outcome.worker, outcome.worker)
        if outcome.error is not None:
            self._errors[number] = outcome.error

    def trial(self, number: int) -> Trial:
        return Trial(number, self._generations[number], self.params(number))

    def params(self, number: int) -> Params:
        return Params(self.spec.names, tuple(column[number] for column in self._params))

    def is_finished(self, number: int) -> bool:
        """Whether a trial has an outcome."""
        return self._states[number] != _WAITING

    def is_complete(self, number: int) -> bool:
        """Whether a trial was trained to its end: failed, pruned and waiting ones were not."""
        return self._states[number] == _COMPLETE

    def scores(self, number: int) -> Scores | None:
        """The metrics by which a trial ranks; None if it does not."""
        if not self.is_complete(number) or number in self.outdated:
            return None
        return Scores(self.spec.metric_names, tuple(column[number] for column in self._scores))

    def outcome(self, number: int) -> Outcome | None:
        """None while a trial waits. A pruned trial has scores, too: its epoch and loss there."""
        scores = tuple(column[number] for column in self._scores)
        state, took = self._states[number], self._durations[number]
        return self._outcome(number, state, scores, took, self._workers[number])

    def _outcome(
        self, number: int, state: int, values: tuple[float, ...], took: float, worker: str | None
    ) -> Outcome | None:
        if state == _WAITING:
            return None
        measured = state == _COMPLETE or (state == _PRUNED and self._has_pruned_loss(values))
        scores = Scores(self.spec.metric_names, values) if measured else None
        duration_s = None if math.isnan(took) else took
        # By position, which is faster in the loop of `_read`.
        error = self._errors.get(number)
        return Outcome(STATES[state], scores, NO_CURVE, None, duration_s, worker, error)

    def _has_pruned_loss(self, values: tuple[float, ...]) -> bool:
        return self._pruned_loss is not None and not math.isnan(values[self._pruned_loss])

    def _read(self, until: int) -> Iterator[tuple[Trial, Outcome | None]]:
        """The trials before a number, column by column: twice as fast as one at a time."""
        trials = zip(range(until), self._generations, zip(*self._params))
        outcomes = zip(self._states, zip(*self._scores), self._durations, self._workers)
        for (number, generation, values), outcome in zip(trials, outcomes):
            trial = Trial(number, generation, Params(self.spec.names, values))
            yield trial, self._outcome(number, *outcome)

    def told(self, until: int) -> Sequence[FinishedTrial]:
        """The trials before a number, all of which have an outcome."""
        return _Told(self, until)

    def columns(self) -> dict[str, Sequence[Any]]:
        """Copies of all columns by name, in the order of trials.

        Besides the parameters and metrics: `number`, `state`, `generation`, `duration_s`,
        `worker` and `error`. A missing float is NaN; any other missing value is None.
        """
        return {
            "number": range(len(self)),
            "state": [STATES[state] for state in self._states],
            **{name: column.copy() for name, column in zip(self.spec.names, self._params)},
            **{name: column[:] for name, column in zip(self.spec.metric_names, self._scores)},
            "generation": self._generations[:],
            "duration_s": self._durations[:],
            "worker": self._workers[:],
            "error": [*map(self._errors.get, range(len(self)))],
        }


class _Told(Sequence[FinishedTrial]):
    """The first trials of a table as finished ones, created when they are read."""

    def __init__(self, table: TrialTable, until: int) -> None:
        self._table = table
        self._until = until

    def __len__(self) -> int:
        return self._until

    @overload
    def __getitem__(self, number: int) -> FinishedTrial: ...
    @overload
    def __getitem__(self, number: slice) -> list[FinishedTrial]: ...
    def __getitem__(self, number: int | slice) -> FinishedTrial | list[FinishedTrial]:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(self._until))]
        if not 0 <= number < self._until:
            raise IndexError(number)
        return self._told(self._table.trial(number), self._table.outcome(number))

    def __iter__(self) -> Iterator[FinishedTrial]:
        return starmap(self._told, self._table._read(self._until))

    def _told(self, trial: Trial, outcome: Outcome | None) -> FinishedTrial:
        if trial.number in self._table.outdated:
            return FinishedTrial(trial, Outcome("FAIL", error="outdated"))
        return _finished(trial, outcome)


def _finished(trial: Trial, outcome: Outcome | None) -> FinishedTrial:
    if outcome is None:
        raise ValueError(f"trial {trial.number} is not finished")
    return FinishedTrial(trial, outcome)


class _Column(Sequence[Any]):
    """The values of a parameter as numbers of one type: themselves, or the indices of choices."""

    def __init__(self, parameter: Parameter) -> None:
        kind, self._missing = _STORED[parameter.kind]
        self._numbers = array(kind)
        self._choices = (*parameter.choices, None)  # None has the index -1
        self._index = {(type(choice), choice): i for i, choice in enumerate(parameter.choices)}
        self._is_decoded = parameter.kind != "choice"

    def append(self, value: Value | None) -> None:
        number: Any = value
        if value is None:
            number, self._is_decoded = self._missing, False
        elif self._index:
            number = self._index[type(value), value]
        self._numbers.append(number)

    def _value(self, number: Any) -> Any:
        if self._index:
            return self._choices[number]
        return None if number == self._missing or number != number else number

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: Any) -> Any:
        return self._value(self._numbers[number])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._numbers) if self._is_decoded else map(self._value, self._numbers)

    def copy(self) -> Sequence[Any]:
        """The values; floats with NaN for None."""
        is_final = self._is_decoded or self._numbers.typecode == "d"
        return self._numbers[:] if is_final else list(self)
