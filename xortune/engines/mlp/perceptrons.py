"""Looks at a module at some points of its space: whether C can train it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xortune.engines.mlp.grouping import Cost
from xortune.engines.mlp.module_rows import takes, why_not_in_c
from xortune.engines.plain.module import own_generators, seeded_module
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.perceptron import Recogniser

_NO_PERCEPTRON = (
    "the model is no perceptron: nn.Linear layers, all hidden ones of one width, with the same "
    "activation and perhaps the same dropout behind each"
)


@dataclass(frozen=True)
class Perceptrons:
    """What was found.

    Attributes:
        why_not: why C cannot train the module; empty if it can.
        typical: the points by the names of a table's parameters.
        cost: of blocks on the rows; None where C cannot train it.
        weights: of the largest.
    """

    why_not: str
    typical: tuple[dict[str, Any], ...] = ()
    cost: Cost | None = None
    weights: int = 0


def perceptrons_at(lesson: ModuleLesson, points: Sequence[Mapping[str, Any]]) -> Perceptrons:
    """Looks at a module, whose outputs and gradients are compared with those of its form.

    Args:
        lesson: of the problem, whose module has no fault at these points.
        points: assignments of all parameters.
    """
    why_not = why_not_in_c(lesson)
    if why_not:
        return Perceptrons(why_not)
    recogniser = Recogniser(lesson.x)
    forms = []
    with own_generators(shown=lesson.shown):
        for params in points:
            form = recogniser.form_of(seeded_module(lesson, params), compared=True)
            if form is None or not takes(lesson, form.outputs, squeezed=form.squeezed):
                return Perceptrons(_NO_PERCEPTRON)
            forms.append(form)
    first = forms[0]
    cost = Cost(first.inputs, first.outputs, len(lesson.x), len(lesson.x_validation))
    typical = tuple({**params, **form.settings} for params, form in zip(points, forms))
    return Perceptrons("", typical, cost, max(form.count for form in forms))
