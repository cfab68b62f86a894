"""Trials, their outcomes, and packs of trials."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar, get_args

Value = float | int | str | bool
State = Literal["COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"]
STATES: tuple[State, ...] = get_args(State)

V_co = TypeVar("V_co", covariant=True)


class Record(Mapping[str, V_co]):
    """An immutable, hashable mapping that shares its names with others, to save memory."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[V_co, ...]) -> None:
        if len(names) != len(values):
            raise ValueError(f"{len(values)} values for {len(names)} names")
        self._names = names
        self._values = values

    def __getitem__(self, name: str) -> V_co:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return self._values == other._values and self._names == other._names

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={value!r}" for name, value in self.items())
        return f"{type(self).__name__}({pairs})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._names, self._values)

    @property
    def row(self) -> tuple[V_co, ...]:
        """The values, in the order of the names."""
        return self._values


class Params(Record[Value | None]):
    """One assignment of hyperparameters, by name; None where one does not apply."""

    __slots__ = ()


class Scores(Record[float]):
    """The metrics of a trained model, by name; NaN where one was not measured."""

    __slots__ = ()


class Slim:
    """A base of frozen dataclasses with slots: pickles them small and fast."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        names: tuple[str, ...] = self.__slots__
        return type(self), tuple([getattr(self, field) for field in names])


class Trial(NamedTuple):
    """An assignment to train, with its number in the study, from 0, and its generation."""

    number: int
    generation: int
    params: Params


@dataclass(frozen=True, slots=True)
class Curve(Slim):
    """Measurements during the training of a trial."""

    epochs: tuple[int, ...] = ()  # ascending; a measurement at epoch e follows e updates
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # by the spec's names


NO_CURVE = Curve()


def value_at(curve: Curve, name: str, epoch: int) -> float | None:
    """A series' first value from an epoch on; None if there is none.

    Points without a value, NaN, are passed over: a function may report a metric now and then.
    """
    values = zip(curve.epochs, curve.series.get(name, ()))
    return next((value for at, value in values if at >= epoch and not math.isnan(value)), None)


# The name and shape of every array of a model, in order.
Layout = tuple[tuple[str, tuple[int, ...]], ...]


class Weights(NamedTuple):
    """The trained numbers of a model."""

    layout: Layout
    content: bytes  # little-endian float32, array after array, rows first

    def numbers(self) -> tuple[float, ...]:
        return struct.unpack(f"<{len(self.content) // 4}f", self.content)


class Answers(NamedTuple):
    """What a trained model says of rows that no search has seen, and what is true of them."""

    target: str  # the name of what is predicted
    classes: tuple[str, ...]  # empty where it is a number
    truths: tuple[float, ...]  # by row; of a class its place in `classes`
    answers: tuple[float, ...]  # likewise


class RawArray(NamedTuple):
    """An array as bytes: a NumPy type such as `<f4`, a shape, and the numbers, rows first."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Paused(Slim):
    """A trial trained up to an epoch: all that an engine needs to continue it."""

    epoch: int
    arrays: Mapping[str, RawArray]
    curve: Curve = NO_CURVE


class Lane(NamedTuple):
    """One training: of a trial, or of one of its replicates."""

    params: Params  # all that the engine's spec has
    number: int = 0  # the trial's in the study
    # What the generators of a function are seeded by; None for the study's seed and the number.
    seed: int | None = None
    fold: int | None = None  # which part of the rows validates; None where there are no folds
    paused: Paused | None = None  # the state to continue from; None for the start
    # By epoch, the objective that a trial must reach to go on, for engines that cannot pause.
    limits: tuple[tuple[int, float], ...] = ()


class Replicate(NamedTuple):
    """One of several trainings of a trial, with the metrics of a single training."""

    place: int  # from 0; those of a confirmation follow those of the search
    state: State  # COMPLETE or FAIL
    scores: Scores | None = None
    duration_s: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Slim):
    """The outcome of one trial; scores and weights are None if it failed."""

    state: State  # COMPLETE, PRUNED or FAIL; RUNNING for a paused trial
    scores: Scores | None = None
    curve: Curve = NO_CURVE  # empty if the trial never ran
    weights: Weights | None = None
    duration_s: float | None = None  # the trial's share, by cost, of its pack's training time
    worker: str | None = None  # where it was trained, `host:pid`
    error: str | None = None
    paused: Paused | None = None  # the point to continue from
    replicates: tuple[Replicate, ...] = ()  # of a trial that was trained several times
    lanes: tuple[Outcome, ...] = ()  # of a trial at a rung, those of its trainings


class TrialRow(NamedTuple):
    """A trial, with its outcome once it is finished."""

    trial: Trial
    outcome: Outcome | None = None


class FinishedTrial(NamedTuple):
    """A trial with its outcome."""

    trial: Trial
    outcome: Outcome


class RecordedTrial(NamedTuple):
    """A trial as a study has it, with its curve, and when its outcome was recorded."""

    trial: Trial
    outcome: Outcome | None = None
    curve: Curve = NO_CURVE
    recorded: float | None = None  # in seconds since 1970; None if that is not known


@dataclass(frozen=True, slots=True)
class Pack:
    """Trials of one generation that one worker trains together."""

    id: int  # unique; trials that are trained again get another pack
    trials: tuple[Trial, ...]  # in number order
    device: str = "cpu"  # or "cuda"
    tries: int = 0  # how often exactly these trials were lost with their worker
    avoid: frozenset[str] = frozenset()  # the nodes where they were lost, as the runner names them
    replicates: range = range(1)  # which trainings of each trial
    until: int | None = None  # the epoch of the rung at which trials pause; None for the end
    # By number, the lanes of trials that continue from a rung.
    states: Mapping[int, tuple[Outcome, ...]] = field(default_factory=dict)
    limits: tuple[tuple[int, float], ...] = ()  # as for `Lane`
