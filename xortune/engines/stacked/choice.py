"""Which engine trains a module, and why: from what was found of it, and never by a clock."""

from __future__ import annotations

from typing import Literal, NamedTuple

from xortune.engines.stacked.engine import LARGEST
from xortune.engines.stacked.fitness import Fitness


class Choice(NamedTuple):
    """An engine, with words for the user."""

    engine: Literal["stacked", "plain"]
    words: str


def choose(fitness: Fitness) -> Choice:
    """The engine of a module without faults."""
    why = fitness.alone or fitness.too_large
    if why:
        return Choice("plain", f"one at a time in each worker, since {why}")
    return Choice("stacked", f"packs of up to {LARGEST}, same bits in any pack")
