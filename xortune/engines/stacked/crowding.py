"""How many stacks the trials of a generation make, and how full these are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xortune.engines.plain.module import own_generators
from xortune.engines.stacked.form import made
from xortune.engines.user_code import UserError
from xortune.problems.module.lesson import ModuleLesson


def stacks_of(
    lesson: ModuleLesson,
    points: Sequence[Mapping[str, Any]],
    lanes: int,
    most: int,
    heartbeat: Callable[[], None] = lambda: None,
) -> tuple[int, ...]:
    """The lanes of each stack, of which there is one for each structure and batch size.

    Args:
        lesson: of the problem.
        points: random assignments of all parameters, no more than there are lanes.
        lanes: that a generation has for each of its folds.
        most: that a stack has.
        heartbeat: called at intervals.

    Returns:
        The lanes of each, the fullest first; empty if no module can be made.
    """
    kinds: Counter[Any] = Counter()
    with own_generators(shown=lesson.shown):
        for params in points:
            heartbeat()
            try:
                kinds[made(lesson, params)[1]] += 1
            except UserError:  # Such a trial fails.
                continue
    share = lanes / max(1, len(points))
    return tuple(min(most, round(count * share)) or 1 for _, count in kinds.most_common())


def stacks_in_words(stacks: Sequence[int]) -> str:
    """How many stacks there are, and how full, for the user."""
    fullest, emptiest = stacks[0], stacks[-1]
    each = f"{emptiest:,} to {fullest:,}" if fullest > emptiest else f"{fullest:,}"
    number = "one stack" if len(stacks) == 1 else f"{len(stacks):,} stacks"
    trainings = "training" if fullest == 1 else "trainings"
    return f"{number} of {each} {trainings}"
