"""Which engine trains a module, and why: from what was found of it, and never by a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from xortune.engines.engine import Pace
from xortune.engines.stacked.crowding import stacks_in_words
from xortune.engines.stacked.engine import LARGEST
from xortune.engines.stacked.fitness import Fitness


class Choice(NamedTuple):
    """An engine, with words for the user."""

    engine: Literal["stacked", "plain"]
    words: str


def choose(
    fitness: Fitness, stacks: Sequence[int] = (), paces: tuple[Pace, Pace] | None = None
) -> Choice:
    """The engine of a module without faults.

    Args:
        fitness: what was found of it.
        stacks: the lanes of each stack that a generation makes; empty if that is not known.
        paces: the estimates for these stacks, and for one trial after the other; None for full
            stacks.
    """
    why = fitness.alone or fitness.too_large
    if not why and paces is not None and paces[0].cost_per_s < paces[1].cost_per_s:
        why = f"a generation falls into {stacks_in_words(stacks)}, which would take longer"
    if why:
        return Choice("plain", f"one at a time in each worker, since {why}")
    return Choice("stacked", packs_in_words(stacks))


def packs_in_words(stacks: Sequence[int]) -> str:
    """How lanes are trained in stacks, for the user."""
    crowd = f"; a generation falls into {stacks_in_words(stacks)}" if stacks else ""
    return f"packs of up to {LARGEST}, same bits in any pack{crowd}"
