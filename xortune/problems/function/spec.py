"""The spec of a function's problem: its parameters from the space, its metrics as declared."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.declared import Problem
from xortune.problems.function.declared import FOLD, FOLDS
from xortune.problems.names import RESERVED_PARAMETERS, is_name, is_rising
from xortune.spec import Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Value
from xortune.wording import option

_LOSS = "loss"
# Parameters whose values are hardly ever meant to be whole numbers.
_FRACTIONS = re.compile(
    r"(.*_)?(lr|rate|dropout|momentum|decay|alpha|beta|gamma|temperature)\d*", re.IGNORECASE
)
_LARGEST = 2**53


def function_spec(problem: Problem, name: str, parameters: Sequence[Parameter]) -> ProblemSpec:
    """The spec of a problem.

    A metric called `loss` is the final loss; without one, the objective is if it is minimised.

    Args:
        problem: the problem.
        name: its name, as a spec takes it.
        parameters: those of the search space.

    Raises:
        UsageError: a name cannot stand in a table, or the cost is not a parameter; lists all
            faults.
    """
    objective, direction = problem.objective_name, problem.direction
    taken = {parameter.name for parameter in parameters}
    declared = {objective, *(problem.metrics or ())}
    metrics = [m for m in problem.metric_names if m in declared or m not in taken]
    faults = [*_names_at_fault(taken, declared), *_cost_at_fault(problem.cost, parameters)]
    if faults:
        raise UsageError("\n".join(faults))
    loss = _LOSS if _LOSS in metrics else objective if direction == "minimize" else None

    def metric(name: str) -> Metric:
        higher = direction == "maximize" if name == objective else is_rising(name)
        better = "higher" if higher else None
        return Metric(name, "loss" if name == loss else "number", better)  # type: ignore[arg-type]

    return ProblemSpec(
        problem=problem.name or name,
        parameters=tuple(_measurable(p) if p.name == problem.cost else p for p in parameters),
        metrics=tuple(map(metric, metrics)),
        loss=loss,
        objectives=(Objective(objective, direction),),
        curve=tuple(Series(name, name) for name in metrics),
        cost=problem.cost,
    )


def single_spec(study: ProblemSpec, seed: str | None, *, is_extended: bool) -> ProblemSpec:
    """The spec of one training, from that of a study.

    Args:
        study: the study's.
        seed: the parameter that seeds a training; None without one.
        is_extended: whether the study has replicates or a pruner. Otherwise a metric may have one
            of the names that those add, in a study of an earlier version.
    """
    if not is_extended:
        return study
    parameters = study.parameters
    if seed is not None and seed not in study.names:
        # The same one in every run, whatever the space made of it.
        parameters += (Parameter(seed, "int", 0, -_LARGEST, _LARGEST, ordered=False),)
    return replace(study, parameters=parameters, metrics=study.measured)


def folds_at_fault(spec: ProblemSpec, folds: object) -> list[str]:
    """The faults of parameters that would hide the fold; none without folds."""
    return [
        f"{option('folds')} {brief(folds)}: a function is told its fold as config['{FOLD}'], of "
        f"config['{FOLDS}'], and the space has a parameter {name!r}. Rename the parameter."
        for name in spec.names
        if folds is not None and name in (FOLD, FOLDS)
    ]


def notes_on(space: Mapping[str, Any], parameters: Sequence[Parameter]) -> list[str]:
    """Notes on ranges of whole numbers that were hardly meant to be such."""
    notes = []
    for parameter in parameters:
        entry = space.get(parameter.name)
        if not isinstance(entry, Mapping) or "min" not in entry or "distribution" in entry:
            continue
        if parameter.kind == "int" and _FRACTIONS.fullmatch(parameter.name):
            notes.append(
                f"{parameter.name} takes whole numbers only, since min and max are whole; write "
                f"{float(entry['min'])!r} for fractions."
            )
    return notes


def _names_at_fault(taken: set[str], declared: set[str]) -> list[str]:
    faults = []
    for name in sorted(taken):
        if not is_name(name):
            faults.append(
                f"parameter {brief(name)}: a name consists of letters, digits and underscores, "
                "with a slash between groups."
            )
        elif name in RESERVED_PARAMETERS:
            faults.append(
                f"parameter {name!r}: xortune's tables have a column of that name; rename it."
            )
        elif name in declared:
            faults.append(f"parameter {name!r}: a metric has the same name; rename one.")
    return faults


def _cost_at_fault(cost: str | None, parameters: Sequence[Parameter]) -> list[str]:
    if cost is None:
        return []
    found = next((p for p in parameters if p.name == cost), None)
    if found is None:
        there_are = ", ".join(p.name for p in parameters)
        return [f"cost {cost!r}: must be a parameter of the space; there are {there_are}."]
    if found.kind == "choice" and not all(type(c) in (int, float) for c in found.choices):
        return [f"cost {cost!r}: must be a parameter whose values are numbers."]
    return []


def _measurable(parameter: Parameter) -> Parameter:
    """A choice of numbers as a number, which training time can be proportional to."""
    if parameter.kind != "choice":
        return parameter
    whole = all(type(choice) is int for choice in parameter.choices)
    kind, limit = ("int", _LARGEST) if whole else ("float", sys.float_info.max)
    default: Value = parameter.choices[0] if whole else float(parameter.choices[0])
    return replace(parameter, kind=kind, default=default, low=-limit, high=limit, choices=())  # type: ignore[arg-type]
