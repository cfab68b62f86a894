"""What a study recommends, in sentences: for a terminal, and for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xortune.report.confirmed import facts
from xortune.report.numerals import percent, value_text
from xortune.spec import ProblemSpec

# The word for the objective of several trainings, by how the study aggregates them.
AGGREGATE_WORDS = {"mean": "mean", "median": "median", "max": "worst"}


def quality_words(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> str:
    """What a trial came to on fresh seeds.

    Args:
        numbers: as `facts` gives them.
        spec: the study's.
        aggregate: how the study aggregates replicates.
    """
    objective = objective_words(numbers, spec, aggregate)
    std = "" if numbers["std"] is None else f", std {numbers['std']:.3g}"
    seeds = f"{objective}{std}, on {numbers['seeds']:,} fresh seeds"
    return f"{seeds}{_failures(numbers)}{_solves(numbers)}"


def objective_words(numbers: Mapping[str, Any], spec: ProblemSpec, aggregate: str) -> str:
    """The aggregated objective, such as `mean error 0.0102`."""
    name = spec.objectives[0].metric
    value = numbers[name]
    shown = "infinite" if value is None else f"{value:.3g}"
    return f"{AGGREGATE_WORDS[aggregate]} {name} {shown}"


def first_words(summary: Mapping[str, Any], spec: ProblemSpec) -> str:
    """The trial of rank 1 on fresh seeds; empty if that is the one to use, or not confirmed."""
    found, first, used = summary["confirmation"], summary.get("first"), summary["recommended"]
    entry = next((e for e in found["trials"] if e["number"] == first), None)
    if entry is None or first == used["number"]:
        return ""
    numbers = facts(spec, entry)
    seeds = "" if entry["seeds"] == used["seeds"] else f" on {entry['seeds']:,} seeds"
    objective = objective_words(numbers, spec, found["aggregate"])
    return f"rank 1, trial {first}: {objective}{seeds}{_failures(numbers)}{_solves(numbers, ', ')}"


def first_edges(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ends of ranges where rank 1 lies, and the trial to use does not."""
    known = summary.get("edges", ())
    return [edge for edge in summary.get("edges_of_first", ()) if edge not in known]


def nothing_words(found: Mapping[str, Any]) -> str:
    """Why a confirmation recommends no trial."""
    return (
        f"nothing to recommend: of {found['of']:,} confirmed, those that came out best failed on "
        "some seeds"
    )


def edge_lines(edges: Sequence[Mapping[str, Any]], *, widen: bool = True) -> list[str]:
    """What lies at an end of its range: `rate 10 is the upper end of its range: widen it`."""
    advice = (": widen it", ": widen them") if widen else ("", "")
    lines = []
    for end in ("lower", "upper"):
        names = [f"{e['parameter']} {_in_words(e['value'])}" for e in edges if e["end"] == end]
        if len(names) == 1:
            lines.append(f"{names[0]} is the {end} end of its range{advice[0]}")
        elif names:
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            lines.append(f"{listed} are the {end} ends of their ranges{advice[1]}")
    return lines


def _in_words(value: Any) -> str:
    """The end of a range in a sentence: whole numbers with separators, such as 10,000."""
    return f"{value:,}" if type(value) is int else value_text(value)


def _failures(numbers: Mapping[str, Any]) -> str:
    failed = numbers["failed"]
    return f" ({failed:,} failed)" if failed else ""


def _solves(numbers: Mapping[str, Any], before: str = "; ") -> str:
    if "solved_share" not in numbers:
        return ""
    share, low, high = (percent(numbers[f"solved_{key}"]) for key in ("share", "low", "high"))
    return f"{before}solves {share} ({low} to {high})"
