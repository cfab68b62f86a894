"""What a benchmark is made of: rows of figures, and things timed in turn."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPUS = os.cpu_count() or 1
Action = Callable[[], object]


class Skipped(Exception):
    """A row that cannot be measured here, and why."""


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure.

    Attributes:
        repeats: how often everything is measured.
        quick: at a tenth of the size, to see that it works.
    """

    repeats: int = 3
    quick: bool = False

    def size(self, full: int) -> int:
        return max(1, full // 10) if self.quick else full


@dataclass(frozen=True)
class Goal:
    """A bound, lower or upper, on a figure's median; a strict one is not reached by itself."""

    bound: float
    at_least: bool
    strict: bool = False

    def reached_by(self, value: float) -> bool:
        if self.strict and value == self.bound:
            return False
        return value >= self.bound if self.at_least else value <= self.bound


def at_least(bound: float) -> Goal:
    return Goal(bound, at_least=True)


def more_than(bound: float) -> Goal:
    return Goal(bound, at_least=True, strict=True)


def at_most(bound: float) -> Goal:
    return Goal(bound, at_least=False)


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: what is compared.
        ours: what ours came to, in words.
        against: what the other came to, in words.
        values: one a repeat, from things measured in that repeat.
        unit: of the values; x for ratios.
        goal: None for a figure that is only there to inform.
    """

    what: str
    ours: str
    against: str
    values: Sequence[float]
    goal: Goal | None = None
    unit: str = "x"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return "for information"
        return "reached" if self.goal.reached_by(self.median) else "not reached"


@dataclass(frozen=True)
class Result:
    """What a row came to.

    Attributes:
        figures: its lines of the table.
        samples: the raw measurements, by what was measured.
        notes: what a reader should know about this measurement.
    """

    figures: Sequence[Figure]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """A benchmark that can be asked for by its name.

    Attributes:
        number: its place in the table.
        name: what it is called on the command line.
        about: what is timed, and how.
        measure: measures it.
    """

    number: int
    name: str
    about: str
    measure: Callable[[Plan], Result]


def interleaved(
    repeats: int, actions: Mapping[str, Action], rest: float = 0.0, warm_up: bool = False
) -> dict[str, list[float]]:
    """Seconds that each action takes, all in turn: A B C A B C.

    Args:
        repeats: how many turns.
        actions: what to time.
        rest: seconds of quiet before each, for what the one before leaves running. What it
            has left unwritten is written then, too.
        warm_up: go through one turn first that does not count.
    """
    if warm_up:
        for action in actions.values():
            action()
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            if rest:
                os.sync()
                time.sleep(rest)
            gc.collect()  # so that no action clears up after another
            taken[name].append(seconds(action))
    return taken


@contextmanager
def one_core() -> Iterator[None]:
    """This process and those that it starts stay on one core, PyTorch on one thread."""
    import torch

    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {max(cores)})
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        os.sched_setaffinity(0, cores)


def seconds(action: Action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Pair by pair, each of one turn."""
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def duration(values: Sequence[float]) -> str:
    """The median of some durations, in the unit that suits it."""
    median = statistics.median(values)
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if abs(median) * factor >= 1:
            return f"{median * factor:.3g} {unit}" if median < 1000 else f"{median:,.0f} s"
    return f"{median * 1e6:.3g} µs"


def rate(count: float, values: Sequence[float]) -> str:
    """How many per second, in the median of some durations."""
    per_second = count / statistics.median(values)
    if per_second >= 1e6:
        return f"{per_second / 1e6:.3g} M/s"
    return f"{per_second:,.0f}/s"
