"""All trials of a study as columns: a million take some hundred megabytes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, overload

from xortune.spec import Parameter, ProblemSpec
from xortune.trial import STATES, FinishedTrial, Outcome, Params, Scores, Trial, TrialRow, Value

_WAITING = STATES.index("WAITING")
# What stands in a column for a value that is missing; no parameter or metric has it.
_NO_INT, _NO_CHOICE = -(2**63), -1


class TrialTable(Sequence[TrialRow]):
    """The trials of a study by number, without their curves and weights.

    Rows are made when they are asked for. Grows at its end; an outcome is set once.

    Args:
        spec: of the study's problem.
    """

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec
        self.finished = 0
        self._generations = array("q")
        self._params = [_column(parameter) for parameter in spec.parameters]
        self._states = bytearray()
        self._scores = [array("d") for _ in spec.metrics]
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
        return map(self.__getitem__, range(len(self)))

    def add(self, trial: Trial) -> None:
        """Appends a trial that waits; its number is the table's length."""
        if trial.number != len(self):
            raise ValueError(f"trial {trial.number} does not follow on trial {len(self) - 1}")
        for column, value in zip(self._params, trial.params.row):
            column.append(value)
        for scores in self._scores:
            scores.append(math.nan)
        self._generations.append(trial.generation)
        self._states.append(_WAITING)
        self._durations.append(math.nan)
        self._workers.append(None)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Sets what became of a trial."""
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
        """Whether a trial has scores: those that failed or wait have none."""
        return STATES[self._states[number]] == "COMPLETE"

    def scores(self, number: int) -> Scores | None:
        """None where a trial has none."""
        if not self.is_complete(number):
            return None
        return Scores(self.spec.metric_names, tuple(column[number] for column in self._scores))

    def outcome(self, number: int) -> Outcome | None:
        """None while a trial waits."""
        if not self.is_finished(number):
            return None
        return Outcome(
            state=STATES[self._states[number]],
            scores=self.scores(number),
            duration_s=_number(self._durations[number]),
            worker=self._workers[number],
            error=self._errors.get(number),
        )

    def told(self, until: int) -> Sequence[FinishedTrial]:
        """The trials before a number, all of which have an outcome."""
        return _Told(self, until)

    def columns(self) -> dict[str, Sequence[Any]]:
        """Copies of all columns by name, each by number.

        Named after the parameters and metrics, beside `number`, `state`, `generation`,
        `duration_s`, `worker` and `error`. NaN stands for a float that is missing, None for
        anything else that is.
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
    """The first trials of a table as finished ones, made when they are asked for."""

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
        outcome = self._table.outcome(number)
        if outcome is None:
            raise ValueError(f"trial {number} is not finished")
        return FinishedTrial(self._table.trial(number), outcome)


class _Floats(Sequence[Any]):
    """Floats, NaN standing for None."""

    def __init__(self) -> None:
        self._values = array("d")

    def append(self, value: Value | None) -> None:
        self._values.append(math.nan if value is None else value)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: Any) -> Any:
        return _number(self._values[number])

    def copy(self) -> Sequence[Any]:
        return self._values[:]


class _Ints(Sequence[Any]):
    """Integers of 64 bits."""

    def __init__(self) -> None:
        self._values = array("q")

    def append(self, value: Value | None) -> None:
        self._values.append(_NO_INT if value is None else value)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: Any) -> Any:
        value = self._values[number]
        return None if value == _NO_INT else value

    def copy(self) -> Sequence[Any]:
        return list(self) if _NO_INT in self._values else self._values[:]


class _Choices(Sequence[Any]):
    """Places in a parameter's choices."""

    def __init__(self, choices: tuple[Value, ...]) -> None:
        self._choices = choices
        self._values = array("h")

    def append(self, value: Value | None) -> None:
        self._values.append(_NO_CHOICE if value is None else self._place(value))

    def _place(self, value: Value) -> int:
        same = (i for i, c in enumerate(self._choices) if c == value and type(c) is type(value))
        return next(same)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: Any) -> Any:
        place = self._values[number]
        return None if place == _NO_CHOICE else self._choices[place]

    def copy(self) -> Sequence[Any]:
        by_place = (*self._choices, None)  # `_NO_CHOICE` is the last one
        return [by_place[place] for place in self._values]


def _column(parameter: Parameter) -> _Floats | _Ints | _Choices:
    if parameter.kind == "choice":
        return _Choices(parameter.choices)
    return _Ints() if parameter.kind == "int" else _Floats()


def _number(value: float) -> float | None:
    return None if value != value else value
