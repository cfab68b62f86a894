"""The entries of a search space beside the annotations of a model's keywords."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from xortune.plain_numbers import brief
from xortune.problems.module.declared import keywords_of
from xortune.spec import Parameter

# What each annotation takes, in words and in Python's own types.
_TAKES: dict[str, tuple[str, tuple[type, ...]]] = {
    "int": ("whole numbers", (int,)),
    "float": ("numbers", (int, float)),
    "str": ("texts", (str,)),
    "bool": ("true and false", (bool,)),
}


def annotations_at_fault(model: Callable[..., Any], parameters: Iterable[Parameter]) -> list[str]:
    """The faults of entries whose values are not of the annotated type of a model's keyword.

    Args:
        model: makes a module. Other annotations than int, float, str and bool take anything.
        parameters: as inferred from a search space.
    """
    keywords, faults = keywords_of(model), []
    for parameter in parameters:
        keyword = keywords.get(parameter.name)
        if keyword is None:
            continue
        # Written as a text where a file postpones annotations.
        annotation = getattr(keyword.annotation, "__name__", keyword.annotation)
        if annotation in _TAKES and (found := _unlike(parameter, *_TAKES[annotation][1])):
            name, takes = parameter.name, _TAKES[annotation][0]
            faults.append(
                f"parameters.{name}: model takes {takes} ({name}: {annotation}), found {found}"
            )
    return faults


def _unlike(parameter: Parameter, *types: type) -> str:
    """What an entry offers that is of no such type, in words; empty for nothing."""
    if parameter.kind == "choice":
        wrong = [choice for choice in parameter.choices if type(choice) not in types]
        return ", ".join(map(brief, wrong))
    kind = int if parameter.kind == "int" else float
    words = "a range of whole numbers" if kind is int else "a range of fractions"
    return "" if kind in types else words
