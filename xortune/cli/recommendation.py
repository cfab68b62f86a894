"""What a study recommends, in lines of at most 80 characters below its table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from xortune.cli.tables import score_lines
from xortune.report import facts
from xortune.spec import ProblemSpec

_WIDTH = 80
# The word for the objective of several trainings, by how the study aggregates them.
_AGGREGATES = {"mean": "mean", "median": "median", "max": "worst"}


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
        return [
            f"nothing to recommend: of {found['of']} confirmed, those that came out best failed on "
            "some seeds"
        ]
    lines = trial_lines(
        f"use trial {used['number']}", used["params"], used, spec, found["aggregate"]
    )
    lines += _of_the_first(summary, spec, found)
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
    values = ", ".join(f"{name} {_value(value)}" for name, value in params.items())
    return [
        *textwrap.wrap(f"{head}: {values}", _WIDTH, subsequent_indent="  ", break_long_words=False),
        *quality_lines(numbers, spec, aggregate),
    ]


def quality_lines(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> list[str]:
    """What a trial came to on fresh seeds; the arguments are as for `trial_lines`."""
    return _wrapped(f"{_quality(numbers, spec, aggregate)}{_failures(numbers)}{_solves(numbers)}")


def edge_lines(edges: Sequence[Mapping[str, Any]], *, widen: bool = True) -> list[str]:
    """What lies at an end of its range: `rate 10 is the upper end of its range: widen it`."""
    advice = (": widen it", ": widen them") if widen else ("", "")
    lines = []
    for end in ("lower", "upper"):
        names = [f"{e['parameter']} {_value(e['value'])}" for e in edges if e["end"] == end]
        if len(names) == 1:
            lines.append(f"{names[0]} is the {end} end of its range{advice[0]}")
        elif names:
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            lines.append(f"{listed} are the {end} ends of their ranges{advice[1]}")
    return lines


def _of_the_first(
    summary: Mapping[str, Any], spec: ProblemSpec, found: Mapping[str, Any]
) -> list[str]:
    """A line on the trial of rank 1, unless that is the one to use."""
    first, used = summary.get("first"), summary["recommended"]
    entry = next((e for e in found["trials"] if e["number"] == first), None)
    if entry is None or first == used["number"]:
        return []
    numbers = facts(spec, entry)
    seeds = "" if entry["seeds"] == used["seeds"] else f" on {entry['seeds']} seeds"
    objective = _objective(numbers, spec, found["aggregate"])
    lines = _wrapped(
        f"rank 1, trial {first}: {objective}{seeds}{_failures(numbers)}{_solves(numbers, ', ')}"
    )
    # Where luck was is no reason to widen a range.
    known = summary.get("edges", ())
    own = [edge for edge in summary.get("edges_of_first", ()) if edge not in known]
    return [*lines, *(f"    {end}" for end in edge_lines(own, widen=False))]


def _quality(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> str:
    objective = _objective(numbers, spec, aggregate)
    std = "" if numbers["std"] is None else f", std {numbers['std']:.3g}"
    return f"{objective}{std}, on {numbers['seeds']} fresh seeds"


def _objective(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> str:
    name = spec.objectives[0].metric
    value = numbers[name]
    shown = "infinite" if value is None else f"{value:.3g}"
    return f"{_AGGREGATES[aggregate]} {name} {shown}"


def _failures(numbers: Mapping[str, Any]) -> str:
    failed = numbers["failed"]
    return f" ({failed} failed)" if failed else ""


def _solves(numbers: Mapping[str, Any], before: str = "; ") -> str:
    if "solved_share" not in numbers:
        return ""
    share, low, high = (percent(numbers[f"solved_{key}"]) for key in ("share", "low", "high"))
    return f"{before}solves {share} ({low} to {high})"


def percent(share: float) -> str:
    """A share in percent; 0 and 100 only where it is exactly that."""
    text = f"{share:.0%}"
    if (text, share) in (("0%", 0), ("100%", 1)) or text not in ("0%", "100%"):
        return text
    finer = f"{share:.1%}"
    return {"0.0%": "below 0.1%", "100.0%": "above 99.9%"}.get(finer, finer)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
