"""Points that were not asked for before: training is deterministic, a repeat teaches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from xortune.sampling.distributions import on_grid
from xortune.sampling.permutation import Permutation
from xortune.sampling.samplers import Draws, Model
from xortune.space import Range, SearchSpace, count_points, count_values, point_at
from xortune.trial import Params

# Near the end of a space nearly every proposal is a repeat: a model costs milliseconds to ask
# again, a draw microseconds.
_MODEL_TRIES, _DRAW_TRIES = 2, 8


def assignment(space: SearchSpace, proposed: Mapping[str, Any]) -> Params:
    """What a sampler proposes, rounded to the space's values.

    Args:
        space: what to choose from.
        proposed: by parameter, a float of its interval or one of its choices.
    """
    return space.params(
        {
            name: on_grid(domain, proposed[name]) if isinstance(domain, Range) else proposed[name]
            for name, domain in space.domains.items()
        }
    )


class Points:
    """A set of points that keeps digests alone: a million of them take 95 MB."""

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
    """Asks for points that were not asked for before.

    A proposal that repeats a point is made again a few times, last of all drawn blindly. If all
    of them repeat, the first new point in a pseudo-random order of the space takes their place.
    Both depend on nothing but the arguments and on what is added.

    Args:
        space: what to choose from.
        draws: draws every parameter.
        model: replaces what it knows something of; None for blind draws.
        asked: the points of all trials before; added to.
        seed: decides the order in which points take a proposal's place.
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
        """Counts a point as asked for."""
        self._asked.add(params)

    def ask(self) -> Params | None:
        """A point that was not asked for; None if there are no more.

        It may be a repeat where the ranges of an infinite space hold a few floats only.
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
        """Whether drawing again may change anything: what has no order is not modelled."""
        domains = self._space.domains.items()
        return any(name not in learnt and count_values(domain) != 1 for name, domain in domains)

    def _next_in_order(self, order: Permutation) -> Params | None:
        while self._count is not None and self._place < self._count:
            params = point_at(self._space, order[self._place])
            self._place += 1
            if params not in self._asked:
                return params
        return None
