"""Asks for each point once: training is deterministic, so repeating a point is useless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from xortune.sampling.distributions import on_grid
from xortune.sampling.permutation import Permutation
from xortune.sampling.samplers import Draws, Model
from xortune.space import Range, SearchSpace, count_points, count_values, point_at
from xortune.trial import Params

# When few points are left, nearly every proposal is a repeat. Asking a model again takes
# milliseconds, drawing again microseconds.
_MODEL_TRIES, _DRAW_TRIES = 2, 8


def assignment(space: SearchSpace, proposed: Mapping[str, Any]) -> Params:
    """A sampler's proposal, floats of intervals and choices, rounded to the space's values."""
    return space.params(
        {
            name: on_grid(domain, proposed[name]) if isinstance(domain, Range) else proposed[name]
            for name, domain in space.domains.items()
        }
    )


class Points:
    """A set of points, stored as digests: a million take 95 MB."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, params: Params) -> bool:
        return _digest(params) in self._digests

    def add(self, params: Params) -> None:
        self._digests.add(_digest(params))


def _digest(params: Params) -> bytes:
    return blake2b(repr(params.row).encode(), digest_size=16).digest()


class Unseen:
    """Asks for new points: a pure function of the arguments and of the points added.

    A repeated point is proposed again a few times, in the end at random. If all proposals are
    repeats, the first new point in a pseudo-random order of the space replaces them.

    Args:
        space: the search space.
        draws: draws every parameter.
        model: replaces the draws of the parameters that it models; None for random search.
        asked: the points of all earlier trials; updated.
        seed: seeds the order of replacements.
    """

    def __init__(
        self, space: SearchSpace, draws: Draws, model: Model | None, asked: Points, seed: str
    ) -> None:
        self._space = space
        self._draws = draws
        self._model = model
        self._asked = asked
        self._count = count_points(space)
        self._order = None if self._count is None else Permutation(self._count, seed)
        self._place = 0

    def add(self, params: Params) -> None:
        self._asked.add(params)

    def ask(self) -> Params | None:
        """A new point; None if none is left.

        It may be a repeat if the ranges of an infinite space hold only a few floats.
        """
        if self._count is not None and len(self._asked) >= self._count:
            return None
        for params in self._proposals():
            if params not in self._asked:
                return params
        return params if self._order is None else self._next_in_order(self._order)

    def _proposals(self) -> Iterator[Params]:
        for _ in range(_MODEL_TRIES if self._model else 0):
            learnt = self._model.ask() if self._model else {}
            for _ in range(_DRAW_TRIES if self._varies(learnt) else 1):
                yield assignment(self._space, self._draws.ask() | learnt)
        for _ in range(_DRAW_TRIES):
            yield assignment(self._space, self._draws.ask())

    def _varies(self, learnt: dict[str, Any]) -> bool:
        """Whether drawing again may change the point: some parameters are not modelled."""
        domains = self._space.domains.items()
        return any(name not in learnt and count_values(domain) != 1 for name, domain in domains)

    def _next_in_order(self, order: Permutation) -> Params | None:
        while self._count is not None and self._place < self._count:
            params = point_at(self._space, order[self._place])
            self._place += 1
            if params not in self._asked:
                return params
        return None
