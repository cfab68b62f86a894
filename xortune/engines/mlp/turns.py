"""Blocks that train in turns, and are joined once many of their lanes have ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from xortune.engines.mlp.grouping import Cost, Kind, grouped

# No more blocks take turns once those that do keep this many bytes.
_MOST_BYTES = 2**28
# The expected seconds of a turn, at least and at most; it costs 0.1 ms in Python. They are twice
# those of the last turn where no lane ended in that, and half of them otherwise.
_SHORT_S, _LONG_S = 0.003, 0.2
# Other blocks are looked for once this share of the lanes is left, and made if those that are
# there would take longer by this factor.
_LEFT, _LONGER = 0.8, 1.25
# The epochs of a block that take as long as to make it of the lanes of others.
_MOVED = 2


class Training(Protocol):
    """A lane in training."""

    @property
    def kind(self) -> Kind:
        """What of it decides the cost of its block; the epochs are those that are left."""


T = TypeVar("T", bound=Training)


class Run(Protocol[T]):
    """A block in training."""

    @property
    def left(self) -> list[T]:
        """The lanes that have not ended."""

    @property
    def epoch_s(self) -> float:
        """The expected seconds of an epoch."""

    @property
    def bytes(self) -> int:
        """The memory of the block."""

    def train(self, epochs: int) -> None:
        """Trains for so many epochs, or until all lanes have ended."""

    def leave(self) -> None:
        """Hands the states of lanes that are left to them; the block is not used again."""


def train_all(lanes: Sequence[T], cost: Cost, begin: Callable[[list[T]], Run[T]]) -> None:
    """Trains lanes to their ends, in blocks that `begin` makes."""
    groups, _ = grouped([lane.kind for lane in lanes], cost)
    waiting = deque([lanes[place] for place in group] for group in groups)
    runs: list[Run[T]] = []
    looked = 0  # the lanes that were left when blocks were last chosen
    turn_s = _SHORT_S
    while runs or waiting:
        while waiting and (not runs or sum(run.bytes for run in runs) < _MOST_BYTES):
            runs.append(begin(waiting.popleft()))
            looked = _count(runs)
        runs = _unfinished(runs)
        before = _count(runs)
        for run in runs:
            run.train(max(1, int(turn_s / run.epoch_s)))
        runs = _unfinished(runs)
        left = _count(runs)
        turn_s = min(2 * turn_s, _LONG_S) if left == before else max(turn_s / 2, _SHORT_S)
        if 0 < left <= _LEFT * looked:
            looked = left
            runs = _joined(runs, cost, begin)


def _unfinished(runs: Sequence[Run[T]]) -> list[Run[T]]:
    return [run for run in runs if run.left]


def _count(runs: Sequence[Run[T]]) -> int:
    return sum(len(run.left) for run in runs)


def _joined(runs: list[Run[T]], cost: Cost, begin: Callable[[list[T]], Run[T]]) -> list[Run[T]]:
    """The lanes that are left in fewer or smaller blocks, if that is worth moving them."""
    lanes = [lane for run in runs for lane in run.left]
    kinds = [lane.kind for lane in lanes]
    groups, seconds = grouped([k._replace(epochs=k.epochs + _MOVED) for k in kinds], cost)
    now = sum(run.epoch_s * max(lane.kind.epochs for lane in run.left) for run in runs)
    if now < _LONGER * seconds:
        return runs
    for run in runs:
        run.leave()
    return [begin([lanes[place] for place in group]) for group in groups]
