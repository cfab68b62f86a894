"""The spec of a module's problem: its model's keywords, the training's parameters, its metrics."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.declared import Problem
from xortune.problems.module.declared import (
    OF_THE_DATA,
    TRAINER_NAMES,
    DeclaredModule,
    keywords_of,
    takes_any_keyword,
)
from xortune.problems.names import RESERVED_PARAMETERS, is_name
from xortune.problems.sources import called_name
from xortune.problems.trainer_parameters import (
    COMPARED,
    COST,
    CURVE,
    LOSS_FN,
    known_aliases,
    trainer_parameters,
)
from xortune.spec import Parameter, ProblemSpec
from xortune.wording import did_you_mean

_LARGEST_INT, _LARGEST_FLOAT = 2**53, sys.float_info.max


def module_spec(problem: Problem, name: str, parameters: Sequence[Parameter]) -> ProblemSpec:
    """The spec of a problem.

    A keyword of the model is a parameter where the space has it, of the kind that it has there;
    or else where its default is a number, a text or a truth value.

    Args:
        problem: the problem, with a model.
        name: its name, as a spec takes it, unless it has one of its own.
        parameters: those of the search space; of the training's own only the names count.

    Raises:
        UsageError: lists all faults of names and defaults.
    """
    module = problem.module
    faults = _names_at_fault(module, [p.name for p in parameters])
    own = _keywords(module, parameters, faults)
    trainer = trainer_parameters(module.loss_fns)
    all_of_them = _with_defaults((*own, *trainer), module.defaults, faults)
    if faults:
        raise UsageError("\n".join(faults))
    return ProblemSpec(
        problem=problem.name or name,
        parameters=all_of_them,
        metrics=module.spec_metrics,
        loss=module.loss,
        objectives=(module.objective,),
        curve=CURVE,
        cost=COST,
        compared=COMPARED,
        aliases=known_aliases(trainer, {}),
    )


def _keywords(
    module: DeclaredModule, parameters: Sequence[Parameter], faults: list[str]
) -> list[Parameter]:
    """The model's own parameters, in the order of its signature."""
    there = {p.name: p for p in parameters if p.name not in TRAINER_NAMES}
    found = []
    keywords = keywords_of(module.model)
    for name, keyword in keywords.items():
        default = module.defaults.get(name, keyword.default)
        if keyword.kind is keyword.VAR_KEYWORD:
            continue
        if name in there:
            found.append(there.pop(name))
        elif default is inspect.Parameter.empty:
            faults.append(
                f"model {called_name(module.model)}: {name} has no default, and the search space "
                "has no such parameter. Add it to the space, or give it a default."
            )
        elif (parameter := _of_default(name, default)) is not None:
            found.append(parameter)
    return [*found, *there.values()] if takes_any_keyword(keywords) else found


def _of_default(name: str, default: Any) -> Parameter | None:
    """The parameter of a keyword that a space leaves out; None if a study cannot record it."""
    if isinstance(default, (bool, str)):
        return Parameter(name, "choice", default, choices=(default,), ordered=False)
    if isinstance(default, int) and abs(default) <= _LARGEST_INT:
        return Parameter(name, "int", default, -_LARGEST_INT, _LARGEST_INT)
    if isinstance(default, float) and abs(default) <= _LARGEST_FLOAT:
        return Parameter(name, "float", default, -_LARGEST_FLOAT, _LARGEST_FLOAT)
    return None


def _with_defaults(
    parameters: Sequence[Parameter], defaults: Mapping[str, Any], faults: list[str]
) -> tuple[Parameter, ...]:
    """The parameters with a problem's own defaults."""
    names = [p.name for p in parameters]
    for name in defaults:
        if name not in names:
            faults.append(f"defaults: there is no parameter {name!r}.{did_you_mean(name, names)}")
    changed = []
    for parameter in parameters:
        value = defaults.get(parameter.name, parameter.default)
        if parameter.kind == "float" and type(value) is int:
            value = float(value)
        # What a space offers instead of values has its fault there, line by line.
        if parameter.takes(value) or parameter.name not in defaults:
            changed.append(replace(parameter, default=value))
        else:
            faults.append(
                f"defaults: {parameter.name} cannot be {brief(value)}; it takes "
                f"{_taken(parameter)}."
            )
    return tuple(changed)


def _taken(parameter: Parameter) -> str:
    """The values that a parameter takes, in words."""
    if parameter.kind == "choice":
        return ", ".join(map(brief, parameter.choices))
    kind = "whole numbers" if parameter.kind == "int" else "numbers"
    low = "" if parameter.low is None else f"{parameter.low:g}"
    return f"{kind} {'above' if parameter.above_low else 'from'} {low}" if low else kind


def _names_at_fault(module: DeclaredModule, names: Sequence[str]) -> list[str]:
    """The faults of the names in a search space."""
    faults = []
    keywords = keywords_of(module.model)
    takes_any = takes_any_keyword(keywords)
    metrics = {metric.name for metric in module.spec_metrics}
    trainer = [p.name for p in trainer_parameters(module.loss_fns)]
    known = [*(name for name, k in keywords.items() if k.kind is not k.VAR_KEYWORD), *trainer]
    for name in names:
        if not is_name(name):
            faults.append(
                f"parameter {brief(name)}: a name consists of letters, digits and underscores, "
                "with a slash between groups."
            )
        elif name in OF_THE_DATA:
            faults.append(f"parameter {name!r}: the data says it. Take it out of the space.")
        elif name == LOSS_FN and name not in trainer:
            faults.append(
                f"parameter {name!r}: there is one loss. For a choice, list several: "
                f"Problem(..., loss=['mse', 'huber'])."
            )
        elif name in RESERVED_PARAMETERS:
            faults.append(
                f"parameter {name!r}: xortune's tables have a column of that name; rename it."
            )
        elif name in metrics:
            faults.append(f"parameter {name!r}: a metric has the same name; rename one.")
        elif name not in known and not takes_any:
            listed = ", ".join(known)
            faults.append(
                f"parameter {name!r}: is no keyword of the model {called_name(module.model)}, and "
                f"no parameter of the training; there are {listed}.{did_you_mean(name, known)}"
            )
    keyed = {*known} & metrics
    faults += [f"model: {name} is the name of a metric, too; rename one." for name in sorted(keyed)]
    return faults
