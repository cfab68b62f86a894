"""What a study recommends, in lines of at most 80 characters below its table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from xortune.cli.tables import score_lines
from xortune.report.numerals import value_text
from xortune.report.recommendation import (
    edge_lines,
    first_edges,
    first_words,
    nothing_words,
    quality_words,
)
from xortune.spec import ProblemSpec

__all__ = ["edge_lines", "trial_lines", "use_lines"]

_WIDTH = 80


def use_lines(summary: Mapping[str, Any], spec: ProblemSpec) -> list[str]:
    """The trial to use and how good it is; what of it lies at an end of its range.

    Args:
        summary: that of the study.
        spec: the study's.
    """
    found, used = summary.get("confirmation"), summary.get("recommended")
    ends = edge_lines(summary.get("edges", ()))
    if found is None:
        best = "the best trial: "
        return [f"{best if place == 0 else ' ' * len(best)}{end}" for place, end in enumerate(ends)]
    if used is None:
        return [nothing_words(found)]
    lines = trial_lines(
        f"use trial {used['number']}", used["params"], used, spec, found["aggregate"]
    )
    if first := first_words(summary, spec):
        # Where luck was is no reason to widen a range.
        own = edge_lines(first_edges(summary), widen=False)
        lines += [*_wrapped(first), *(f"    {end}" for end in own)]
    lines += [f"  {line}" for line in ends]
    if test := summary.get("test_of_recommended"):
        lines += score_lines(f"trial {test['number']}", test)
    return lines


def trial_lines(
    head: str,
    params: Mapping[str, Any],
    numbers: Mapping[str, Any],
    spec: ProblemSpec,
    aggregate: str,
) -> list[str]:
    """A trial's assignment, and below it what it came to on fresh seeds.

    Args:
        head: the words before the assignment.
        params: the assignment.
        numbers: as `facts` gives them.
        spec: the study's.
        aggregate: how the study aggregates replicates.
    """
    values = ", ".join(f"{name} {value_text(value)}" for name, value in params.items())
    return [
        *textwrap.wrap(f"{head}: {values}", _WIDTH, subsequent_indent="  ", break_long_words=False),
        *quality_lines(numbers, spec, aggregate),
    ]


def quality_lines(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> list[str]:
    """What a trial came to on fresh seeds; the arguments are as for `trial_lines`."""
    return _wrapped(quality_words(numbers, spec, aggregate))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
